//! The configuration that `herald init` writes, and the files of its secrets, which nobody else may read.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Folder of the secrets, beside the configuration.
const SECRETS: &str = "secrets";

/// Everything that was found out and answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) controller: String,
    pub(super) url: String,
    pub(super) pin: Option<String>,
    pub(super) sites: Vec<String>,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) totp: Option<String>,
    pub(super) sink: String,
    pub(super) plugin: String,
    pub(super) options: Vec<(String, Answer)>,
}

/// An option of the sink.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Plain(String),
    Number(String),
    Secret(String),
}

impl Answers {
    /// The configuration as a person would write it.
    pub(super) fn config(&self) -> String {
        let mut tls = String::new();
        if let Some(pin) = &self.pin {
            tls = format!(
                "tls   = {{ pin_sha256 = {} }}  # this certificate and no other\n",
                quoted(pin)
            );
        }
        let mut auth = format!(
            "username = {}, password = {{ file = {} }}",
            quoted(&self.username),
            quoted(&secret_path(&self.password_name())),
        );
        if self.totp.is_some() {
            _ = write!(
                auth,
                ", totp = {{ file = {} }}",
                quoted(&secret_path(&self.totp_name()))
            );
        }
        let sites: Vec<String> = self.sites.iter().map(|site| quoted(site)).collect();
        let options: Vec<String> = self
            .options
            .iter()
            .map(|(key, answer)| match answer {
                Answer::Number(text) if text.parse::<i64>().is_ok() => format!("{key} = {text}"),
                Answer::Plain(text) | Answer::Number(text) => {
                    format!("{key} = {}", quoted(text))
                }
                Answer::Secret(_) => {
                    format!(
                        "{key} = {{ file = {} }}",
                        quoted(&secret_path(&self.option_name(key)))
                    )
                }
            })
            .collect();
        let options = if options.is_empty() {
            String::new()
        } else {
            format!("options = {{ {} }}\n", options.join(", "))
        };
        format!(
            r#"# Written by `herald init`. `herald check` reads it, `herald doctor` tries everything in it, `herald run` runs it.
# Every key there is, with its default: the config.toml that comes with herald.

# What most people want to be told, to every sink that no chain names. `herald presets show essentials` prints what this
# stands for, to copy and change.
presets = ["essentials"]

[controllers.{controller}]
url   = {url}
sites = [{sites}]
auth  = {{ {auth} }}
{tls}
[sinks.{sink}]
plugin = {plugin}
{options}
# The dashboard, metrics and health, for this machine only.
[server]
listen = "127.0.0.1:8480"
"#,
            controller = self.controller,
            url = quoted(&self.url),
            sites = sites.join(", "),
            sink = self.sink,
            plugin = quoted(&self.plugin),
        )
    }

    /// Write the secrets, then the configuration. Returns the files.
    pub(super) fn write(&self, config: &Path, force: bool) -> io::Result<Vec<PathBuf>> {
        let base = config.parent().unwrap_or(Path::new(""));
        let folder = base.join(SECRETS);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let mut secrets = vec![(self.password_name(), &self.password)];
        secrets.extend(self.totp.as_ref().map(|totp| (self.totp_name(), totp)));
        for (key, answer) in &self.options {
            if let Answer::Secret(text) = answer {
                secrets.push((self.option_name(key), text));
            }
        }
        let mut written = Vec::new();
        for (name, text) in secrets {
            let path = folder.join(name);
            create(&path, text, 0o600, force)?;
            written.push(path);
        }
        create(config, &self.config(), 0o644, force)?;
        written.push(config.to_owned());
        Ok(written)
    }

    fn password_name(&self) -> String {
        format!("{}-password", self.controller)
    }

    fn totp_name(&self) -> String {
        format!("{}-totp", self.controller)
    }

    fn option_name(&self, key: &str) -> String {
        format!("{}-{}", self.sink, key.replace('.', "-"))
    }
}

/// A new file; with `force` it takes the place of an old one, mode included.
fn create(path: &Path, text: &str, mode: u32, force: bool) -> io::Result<()> {
    if force && path.exists() {
        fs::remove_file(path)?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn secret_path(name: &str) -> String {
    format!("{SECRETS}/{name}")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_quoted_and_secrets_are_not_in_it() {
        let answers = Answers {
            controller: "home".to_owned(),
            url: "https://192.0.2.1".to_owned(),
            sites: vec!["Anna's \"cabin\"".to_owned()],
            username: "her\"ald\n".to_owned(),
            password: "pass".to_owned(),
            totp: Some("JBSWY3DP".to_owned()),
            sink: "ops".to_owned(),
            plugin: "webhook".to_owned(),
            options: vec![(
                "url".to_owned(),
                Answer::Secret("https://hidden".to_owned()),
            )],
            ..Answers::default()
        };
        let text = answers.config();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let home = &table["controllers"]["home"];
        assert_eq!(home["sites"][0].as_str(), Some("Anna's \"cabin\""));
        assert_eq!(home["auth"]["username"].as_str(), Some("her\"ald\n"));
        assert_eq!(
            home["auth"]["totp"]["file"].as_str(),
            Some("secrets/home-totp")
        );
        assert!(!text.contains("hidden") && !text.contains("JBSWY3DP") && !text.contains("tls"));
    }
}
