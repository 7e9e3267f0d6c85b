//! The profiles of AWS's tools, `~/.aws/config` and `~/.aws/credentials`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::options::Variables;
use crate::error::StorageError;

/// What both files say of one profile.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    pub(super) name: String,
    /// How messages call it.
    pub(super) description: String,
    settings: HashMap<String, String>,
}

impl Profile {
    /// Reads it. A profile that was asked for by name must be there.
    pub(super) fn load(
        wanted: Option<&str>,
        variable: Variables<'_>,
    ) -> Result<Self, StorageError> {
        let of_environment = variable("AWS_PROFILE").filter(|name| !name.is_empty());
        let (name, named_by) = match (wanted, of_environment) {
            (Some(name), _) => (name.to_owned(), Some("the settings")),
            (None, Some(name)) => (name, Some("AWS_PROFILE")),
            (None, None) => ("default".to_owned(), None),
        };
        let home = variable("HOME").or_else(|| variable("USERPROFILE")).map(PathBuf::from);
        let file = |set_by: &str, default: &str| {
            let path = variable(set_by).filter(|path| !path.is_empty());
            path.map(|path| expanded(&path, home.as_deref()))
                .or_else(|| Some(home.as_ref()?.join(".aws").join(default)))
        };
        let config = file("AWS_CONFIG_FILE", "config");
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let section = match name.as_str() {
            "default" => name.clone(),
            name => format!("profile {name}"),
        };
        let mut settings = section_of(config.as_deref(), &section)?;
        let secrets = section_of(credentials.as_deref(), &name)?;
        let is_there = settings.is_some() || secrets.is_some();
        let mut all = settings.take().unwrap_or_default();
        all.extend(secrets.unwrap_or_default());
        let shown =
            |path: Option<PathBuf>| path.map_or_else(String::new, |it| it.display().to_string());
        let files = format!("{} and {}", shown(credentials), shown(config));
        match named_by {
            Some(by) if !is_there => Err(StorageError::setup(format!(
                "the profile is `{name}` (from {by}), but there is none of that name in {files}"
            ))),
            _ => {
                let description = format!("profile `{name}` in {files}");
                Ok(Self { name, description, settings: all })
            }
        }
    }

    pub(super) fn get(&self, setting: &str) -> Option<&str> {
        self.settings.get(setting).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// The settings of one section, if it is there. A file that is not there has none.
fn section_of(
    path: Option<&Path>,
    section: &str,
) -> Result<Option<HashMap<String, String>>, StorageError> {
    let Some(path) = path else { return Ok(None) };
    match fs::read(path) {
        Ok(text) => Ok(parse(&String::from_utf8_lossy(&text), section)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::setup(format!("{}: {error}", path.display()))),
    }
}

/// Indented lines belong to the setting above, and none of those is ours.
fn parse(text: &str, section: &str) -> Option<HashMap<String, String>> {
    let mut found: Option<HashMap<String, String>> = None;
    let mut is_ours = false;
    for line in text.lines() {
        let text = line.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            is_ours = header.0.split_whitespace().eq(section.split_whitespace());
            if is_ours {
                found.get_or_insert_default();
            }
        } else if is_ours && !line.starts_with([' ', '\t']) {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            let value = value.split(" #").next().unwrap_or_default().trim();
            let settings = found.get_or_insert_default();
            settings.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_comments_and_nested_settings() {
        let text = "
            # a comment
[default]
region = eu-west-1 # here
s3 =
    addressing_style = path
    region = wrong
[profile  other]
region=us-east-2
endpoint_url = http://localhost:9000/?a=b
";
        let default = parse(text, "default").unwrap();
        assert_eq!(default["region"], "eu-west-1");
        assert!(!default.contains_key("addressing_style"));
        let other = parse(text, "profile other").unwrap();
        assert_eq!(other["endpoint_url"], "http://localhost:9000/?a=b");
        assert!(parse(text, "profile none").is_none());
    }

    #[test]
    fn a_profile_asked_for_by_name_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        fs::write(&config, "[profile here]\nregion = eu-west-1\n").unwrap();
        let variable = |name: &str| match name {
            "AWS_CONFIG_FILE" => Some(config.display().to_string()),
            "HOME" => Some(folder.path().display().to_string()),
            "AWS_PROFILE" => Some("gone".to_owned()),
            _ => None,
        };
        let profile = Profile::load(Some("here"), &variable).unwrap();
        assert_eq!(profile.get("region"), Some("eu-west-1"));
        let message = Profile::load(None, &variable).unwrap_err().to_string();
        assert!(message.contains("`gone` (from AWS_PROFILE)"), "{message}");
        assert!(message.contains(&config.display().to_string()), "{message}");
        let nothing = |name: &str| variable(name).filter(|_| name == "HOME");
        assert_eq!(Profile::load(None, &nothing).unwrap().name, "default");
    }
}
