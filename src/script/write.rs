//! What a script may change, and how much of it.

use super::convert;
use super::error::{refuse, too_large};
use super::limits::MAX_FIELDS;
use super::node::{At, Node};
use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map};
use serde::Serialize;
use std::io;
use std::sync::Arc;
use unifi_herald_plugin::{Event, Fields, Severity};

/// Why a change is refused.
#[derive(Debug)]
pub(super) enum Refused {
    Wrong(String),
    TooLarge(String),
}

impl Refused {
    pub(super) fn into_error(self) -> Box<EvalAltResult> {
        match self {
            Self::Wrong(message) => refuse(message),
            Self::TooLarge(message) => too_large(message),
        }
    }
}

impl From<String> for Refused {
    fn from(message: String) -> Self {
        Self::Wrong(message)
    }
}

impl Node {
    /// Change the event, which is copied first while anybody else holds it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Event) -> T) -> T {
        change(Arc::make_mut(&mut self.draft().event))
    }
}

/// `node.name = value`.
pub(super) fn set(node: &Node, name: &str, value: &Dynamic) -> Result<(), Refused> {
    // Rhai writes back the value of every part a method was called on. When nothing changed it is no assignment,
    // and must not copy the event.
    if same(&node.get_text(name), value) {
        return Ok(());
    }
    match (&node.at, name) {
        (At::Event, "summary") => {
            let text = value.read_lock::<ImmutableString>();
            let text = text.ok_or_else(|| "`event.summary` must be text".to_owned())?;
            node.change(|event| event.summary = text.as_str().into());
        }
        (At::Event, "severity") => {
            let text = value.read_lock::<ImmutableString>();
            let text = text.ok_or_else(|| "`event.severity` must be text".to_owned())?;
            let severity: Severity = text.parse().map_err(|error| format!("{error}"))?;
            node.change(|event| event.severity = severity);
        }
        (At::Event, "fields") => replace_fields(node, value)?,
        (At::Fields, _) => set_field(node, name, value)?,
        _ => {
            return Err(Refused::Wrong(format!(
                "`{name}` cannot be changed: a script may set `event.summary`, `event.severity` and what is under \
                 `event.fields`"
            )));
        }
    }
    Ok(())
}

fn replace_fields(node: &Node, value: &Dynamic) -> Result<(), Refused> {
    let fields = if value.is_unit() {
        Fields::new()
    } else if value.is::<Map>() {
        match convert::to_json(value)? {
            serde_json::Value::Object(fields) => fields,
            _ => Fields::new(),
        }
    } else {
        return Err(Refused::Wrong("`event.fields` must be a map".to_owned()));
    };
    check_size(json_len(&fields))?;
    node.change(|event| event.fields = fields);
    Ok(())
}

fn set_field(node: &Node, name: &str, value: &Dynamic) -> Result<(), Refused> {
    if value.is_unit() {
        node.change(|event| event.fields.remove(name));
        return Ok(());
    }
    let json = convert::to_json(value)?;
    let before = node.event();
    let old = before.fields.get(name);
    if old == Some(&json) {
        return Ok(());
    }
    let old = old.map_or(0, json_len);
    check_size(json_len(&before.fields) - old + json_len(name) + json_len(&json) + 2)?;
    // Let go of it first, so that the draft is written in place when it is ours already.
    drop(before);
    node.change(|event| event.fields.insert(name.to_owned(), json));
    Ok(())
}

fn check_size(bytes: usize) -> Result<(), Refused> {
    if bytes > MAX_FIELDS {
        return Err(Refused::TooLarge(format!(
            "`event.fields` may have {MAX_FIELDS} bytes as JSON"
        )));
    }
    Ok(())
}

/// How long `value` is as JSON text.
fn json_len(value: &(impl Serialize + ?Sized)) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // What cannot be written counts as too large.
    serde_json::to_writer(&mut count, value).map_or(MAX_FIELDS + 1, |()| count.0)
}

/// Whether `a` and `b` are the same value, or the same part of the same event.
pub(super) fn same(a: &Dynamic, b: &Dynamic) -> bool {
    if let (Some(a), Some(b)) = (a.read_lock::<Node>(), b.read_lock::<Node>()) {
        return a.is(&b);
    }
    if let (Some(a), Some(b)) = (
        a.read_lock::<ImmutableString>(),
        b.read_lock::<ImmutableString>(),
    ) {
        return *a == *b;
    }
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.as_bool(), b.as_bool()) {
        return a == b;
    }
    let has_parts = |value: &Dynamic| value.is::<Array>() || value.is::<Map>();
    if has_parts(a) && has_parts(b) {
        return convert::to_json(a).is_ok_and(|a| convert::to_json(b).is_ok_and(|b| a == b));
    }
    a.is_unit() && b.is_unit()
}
