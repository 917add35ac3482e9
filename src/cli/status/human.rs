//! `herald status` for people.

use crate::cli::output::plain;
use crate::control::protocol::{ControllerState, SinkState, SourceState, Status as Facts};
use std::fmt::Write;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// What runs, then a table each, troubles below their line.
pub(super) fn table(facts: &Facts, running: bool, now: Timestamp) -> String {
    let mut text = String::new();
    write_state(&mut text, facts, running);
    if !facts.controllers.is_empty() || facts.sources.is_empty() {
        let lines = facts.controllers.iter();
        let lines = lines.map(|one| (&one.name, describe(one, now), &one.trouble));
        write_named(&mut text, "controllers", lines);
    }
    if !facts.sources.is_empty() {
        let lines = facts.sources.iter();
        let lines = lines.map(|one| (&one.name, describe_source(one, now), &one.trouble));
        write_named(&mut text, "sources", lines);
    }
    write_sinks(&mut text, &facts.sinks);
    if !facts.former_sinks.is_empty() {
        let lines = facts.former_sinks.iter();
        let lines = lines.map(|one| (&one.name, format!("{} pending", one.pending), &None));
        write_named(&mut text, "sinks that are not configured", lines);
    }
    text
}

/// Whether it runs, and what does not work as it should.
fn write_state(text: &mut String, facts: &Facts, running: bool) {
    if running {
        let (version, process) = (plain(&facts.version), facts.process);
        _ = writeln!(text, "herald {version} is running (process {process})");
    } else {
        text.push_str("herald is not running; this is what its store says\n");
    }
    if let Some(degraded) = &facts.degraded
        && degraded.away
    {
        _ = writeln!(
            text,
            "the cluster cannot be used since {}, events wait: {}",
            degraded.since,
            plain(&degraded.reason)
        );
    } else if let Some(degraded) = &facts.degraded {
        _ = writeln!(
            text,
            "the store is degraded since {}, {} events are in memory only: {}",
            degraded.since,
            degraded.held,
            plain(&degraded.reason)
        );
    }
    if let Some(refused) = &facts.refused_reload {
        _ = writeln!(
            text,
            "the configuration is wrong since {}, herald goes on with the former one; see `herald check`",
            refused.at
        );
    }
    let scripts = facts.scripts.iter().map(|script| ("script", script));
    let filters = facts.filters.iter().map(|filter| ("filter", filter));
    for (what, step) in scripts.chain(filters) {
        _ = writeln!(
            text,
            "the {what} {} is bypassed in the chain {}: {}",
            plain(&step.name),
            plain(&step.chain),
            plain(&step.error)
        );
    }
}

/// A line each, below this heading.
fn write_named<'a>(
    text: &mut String,
    heading: &str,
    lines: impl Iterator<Item = (&'a String, String, &'a Option<String>)> + Clone,
) {
    _ = writeln!(text, "\n{heading}");
    let width = longest(lines.clone().map(|(name, ..)| name));
    for (name, told, trouble) in lines {
        _ = writeln!(text, "  {name:<width$}  {told}");
        if let Some(trouble) = trouble {
            _ = writeln!(text, "  {:width$}  {}", "", plain(trouble));
        }
    }
}

/// Where every event went.
fn write_sinks(text: &mut String, sinks: &[SinkState]) {
    let width = longest(sinks.iter().map(|sink| &sink.name)).max("sinks".len() - 2);
    _ = writeln!(
        text,
        "\n{:<1$}  {2:<8}  {3:>10}  {4:>9}  {5:>10}  {6:>10}  {7:>13}  {8:>8}  {9:>8}",
        "sinks",
        width + 2,
        "state",
        "received",
        "duplicate",
        "filtered",
        "delivered",
        "dead-lettered",
        "pending",
        "lost"
    );
    for sink in sinks {
        let books = &sink.books;
        _ = writeln!(
            text,
            "  {:<width$}  {:<8}  {:>10}  {:>9}  {:>10}  {:>10}  {:>13}  {:>8}  {:>8}",
            sink.name,
            sink.state,
            books.received,
            books.duplicate,
            books.filtered,
            books.delivered,
            books.dead_lettered,
            books.pending,
            books.lost
        );
        if let Some(error) = &sink.last_error {
            _ = writeln!(text, "  {:width$}  last error: {}", "", plain(error));
        }
    }
}

fn longest<'a>(names: impl Iterator<Item = &'a String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}

fn describe(controller: &ControllerState, now: Timestamp) -> String {
    let connected = if controller.connected {
        "connected"
    } else {
        "not connected"
    };
    let mut parts = vec![connected.to_owned()];
    match (&controller.kind, &controller.version) {
        (Some(kind), Some(version)) => parts.push(format!("{} {}", plain(kind), plain(version))),
        (Some(one), None) | (None, Some(one)) => parts.push(plain(one)),
        (None, None) => {}
    }
    match controller.last_frame {
        Some(time) => parts.push(format!("last frame {} ago", ago(now.since(time)))),
        None => parts.push("no frame yet".to_owned()),
    }
    parts.join(", ")
}

fn describe_source(source: &SourceState, now: Timestamp) -> String {
    let connected = if source.connected {
        "connected"
    } else {
        "not connected"
    };
    let last = match source.last_event {
        Some(time) => format!("last event {} ago", ago(now.since(time))),
        None => "no event yet".to_owned(),
    };
    let mut parts = format!("{connected}, {last}, {} received", source.received);
    for (count, what) in [
        (source.refused, "were no events"),
        (source.own, "of our own controllers"),
        (source.lost, "lost"),
    ] {
        if count > 0 {
            _ = write!(parts, ", {count} {what}");
        }
    }
    parts
}

/// A length of time in its largest unit.
fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::protocol::{Degraded, FormerSink};
    use crate::store::Books;

    fn facts() -> Facts {
        let now = Timestamp::from_millis(100_000);
        Facts {
            version: "0.1.0".into(),
            process: 7,
            controllers: vec![
                ControllerState {
                    name: "home".into(),
                    connected: true,
                    last_frame: Some(now),
                    version: Some("9.0.114".into()),
                    kind: Some("unifi-os".into()),
                    trouble: None,
                },
                ControllerState {
                    name: "branch".into(),
                    connected: false,
                    last_frame: None,
                    version: None,
                    kind: None,
                    trouble: Some("no \u{1b}[31mroute".into()),
                },
            ],
            sinks: vec![SinkState {
                name: "ops".into(),
                state: "retrying".into(),
                books: Books {
                    received: 10,
                    duplicate: 1,
                    filtered: 2,
                    delivered: 3,
                    dead_lettered: 1,
                    pending: 2,
                    lost: 1,
                },
                last_error: Some("answered 500".into()),
            }],
            sources: Vec::new(),
            degraded: None,
            scripts: Vec::new(),
            filters: Vec::new(),
            refused_reload: None,
            former_sinks: Vec::new(),
        }
    }

    #[test]
    fn what_waits_for_a_sink_that_left_stands_below_the_others() {
        let mut facts = facts();
        facts.former_sinks.push(FormerSink {
            name: "pager".into(),
            pending: 20,
        });
        let text = table(&facts, false, Timestamp::from_millis(0));
        assert!(
            text.ends_with(
                "  last error: answered 500\n\nsinks that are not configured\n  pager  20 pending\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn sources_stand_where_controllers_do() {
        let mut facts = facts();
        facts.controllers.clear();
        facts.sources.push(SourceState {
            name: "building".into(),
            connected: false,
            last_event: Some(Timestamp::from_millis(100_000)),
            received: 12,
            refused: 1,
            own: 2,
            lost: 3,
            trouble: Some("no way\u{7}".into()),
        });
        let text = table(&facts, true, Timestamp::from_millis(165_000));
        let lines: Vec<&str> = text.lines().skip(1).take(4).collect();
        assert_eq!(
            lines,
            [
                "",
                "sources",
                "  building  not connected, last event 1 min ago, 12 received, 1 were no events, 2 of our own controllers, 3 lost",
                "            no way\u{fffd}",
            ]
        );
    }

    #[test]
    fn people_see_lines_with_troubles_below() {
        let text = table(&facts(), true, Timestamp::from_millis(165_000));
        assert_eq!(
            text,
            "\
herald 0.1.0 is running (process 7)

controllers
  home    connected, unifi-os 9.0.114, last frame 1 min ago
  branch  not connected, no frame yet
          no \u{fffd}[31mroute

sinks  state       received  duplicate    filtered   delivered  dead-lettered   pending      lost
  ops  retrying          10          1           2           3              1         2         1
       last error: answered 500
"
        );
    }

    #[test]
    fn a_store_in_trouble_is_the_first_thing_said() {
        let mut facts = facts();
        facts.degraded = Some(Degraded {
            since: Timestamp::from_millis(0),
            reason: "the disk is full".into(),
            held: 12,
            away: false,
        });
        let text = table(&facts, true, Timestamp::from_millis(0));
        assert_eq!(
            text.lines().nth(1),
            Some(
                "the store is degraded since 1970-01-01T00:00:00.000Z, 12 events are in memory only: the disk is full"
            )
        );
        facts.degraded = facts.degraded.map(|degraded| Degraded {
            away: true,
            ..degraded
        });
        let text = table(&facts, true, Timestamp::from_millis(0));
        assert!(text.contains("the cluster cannot be used since 1970"));
    }

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let told = [0, 59, 60, 3599, 3600, 172_799, 172_800]
            .map(|seconds| ago(Duration::from_secs(seconds)));
        assert_eq!(
            told,
            ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days"]
        );
    }
}
