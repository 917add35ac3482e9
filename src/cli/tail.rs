//! `herald tail`

use super::load::Loader;
use super::output::{Lines, complain};
use super::{Exit, ask, events, line};
use crate::control::ClientError;
use crate::control::protocol::{Answer, Request, Watch};
use unifi_herald_plugin::BufferedEvent;

/// Show events as they happen.
///
/// What the running herald commits from now on, whichever sinks it goes to, until it stops or Ctrl-C. A reader that is
/// too slow is told how many events it missed; herald itself never waits for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald tail
  herald tail --kind 'client.*' --kind 'device.*'
  herald tail --where 'event.to.channel > 36' --json")]
pub(super) struct Tail {
    /// Of this kind; may be a pattern, and given several times.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// For which this expression is true, as in a chain's step `where`.
    #[arg(long = "where", value_name = "EXPRESSION")]
    condition: Option<String>,
    /// One event a line, for programs.
    #[arg(long)]
    json: bool,
    /// Leave out what the controller sent, as it sent it.
    #[arg(long)]
    no_raw: bool,
}

impl Tail {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: &Loader) -> Result<Exit, Exit> {
        let outline = loader.outline()?;
        let watch = Watch {
            kinds: events::kinds(&self.kind)?,
            condition: self.condition,
            no_raw: self.no_raw,
        };
        let Some(mut client) = ask::ask(&outline, &Request::Tail { watch })? else {
            let socket = outline.store.socket.display();
            complain(&format!(
                "herald is not running (nobody answers at {socket}), and only a running one has live events"
            ));
            return Err(Exit::Failed);
        };
        client.be_patient().map_err(|error| ask::refused(&error))?;
        let mut lines = Lines::new();
        loop {
            match client.answer() {
                Ok(Answer::Watching {}) => {}
                Ok(Answer::Event(json)) => {
                    let event = serde_json::from_str::<BufferedEvent>(json.get());
                    match event {
                        Ok(event) if !self.json => lines.line(&line::line(&event, &outline.zone)),
                        _ => lines.line(json.get()),
                    }?;
                    lines.flush()?;
                }
                Ok(Answer::Skipped(count)) => {
                    complain(&format!(
                        "{count} events skipped: they came faster than they were read"
                    ));
                }
                // A host that goes down may not come to say so.
                Ok(Answer::Done(_)) | Err(ClientError::Ended) => break,
                Ok(_) => return Err(ask::misunderstood()),
                Err(error) => return Err(ask::refused(&error)),
            }
        }
        complain("herald has stopped");
        Ok(Exit::Done)
    }
}
