//! JSON Schema (2020-12) of the types that configurations are written with, for editors.

use crate::{Secret, Severity, Size, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a time: \"250ms\", \"90s\", \"10m\", \"2h\", \"7d\", \"1w\", and sums like \"1h30m\"",
            "pattern": "^\\s*([0-9]+\\s*(ms|s|m|h|d|w)\\s*)+$",
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a size: \"512B\", \"64KiB\", \"32MiB\", \"1GiB\", \"64kB\", \"32MB\", \"1GB\"",
        })
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let place = |name: &str| {
            json_schema!({
                "type": "object",
                "properties": { name: { "type": "string" } },
                "required": [name],
                "additionalProperties": false,
            })
        };
        json_schema!({
            "description": "a secret: \"text\", { env = \"NAME\" }, { file = \"path\" } or { credential = \"name\" }",
            "anyOf": [{ "type": "string" }, place("env"), place("file"), place("credential")],
        })
    }
}

impl JsonSchema for Severity {
    fn schema_name() -> Cow<'static, str> {
        "Severity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|severity| severity.as_str()).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}
