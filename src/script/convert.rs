//! Values of a script as JSON and back.

use super::limits::MAX_FIELDS_DEPTH;
use super::node::Node;
use rhai::{Array, Dynamic, ImmutableString, Map};
use serde_json::{Number, Value};

/// `value` as JSON, or what is wrong with it.
pub(super) fn to_json(value: &Dynamic) -> Result<Value, String> {
    at_depth(value, MAX_FIELDS_DEPTH)
}

fn at_depth(value: &Dynamic, depth: usize) -> Result<Value, String> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| format!("the value nests deeper than {MAX_FIELDS_DEPTH}"))?;
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(flag.into());
    }
    if let Ok(number) = value.as_int() {
        return Ok(number.into());
    }
    if let Ok(number) = value.as_float() {
        return Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("{number} has no form in JSON"));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(Value::String(text.as_str().to_owned()));
    }
    if let Ok(character) = value.as_char() {
        return Ok(Value::String(character.to_string()));
    }
    if let Some(array) = value.read_lock::<Array>() {
        return array.iter().map(|value| at_depth(value, depth)).collect();
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries = map
            .iter()
            .map(|(key, value)| Ok((key.to_string(), at_depth(value, depth)?)));
        return entries.collect::<Result<_, String>>().map(Value::Object);
    }
    if let Some(node) = value.read_lock::<Node>() {
        return Ok(node.to_json());
    }
    Err(format!("{} has no form in JSON", value.type_name()))
}

/// `value` as a script reads it.
pub(super) fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => from_number(number),
        Value::String(text) => text.into(),
        Value::Array(array) => array.iter().map(from_json).collect::<Array>().into(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.into(), from_json(value)))
            .collect::<Map>()
            .into(),
    }
}

/// The value of `json`, which is neither object nor array.
pub(super) fn from_scalar(json: &str) -> Dynamic {
    serde_json::from_str(json).map_or(Dynamic::UNIT, |value| from_json(&value))
}

/// A whole number where it is one that fits, else a floating one.
fn from_number(number: &Number) -> Dynamic {
    number.as_i64().map_or_else(
        || number.as_f64().map_or(Dynamic::UNIT, Dynamic::from),
        Dynamic::from,
    )
}

/// `table` as a script reads it; dates and times are text.
pub(super) fn from_toml(table: &toml::Table) -> Map {
    table
        .iter()
        .map(|(key, value)| (key.into(), from_toml_value(value)))
        .collect()
}

fn from_toml_value(value: &toml::Value) -> Dynamic {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(array) => array.iter().map(from_toml_value).collect::<Array>().into(),
        toml::Value::Table(table) => from_toml(table).into(),
    }
}
