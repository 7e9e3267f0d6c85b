//! Places by URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A place that things are copied from or to, as people write it.
///
/// | written | is |
/// |---|---|
/// | `s3://bucket/key` | an object of Amazon S3 or a service that speaks its protocol |
/// | `az://container/blob` | a blob of Azure Blob Storage, in the account that the settings name |
/// | `gs://bucket/key` | an object of Google Cloud Storage |
/// | `sftp://user@host:port/path` | a file on a host, by SSH; `/~/path` begins at home |
/// | `file:///path`, or a path | a file of this machine |
///
/// Keys are taken as they stand: `%20` in one is three characters, as with other tools. Only
/// `file://` is a URL in the strict sense, and is decoded.
///
/// ```
/// use persevere_storage::Location;
///
/// let location: Location = "s3://images/2026/disk 1.img".parse()?;
/// assert_eq!(location, Location::S3 { bucket: "images".into(), key: "2026/disk 1.img".into() });
/// assert_eq!(location.to_string(), "s3://images/2026/disk 1.img");
///
/// let error = "s4://images/disk.img".parse::<Location>().unwrap_err();
/// assert!(error.to_string().contains("must be one of s3, az, gs, sftp, file"));
/// # Ok::<(), persevere_storage::LocationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// `s3://bucket/key`
    S3 {
        /// The bucket's name.
        bucket: String,
        /// The object's key; empty for the bucket.
        key: String,
    },
    /// `az://container/blob`
    Azure {
        /// The container's name.
        container: String,
        /// The blob's name; empty for the container.
        key: String,
    },
    /// `gs://bucket/key`
    Gcs {
        /// The bucket's name.
        bucket: String,
        /// The object's name; empty for the bucket.
        key: String,
    },
    /// `sftp://user@host:port/path`
    Sftp {
        /// Whom to log in as; `None` for what the settings or the system say.
        user: Option<String>,
        /// The host's name or address, without brackets.
        host: String,
        /// The port; `None` for what the settings say, or 22.
        port: Option<u16>,
        /// The path, absolute, or with nothing before it for one that begins at home.
        path: String,
    },
    /// A path of this machine.
    Local(PathBuf),
}

/// Why a text is no [`Location`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{written}`: {reason}")]
pub struct LocationError {
    written: String,
    reason: String,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(written: &str) -> Result<Self, LocationError> {
        parse(written).map_err(|reason| LocationError { written: shown(written), reason })
    }
}

fn parse(written: &str) -> Result<Location, String> {
    if written.is_empty() {
        return Err("is empty, but must be a URL or a path".into());
    }
    let Some((scheme, rest)) = split_scheme(written) else {
        return match mistaken(written) {
            Some(reason) => Err(reason),
            None => Ok(Location::Local(written.into())),
        };
    };
    match known(scheme) {
        Some("s3") => named(rest, "bucket", "s3").map(|(bucket, key)| Location::S3 { bucket, key }),
        Some("gs") => {
            named(rest, "bucket", "gs").map(|(bucket, key)| Location::Gcs { bucket, key })
        }
        Some("az") => named(rest, "container", "az")
            .map(|(container, key)| Location::Azure { container, key }),
        Some("sftp") => sftp(rest),
        Some("file") => file(rest),
        _ => Err(format!("the scheme is `{scheme}`, but must be one of s3, az, gs, sftp, file")),
    }
}

/// A scheme as we write it, if it is one of ours.
fn known(scheme: &str) -> Option<&'static str> {
    match scheme.to_ascii_lowercase().as_str() {
        "s3" => Some("s3"),
        "gs" | "gcs" => Some("gs"),
        "az" | "azure" => Some("az"),
        "sftp" => Some("sftp"),
        "file" => Some("file"),
        _ => None,
    }
}

/// What would be a path of this machine, but was hardly meant to be one: nobody should find a folder `s3:` in
/// place of a backup.
fn mistaken(written: &str) -> Option<String> {
    let (before, after) = written.split_once(':')?;
    let path = after.trim_start_matches('/');
    if let Some(scheme) = known(before) {
        let slashes = if scheme == "file" { "///" } else { "//" };
        return Some(format!(
            "has no `//` after `{before}:`: write {scheme}:{slashes}{path}, or ./{written} for a file of this machine"
        ));
    }
    let is_of_scp = before.contains('@') && !before.contains('/') && after.starts_with(['/', '~']);
    is_of_scp.then(|| {
        format!(
            "looks like an address of scp: write sftp://{before}/{path}, or ./{written} for a file of this machine"
        )
    })
}

/// One letter is a drive of Windows, and `./a://b` is a path.
fn split_scheme(written: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = written.split_once("://")?;
    let mut letters = scheme.bytes();
    let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    (is_scheme && scheme.len() > 1).then_some((scheme, rest))
}

fn named(rest: &str, what: &str, scheme: &str) -> Result<(String, String), String> {
    let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(format!("names no {what}: it must look like {scheme}://{what}/key"));
    }
    if name.contains('@') {
        return Err(format!(
            "has an `@` before the {what}, but credentials do not stand in a URL: leave them out, and set \
             what the provider's own tools read"
        ));
    }
    if let Some(wrong) =
        name.chars().find(|&it| !(it.is_ascii_alphanumeric() || "-._$".contains(it)))
    {
        return Err(format!(
            "the {what} is `{name}`, but `{wrong}` cannot stand in one: letters, digits, `-`, `.` and `_` can"
        ));
    }
    Ok((name.to_owned(), key.to_owned()))
}

fn sftp(rest: &str) -> Result<Location, String> {
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(
            "holds a password, which others can see in lists of processes and in the shell's \
             history: leave it out, and use a key, an agent, or a password file"
                .into(),
        );
    }
    if user.is_some_and(str::is_empty) {
        return Err("there is no user before the `@`".into());
    }
    let (host, port) = host_and_port(host)?;
    let path = match path.strip_prefix("/~/") {
        Some(path) => path,
        None if path == "/~" => "",
        None => path,
    };
    Ok(Location::Sftp { user: user.map(str::to_owned), host, port, path: path.to_owned() })
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("`[` without `]` in the host")?;
            (host, rest.strip_prefix(':').or((!rest.is_empty()).then_some(rest)))
        }
        None => match authority.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(format!("an IPv6 address must stand in brackets: [{authority}]"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("names no host: it must look like sftp://user@host/path".into());
    }
    let port = port.map(|port| {
        let wrong = || format!("the port is `{port}`, but must be between 1 and 65535");
        port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(wrong)
    });
    Ok((host.to_owned(), port.transpose()?))
}

fn file(rest: &str) -> Result<Location, String> {
    let path = match rest.find('/') {
        Some(0) => rest,
        Some(slash) if rest[..slash].eq_ignore_ascii_case("localhost") => &rest[slash..],
        _ => return Err("must be an absolute path of this machine: file:///path".into()),
    };
    let decoded = percent_decoded(path).ok_or(
        "has a `%` that is not followed by two hexadecimal digits, or bytes that are no UTF-8",
    )?;
    Ok(Location::Local(decoded.into()))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || Some(char::from(rest.next()?).to_digit(16)? as u8);
        bytes.push(digit()? << 4 | digit()?);
    }
    String::from_utf8(bytes).ok()
}

/// What was written, but for a password in it.
fn shown(written: &str) -> String {
    let secret = || {
        let (scheme, rest) = written.split_once("://")?;
        let authority = rest.split('/').next()?;
        let (user, _) = authority.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:…{}", &rest[user.len()..]))
    };
    secret().unwrap_or_else(|| written.to_owned())
}

/// As it is written.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::Azure { container, key } => write!(f, "az://{container}/{key}"),
            Self::Gcs { bucket, key } => write!(f, "gs://{bucket}/{key}"),
            Self::Sftp { user, host, port, path } => {
                f.write_str("sftp://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                match host.contains(':') {
                    true => write!(f, "[{host}]")?,
                    false => f.write_str(host)?,
                }
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                if !path.is_empty() && !path.starts_with('/') {
                    f.write_str("/~/")?;
                }
                f.write_str(path)
            }
            Self::Local(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(written: &str) -> Location {
        written.parse().unwrap()
    }

    fn refused(written: &str) -> String {
        written.parse::<Location>().unwrap_err().to_string()
    }

    #[test]
    fn keys_are_taken_as_they_stand() {
        let key = |written| match parsed(written) {
            Location::S3 { key, .. } | Location::Gcs { key, .. } | Location::Azure { key, .. } => {
                key
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(key("s3://b/a b//é%20/../c"), "a b//é%20/../c");
        assert_eq!(key("gs://b//leading"), "/leading");
        assert_eq!(key("az://b"), "");
        assert_eq!(key("s3://b/x://y"), "x://y");
    }

    #[test]
    fn paths_of_this_machine() {
        assert_eq!(parsed("./s3://x"), Location::Local("./s3://x".into()));
        assert_eq!(parsed("C://x"), Location::Local("C://x".into()));
        assert_eq!(parsed("file:///a%20b"), Location::Local("/a b".into()));
        assert_eq!(parsed("file://localhost/a"), Location::Local("/a".into()));
        assert_eq!(parsed("a@12:30.log"), Location::Local("a@12:30.log".into()));
        assert!(refused("s3:/bucket/key").contains("write s3://bucket/key, or ./s3:/bucket/key"));
        assert!(refused("gs:bucket").contains("write gs://bucket,"));
        assert!(refused("file:/a").contains("write file:///a,"));
        assert!(refused("me@nas:/a").contains("write sftp://me@nas/a,"));
        assert!(refused("me@nas:~/a").contains("write sftp://me@nas/~/a,"));
        assert!(refused("file://a/b").contains("absolute path"));
        assert!(refused("file:///a%2").contains("hexadecimal"));
    }

    #[test]
    fn hosts() {
        let sftp = |user: Option<&str>, host: &str, port, path: &str| Location::Sftp {
            user: user.map(str::to_owned),
            host: host.into(),
            port,
            path: path.into(),
        };
        assert_eq!(parsed("sftp://me@h:22/a/b"), sftp(Some("me"), "h", Some(22), "/a/b"));
        assert_eq!(parsed("sftp://h/~/b"), sftp(None, "h", None, "b"));
        assert_eq!(parsed("sftp://[::1]:2222/x"), sftp(None, "::1", Some(2222), "/x"));
        for written in ["sftp://me@h:22/a/b", "sftp://h/~/b", "sftp://[::1]:2222/x", "sftp://h"] {
            assert_eq!(parsed(written).to_string(), written);
        }
        assert!(refused("sftp://::1/x").contains("[::1]"));
        assert!(refused("sftp://h:99999/x").contains("between 1 and 65535"));
        assert!(refused("sftp:///x").contains("names no host"));
    }

    #[test]
    fn a_password_is_refused_and_never_repeated() {
        let message = refused("sftp://me:hunter2@host/x");
        assert!(message.contains("password"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(refused("").contains("is empty"));
        assert!(refused("s3://").contains("names no bucket"));
        assert!(refused("http://x/y").contains("must be one of s3, az, gs, sftp, file"));
        assert!(refused("s3://a b/c").contains("`a b`"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(
            scheme in "(s3://|gs://|az://|sftp://|file://|file:///|)",
            rest in "[ -~é/:@%\\[\\]]{0,24}",
        ) {
            if let Ok(location) = format!("{scheme}{rest}").parse::<Location>() {
                prop_assert_eq!(location.to_string().parse::<Location>(), Ok(location));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _read = text.parse::<Location>();
        }
    }
}
