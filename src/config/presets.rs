//! Presets: alerts and a chain that come with herald, merged into a configuration that names them.

use super::read::Flaw;
use super::source::Source;
use super::suggest;
use super::tree::{Path, get};
use figment::value::{Dict, Tag, Value};

/// One preset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preset {
    /// Its name in `presets`.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) summary: &'static str,
    /// TOML with [`SINKS`] where the steps of the sinks belong.
    text: &'static str,
}

/// All of them.
pub(crate) const PRESETS: &[Preset] = &[Preset {
    name: "essentials",
    summary: "unknown clients, devices and internet down and up, threats, new addresses of administrators, upgrades, herald itself",
    text: include_str!("../../presets/essentials.toml"),
}];

/// The line of a preset that stands for the steps of its sinks.
const SINKS: &str = "  #: sinks\n";

impl Preset {
    /// The preset of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        PRESETS.iter().find(|preset| preset.name == name).copied()
    }

    /// The TOML it stands for, with these sinks.
    pub(crate) fn text<S: AsRef<str>>(self, sinks: &[S]) -> String {
        let steps = sinks
            .iter()
            .map(|sink| format!("  {{ sink = {:?} }},\n", sink.as_ref()));
        self.text.replace(SINKS, &steps.collect::<String>())
    }
}

/// What the presets of a configuration add to it.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// The tables, to be merged below what was written.
    pub(super) tables: Dict,
    /// Table and name of each, in their order.
    pub(super) names: Vec<(String, String)>,
    /// Where their chains end.
    pub(super) sinks: Vec<String>,
    /// What is wrong with the keys that ask for them.
    pub(super) flaws: Vec<Flaw>,
    /// What is not as it may have been meant.
    pub(super) warnings: Vec<String>,
}

impl Added {
    /// What the presets that `tree` names stand for, beside what is `written` in the file. What is of the wrong type is
    /// for others to tell.
    pub(super) fn to(tree: &Value, written: &Value, sinks: &[String]) -> Self {
        let mut added = Self::default();
        added.sinks = added.choose_sinks(tree, sinks);
        let names = texts(tree, "presets").unwrap_or_default();
        if names.is_empty() {
            added.flaws.clear();
            added.warnings.clear();
            if texts(tree, "preset_sinks").is_some() {
                let path = Path::of(&["preset_sinks"]);
                let flaw = Flaw::key(path, "there is no preset that would send to them");
                let help = "write presets = [\"essentials\"] above it".to_owned();
                added.flaws.push(flaw.help(help));
            }
        }
        for (index, name) in names.iter().enumerate() {
            match Preset::find(name) {
                Some(_) if names[..index].contains(name) => {}
                Some(preset) => added.merge(written, preset),
                None => {
                    let path = Path::of(&["presets"]).join(index.to_string());
                    let known = PRESETS.iter().map(|preset| preset.name);
                    let flaw = Flaw::value(path, format!("there is no preset `{name}`"));
                    let help = suggest::help(name, known, "there are");
                    added.flaws.push(flaw.help(help));
                }
            }
        }
        added
    }

    /// What is `written`, and this.
    pub(super) fn merged_with(&self, written: Value) -> Value {
        let Value::Dict(tag, mut dict) = written else {
            return written;
        };
        for (table, entries) in &self.tables {
            let into = dict
                .entry(table.clone())
                .or_insert_with(|| Dict::new().into());
            if let (Value::Dict(_, into), Value::Dict(_, entries)) = (into, entries) {
                into.extend(entries.clone());
            }
        }
        Value::Dict(tag, dict)
    }

    /// Where the presets send: to the sinks that are named for it, else to those that no chain names.
    fn choose_sinks(&mut self, tree: &Value, all: &[String]) -> Vec<String> {
        let Some(wanted) = texts(tree, "preset_sinks") else {
            let free = free_sinks(tree, all);
            if free.is_empty() {
                let why = match all.is_empty() {
                    true => "there is none; add a table [sinks.NAME]",
                    false => {
                        "every one is named by a chain; say which ones get it, preset_sinks = [\"…\"]"
                    }
                };
                self.warnings
                    .push(format!("no sink is left for `presets`: {why}"));
            }
            return free;
        };
        if wanted.is_empty() {
            let flaw = Flaw::value(Path::of(&["preset_sinks"]), "an empty list");
            let help = "leave it out for every sink that no chain names".to_owned();
            self.flaws.push(flaw.help(help));
        }
        for (index, name) in wanted.iter().enumerate() {
            if !all.contains(name) {
                let path = Path::of(&["preset_sinks"]).join(index.to_string());
                let known = all.iter().map(String::as_str);
                let help = suggest::help(name, known, "there are");
                let help = help.unwrap_or_else(|| format!("add a table [sinks.{name}]"));
                let flaw = Flaw::value(path, format!("there is no sink `{name}`"));
                self.flaws.push(flaw.help(help));
            }
        }
        wanted
            .into_iter()
            .filter(|name| all.contains(name))
            .collect()
    }

    fn merge(&mut self, written: &Value, preset: Preset) {
        let text = preset.text(&self.sinks);
        // The presets that are shipped parse: a test reads each of them.
        let Ok((source, tables)) = Source::parse(preset.name.into(), text) else {
            return;
        };
        for table in source.keys(&[]) {
            for name in source.keys(&[table]) {
                let path = Path::of(&[table, name]);
                let Some(entry) = get(&Value::Dict(Tag::Default, tables.clone()), &path).cloned()
                else {
                    continue;
                };
                if get(written, &path).is_some() && table == "alerts" {
                    // One's own is in its place, in the chain of the preset as well.
                    continue;
                }
                if get(written, &path).is_some() {
                    let message = format!("the preset `{}` has one of this name", preset.name);
                    let help = format!(
                        "give yours another name; or take the preset out of `presets`, put what `herald presets show {}` prints in its place, and change that",
                        preset.name
                    );
                    self.flaws.push(Flaw::key(path, message).help(help));
                    continue;
                }
                let into = self
                    .tables
                    .entry(table.to_owned())
                    .or_insert_with(|| Dict::new().into());
                if let Value::Dict(_, into) = into {
                    into.insert(name.to_owned(), entry);
                    self.names.push((table.to_owned(), name.to_owned()));
                }
            }
        }
    }
}

/// The sinks among `all` that no step of a chain names.
fn free_sinks(tree: &Value, all: &[String]) -> Vec<String> {
    let mut used = Vec::new();
    if let Some(Value::Dict(_, chains)) = get(tree, &Path::of(&["chains"])) {
        for chain in chains.values() {
            let Some(Value::Array(_, steps)) = get(chain, &Path::of(&["steps"])) else {
                continue;
            };
            for step in steps {
                if let Some(Value::String(_, sink)) = get(step, &Path::of(&["sink"])) {
                    used.push(sink.clone());
                }
            }
        }
    }
    let free = all.iter().filter(|sink| !used.contains(sink));
    free.cloned().collect()
}

/// The list of texts under `key`, if it is one.
fn texts(tree: &Value, key: &str) -> Option<Vec<String>> {
    let Value::Array(_, items) = get(tree, &Path::of(&[key]))? else {
        return None;
    };
    let text = |item: &Value| match item {
        Value::String(_, text) => Some(text.clone()),
        _ => None,
    };
    items.iter().map(text).collect()
}
