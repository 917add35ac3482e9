//! The table `options`, and the command that it gives.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use unifi_herald_plugin::{BuildContext, BuildError, DeliveryError, Revealed, Secret};

/// The table `options` of an exec sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    command: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, Secret>,
    #[serde(default)]
    cwd: Option<PathBuf>,
    #[serde(default)]
    pub(crate) ack: Ack,
}

/// What counts as delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ack {
    /// What the program acknowledges on its standard output.
    #[default]
    Lines,
    /// What its standard input has taken.
    Write,
}

/// What of herald's environment a program sees: nothing that may be a secret.
const INHERITED: &[&str] = &[
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR",
];

/// A program with everything it is started with.
pub(crate) struct Command {
    /// As the user wrote it, for messages.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) secrets: Vec<(String, Revealed)>,
    pub(crate) cwd: PathBuf,
}

impl Config {
    /// The command, with secrets read and paths made absolute.
    pub(crate) fn command(&self, context: &BuildContext) -> Result<Command, BuildError> {
        let Some((name, arguments)) = self
            .command
            .split_first()
            .filter(|(name, _)| !name.is_empty())
        else {
            return Err(BuildError::new(
                "command",
                "name the program and its arguments, as in [\"python3\", \"notify.py\"]",
            ));
        };
        if self.command.iter().any(|word| word.contains('\0')) {
            return Err(BuildError::new(
                "command",
                "no program takes a NUL character",
            ));
        }
        let program = if name.contains('/') {
            absolute(context, Path::new(name), "command")?
        } else {
            PathBuf::from(name)
        };
        let cwd = self.cwd.as_deref().unwrap_or(Path::new(""));
        Ok(Command {
            name: name.clone(),
            program,
            arguments: arguments.to_vec(),
            env: inherited(),
            secrets: self.secrets(context)?,
            cwd: absolute(context, cwd, "cwd")?,
        })
    }

    fn secrets(&self, context: &BuildContext) -> Result<Vec<(String, Revealed)>, BuildError> {
        let mut all = vec![("HERALD_SINK".to_owned(), context.name().to_owned().into())];
        for (name, secret) in &self.env {
            let option = format!("env.{name}");
            if name.is_empty() || name.contains(['=', '\0']) {
                let message = "not a name that a variable of the environment can have";
                return Err(BuildError::new(option, message));
            }
            let value = context.reveal(&option, secret)?;
            if value.expose().contains('\0') {
                return Err(BuildError::new(option, "no variable takes a NUL character"));
            }
            all.push((name.clone(), value));
        }
        Ok(all)
    }
}

impl Command {
    /// Whether it could be started, as far as one can tell without starting it.
    pub(crate) fn check(&self) -> Result<(), DeliveryError> {
        if !self.cwd.is_dir() {
            let message = format!("`cwd`: {} is not a folder", self.cwd.display());
            return Err(DeliveryError::misconfigured(message));
        }
        let found = if self.name.contains('/') {
            is_executable(&self.program)
        } else {
            let path = self.env.iter().find(|(name, _)| name == "PATH");
            let own = self.secrets.iter().find(|(name, _)| name == "PATH");
            let folders = match (own, path) {
                (Some((_, path)), _) => OsString::from(path.expose()),
                (None, Some((_, path))) => path.clone(),
                (None, None) => OsString::from("/usr/bin:/bin"),
            };
            std::env::split_paths(&folders).any(|folder| is_executable(&folder.join(&self.name)))
        };
        if found {
            return Ok(());
        }
        let place = if self.name.contains('/') {
            format!("{} is not a program", self.program.display())
        } else {
            format!("there is no program `{}` in PATH", self.name)
        };
        Err(DeliveryError::misconfigured(format!("`command`: {place}")))
    }
}

/// Relative to the configuration, and independent of where the program will run.
fn absolute(context: &BuildContext, path: &Path, option: &str) -> Result<PathBuf, BuildError> {
    let path = context.path(path);
    // The folder of a configuration that was named without one.
    let path = if path.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        path
    };
    std::path::absolute(&path).map_err(|error| BuildError::new(option, error.to_string()))
}

fn inherited() -> Vec<(OsString, OsString)> {
    let wanted = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| INHERITED.contains(&name) || name.starts_with("LC_"))
    };
    std::env::vars_os()
        .filter(|(name, _)| wanted(name))
        .collect()
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}
