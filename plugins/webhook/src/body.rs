//! What is sent: one body for a batch, or one for each event.

use crate::cloudevents::CloudEvent;
use crate::template::Template;
use serde::Serialize;
use unifi_herald_plugin::http::HeaderValue;
use unifi_herald_plugin::{BoxError, BufferedEvent};

/// How a body is made.
pub(crate) enum Body {
    CloudEvents,
    Json,
    Template(Box<Template>, HeaderValue),
}

impl Body {
    /// How many events go into one request, out of a batch of `count`.
    pub(crate) fn step(&self, count: usize) -> usize {
        match self {
            Self::Template(template, _) if template.is_per_event() => 1,
            _ => count,
        }
    }

    /// The content type, where it is the same for every body.
    pub(crate) fn content_type(&self) -> Option<HeaderValue> {
        match self {
            Self::CloudEvents => None,
            Self::Json => Some(HeaderValue::from_static("application/json")),
            Self::Template(_, content_type) => Some(content_type.clone()),
        }
    }

    /// The content type of a body of so many events, where it depends on that.
    pub(crate) fn content_type_of(&self, count: usize) -> Option<HeaderValue> {
        match (self, count) {
            (Self::CloudEvents, 1) => Some("application/cloudevents+json"),
            (Self::CloudEvents, _) => Some("application/cloudevents-batch+json"),
            _ => None,
        }
        .map(HeaderValue::from_static)
    }

    /// The body of these events, at least one.
    ///
    /// # Errors
    /// When a template fails on them.
    pub(crate) fn render(&self, events: &[BufferedEvent]) -> Result<Vec<u8>, BoxError> {
        let mut out = Vec::with_capacity(events.len() * 1024);
        match self {
            Self::CloudEvents => json(&mut out, events.iter().map(CloudEvent))?,
            Self::Json => json(&mut out, events.iter())?,
            Self::Template(template, _) => return template.render(events),
        }
        Ok(out)
    }
}

/// One value alone, or an array of several.
fn json<T: Serialize>(
    out: &mut Vec<u8>,
    mut values: impl ExactSizeIterator<Item = T>,
) -> Result<(), serde_json::Error> {
    if values.len() == 1
        && let Some(only) = values.next()
    {
        return serde_json::to_writer(out, &only);
    }
    let mut before = b'[';
    for value in values {
        out.push(before);
        serde_json::to_writer(&mut *out, &value)?;
        before = b',';
    }
    out.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::batch;

    #[test]
    fn plain_json_is_the_event_or_an_array() {
        let events = batch(2);
        let one = Body::Json.render(&events[..1]).unwrap();
        assert_eq!(one, events[0].to_json().into_bytes());
        let two = Body::Json.render(&events).unwrap();
        let expected = format!("[{},{}]", events[0].to_json(), events[1].to_json());
        assert_eq!(two, expected.into_bytes());
    }

    #[test]
    fn cloudevents_say_whether_they_are_a_batch() {
        let type_of = |count| Body::CloudEvents.content_type_of(count).unwrap();
        assert_eq!(type_of(1), "application/cloudevents+json");
        assert_eq!(type_of(2), "application/cloudevents-batch+json");
        let body = Body::CloudEvents.render(&batch(2)).unwrap();
        let read: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
        assert_eq!(read[1]["id"], "test-2");
    }
}
