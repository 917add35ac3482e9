//! Reads a tree into a type and goes on after a mistake, so that all of them are found at once.

use super::overrides::Overrides;
use super::secrets::is_secret;
use super::suggest;
use super::tree::{Path, get, remove, set, type_of};
use figment::error::{Actual, Error, Kind};
use figment::value::{Dict, Tag, Value};
use std::collections::BTreeMap;

/// A mistake in a configuration, and the key it is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The key; for a missing one, where it should be.
    pub(crate) path: Path,
    /// Which part of the line is wrong.
    pub(crate) part: Part,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
}

/// A part of `key = value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
    /// The value, if it is text, from this character on.
    Character(usize),
}

impl Flaw {
    /// A mistake in the value at `path`.
    pub(crate) fn value(path: Path, message: impl Into<String>) -> Self {
        Self {
            path,
            part: Part::Value,
            message: message.into(),
            help: None,
        }
    }

    /// A mistake in the key at `path`, or its absence.
    pub(crate) fn key(path: Path, message: impl Into<String>) -> Self {
        Self {
            path,
            part: Part::Key,
            message: message.into(),
            help: None,
        }
    }

    /// What to write instead.
    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }
}

/// More mistakes than anybody reads; also the bound of the work.
const MOST_FLAWS: usize = 200;

/// Read `tree`, which is at `root` in the configuration. What is wrong is struck out and the rest read again
/// until nothing is wrong; `None` when that did not help. Paths of the flaws start at the configuration's root.
pub(crate) fn read<T>(
    tree: &mut Value,
    root: &Path,
    overrides: &Overrides,
    reader: impl Fn(&Value) -> Result<T, Box<Error>>,
) -> (Option<T>, Vec<Flaw>) {
    let mut flaws: Vec<Flaw> = Vec::new();
    let mut stand_ins: BTreeMap<Path, usize> = BTreeMap::new();
    while flaws.len() < MOST_FLAWS {
        let error = match reader(tree) {
            Ok(value) => return (Some(value), flaws),
            Err(error) => error,
        };
        let path = place(&error, tree);
        if matches!(error.kind, Kind::InvalidType(..)) && overrides.retype(root, &path, tree) {
            continue;
        }
        let full = root.append(&path);
        let missing = matches!(error.kind, Kind::MissingField(_));
        let reported = flaws.iter().any(|flaw| flaw.path.leads_to(&full));
        if missing || stand_ins.contains_key(&path) {
            // A stand-in for what is missing lets the reader find what else is wrong.
            let tried = stand_ins.entry(path.clone()).or_insert(0);
            let Some(value) = stand_in(*tried) else {
                break;
            };
            *tried += 1;
            if !set(tree, &path.0, value) {
                break;
            }
            if missing && !reported {
                flaws.push(Flaw::key(full, "missing"));
            }
            continue;
        }
        if stand_ins.keys().any(|stood_in| path.leads_to(stood_in)) {
            // It may be the stand-in that displeases.
            break;
        }
        let found = get(tree, &path);
        flaws.push(explain(&error, full, found));
        if !remove(tree, &path.0) {
            break;
        }
    }
    (None, flaws)
}

fn stand_in(index: usize) -> Option<Value> {
    Some(match index {
        0 => "http://localhost".into(),
        1 => 1_i64.into(),
        2 => true.into(),
        3 => "1s".into(),
        4 => Vec::<Value>::new().into(),
        5 => Value::Dict(Tag::Default, Dict::new()),
        _ => return None,
    })
}

/// The path of what is wrong, from the root of `tree`.
fn place(error: &Error, tree: &Value) -> Path {
    let path = Path(error.path.clone());
    let named = match &error.kind {
        Kind::UnknownField(name, _) if path.last() != Some(name) => Some(name.as_str()),
        Kind::MissingField(name) => return path.join(name.as_ref()),
        _ => None,
    };
    named
        .map(|name| path.join(name))
        .filter(|path| get(tree, path).is_some())
        .unwrap_or(path)
}

fn explain(error: &Error, path: Path, found: Option<&Value>) -> Flaw {
    let name = path.last().unwrap_or_default().to_owned();
    let shown = |text: &str| {
        if is_secret(&name) {
            "this".to_owned()
        } else {
            format!("`{text}`")
        }
    };
    match &error.kind {
        Kind::UnknownField(key, known) => {
            let help = suggest::help(key, known.iter().copied(), "known keys");
            Flaw::key(path, "unknown key").help(help)
        }
        Kind::UnknownVariant(value, known) => {
            let help = suggest::help(value, known.iter().copied(), "one of");
            Flaw::value(path, format!("{} is not known here", shown(value))).help(help)
        }
        Kind::InvalidType(actual, expected) => {
            let found = found.map_or_else(|| kind_of(actual), type_of);
            Flaw::value(path, format!("expected {}, found {found}", plain(expected)))
        }
        Kind::InvalidValue(actual @ (Actual::Signed(_) | Actual::Unsigned(_)), expected)
            if !is_secret(&name) =>
        {
            let number = match actual {
                Actual::Signed(number) => number.to_string(),
                Actual::Unsigned(number) => number.to_string(),
                _ => String::new(),
            };
            Flaw::value(
                path,
                format!("expected {}, found {number}", plain(expected)),
            )
        }
        Kind::InvalidValue(_, expected) | Kind::InvalidLength(_, expected) => {
            Flaw::value(path, format!("expected {}", plain(expected)))
        }
        // A plugin's own words may repeat the value.
        Kind::Message(_) if is_secret(&name) && !matches!(found, Some(Value::Dict(..))) => {
            Flaw::value(path, "not valid")
        }
        Kind::Message(message) => Flaw::value(path, message.clone()),
        Kind::MissingField(_)
        | Kind::DuplicateField(_)
        | Kind::ISizeOutOfRange(_)
        | Kind::USizeOutOfRange(_)
        | Kind::Unsupported(_)
        | Kind::UnsupportedKey(..) => Flaw::value(path, "not valid here"),
    }
}

/// What serde expected, in the words of the manual.
pub(crate) fn plain(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "str" | "string" | "path string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        _ if expected.starts_with("struct ") => "a table".to_owned(),
        _ if expected.starts_with("enum ") || expected == "variant identifier" => "text".to_owned(),
        other => other.to_owned(),
    }
}

fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a number with a fraction",
        Actual::Char(_) | Actual::Str(_) => "text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}
