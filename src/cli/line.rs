//! An event as one line for people, for the verbs that show events.

use super::output::plain;
use jiff::tz::TimeZone;
use unifi_herald_plugin::{Event, Timestamp};

/// Time, severity, kind, place and summary.
pub(super) fn line(event: &Event, zone: &TimeZone) -> String {
    let site = if event.site_name.is_empty() {
        &event.site
    } else {
        &event.site_name
    };
    format!(
        "{} {:<8} {:<22} {}/{}  {}",
        local(event.time, zone),
        event.severity.as_str(),
        event.kind.as_str(),
        plain(&event.controller),
        plain(site),
        plain(&event.summary)
    )
}

/// Date and time in `zone`.
pub(super) fn local(time: Timestamp, zone: &TimeZone) -> String {
    let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    zone.to_datetime(time)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
