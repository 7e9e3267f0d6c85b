//! The file that an upload grows in, where a store keeps files: `NAME.part`, beside what it becomes.

use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc64Nvme};

/// Bytes of a name, on every file system that is in wide use.
const LONGEST_NAME: usize = 255;

const ENDING: &str = ".part";

/// With `-` and eight digits, when [`ENDING`] alone is taken.
const LONGEST_ENDING: usize = ENDING.len() + 9;

/// A path's folder, with the `/` at its end, and the name in it. `None` if it names no file.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    (!matches!(name, "" | "." | "..")).then_some((folder, name))
}

/// What the partial file may be called, best first: others may have begun with the same name.
pub(crate) fn names(name: &str, job: &str) -> impl Iterator<Item = String> {
    let stem = stem(name);
    let ours = (0..8).map({
        let (stem, job) = (stem.clone(), job.to_owned());
        move |turn| {
            let digits = crc_fast::checksum(Crc32Iscsi, format!("{turn}{job}").as_bytes());
            format!("{stem}{ENDING}-{digits:08x}")
        }
    });
    std::iter::once(format!("{stem}{ENDING}")).chain(ours)
}

/// Whether the partial file of `name` may be called so.
pub(crate) fn is_of(name: &str, partial: &str) -> bool {
    let rest = partial.strip_prefix(&stem(name)).and_then(|rest| rest.strip_prefix(ENDING));
    match rest {
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(|digits| {
            digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        }),
        None => false,
    }
}

/// The name, as long as an ending still fits.
fn stem(name: &str) -> String {
    if name.len() + LONGEST_ENDING <= LONGEST_NAME {
        return name.to_owned();
    }
    // Names that begin alike must still differ.
    let whole = format!("~{:016x}", crc_fast::checksum(Crc64Nvme, name.as_bytes()));
    let longest = LONGEST_NAME - LONGEST_ENDING - whole.len();
    let end = (0..=longest).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    format!("{}{whole}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        assert_eq!(split("a"), Some(("", "a")));
        assert_eq!(split("/a//b c"), Some(("/a//", "b c")));
        for folder in ["", "/", "a/", ".", "a/..", "/."] {
            assert_eq!(split(folder), None, "{folder}");
        }
    }

    #[test]
    fn the_plain_name_comes_first() {
        let names: Vec<_> = names("disk.img", "job").collect();
        assert_eq!(names[0], "disk.img.part");
        assert!(names[1].starts_with("disk.img.part-"), "{names:?}");
    }

    #[test]
    fn anothers_partial_file_is_not_ours() {
        for other in ["disk.img", "disk.img.old.part", "disk.img.part-", "disk.img.part-0000000g"] {
            assert!(!is_of("disk.img", other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn names_fit_and_are_known_again(name in "\\PC{1,255}", job in "[a-z0-9]{0,20}") {
            for partial in names(&name, &job) {
                prop_assert!(is_of(&name, &partial));
                prop_assert!(partial.len() <= LONGEST_NAME.max(name.len().min(LONGEST_NAME)));
            }
        }
    }
}
