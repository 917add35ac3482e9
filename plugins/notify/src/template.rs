//! Title and body in the user's own words, which every service then escapes as it does its own.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use unifi_herald_plugin::{BoxError, BufferedEvent, BuildError};

/// A checked template.
pub(crate) struct Template {
    option: &'static str,
    environment: Environment<'static>,
}

/// Enough for a long message; an endless loop ends within milliseconds.
const FUEL: u64 = 200_000;

impl Template {
    /// Parse the text of `option`. It gives plain text, so nothing is escaped here.
    pub(crate) fn new(option: &'static str, source: String) -> Result<Self, BuildError> {
        let wrong = |message: String| BuildError::new(option, message);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment
            .add_template_owned(option, source)
            .map_err(|error| wrong(explain(&error)))?;
        let template = environment
            .get_template(option)
            .map_err(|error| wrong(explain(&error)))?;
        if let Some(error) = misnamed(&template) {
            return Err(wrong(explain(&error)));
        }
        let globals: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
        let stranger = template
            .undeclared_variables(false)
            .into_iter()
            .find(|name| name != "event" && !globals.contains(&name.as_str()));
        match stranger {
            Some(name) => Err(wrong(format!(
                "there is no `{name}` here; a template sees `event`"
            ))),
            None => Ok(Self {
                option,
                environment,
            }),
        }
    }

    /// The text for this event.
    pub(crate) fn render(&self, event: &BufferedEvent) -> Result<String, BoxError> {
        // By way of a JSON value, which takes `raw` apart.
        let event = Value::from(Serde(serde_json::to_value(event)?));
        let template = self.environment.get_template(self.option);
        template
            .and_then(|template| template.render(context! { event }))
            .map_err(|error| {
                format!(
                    "the template in `{}` failed: {}",
                    self.option,
                    explain(&error)
                )
                .into()
            })
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

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    #[test]
    fn sees_the_event_and_what_is_absent_is_empty() {
        let event = EventBuilder::new(Kind::DEVICE_OFFLINE).buffered(1);
        let render = |source: &str| {
            Template::new("title", source.to_owned())
                .unwrap()
                .render(&event)
                .unwrap()
        };
        assert_eq!(
            render("{{ event.device.name }} <{{ event.site_name }}>"),
            "Kitchen <Home>"
        );
        assert_eq!(
            render("{{ event.alert.title or event.kind }}"),
            "device.offline"
        );
    }

    #[test]
    fn mistakes_are_found_when_the_configuration_is_read() {
        let error = |source: &str| Template::new("body", source.to_owned()).err().unwrap();
        let unknown = error("{{ evnt.summary }}").to_string();
        assert_eq!(
            unknown,
            "`body`: there is no `evnt` here; a template sees `event`"
        );
        let unknown = error("{{ event.time | lokal }}").to_string();
        assert!(unknown.contains("unknown filter"), "{unknown}");
        assert!(error("{% if %}").to_string().contains("line 1"));
        let endless = Template::new(
            "body",
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
                .to_owned(),
        );
        let event = EventBuilder::new(Kind::WAN_UP).buffered(1);
        assert!(endless.unwrap().render(&event).is_err());
    }
}
