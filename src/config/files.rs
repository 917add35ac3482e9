//! The files a configuration is made of besides its own: scripts, secrets, certificates. Found by how their keys are
//! called, so that even a configuration that is wrong can be watched until it is right.

use super::{Locator, PluginPlan};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Scripts are beside the configuration.
const SCRIPTS: &str = "scripts";

/// No file of a configuration has more that matters.
const MAX_READ: u64 = 4 << 20;

/// Every file that a change of would change what runs: the configuration, all scripts beside it, and what it names.
#[must_use]
pub fn files(locator: &Locator) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let Some(file) = locator.find() else {
        return files;
    };
    let file = locator.directory.join(file);
    let base = file.parent().map(Path::to_owned).unwrap_or_default();
    let text = fs::read_to_string(&file).unwrap_or_default();
    if let Ok(table) = text.parse::<Table>() {
        files.extend(named_files(&table, &base));
    }
    files.insert(file);
    for entry in fs::read_dir(base.join(SCRIPTS)).into_iter().flatten() {
        let path = entry.map(|entry| entry.path()).unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "rhai") {
            files.insert(path);
        }
    }
    files
}

/// The folders in which such files may be, for whoever waits for new ones.
#[must_use]
pub fn folders(locator: &Locator) -> BTreeSet<PathBuf> {
    let files = files(locator);
    let mut folders: BTreeSet<PathBuf> = files
        .iter()
        .filter_map(|file| file.parent())
        .filter(|folder| folder.is_dir())
        .map(Path::to_owned)
        .collect();
    let config = locator.find().map(|file| locator.directory.join(file));
    if let Some(base) = config.as_deref().and_then(Path::parent) {
        let scripts = base.join(SCRIPTS);
        folders.extend(scripts.is_dir().then_some(scripts));
    }
    folders
}

/// The files that a table of options names: a secret's `file` and `credential`, `ca_file`, `creds`.
fn named_files(table: &Table, base: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    collect(table, base, &mut files);
    files
}

fn collect(table: &Table, base: &Path, files: &mut BTreeSet<PathBuf>) {
    for (key, value) in table {
        match value {
            Value::String(name) if key == "file" || key == "creds" || key.ends_with("_file") => {
                files.insert(base.join(name));
            }
            Value::String(name) if key == "credential" => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
                files.extend(folder.map(|folder| Path::new(&folder).join(name)));
            }
            Value::Table(inner) => collect(inner, base, files),
            Value::Array(items) => {
                let tables = items.iter().filter_map(Value::as_table);
                tables.for_each(|inner| collect(inner, base, files));
            }
            _ => {}
        }
    }
}

impl PluginPlan {
    /// Of the secrets and certificates that its options name: another password is another sink, or another source.
    #[must_use]
    pub fn fingerprint_of_files(&self, base: &Path) -> [u8; 32] {
        fingerprint(&named_files(&self.options, base))
    }
}

/// A hash of the names and contents of `files`; two that are equal are so for the same contents.
#[must_use]
pub fn fingerprint<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for path in files {
        let name = path.as_os_str().as_encoded_bytes();
        let contents = read(path).unwrap_or_default();
        // The lengths keep the parts apart.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((contents.len() as u64).to_le_bytes());
        hash.update(contents);
    }
    hash.finalize().into()
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // A pipe or a device would keep whoever reads it.
    if !fs::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    let mut contents = Vec::new();
    fs::File::open(path)?
        .take(MAX_READ)
        .read_to_end(&mut contents)?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Controllers;

    #[test]
    fn finds_what_a_configuration_is_made_of_and_sees_any_of_it_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("scripts")).unwrap();
        for name in [
            "scripts/a.rhai",
            "scripts/lib.rhai",
            "pw",
            "ca.pem",
            "bus.creds",
            "events.jsonl",
        ] {
            fs::write(path(name), name).unwrap();
        }
        let config = r#"
            [controllers.home]
            auth = { username = "u", password = { file = "pw" } }
            tls = { ca_file = "ca.pem" }
            [scripts.a]
            file = "scripts/a.rhai"
            [sinks.archive]
            options = { path = "events.jsonl" }
            [sources.bus]
            options = { creds = "bus.creds" }
        "#;
        fs::write(path("config.toml"), config).unwrap();
        let locator = Locator {
            file: None,
            environment: Default::default(),
            directory: dir.path().to_owned(),
            controllers: Controllers::Checked,
        };
        let found = files(&locator);
        let names = [
            "bus.creds",
            "ca.pem",
            "config.toml",
            "pw",
            "scripts/a.rhai",
            "scripts/lib.rhai",
        ];
        assert_eq!(found, names.map(path).into());
        assert_eq!(
            folders(&locator),
            [dir.path().to_owned(), path("scripts")].into()
        );
        let before = fingerprint(&found);
        assert_eq!(fingerprint(&files(&locator)), before);
        fs::write(path("events.jsonl"), "more").unwrap();
        assert_eq!(
            fingerprint(&files(&locator)),
            before,
            "what herald writes itself"
        );
        for name in names {
            let old = fs::read(path(name)).unwrap();
            fs::write(path(name), [&old[..], b"\n"].concat()).unwrap();
            assert_ne!(fingerprint(&files(&locator)), before, "{name}");
            fs::write(path(name), old).unwrap();
        }
        fs::write(path("scripts/new.rhai"), "").unwrap();
        assert_ne!(fingerprint(&files(&locator)), before);
        fs::write(path("config.toml"), "not = [toml").unwrap();
        assert!(files(&locator).contains(&path("config.toml")));
    }
}
