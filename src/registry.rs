//! Which plugins there are: name → typed builder, a visible list.

mod probe;

use crate::config::overrides::Overrides;
use crate::config::read::{Flaw, read};
use crate::config::suggest;
use crate::config::tree::{Path, from_table, set};
use figment::error::{Error as ReadError, Kind};
use figment::value::{Dict, Tag, Value};
pub(crate) use probe::OptionInfo;
use probe::{SECRET, ask, leaves, wants_secret};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt;
use unifi_herald_plugin::{
    BuildContext, BuildError, Filter, FilterPlugin, Sink, SinkPlugin, Source, SourcePlugin,
};

/// The plugins of this herald, in the order they were added.
#[derive(Debug, Default)]
pub struct Registry {
    sinks: Vec<Entry<dyn Sink>>,
    filters: Vec<Entry<dyn Filter>>,
    sources: Vec<Entry<dyn Source>>,
}

/// Options a plugin cannot be built from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", prefix(option))]
pub struct OptionError {
    /// Path of the option inside `options` (`rotate.keep`); empty for the table as a whole.
    pub option: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// A plugin with its configuration's type erased.
struct Entry<T: ?Sized> {
    name: &'static str,
    summary: &'static str,
    read: Reader,
    build: fn(&Value, &BuildContext) -> Result<Box<T>, Unbuilt>,
}

/// Reads options as a plugin does, and forgets them.
type Reader = fn(&Value) -> Result<(), Box<ReadError>>;

/// Why there is no plugin.
enum Unbuilt {
    Read,
    Build(BuildError),
}

/// Which of the lists a plugin is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Sink,
    Filter,
    Source,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Sink, Self::Filter, Self::Source];

    /// What it is.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Filter => "filter",
            Self::Source => "source",
        }
    }

    /// The table of the configuration that makes one.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Sink => "sinks",
            Self::Filter => "filters",
            Self::Source => "sources",
        }
    }
}

impl Registry {
    /// No plugins.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a sink.
    #[must_use]
    pub fn sink<S: SinkPlugin>(mut self) -> Self {
        self.sinks.push(Entry {
            name: S::NAME,
            summary: S::SUMMARY,
            read: readable::<S::Config>,
            build: |options, context| {
                let config = S::Config::deserialize(options).map_err(|_| Unbuilt::Read)?;
                let sink = S::build(config, context).map_err(Unbuilt::Build)?;
                Ok(Box::new(sink))
            },
        });
        self
    }

    /// Add a filter.
    #[must_use]
    pub fn filter<F: FilterPlugin>(mut self) -> Self {
        self.filters.push(Entry {
            name: F::NAME,
            summary: F::SUMMARY,
            read: readable::<F::Config>,
            build: |options, context| {
                let config = F::Config::deserialize(options).map_err(|_| Unbuilt::Read)?;
                let filter = F::build(config, context).map_err(Unbuilt::Build)?;
                Ok(Box::new(filter))
            },
        });
        self
    }

    /// Add a source.
    #[must_use]
    pub fn source<S: SourcePlugin>(mut self) -> Self {
        self.sources.push(Entry {
            name: S::NAME,
            summary: S::SUMMARY,
            read: readable::<S::Config>,
            build: |options, context| {
                let config = S::Config::deserialize(options).map_err(|_| Unbuilt::Read)?;
                let source = S::build(config, context).map_err(Unbuilt::Build)?;
                Ok(Box::new(source))
            },
        });
        self
    }

    /// Name and summary of every sink.
    pub fn sinks(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.sinks.iter().map(|entry| (entry.name, entry.summary))
    }

    /// Name and summary of every filter.
    pub fn filters(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.filters.iter().map(|entry| (entry.name, entry.summary))
    }

    /// Name and summary of every source.
    pub fn sources(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.sources.iter().map(|entry| (entry.name, entry.summary))
    }

    /// Role, name and summary of every plugin.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Role, &'static str, &'static str)> {
        let sinks = self.sinks().map(|(name, about)| (Role::Sink, name, about));
        let filters = self.filters();
        let filters = filters.map(|(name, about)| (Role::Filter, name, about));
        let sources = self.sources();
        let sources = sources.map(|(name, about)| (Role::Source, name, about));
        sinks.chain(filters).chain(sources)
    }

    /// Build a sink; as often as wanted, from the same options.
    ///
    /// # Errors
    /// When there is no such plugin or the options do not suit it.
    pub fn build_sink(
        &self,
        plugin: &str,
        options: &toml::Table,
        context: &BuildContext,
    ) -> Result<Box<dyn Sink>, OptionError> {
        build(&self.sinks, plugin, options, context)
    }

    /// Build a filter; as often as wanted, from the same options.
    ///
    /// # Errors
    /// When there is no such plugin or the options do not suit it.
    pub fn build_filter(
        &self,
        plugin: &str,
        options: &toml::Table,
        context: &BuildContext,
    ) -> Result<Box<dyn Filter>, OptionError> {
        build(&self.filters, plugin, options, context)
    }

    /// Build a source; as often as wanted, from the same options.
    ///
    /// # Errors
    /// When there is no such plugin or the options do not suit it.
    pub fn build_source(
        &self,
        plugin: &str,
        options: &toml::Table,
        context: &BuildContext,
    ) -> Result<Box<dyn Source>, OptionError> {
        build(&self.sources, plugin, options, context)
    }

    /// Names that two plugins have, or that no configuration can write.
    pub(crate) fn misnamed(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for role in Role::ALL {
            let mut seen = BTreeSet::new();
            for name in self.names(role) {
                if !seen.insert(name) {
                    let what = role.as_str();
                    problems.push(format!(
                        "two {what} plugins are called `{name}`; give one of them another `NAME`"
                    ));
                }
            }
        }
        problems
    }

    /// The names in one of the lists.
    pub(crate) fn names(&self, role: Role) -> Vec<&'static str> {
        let all = self.all().filter(|(other, _, _)| *other == role);
        all.map(|(_, name, _)| name).collect()
    }

    /// What is wrong with `options` in the eyes of `plugin`, without building it. Variables of the environment
    /// take the type that it wants. `root` is where the table is.
    pub(crate) fn check_options(
        &self,
        role: Role,
        plugin: &str,
        options: &mut Value,
        root: &Path,
        overrides: &Overrides,
    ) -> Vec<Flaw> {
        let Some(reader) = self.reader(role, plugin) else {
            return Vec::new();
        };
        // Reading strikes out what is wrong; the caller keeps the whole, with the types that were found.
        let mut scratch = options.clone();
        let (_, flaws) = read(&mut scratch, root, overrides, reader);
        if flaws.is_empty() {
            *options = scratch;
        }
        flaws
    }

    /// Paths of the options whose type is a secret, found by asking the plugin what it expects there.
    pub(crate) fn secret_options(&self, role: Role, plugin: &str, options: &Value) -> Vec<Path> {
        let Some(reader) = self.reader(role, plugin) else {
            return Vec::new();
        };
        // One mistake would hide the answer about what comes after it.
        let mut clean = options.clone();
        let (_, flaws) = read(&mut clean, &Path::default(), &Overrides::default(), reader);
        let mistaken = flaws.into_iter().filter(|flaw| wants_secret(&flaw.message));
        let mut paths: Vec<Path> = mistaken.map(|flaw| flaw.path).collect();
        let mut candidates = Vec::new();
        leaves(&clean, &Path::default(), &mut candidates);
        let asks_for_secret = |path: &Path| {
            let mut probe = clean.clone();
            set(&mut probe, &path.0, Value::from(true))
                && reader(&probe).is_err_and(|error| {
                    error.path == path.0
                        && matches!(&error.kind, Kind::InvalidType(_, wanted) if wanted.starts_with(SECRET))
                })
        };
        candidates.retain(asks_for_secret);
        paths.extend(candidates);
        paths.sort();
        paths.dedup();
        paths
    }

    /// The options a plugin knows, found by asking it: nested ones with their path, in the plugin's order.
    pub(crate) fn options(&self, role: Role, plugin: &str) -> Vec<OptionInfo> {
        let mut found = Vec::new();
        if let Some(reader) = self.reader(role, plugin) {
            let mut nothing = Value::Dict(Tag::Default, Dict::new());
            let (_, missing) = read(
                &mut nothing,
                &Path::default(),
                &Overrides::default(),
                reader,
            );
            let required: Vec<Path> = missing.into_iter().map(|flaw| flaw.path).collect();
            ask(reader, &Path::default(), &required, &mut found);
        }
        found
    }

    fn reader(&self, role: Role, plugin: &str) -> Option<Reader> {
        match role {
            Role::Sink => find(&self.sinks, plugin).map(|entry| entry.read),
            Role::Filter => find(&self.filters, plugin).map(|entry| entry.read),
            Role::Source => find(&self.sources, plugin).map(|entry| entry.read),
        }
    }
}

fn build<T: ?Sized>(
    entries: &[Entry<T>],
    plugin: &str,
    options: &toml::Table,
    context: &BuildContext,
) -> Result<Box<T>, OptionError> {
    let Some(entry) = find(entries, plugin) else {
        let names = entries.iter().map(|entry| entry.name);
        let help = suggest::help(plugin, names, "there are").unwrap_or_default();
        return Err(OptionError {
            option: String::new(),
            message: format!("there is no plugin `{plugin}`; {help}"),
        });
    };
    let tree = from_table(options);
    (entry.build)(&tree, context).map_err(|error| match error {
        Unbuilt::Build(error) => OptionError {
            option: error.option().to_owned(),
            message: error.message().to_owned(),
        },
        Unbuilt::Read => {
            let (_, flaws) = read(
                &mut tree.clone(),
                &Path::default(),
                &Overrides::default(),
                entry.read,
            );
            let first = flaws.into_iter().next();
            first.map_or_else(
                || OptionError {
                    option: String::new(),
                    message: "not valid".to_owned(),
                },
                |flaw| OptionError {
                    option: flaw.path.to_string(),
                    message: flaw.message,
                },
            )
        }
    })
}

fn find<'a, T: ?Sized>(entries: &'a [Entry<T>], name: &str) -> Option<&'a Entry<T>> {
    entries.iter().find(|entry| entry.name == name)
}

fn readable<C: DeserializeOwned>(options: &Value) -> Result<(), Box<ReadError>> {
    C::deserialize(options).map(drop).map_err(Box::new)
}

fn prefix(option: &str) -> String {
    if option.is_empty() {
        String::new()
    } else {
        format!("`{option}`: ")
    }
}

impl<T: ?Sized> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests;
