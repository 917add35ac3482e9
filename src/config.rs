//! What the user wrote → a checked [`Plan`]; every error names file, line, key and the fix.
//!
//! Two stages: `file` is what may be written, read with all its mistakes at once; `check` demands what is
//! missing, follows every reference, reads the files it names, and makes the plan.

mod check;
mod diagnostics;
mod file;
mod files;
mod locate;
pub(crate) mod overrides;
mod plan;
pub(crate) mod presets;
pub(crate) mod read;
mod schema;
pub(crate) mod secrets;
mod show;
mod source;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

pub use diagnostics::{ConfigError, ConfigErrors};
pub use files::{files, fingerprint, folders};
pub use locate::{Controllers, Locator};
pub use plan::*;

pub(crate) use check::{is_filter as is_log_filter, is_loopback};
pub(crate) use schema::{reference, schema};

use crate::registry::{Registry, Role};
use figment::Figment;
use figment::value::{Dict, Tag, Value};
use file::File;
use overrides::{Overrides, Written};
use presets::Added;
use read::{Flaw, Part, read};
use source::Source;
use std::path::PathBuf;
use std::sync::Arc;
use tree::{Path, get, set};
use unifi_herald_plugin::Services;

/// Read and check the configuration that `locator` finds. It opens nothing but files; every sink and filter is
/// built once, to see that it can be.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(
    locator: &Locator,
    registry: &Registry,
    services: &Arc<dyn Services>,
) -> Result<Plan, ConfigErrors> {
    let written = write_down(locator, registry)?;
    check::plan(&written, locator, registry, services)
}

/// Read what a command must know that asks a running host or opens its store: no secret is read and nothing is built,
/// so that it works for whoever may read the file, and while another part of it is being edited.
///
/// # Errors
/// When there is no file, or its tables `store` and `time` are wrong.
pub fn outline(
    locator: &Locator,
    registry: &Registry,
    services: &Arc<dyn Services>,
) -> Result<Outline, ConfigErrors> {
    let written = write_down(locator, registry)?;
    check::outline(&written, locator, registry, services)
}

/// The configuration that counts, as TOML: with defaults and the environment's overrides, without secrets.
///
/// # Errors
/// What cannot be read. References are not followed.
pub fn show(locator: &Locator, registry: &Registry) -> Result<String, ConfigErrors> {
    let written = write_down(locator, registry)?;
    if written.flaws.is_empty() {
        Ok(show::render(written, registry))
    } else {
        Err(written.errors(Vec::new()))
    }
}

/// The sinks that presets send to, or would if there were any.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn preset_sinks(
    locator: &Locator,
    registry: &Registry,
) -> Result<Vec<String>, ConfigErrors> {
    Ok(write_down(locator, registry)?.added.sinks)
}

/// The first stage's result: what was written, as far as it can be read.
struct Reading {
    file: File,
    /// Of the file and the environment together, mistakes included.
    tree: Value,
    source: Source,
    overrides: Overrides,
    flaws: Vec<Flaw>,
    /// What presets add.
    added: Added,
    /// The folder of the file, absolute.
    base: PathBuf,
}

fn write_down(locator: &Locator, registry: &Registry) -> Result<Reading, ConfigErrors> {
    let (path, text) = locator.read()?;
    let base = locator.directory.join(&path);
    let base = base
        .parent()
        .map_or_else(|| locator.directory.clone(), PathBuf::from);
    let (mut source, dict) = Source::parse(path, text).map_err(ConfigErrors::new)?;
    source.hide(&Path::of(&["heartbeat", "url"]));
    let written = Value::Dict(Tag::Default, dict);
    let (overrides, tree) = overridden(locator, written.clone());
    let sinks = ordered_names(&source, &[], &tree, "sinks");
    let added = Added::to(&tree, &written, &sinks);
    // Below the environment, so that it overrides what a preset says as well.
    let (overrides, mut tree) = match added.tables.is_empty() {
        true => (overrides, tree),
        false => overridden(locator, added.merged_with(written)),
    };
    let mut scratch = tree.clone();
    let (file, flaws) = read(&mut scratch, &Path::default(), &overrides, |tree| {
        serde::Deserialize::deserialize(tree).map_err(Box::new)
    });
    let mut reading = Reading {
        file: file.unwrap_or_default(),
        tree: Value::Dict(Tag::Default, Dict::new()),
        source,
        overrides,
        flaws: added.flaws.iter().cloned().chain(flaws).collect(),
        added,
        base,
    };
    reading.read_options(registry, Role::Sink, "sinks", &mut tree);
    reading.read_options(registry, Role::Filter, "filters", &mut tree);
    reading.read_options(registry, Role::Source, "sources", &mut tree);
    reading.tree = tree;
    Ok(reading)
}

impl Reading {
    /// Read every table `options` as its plugin does.
    fn read_options(&mut self, registry: &Registry, role: Role, table: &str, tree: &mut Value) {
        for name in keys(tree, table) {
            let root = Path::of(&[table, &name]);
            let Some(Value::String(_, plugin)) = get(tree, &root.join("plugin")).cloned() else {
                continue;
            };
            let root = root.join("options");
            let mut options = match get(tree, &root) {
                Some(options @ Value::Dict(..)) => options.clone(),
                Some(_) => continue,
                None => Value::Dict(Tag::Default, Dict::new()),
            };
            for path in registry.secret_options(role, &plugin, &options) {
                self.source.hide(&root.append(&path));
            }
            if !registry.names(role).contains(&plugin.as_str()) {
                self.source.hide(&root);
            }
            let flaws = registry.check_options(role, &plugin, &mut options, &root, &self.overrides);
            for flaw in &flaws {
                // Nobody knows what is behind a key that is not known.
                if flaw.part == Part::Key {
                    self.source.hide(&flaw.path);
                }
            }
            self.flaws.extend(flaws);
            let table = tree::to_table(&options);
            match role {
                Role::Sink => {
                    if let Some(sink) = self.file.sinks.get_mut(&name) {
                        sink.options = table;
                    }
                }
                Role::Filter => {
                    if let Some(filter) = self.file.filters.get_mut(&name) {
                        filter.options = table;
                    }
                }
                Role::Source => {
                    if let Some(source) = self.file.sources.get_mut(&name) {
                        source.options = table;
                    }
                }
            }
            set(tree, &root.0, options);
        }
    }

    /// The names under `table`: in the order of the file, then those that only the environment gives.
    fn names(&self, table: &str) -> Vec<String> {
        ordered_names(&self.source, &self.added.names, &self.tree, table)
    }

    /// Whether something at, above or below `path` was found wrong already.
    fn is_struck(&self, path: &Path) -> bool {
        self.flaws
            .iter()
            .any(|flaw| flaw.path.leads_to(path) || path.leads_to(&flaw.path))
    }

    /// All that is wrong, with its places.
    fn errors(&self, more: Vec<Flaw>) -> ConfigErrors {
        self.only(self.flaws.iter().cloned().chain(more).collect())
    }

    /// These flaws, with their places.
    fn only(&self, flaws: Vec<Flaw>) -> ConfigErrors {
        let errors = flaws.into_iter().map(|flaw| {
            let variable = self.overrides.variable(&flaw.path);
            match variable {
                Some(variable)
                    if !self.source.has(&flaw.path) || self.overrides.sets(&flaw.path) =>
                {
                    ConfigError {
                        variable: Some(variable.to_owned()),
                        ..ConfigError::unplaced(flaw.path.to_string(), flaw.message, flaw.help)
                    }
                }
                _ => self.source.locate(flaw),
            }
        });
        ConfigErrors::new(errors.collect())
    }
}

/// What is written and what the environment puts in its place, together.
fn overridden(locator: &Locator, written: Value) -> (Overrides, Value) {
    let overrides = Overrides::find(&locator.environment, &written);
    let dict = match written {
        Value::Dict(_, dict) => dict,
        _ => Dict::new(),
    };
    let merged = Figment::new()
        .merge(Written(dict))
        .merge(overrides.clone())
        .extract::<Dict>();
    (
        overrides,
        Value::Dict(Tag::Default, merged.unwrap_or_default()),
    )
}

/// The names under `table`: in the order of the file, then those of presets, then those that only the environment gives.
fn ordered_names(
    source: &Source,
    added: &[(String, String)],
    tree: &Value,
    table: &str,
) -> Vec<String> {
    let written = source.keys(&[table]).into_iter().map(str::to_owned);
    let mut names: Vec<String> = written.collect();
    let added = added.iter().filter(|(of, _)| of == table);
    let added = added.map(|(_, name)| name.clone());
    for name in added.chain(keys(tree, table)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn keys(tree: &Value, table: &str) -> Vec<String> {
    match get(tree, &Path::of(&[table])) {
        Some(Value::Dict(_, dict)) => dict.keys().cloned().collect(),
        _ => Vec::new(),
    }
}
