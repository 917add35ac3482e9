//! `herald status`

mod json;

use super::load::Loader;
use super::output::{complain, plain, print};
use super::{Exit, ask};
use crate::clock::Clock;
use crate::config::Outline;
use crate::control::protocol::{
    Answer, ControllerState, Request, SinkState, SourceState, Status as Facts,
};
use std::fmt::Write;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// Show the controllers, the sinks, and where every event went.
///
/// For every sink, received = duplicate + filtered + delivered + dead-lettered + pending + lost. Asks the running herald;
/// without one it reads what the store on disk says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald status
  herald status --json | jq '.sinks[] | select(.state != \"ok\")'")]
pub(super) struct Status {
    /// One object, for programs.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let outline = match loader.outline() {
            Ok(outline) => outline,
            Err(exit) => return exit,
        };
        let (facts, running) = match running(&outline) {
            Ok(Some(facts)) => (facts, true),
            Ok(None) => match stopped(&outline) {
                Ok(facts) => (facts, false),
                Err(exit) => return exit,
            },
            Err(exit) => return exit,
        };
        if self.json {
            return json::show(&facts);
        }
        print(&human(&facts, running, Clock::system().wall()))
    }
}

/// What the running host says; none when there is none.
fn running(outline: &Outline) -> Result<Option<Facts>, Exit> {
    let Some(mut client) = ask::ask(outline, &Request::Status {})? else {
        return Ok(None);
    };
    match client.answer() {
        Ok(Answer::Status(facts)) => Ok(Some(*facts)),
        Ok(_) => Err(ask::misunderstood()),
        Err(error) => Err(ask::refused(&error)),
    }
}

/// What can be said without a host.
fn stopped(outline: &Outline) -> Result<Facts, Exit> {
    let books = ask::reader(outline)?.books().map_err(|error| {
        complain(&format!("error: {error}"));
        Exit::Failed
    })?;
    let controllers = outline.controllers.iter();
    let controllers = controllers.map(|(name, kind)| ControllerState {
        name: name.to_string(),
        connected: false,
        last_frame: None,
        version: None,
        kind: kind.map(|kind| kind.as_str().to_owned()),
        trouble: None,
    });
    let sources = outline.sources.iter().map(|name| SourceState {
        name: name.to_string(),
        connected: false,
        last_event: None,
        received: 0,
        refused: 0,
        own: 0,
        lost: 0,
        trouble: None,
    });
    let sinks = outline.sinks.iter().map(|name| {
        let entry = books.iter().find(|sink| sink.name == *name);
        SinkState {
            name: name.to_string(),
            state: "stopped".to_owned(),
            books: entry.map(|sink| sink.books).unwrap_or_default(),
            last_error: None,
        }
    });
    Ok(Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        process: 0,
        controllers: controllers.collect(),
        sources: sources.collect(),
        sinks: sinks.collect(),
        degraded: None,
        scripts: Vec::new(),
        filters: Vec::new(),
        refused_reload: None,
    })
}

/// For people: what runs, then a table each, troubles below their line.
fn human(facts: &Facts, running: bool, now: Timestamp) -> String {
    let mut text = String::new();
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
    let width = longest(facts.controllers.iter().map(|controller| &controller.name));
    if !facts.controllers.is_empty() || facts.sources.is_empty() {
        text.push_str("\ncontrollers\n");
    }
    for controller in &facts.controllers {
        _ = writeln!(
            text,
            "  {:<width$}  {}",
            controller.name,
            describe(controller, now)
        );
        if let Some(trouble) = &controller.trouble {
            _ = writeln!(text, "  {:width$}  {}", "", plain(trouble));
        }
    }
    if !facts.sources.is_empty() {
        text.push_str("\nsources\n");
    }
    let width = longest(facts.sources.iter().map(|source| &source.name));
    for source in &facts.sources {
        let told = describe_source(source, now);
        _ = writeln!(text, "  {:<width$}  {told}", source.name);
        if let Some(trouble) = &source.trouble {
            _ = writeln!(text, "  {:width$}  {}", "", plain(trouble));
        }
    }
    let width = longest(facts.sinks.iter().map(|sink| &sink.name)).max("sinks".len() - 2);
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
    for sink in &facts.sinks {
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
    text
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
    use crate::control::protocol::Degraded;
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
        }
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
        let text = human(&facts, true, Timestamp::from_millis(165_000));
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
        let text = human(&facts(), true, Timestamp::from_millis(165_000));
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
        let text = human(&facts, true, Timestamp::from_millis(0));
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
        let text = human(&facts, true, Timestamp::from_millis(0));
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
