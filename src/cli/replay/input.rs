//! The events of a replay, one at a time: from the journal or a file of JSON lines.

use crate::chain::Shape;
use crate::cli::Exit;
use crate::cli::output::complain;
use crate::control::protocol::Query;
use crate::replay::{Sent, Shapes, is_for_journal_only, is_made};
use crate::store::Reader;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use unifi_herald_plugin::{BufferedEvent, Timestamp};

/// Longest line of a file: an event with its `raw`, and room.
const MAX_LINE: u64 = 16 << 20;

/// Bad lines that are told one by one.
const TOLD: u64 = 10;

/// Which events.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Names; empty for all.
    pub(super) kinds: Vec<String>,
}

/// Where they come from.
pub(super) enum Input {
    Journal {
        reader: Box<Reader>,
        shapes: Shapes,
    },
    Lines {
        name: String,
        lines: Box<dyn BufRead>,
    },
}

/// An event, and what was sent of it at its time, where that is known.
pub(super) struct Found {
    pub(super) event: BufferedEvent,
    pub(super) sent: Option<Sent>,
    /// Whether no sink was to get it, whatever the chains say.
    pub(super) journal_only: bool,
}

impl Input {
    /// The journal.
    pub(super) fn journal(reader: Reader) -> Result<Self, Exit> {
        let kept = reader.state(Shape::SCOPE).map_err(|error| failed(&error))?;
        Ok(Self::Journal {
            reader: Box::new(reader),
            shapes: Shapes::of(kept),
        })
    }

    /// A file, `-` for standard input.
    pub(super) fn file(path: &Path) -> Result<Self, Exit> {
        let name = path.display().to_string();
        let lines: Box<dyn BufRead> = if name == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(path).map_err(|error| failed(&format!("{name}: {error}")))?;
            Box::new(BufReader::new(file))
        };
        Ok(Self::Lines { name, lines })
    }

    /// Visit every event that is wanted, the oldest of the journal or the first of the file first; how many lines were
    /// none.
    pub(super) fn each(
        self,
        wanted: &Wanted,
        mut visit: impl FnMut(Found) -> Result<(), Exit>,
    ) -> Result<u64, Exit> {
        match self {
            Self::Journal { reader, shapes } => {
                let query = Query {
                    since: wanted.since,
                    until: wanted.until,
                    kinds: wanted.kinds.clone(),
                    ..Query::default()
                };
                let mut ended = Ok(());
                let searched = reader.search(&query.to_store(), |found| {
                    let record = found.verdict.as_deref();
                    if is_made(&found.event, record) {
                        return ControlFlow::Continue(());
                    }
                    let sent = shapes.sent(record);
                    let journal_only = is_for_journal_only(record);
                    let event = found.event;
                    ended = visit(Found {
                        journal_only,
                        event,
                        sent,
                    });
                    if ended.is_ok() {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                });
                searched.map_err(|error| failed(&error))?;
                ended.map(|()| 0)
            }
            Self::Lines { name, lines } => from_lines(&name, lines, wanted, visit),
        }
    }
}

fn from_lines(
    name: &str,
    mut lines: Box<dyn BufRead>,
    wanted: &Wanted,
    mut visit: impl FnMut(Found) -> Result<(), Exit>,
) -> Result<u64, Exit> {
    let (mut line, mut number, mut bad) = (Vec::new(), 0_u64, 0);
    loop {
        line.clear();
        let read = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|error| failed(&format!("{name}: {error}")))?;
        if read == 0 {
            return Ok(bad);
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let whole = line.last() == Some(&b'\n') || (read as u64) < MAX_LINE;
        let event = match serde_json::from_slice::<BufferedEvent>(&line) {
            Ok(event) => event,
            Err(error) => {
                bad += 1;
                if bad <= TOLD {
                    complain(&format!("error: {name}:{number}: no event: {error}"));
                }
                if !whole {
                    return Err(failed(&format!("{name}:{number}: the line is too long")));
                }
                continue;
            }
        };
        if wanted.admits(&event) && !is_made(&event, None) {
            visit(Found {
                event,
                sent: None,
                journal_only: false,
            })?;
        }
    }
}

impl Wanted {
    fn admits(&self, event: &BufferedEvent) -> bool {
        self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.kind.as_str()))
    }
}

fn failed(error: &impl std::fmt::Display) -> Exit {
    complain(&format!("error: {error}"));
    Exit::Failed
}
