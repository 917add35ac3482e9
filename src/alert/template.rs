//! Templates of keys, titles and texts: bounded in work and in what they write.

use super::fields::{check_alert, check_event};
use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::io;
use unifi_herald_plugin::{Event, Timestamp};

const NAME: &str = "t";

/// Enough for any message; an endless loop ends within a millisecond.
const FUEL: u64 = 100_000;

/// Most bytes that a template writes.
const MAX_OUTPUT: usize = 16 << 10;

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It tells what an incident is about: it sees `event`, and what is missing is an error.
    Key,
    /// It is read by people: it sees `event`, `last` and `alert`, and what is missing is nothing.
    Text,
}

/// A checked template.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
}

impl Template {
    /// Parse and check `source`; times are told in `zone`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(source: &str, purpose: Purpose, zone: &TimeZone) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("duration", |value: &Value| duration(value));
        let zone = zone.clone();
        environment.add_filter("local", move |value: &Value, format: Option<&str>| {
            local(value, format, &zone)
        });
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| explain(&error))?;
        let template = environment.get_template(NAME);
        let template = template.map_err(|error| explain(&error))?;
        if let Some(error) = misnamed(&template) {
            return Err(explain(&error));
        }
        let globals: Vec<String> = environment
            .globals()
            .map(|(name, _)| name.to_owned())
            .collect();
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort();
        for name in names {
            let (root, path) = name.split_once('.').unwrap_or((&name, ""));
            if !globals.iter().any(|global| global == root) {
                check_name(root, path, purpose)?;
            }
        }
        if purpose == Purpose::Key {
            environment.set_undefined_behavior(UndefinedBehavior::Strict);
        }
        Ok(Self { environment })
    }

    /// What it makes of these values.
    ///
    /// # Errors
    /// When a field of a key is missing, or it does or writes too much.
    pub fn render(&self, values: &Value) -> Result<String, String> {
        let mut out = Bounded(Vec::new());
        let template = self.environment.get_template(NAME);
        let written = template.and_then(|template| template.render_captured_to(values, &mut out));
        match written {
            Ok(_) => Ok(String::from_utf8(out.0).unwrap_or_default()),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// `event` as templates see it, without `raw`.
pub(super) fn value_of(event: &Event) -> Value {
    let json = if event.raw.is_some() {
        let mut bare = event.clone();
        bare.raw = None;
        serde_json::to_value(&bare)
    } else {
        serde_json::to_value(event)
    };
    // Cannot fail: an event has no map whose keys are not text.
    Value::from(Serde(json.unwrap_or_default()))
}

fn check_name(root: &str, path: &str, purpose: Purpose) -> Result<(), String> {
    match (root, path, purpose) {
        ("event", "", _) | ("last" | "alert", "", Purpose::Text) => Ok(()),
        ("event", path, _) | ("last", path, Purpose::Text) => check_event(path),
        ("alert", path, Purpose::Text) => check_alert(path),
        (other, _, Purpose::Key) => Err(format!(
            "there is no `{other}` here; a key is made of `event`"
        )),
        (other, _, Purpose::Text) => Err(format!(
            "there is no `{other}` here; a template sees `event`, `last` and `alert`"
        )),
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
        Some(line) if line > 1 => format!("{what} (line {line} of the template)"),
        _ => what,
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// `{{ alert.duration_s | duration }}`: `3m 20s`.
fn duration(value: &Value) -> Result<String, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let seconds = u64::try_from(value.clone())
        .map_err(|_| invalid("`duration` takes a number of seconds"))?;
    Ok(in_words(seconds))
}

/// A length of time as people say it: its two largest parts.
pub(super) fn in_words(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(number, _)| *number > 0);
    let Some(first) = first else {
        return "0s".to_owned();
    };
    let shown = parts[first..]
        .iter()
        .take(2)
        .filter(|(number, _)| *number > 0);
    let shown: Vec<String> = shown
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    shown.join(" ")
}

/// `{{ event.time | local }}`: `2026-11-22 18:21`; the form may be given as for `strftime`.
fn local(value: &Value, format: Option<&str>, zone: &TimeZone) -> Result<String, Error> {
    const WRONG: &str =
        "`local` takes a moment such as `event.time`, and a format such as \"%H:%M\"";
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let time = value
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    let time = time.ok_or_else(|| invalid(WRONG))?;
    moment(time, format.unwrap_or("%Y-%m-%d %H:%M"), zone).ok_or_else(|| invalid(WRONG))
}

/// A moment by the clock on the wall; none when the format is none.
pub(super) fn moment(time: Timestamp, format: &str, zone: &TimeZone) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(time.as_millis()).ok()?;
    let local = zone.to_datetime(time);
    jiff::fmt::strtime::format(format, local).ok()
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("it writes too much"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    fn rendered(source: &str, purpose: Purpose) -> Result<String, String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let event = EventBuilder::new(Kind::DEVICE_OFFLINE).build();
        let alert = context! { duration_s => 3725, name => "device_down" };
        let values =
            context! { event => value_of(&event), last => value_of(&event), alert => alert };
        Template::new(source, purpose, &zone)?.render(&values)
    }

    fn text(source: &str) -> Result<String, String> {
        rendered(source, Purpose::Text)
    }

    #[test]
    fn they_see_event_last_and_alert_and_have_filters() {
        let told = "{{ alert.name }} {{ event.device.name }}: {{ alert.duration_s | duration }}";
        let told = text(told).unwrap();
        assert!(
            told.starts_with("device_down ") && told.ends_with(": 1h 2m"),
            "{told}"
        );
        let local = text("{{ event.time | local }}, {{ event.time | local('%H') }}").unwrap();
        assert_eq!(local.len(), "2026-11-22 18:21, 18".len(), "{local}");
        assert_eq!(
            text("{{ event.wan.name }}{{ event.client.ip | local }}").unwrap(),
            ""
        );
        assert!(text("{{ event.device.name | local }}").is_err());
        assert!(text("{{ event.time | local('%Q') }}").is_err());
    }

    #[test]
    fn what_a_key_misses_is_an_error_unless_it_says_otherwise() {
        let missing = rendered("{{ event.wan.name }}", Purpose::Key).unwrap_err();
        assert!(missing.contains("undefined"), "{missing}");
        assert!(rendered("{{ event.device.mac }}", Purpose::Key).is_ok());
        let otherwise = rendered("{{ event.ssid | default('none') }}", Purpose::Key);
        assert_eq!(otherwise.unwrap(), "none");
    }

    #[test]
    fn mistakes_are_found_when_it_is_made() {
        for (source, purpose, part) in [
            (
                "{{ event.device.nmae }}",
                Purpose::Text,
                "did you mean `device.name`",
            ),
            ("{{ event", Purpose::Text, "syntax error"),
            (
                "{{ name }}",
                Purpose::Text,
                "a template sees `event`, `last` and `alert`",
            ),
            ("{{ alert.name }}", Purpose::Key, "a key is made of `event`"),
            ("{{ event.time | lokal }}", Purpose::Text, "lokal"),
            (
                "{{ event.device.mac | lokal }}",
                Purpose::Key,
                "unknown filter",
            ),
            ("{{ nou() }}", Purpose::Text, "nou"),
        ] {
            let error = Template::new(source, purpose, &TimeZone::UTC).unwrap_err();
            assert!(error.contains(part), "{source}: {error}");
        }
    }

    #[test]
    fn neither_work_nor_words_are_without_bound() {
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        assert!(text(endless).is_err());
        let long = "{% for a in range(9000) %}{{ event.summary }}{% endfor %}";
        assert!(text(long).is_err());
    }

    #[test]
    fn lengths_of_time_are_told_by_their_two_largest_parts() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (200, "3m 20s"),
            (3601, "1h"),
            (90_000, "1d 1h"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
