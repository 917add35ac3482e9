//! What a question about events means: for whoever asks, and for events that are in no journal yet.

use super::protocol::Query;
use crate::config::suggest;
use crate::glob;
use unifi_herald_plugin::{Event, Kind, Mac};

/// The kinds that the patterns admit; none for all.
///
/// # Errors
/// With a sentence, when a pattern admits no kind.
pub fn kinds(patterns: &[String]) -> Result<Vec<String>, String> {
    let mut kinds = Vec::new();
    for pattern in patterns {
        let fits = |kind: &&Kind| glob::matches(pattern, kind.as_str());
        let before = kinds.len();
        kinds.extend(
            Kind::ALL
                .iter()
                .filter(fits)
                .map(|kind| kind.as_str().to_owned()),
        );
        if kinds.len() == before {
            let known = Kind::ALL.iter().map(|kind| kind.as_str());
            let help = suggest::help(pattern, known, "some are").unwrap_or_default();
            return Err(format!("there is no kind `{pattern}`; {help}"));
        }
    }
    Ok(kinds)
}

impl Query {
    /// Whether `event` is one of those asked for, by the rules of the journal.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        let since = self.since.is_none_or(|since| event.time >= since);
        let until = self.until.is_none_or(|until| event.time < until);
        let kind =
            self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.kind.as_str());
        let severity = self
            .severity
            .is_none_or(|severity| event.severity >= severity);
        since && until && kind && severity && self.admits_subjects(event)
    }

    fn admits_subjects(&self, event: &Event) -> bool {
        let client = event.client.as_ref();
        let client = named(
            self.client.as_deref(),
            client.and_then(|client| client.mac),
            [
                client.and_then(|client| client.name.as_deref()),
                client.and_then(|client| client.hostname.as_deref()),
            ],
        );
        let device = event.device.as_ref();
        let device = named(
            self.device.as_deref(),
            device.and_then(|device| device.mac),
            [device.and_then(|device| device.name.as_deref()), None],
        );
        let site = self.site.as_ref().is_none_or(|pattern| {
            glob::matches(pattern, &event.site) || glob::matches(pattern, &event.site_name)
        });
        let text = self
            .text
            .as_ref()
            .is_none_or(|text| glob::matches(&format!("*{text}*"), &event.summary));
        client && device && site && text
    }
}

fn named(pattern: Option<&str>, mac: Option<Mac>, names: [Option<&str>; 2]) -> bool {
    let Some(pattern) = pattern else {
        return true;
    };
    if let Ok(wanted) = pattern.parse::<Mac>() {
        return mac == Some(wanted);
    }
    let by_name = names
        .into_iter()
        .flatten()
        .any(|name| glob::matches(pattern, name));
    let text = mac.filter(|_| pattern.contains(':'));
    by_name || text.is_some_and(|mac| glob::matches(pattern, &mac.to_string()))
}
