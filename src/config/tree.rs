//! The values of a configuration as a tree, and paths into it.

use figment::value::{Dict, Num, Tag, Value};
use std::fmt;

/// The keys from the root to a value; positions in a list are numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(crate) Vec<String>);

impl Path {
    /// The path of these keys.
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    /// This path and one key more.
    pub(crate) fn join(&self, key: impl Into<String>) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Self(keys)
    }

    /// This path and those of `inner`, which start where it ends.
    pub(crate) fn append(&self, inner: &Self) -> Self {
        Self(self.0.iter().chain(&inner.0).cloned().collect())
    }

    /// Whether `self` is `other` or leads to it.
    pub(crate) fn leads_to(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The last key.
    pub(crate) fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }
}

impl fmt::Display for Path {
    /// `chains.all.steps[1].sink`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if index > 0 && key.chars().all(|c| c.is_ascii_digit()) {
                write!(f, "[{key}]")?;
                continue;
            }
            if index > 0 {
                f.write_str(".")?;
            }
            if !key.is_empty() && key.chars().all(bare) {
                f.write_str(key)?;
            } else {
                write!(f, "{key:?}")?;
            }
        }
        Ok(())
    }
}

/// The value at `path`.
pub(crate) fn get<'a>(tree: &'a Value, path: &Path) -> Option<&'a Value> {
    path.0.iter().try_fold(tree, |value, key| match value {
        Value::Dict(_, dict) => dict.get(key),
        Value::Array(_, list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Put `new` at `path`, in place of what is there; says whether the path exists up to its last key.
pub(crate) fn set(tree: &mut Value, path: &[String], new: Value) -> bool {
    let Some((key, rest)) = path.split_first() else {
        *tree = new;
        return true;
    };
    match tree {
        Value::Dict(_, dict) if rest.is_empty() => {
            dict.insert(key.clone(), new);
            true
        }
        Value::Dict(_, dict) => dict.get_mut(key).is_some_and(|value| set(value, rest, new)),
        Value::Array(_, list) => key
            .parse::<usize>()
            .ok()
            .and_then(|index| list.get_mut(index))
            .is_some_and(|value| set(value, rest, new)),
        _ => false,
    }
}

/// Take out the value at `path`; says whether there was one. An item of a list takes the list with it, since
/// the others would move.
pub(crate) fn remove(tree: &mut Value, path: &[String]) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return false;
    };
    match tree {
        Value::Dict(_, dict) => {
            let below = dict.get_mut(key).is_some_and(|value| remove(value, rest));
            below || dict.remove(key).is_some()
        }
        Value::Array(_, list) => key
            .parse::<usize>()
            .ok()
            .and_then(|index| list.get_mut(index))
            .is_some_and(|value| remove(value, rest)),
        _ => false,
    }
}

/// What kind of value it is, in the words of TOML.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "text",
        Value::Bool(..) => "a boolean",
        Value::Num(_, Num::F32(_) | Num::F64(_)) => "a number with a fraction",
        Value::Num(..) => "a whole number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a table",
        Value::Array(..) => "a list",
    }
}

/// A tree out of TOML; dates become text.
pub(crate) fn from_toml(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(yes) => (*yes).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(from_toml).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => from_table(table),
    }
}

/// A tree out of a TOML table.
pub(crate) fn from_table(table: &toml::Table) -> Value {
    let dict = table
        .iter()
        .map(|(key, value)| (key.clone(), from_toml(value)));
    Value::Dict(Tag::Default, dict.collect::<Dict>())
}

/// TOML out of a tree.
pub(crate) fn to_table(tree: &Value) -> toml::Table {
    serde::Deserialize::deserialize(tree).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_toml() {
        assert_eq!(
            Path::of(&["chains", "all", "steps", "1", "a b"]).to_string(),
            "chains.all.steps[1].\"a b\""
        );
    }

    #[test]
    fn taking_out_an_item_takes_the_list() {
        let table: toml::Table = toml::from_str("a = [{ b = 1, c = 2 }, 3]").unwrap();
        let mut tree = from_table(&table);
        assert!(remove(&mut tree, &Path::of(&["a", "0", "b"]).0));
        assert_eq!(to_table(&tree).to_string(), "a = [{ c = 2 }, 3]\n");
        assert!(remove(&mut tree, &Path::of(&["a", "1"]).0));
        assert_eq!(to_table(&tree).to_string(), "");
        assert!(!remove(&mut tree, &Path::of(&["a"]).0));
    }
}
