//! What options a plugin takes, found by asking it: it is given what cannot be, and says what it wants.

use super::Reader;
use crate::config::read::plain;
use crate::config::tree::{Path, set};
use figment::error::Kind;
use figment::value::{Dict, Tag, Value};

/// An option of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionInfo {
    /// Its path inside `options`.
    pub(crate) path: Path,
    /// What it takes.
    pub(crate) expects: String,
    /// Whether it must be there.
    pub(crate) required: bool,
}

/// Every value below, and the tables and lists on the way.
pub(super) fn leaves(tree: &Value, path: &Path, found: &mut Vec<Path>) {
    found.push(path.clone());
    match tree {
        Value::Dict(_, dict) => {
            for (key, value) in dict {
                leaves(value, &path.join(key.as_str()), found);
            }
        }
        Value::Array(_, items) => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &path.join(index.to_string()), found);
            }
        }
        Value::String(..)
        | Value::Char(..)
        | Value::Bool(..)
        | Value::Num(..)
        | Value::Empty(..) => {}
    }
}

/// Find the options in the table at `at`: an impossible key makes serde list those that there are, and a value of
/// an impossible type makes it say what it wants.
pub(super) fn ask(reader: Reader, at: &Path, required_ones: &[Path], found: &mut Vec<OptionInfo>) {
    const DEEPEST: usize = 4;
    let refusal = |path: &Path, value: Value| {
        let mut tree = Value::Dict(Tag::Default, Dict::new());
        for depth in 1..path.0.len() {
            set(
                &mut tree,
                &path.0[..depth],
                Value::Dict(Tag::Default, Dict::new()),
            );
        }
        set(&mut tree, &path.0, value);
        reader(&tree).err().map(|error| error.kind)
    };
    let Some(Kind::UnknownField(_, known)) = refusal(&at.join("?"), true.into()) else {
        return;
    };
    for name in known {
        let path = at.join(*name);
        let expects = [Value::from(true), Vec::<Value>::new().into()]
            .into_iter()
            .find_map(|odd| match refusal(&path, odd) {
                Some(Kind::InvalidType(_, wanted)) if wanted.starts_with(SECRET) => {
                    Some(SECRET.to_owned())
                }
                Some(Kind::InvalidType(_, wanted)) => Some(plain(&wanted)),
                Some(Kind::Message(wanted)) => Some(wanted),
                _ => None,
            });
        let expects = match refusal(&path, "?".into()) {
            Some(Kind::UnknownVariant(_, known)) => Some(format!("one of {}", known.join(", "))),
            _ => expects,
        };
        let required = required_ones.contains(&path);
        let table = expects.as_deref() == Some("a table");
        found.push(OptionInfo {
            path: path.clone(),
            expects: expects.unwrap_or_default(),
            required,
        });
        if table && path.0.len() < DEEPEST {
            ask(reader, &path, required_ones, found);
        }
    }
}

/// How the contract crate describes a secret to serde.
pub(super) const SECRET: &str = "a secret";

pub(super) fn wants_secret(message: &str) -> bool {
    message
        .strip_prefix("expected ")
        .is_some_and(|wanted| wanted.starts_with(SECRET))
}
