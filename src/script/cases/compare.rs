//! What a step expects, against what the script made of the event.

use super::Verdict;
use super::made::object;
use crate::script::Outcome;
use serde_json::Value;
use std::sync::Arc;
use unifi_herald_plugin::Event;

/// Something that is not as expected.
pub(super) struct Found {
    pub(super) field: Option<String>,
    pub(super) expected: String,
    pub(super) got: String,
}

const FORMS: &str = "`expect` is \"keep\", \"drop\", a table of fields, an array of such tables, or { error = \"…\" }";

/// Where `verdict` is not what `expect` says, or what is wrong with `expect`.
pub(super) fn differences(expect: &toml::Value, verdict: &Verdict) -> Result<Vec<Found>, String> {
    let wanted = match expect {
        toml::Value::String(word) if word == "keep" => return Ok(events(1, word, verdict)),
        toml::Value::String(word) if word == "drop" => return Ok(events(0, word, verdict)),
        toml::Value::Table(table) if table.contains_key("error") => {
            return error(table, verdict);
        }
        toml::Value::Table(table) => vec![table],
        toml::Value::Array(array) => {
            let tables = array.iter().map(toml::Value::as_table);
            tables.collect::<Option<_>>().ok_or(FORMS)?
        }
        _ => return Err(FORMS.to_owned()),
    };
    let word = match wanted.len() {
        1 => "keep".to_owned(),
        many => format!("{many} events"),
    };
    let mut found = events(wanted.len(), &word, verdict);
    if !found.is_empty() {
        return Ok(found);
    }
    for (index, (table, event)) in wanted.iter().zip(kept(verdict)).enumerate() {
        let mut different = fields(table, &event)?;
        if wanted.len() > 1 {
            for one in &mut different {
                let field = one.field.take().unwrap_or_default();
                one.field = Some(format!("[{index}].{field}"));
            }
        }
        found.append(&mut different);
    }
    Ok(found)
}

/// `expect = { error = "part of its message" }`
fn error(table: &toml::Table, verdict: &Verdict) -> Result<Vec<Found>, String> {
    let (Some(part), 1) = (
        table.get("error").and_then(toml::Value::as_str),
        table.len(),
    ) else {
        return Err(FORMS.to_owned());
    };
    let as_expected = matches!(verdict, Verdict::Error(message) if message.contains(part));
    Ok(match as_expected {
        true => Vec::new(),
        false => vec![Found {
            field: None,
            expected: format!("the error {part:?}"),
            got: word(verdict),
        }],
    })
}

/// Whether as many events go on.
fn events(count: usize, expected: &str, verdict: &Verdict) -> Vec<Found> {
    let failed = matches!(verdict, Verdict::Error(_));
    if !failed && kept(verdict).len() == count {
        return Vec::new();
    }
    vec![Found {
        field: None,
        expected: expected.to_owned(),
        got: word(verdict),
    }]
}

fn kept(verdict: &Verdict) -> Vec<Arc<Event>> {
    match verdict {
        Verdict::Outcome(Outcome::Keep(event)) => vec![Arc::clone(event)],
        Verdict::Outcome(Outcome::Many(events)) => events.clone(),
        Verdict::Outcome(Outcome::Drop) | Verdict::Error(_) => Vec::new(),
    }
}

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Error(message) => format!("the error {message:?}"),
        Verdict::Outcome(_) => match kept(verdict).len() {
            0 => "drop".to_owned(),
            1 => "keep".to_owned(),
            many => format!("{many} events"),
        },
    }
}

/// Whether the event has these fields, and none of those under `absent`.
fn fields(table: &toml::Table, event: &Event) -> Result<Vec<Found>, String> {
    let event = Value::Object(object(event)?);
    let mut table = table.clone();
    let absent = table.remove("absent");
    let mut found = subset(&json(&toml::Value::Table(table)), &event);
    for path in paths(absent.as_ref())? {
        let parts = path.split('.');
        if let Some(value) = parts.clone().try_fold(&event, |at, part| at.get(part)) {
            found.push(Found {
                field: Some(path.to_owned()),
                expected: "nothing".to_owned(),
                got: value.to_string(),
            });
        }
    }
    Ok(found)
}

/// The paths of a list such as `absent = ["client.name"]`.
pub(super) fn paths(list: Option<&toml::Value>) -> Result<Vec<&str>, String> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let paths = list
        .as_array()
        .and_then(|list| list.iter().map(toml::Value::as_str).collect());
    paths.ok_or_else(|| "`absent` is a list of fields".to_owned())
}

/// Where `event` has not what `expected` has; what else it has does not matter.
pub(super) fn subset(expected: &Value, event: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    walk("", expected, Some(event), &mut found);
    found
}

fn walk(path: &str, expected: &Value, got: Option<&Value>, found: &mut Vec<Found>) {
    if let (Value::Object(expected), Some(Value::Object(got))) = (expected, got) {
        for (key, expected) in expected {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            walk(&path, expected, got.get(key), found);
        }
    } else if !got.is_some_and(|got| same(expected, got)) {
        found.push(Found {
            field: Some(path.to_owned()),
            expected: expected.to_string(),
            got: got.map_or_else(|| "nothing".to_owned(), Value::to_string),
        });
    }
}

/// Whether they are equal; 1 and 1.0 are, and so are two ways to write the same moment.
fn same(a: &Value, b: &Value) -> bool {
    use unifi_herald_plugin::Timestamp;
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::String(a), Value::String(b)) if a != b => {
            let moment = |text: &str| text.parse::<Timestamp>().ok();
            moment(a).is_some_and(|a| moment(b) == Some(a))
        }
        _ => a == b,
    }
}

/// A value of TOML as JSON; dates and times are text.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(array) => array.iter().map(json).collect(),
        toml::Value::Table(table) => {
            let fields = table.iter().map(|(key, value)| (key.clone(), json(value)));
            Value::Object(fields.collect())
        }
    }
}
