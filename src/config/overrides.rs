//! `HERALD__A__B` in the environment: values that replace those of the file.

use super::tree::{Path, from_toml, get, set};
use figment::value::{Dict, Map, Tag, Value};
use figment::{Metadata, Profile, Provider};
use std::cell::Cell;
use std::collections::BTreeMap;

const PREFIX: &str = "HERALD__";

/// What the environment overrides, in the order of the variables' names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides(Vec<Override>);

/// One variable. Its text becomes what the target wants: whoever reads the tree may [`Overrides::retype`] it.
#[derive(Clone, Debug)]
struct Override {
    variable: String,
    path: Path,
    /// The readings of the text, best first, and which of them is in the tree.
    readings: Vec<Value>,
    current: Cell<usize>,
}

impl Overrides {
    /// Those among `environment`; `written` is what they override.
    pub(crate) fn find(environment: &BTreeMap<String, String>, written: &Value) -> Self {
        let found = environment.iter().filter_map(|(variable, text)| {
            let path = Path(
                variable
                    .strip_prefix(PREFIX)?
                    .split("__")
                    .map(str::to_ascii_lowercase)
                    .collect(),
            );
            Some(Override {
                variable: variable.clone(),
                readings: readings(text, get(written, &path), is_untyped(&path)),
                current: Cell::new(0),
                path,
            })
        });
        Self(found.collect())
    }

    /// The variable that `path` comes from, or that is somewhere below it.
    pub(crate) fn variable(&self, path: &Path) -> Option<&str> {
        self.0
            .iter()
            .find(|one| one.path.leads_to(path))
            .or_else(|| self.0.iter().find(|one| path.leads_to(&one.path)))
            .map(|one| one.variable.as_str())
    }

    /// Whether a variable gives the value at `path` itself.
    pub(crate) fn sets(&self, path: &Path) -> bool {
        self.0.iter().any(|one| one.path.leads_to(path))
    }

    /// The value at `path` has the wrong type: if a variable put it there and its text can be read in another
    /// way, put that into `tree`, which starts at `root`. Says whether it did.
    pub(crate) fn retype(&self, root: &Path, path: &Path, tree: &mut Value) -> bool {
        let full = root.append(path);
        let Some(one) = self.0.iter().find(|one| one.path.leads_to(&full)) else {
            return false;
        };
        let next = one.current.get() + 1;
        let (Some(value), Some(inner)) = (one.readings.get(next), one.path.0.get(root.0.len()..))
        else {
            return false;
        };
        one.current.set(next);
        set(tree, inner, value.clone())
    }
}

impl Provider for Overrides {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut dict = Dict::new();
        for one in &self.0 {
            insert(&mut dict, &one.path.0, one.readings[0].clone());
        }
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// What the file says, for the merge.
pub(crate) struct Written(pub(crate) Dict);

impl Provider for Written {
    fn metadata(&self) -> Metadata {
        Metadata::named("file")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.0.clone())]))
    }
}

/// The ways to read `text`: as it is, and as a value of TOML. Text comes first, so that a password of digits
/// stays one; but lists, tables, and what replaces a value of another type are read as TOML first.
fn readings(text: &str, replaced: Option<&Value>, untyped: bool) -> Vec<Value> {
    let plain = Value::from(text);
    let parsed = toml::from_str::<toml::Table>(&format!("v = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|table| table.get("v").map(from_toml))
        .filter(|value| !matches!(value, Value::String(..)));
    let Some(parsed) = parsed else {
        return vec![plain];
    };
    let composed = matches!(parsed, Value::Array(..) | Value::Dict(..));
    let same = matches!(
        (replaced, &parsed),
        (Some(Value::Num(..)), Value::Num(..)) | (Some(Value::Bool(..)), Value::Bool(..))
    );
    let unknown = untyped && !matches!(replaced, Some(Value::String(..)));
    if composed || same || unknown {
        vec![parsed, plain]
    } else {
        vec![plain, parsed]
    }
}

/// A script's parameters have no type but what is written.
fn is_untyped(path: &Path) -> bool {
    path.0.first().is_some_and(|key| key == "scripts")
        && path.0.get(2).is_some_and(|key| key == "params")
}

fn insert(dict: &mut Dict, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            dict.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = dict
                .entry(key.clone())
                .or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
            if !matches!(inner, Value::Dict(..)) {
                *inner = Value::Dict(Tag::Default, Dict::new());
            }
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
