//! A body by the user's own template, in which text chosen by strangers stays text.

use minijinja::value::{Serde, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
};
use serde::de::IgnoredAny;
use unifi_herald_plugin::{BoxError, BufferedEvent, BuildError};

/// A checked template.
pub(crate) struct Template {
    environment: Environment<'static>,
    per_event: bool,
    json: bool,
}

const NAME: &str = "body";

/// Enough for thousands of events; an endless loop ends within milliseconds.
const FUEL: u64 = 1_000_000;

/// The fields of an event, for finding misspelt ones.
const FIELDS: &[&str] = &[
    "v",
    "id",
    "seq",
    "time",
    "received",
    "controller",
    "site",
    "site_name",
    "origin",
    "kind",
    "key",
    "category",
    "severity",
    "level",
    "summary",
    "client",
    "device",
    "from",
    "to",
    "count",
    "ssid",
    "port",
    "wan",
    "network",
    "admin",
    "threat",
    "src",
    "dst",
    "vpn",
    "voucher",
    "reason",
    "alert",
    "digest",
    "fields",
    "raw_truncated",
    "raw",
];

impl Template {
    /// Parse `source`; how it escapes follows from `content_type`.
    pub(crate) fn new(source: String, content_type: &str) -> Result<Self, BuildError> {
        let wrong = |message: String| BuildError::new("template", message);
        let kind = content_type.to_ascii_lowercase();
        let json = kind.contains("json");
        let escape = match () {
            () if json => AutoEscape::Custom("json".into()),
            () if kind.contains("html") || kind.contains("xml") => AutoEscape::Html,
            () => AutoEscape::None,
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(move |_| escape.clone());
        if json {
            environment.set_formatter(inside_json);
        }
        environment
            .add_template_owned(NAME, source)
            .map_err(|error| wrong(explain(&error)))?;
        let template = environment.get_template(NAME);
        let template = template.map_err(|error| wrong(explain(&error)))?;
        if let Some(error) = misnamed(&template) {
            return Err(wrong(explain(&error)));
        }
        let names = template.undeclared_variables(true);
        let root = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let globals: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
        for name in names
            .iter()
            .filter(|name| !globals.contains(&root(name).as_str()))
        {
            check_name(name).map_err(wrong)?;
        }
        let per_event = !names.iter().any(|name| root(name) == "events");
        Ok(Self {
            environment,
            per_event,
            json,
        })
    }

    /// Whether it speaks of one event and not of `events`.
    pub(crate) fn is_per_event(&self) -> bool {
        self.per_event
    }

    /// The body for these events, at least one; `event` is the first.
    pub(crate) fn render(&self, events: &[BufferedEvent]) -> Result<Vec<u8>, BoxError> {
        let values = events
            .iter()
            // By way of a JSON value, which takes `raw` apart.
            .map(|event| serde_json::to_value(event).map(|json| Value::from(Serde(json))))
            .collect::<Result<Vec<_>, _>>()?;
        let template = self.environment.get_template(NAME);
        let body = template
            .and_then(|template| {
                template.render(context! { event => values[0].clone(), events => values })
            })
            .map_err(|error| format!("the template failed: {}", explain(&error)))?;
        if self.json {
            serde_json::from_str::<IgnoredAny>(&body).map_err(|error| {
                format!("the template did not give valid JSON ({error}); write text as \"{{{{ x }}}}\" and anything else as {{{{ x | tojson }}}}")
            })?;
        }
        Ok(body.into_bytes())
    }
}

/// A name of a filter, test or function that there is not, as far as a run without any values meets it.
fn misnamed(template: &minijinja::Template<'_, '_>) -> Option<Error> {
    use ErrorKind::{UnknownFilter, UnknownFunction, UnknownTest};
    let error = template.render(()).err()?;
    let misnamed = matches!(error.kind(), UnknownFilter | UnknownFunction | UnknownTest);
    misnamed.then_some(error)
}

/// What went wrong and where, in one line.
fn explain(error: &Error) -> String {
    let what = error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    );
    match error.line() {
        Some(line) => format!("{what} (line {line} of the template)"),
        None => what,
    }
}

/// Whether a template can mean this name.
fn check_name(name: &str) -> Result<(), String> {
    let mut parts = name.split('.');
    match (parts.next().unwrap_or_default(), parts.next()) {
        ("event", Some(field)) if !FIELDS.contains(&field) => Err(format!(
            "no event has a field `{field}`; the fields are {}, and what scripts add is in `event.fields`",
            FIELDS.join(", ")
        )),
        ("event" | "events", _) => Ok(()),
        (other, _) => Err(format!(
            "there is no `{other}` here; a template sees `event` and `events`"
        )),
    }
}

/// Text is escaped for the inside of a JSON string, anything else is written as JSON.
fn inside_json(
    out: &mut Output<'_>,
    _state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if value.is_undefined() {
        return Ok(());
    }
    let failed =
        |error: serde_json::Error| Error::new(ErrorKind::BadSerialization, error.to_string());
    match value.as_str() {
        Some(text) if value.is_safe() => out.write_str(text)?,
        Some(text) => {
            let quoted = serde_json::to_string(text).map_err(failed)?;
            out.write_str(&quoted[1..quoted.len() - 1])?;
        }
        None if value.kind() == ValueKind::None => out.write_str("null")?,
        None => out.write_str(&serde_json::to_string(value).map_err(failed)?)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests;
