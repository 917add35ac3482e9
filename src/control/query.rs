//! What a question about events means: for whoever asks, and for events that are in no journal yet.

use super::protocol::Query;
use crate::config::suggest;
use crate::glob;
use unifi_herald_plugin::{Event, Kind};

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
        let client = self.client.as_ref().is_none_or(|pattern| {
            event.client.as_ref().is_some_and(|client| {
                let names = [client.name.as_deref(), client.hostname.as_deref()];
                glob::fits(pattern, client.mac, names)
            })
        });
        let ends = [event.from.as_ref(), event.to.as_ref()];
        let ends = ends.map(|place| place?.device.as_ref());
        let device = self.device.as_ref().is_none_or(|pattern| {
            let mut devices = ends.into_iter().chain([event.device.as_ref()]).flatten();
            devices.any(|device| glob::fits(pattern, device.mac, [device.name.as_deref()]))
        });
        let site = self.site.as_ref().is_none_or(|pattern| {
            glob::fits_site(pattern, &event.controller, &event.site, &event.site_name)
        });
        let text = self
            .text
            .as_ref()
            .is_none_or(|text| glob::contains(&event.summary, text));
        client && device && site && text
    }
}
