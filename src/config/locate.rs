//! Where the configuration is.

use super::diagnostics::{ConfigError, ConfigErrors};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than anybody writes.
const MAX_SIZE: u64 = 4 << 20;
const SYSTEM: &str = "/etc/unifi-herald/config.toml";
/// What a herald with simulated controllers runs where nobody has written a configuration yet.
const SHIPPED: &str = include_str!("../../config.toml");

/// Where to look for the configuration, and how much of it to demand.
#[derive(Clone, Debug)]
pub struct Locator {
    /// The file, when `-c` names it.
    pub file: Option<PathBuf>,
    /// Environment variables: `HERALD_CONFIG`, `STATE_DIRECTORY`, and the overrides `HERALD__A__B`.
    pub environment: BTreeMap<String, String>,
    /// The current folder.
    pub directory: PathBuf,
    /// Whether the controllers will be used.
    pub controllers: Controllers,
}

/// Whether the controllers of the configuration will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controllers {
    /// They are checked and their secrets read.
    Checked,
    /// Others take their place: their secrets are not read and may be missing, and so may the file, for which the
    /// shipped one then stands in.
    Replaced,
}

impl Locator {
    /// The process's environment and folder; `file` is what `-c` said.
    #[must_use]
    pub fn from_process(file: Option<PathBuf>) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self {
            file,
            environment: std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            directory: std::env::current_dir().unwrap_or_default(),
            controllers: Controllers::Checked,
        }
    }

    /// For a herald whose controllers are others than those of the configuration.
    #[must_use]
    pub fn replacing_controllers(mut self) -> Self {
        self.controllers = Controllers::Replaced;
        self
    }

    /// The file's name as the user would write it; none when nothing names one and none is where it is looked for.
    #[must_use]
    pub fn find(&self) -> Option<PathBuf> {
        let named = self
            .environment
            .get("HERALD_CONFIG")
            .filter(|file| !file.is_empty());
        let named = self.file.clone().or_else(|| named.map(PathBuf::from));
        let here = PathBuf::from("config.toml");
        let exists = |file: &PathBuf| self.directory.join(file).is_file();
        named.or_else(|| [here, PathBuf::from(SYSTEM)].into_iter().find(exists))
    }

    /// The file's name as the user would write it, and what is in it.
    pub(super) fn read(&self) -> Result<(PathBuf, String), ConfigErrors> {
        let Some(file) = self.find() else {
            if self.controllers == Controllers::Replaced {
                return Ok((PathBuf::from("config.toml"), SHIPPED.to_owned()));
            }
            let message = format!("no configuration: there is neither ./config.toml nor {SYSTEM}");
            let help = "name one with -c FILE or $HERALD_CONFIG".to_owned();
            return Err(ConfigError::unplaced(String::new(), message, Some(help)).into());
        };
        match read(&self.directory.join(&file)) {
            Ok(text) => Ok((file, text)),
            Err(error) => Err(ConfigError {
                file: Some(file),
                ..ConfigError::unplaced(
                    String::new(),
                    format!("cannot read the configuration: {error}"),
                    None,
                )
            }
            .into()),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = std::fs::File::open(path)?.take(MAX_SIZE + 1);
    file.read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SIZE {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    Ok(text)
}
