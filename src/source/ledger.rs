//! The file that keeps a controller's login pauses across restarts.

use crate::config::ControllerPlan;
use crate::unifi::session::Saved;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Largest file that is read.
const MAX_FILE: u64 = 64 * 1024;

/// Where the pauses of one controller are kept.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    credentials: u16,
}

#[derive(Serialize, Deserialize)]
struct File {
    /// See [`credentials_mark`].
    credentials: u16,
    login: Saved,
}

impl Ledger {
    /// The ledger of `plan`'s controller in `dir`.
    pub(super) fn new(dir: &Path, plan: &ControllerPlan) -> Self {
        Self {
            path: dir.join(format!("login-{}.json", plan.name)),
            credentials: credentials_mark(plan),
        }
    }

    /// What was kept, and whether it was kept with the same credentials. A missing or broken file is no obstacle.
    pub(super) fn load(&self) -> Option<(Saved, bool)> {
        let text = match read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the file with the login pauses cannot be read");
                return None;
            }
        };
        match serde_json::from_str::<File>(&text) {
            Ok(file) => Some((file.login, file.credentials == self.credentials)),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the file with the login pauses is damaged and is not used");
                None
            }
        }
    }

    /// Keep `saved`: written beside the old file, then put in its place.
    pub(super) fn store(&self, saved: &Saved) -> io::Result<()> {
        let text = serde_json::to_vec(&File {
            credentials: self.credentials,
            login: saved.clone(),
        })?;
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir)?;
        }
        let beside = self.path.with_extension("json.new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let size = fs::metadata(path)?.len();
    if size > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too large"));
    }
    fs::read_to_string(path)
}

/// Tells whether user name, password, code secret or address were changed. Sixteen bits are enough for that and
/// too few to help anybody who would guess the password from the file.
fn credentials_mark(plan: &ControllerPlan) -> u16 {
    let mut hash = Sha256::new();
    let totp = plan.auth.totp.as_ref().map_or("", |totp| totp.expose());
    for part in [
        &plan.url,
        &plan.auth.username,
        plan.auth.password.expose(),
        totp,
    ] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    u16::from_be_bytes([digest[0], digest[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::plan;

    #[test]
    fn what_is_stored_is_loaded_and_other_credentials_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("not-yet-there");
        let mut plan = plan("https://192.0.2.1");
        let ledger = Ledger::new(&dir, &plan);
        assert_eq!(ledger.load(), None);
        let saved = Saved {
            until: Some(1),
            refusals: 3,
            ..Saved::default()
        };
        ledger.store(&saved).unwrap();
        ledger.store(&saved).unwrap();
        assert_eq!(ledger.load(), Some((saved.clone(), true)));
        plan.auth.password = "another".to_owned().into();
        assert_eq!(Ledger::new(&dir, &plan).load(), Some((saved, false)));
        let names: Vec<_> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["login-home.json"]);
        let text = fs::read_to_string(dir.join("login-home.json")).unwrap();
        assert!(
            !text.contains("password") && !text.contains("another"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_file_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(dir.path(), &plan("https://192.0.2.1"));
        for text in ["", "{", "[]", &"x".repeat(100_000)] {
            fs::write(dir.path().join("login-home.json"), text).unwrap();
            assert_eq!(ledger.load(), None);
        }
    }
}
