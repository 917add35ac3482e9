//! An event as one aligned line for people.

use jiff::tz::Offset;
use std::io::Write;
use unifi_herald_plugin::{Event, Kind, Severity, Timestamp, Zone, push_plain};

/// Formats lines; remembers how wide its columns have become.
#[derive(Clone, Debug)]
pub(crate) struct Human {
    zone: Zone,
    colored: bool,
    kind_width: usize,
    place_width: usize,
}

/// Longer places are not aligned: one long name must not push every summary off the screen.
const WIDEST_PLACE: usize = 32;

impl Human {
    pub(crate) fn new(zone: Zone, colored: bool) -> Self {
        let kinds = Kind::ALL.iter().map(|kind| kind.as_str().len());
        Self {
            zone,
            colored,
            kind_width: kinds.max().unwrap_or(0),
            place_width: 0,
        }
    }

    /// Append the line, with its line feed.
    pub(crate) fn write(&mut self, event: &Event, now: Timestamp, out: &mut Vec<u8>) {
        self.time(event.time, now, out);
        self.severity(event.severity, out);
        pad(out, self.kind_width, |out| {
            push_plain(event.kind.as_str(), out);
        });
        out.push(b' ');
        let width = pad(out, self.place_width, |out| {
            push_plain(&event.controller, out);
            out.push(b'/');
            push_plain(site(event), out);
        });
        self.place_width = self.place_width.max(width.min(WIDEST_PLACE));
        out.extend_from_slice(b"  ");
        push_plain(&event.summary, out);
        out.push(b'\n');
    }

    /// The time of day, behind the date unless that is today.
    fn time(&self, time: Timestamp, now: Timestamp, out: &mut Vec<u8>) {
        let civil = |time: Timestamp| {
            let offset = Offset::from_seconds(self.zone.offset(time)).unwrap_or(Offset::UTC);
            let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
            offset.to_datetime(time)
        };
        let (then, now) = (civil(time), civil(now));
        // Writing to a vector cannot fail.
        let written = if then.date() == now.date() {
            write!(out, "{} ", then.strftime("%H:%M:%S"))
        } else {
            write!(out, "{} ", then.strftime("%Y-%m-%d %H:%M:%S"))
        };
        debug_assert!(written.is_ok(), "{written:?}");
    }

    fn severity(&self, severity: Severity, out: &mut Vec<u8>) {
        let color = if self.colored { color(severity) } else { "" };
        out.extend_from_slice(color.as_bytes());
        out.extend_from_slice(severity.as_str().as_bytes());
        if !color.is_empty() {
            out.extend_from_slice(b"\x1b[0m");
        }
        let width = "critical".len() + 1;
        out.resize(out.len() + width - severity.as_str().len(), b' ');
    }
}

fn site(event: &Event) -> &str {
    if event.site_name.is_empty() {
        &event.site
    } else {
        &event.site_name
    }
}

fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Debug => "\x1b[2m",
        Severity::Info => "",
        Severity::Notice => "\x1b[36m",
        Severity::Warning => "\x1b[33m",
        Severity::Error => "\x1b[31m",
        Severity::Critical => "\x1b[1;31m",
    }
}

/// Write something and fill up with spaces to `width` characters; how wide it was itself.
fn pad(out: &mut Vec<u8>, width: usize, write: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = out.len();
    write(out);
    // Every byte that does not continue a character begins one.
    let wide = out[start..].iter().filter(|b| **b & 0xc0 != 0x80).count();
    out.resize(out.len() + width.saturating_sub(wide), b' ');
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::{EventBuilder, START};

    fn line(human: &mut Human, event: &Event) -> String {
        let mut out = Vec::new();
        human.write(event, START, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_aligned_and_local() {
        let mut human = Human::new(Zone::new(|_| 3600), false);
        let roamed = EventBuilder::new(Kind::CLIENT_ROAMED).summary("Anna's iPhone roamed");
        assert_eq!(
            line(&mut human, &roamed.build()),
            "18:21:13 info     client.roamed            home/Home  Anna's iPhone roamed\n"
        );
        let down = EventBuilder::new(Kind::WAN_DOWN)
            .site("hq", "x", "")
            .summary("WAN is down");
        assert_eq!(
            line(&mut human, &down.build()),
            "18:21:13 critical wan.down                 hq/x       WAN is down\n"
        );
    }

    #[test]
    fn another_day_is_said() {
        let mut human = Human::new(Zone::utc(), false);
        let event = EventBuilder::new(Kind::WAN_UP)
            .time(Timestamp::from_millis(0))
            .build();
        let line = line(&mut human, &event);
        assert!(
            line.starts_with("1970-01-01 00:00:00 notice   wan.up "),
            "{line}"
        );
    }

    #[test]
    fn only_the_severity_is_coloured() {
        let mut human = Human::new(Zone::utc(), true);
        let event = EventBuilder::new(Kind::DEVICE_OFFLINE)
            .summary("off")
            .build();
        let line = line(&mut human, &event);
        assert!(
            line.contains(" \u{1b}[31merror\u{1b}[0m    device.offline "),
            "{line:?}"
        );
        assert_eq!(line.matches('\u{1b}').count(), 2);
    }

    #[test]
    fn strangers_cannot_command_the_terminal() {
        let mut human = Human::new(Zone::utc(), false);
        let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
            .site("home", "default", "Ho\u{7}me")
            .summary("a\u{1b}[2J\r\nb\u{9b}31m \u{202e}txt.exe\u{85}ü")
            .build();
        let line = line(&mut human, &event);
        assert!(
            line.ends_with("home/Ho�me  a�[2J  b�31m �txt.exe�ü\n"),
            "{line:?}"
        );
        assert_eq!(line.matches(|c: char| c.is_control()).count(), 1);
    }
}
