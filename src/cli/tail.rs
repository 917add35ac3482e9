//! `herald tail`

use super::load::Loader;
use super::output::{Lines, complain};
use super::{Exit, ask, events, line, why};
use crate::config::Outline;
use crate::control::ClientError;
use crate::control::fate::Routed;
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
  herald tail --where 'event.to.channel > 36' --json
  herald tail --kind 'device.*' --why")]
pub(super) struct Tail {
    /// Of this kind; may be a pattern, and given several times.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// For which this expression is true, as in a chain's step `where`.
    #[arg(long = "where", value_name = "EXPRESSION")]
    condition: Option<String>,
    /// What each chain and step did with it, under each event.
    #[arg(long)]
    why: bool,
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
            condition: self.condition.clone(),
            no_raw: self.no_raw,
            why: self.why,
        };
        let Some(mut client) = ask::ask(&outline, &Request::Tail { watch })? else {
            let so = ", and only a running one has live events";
            return Err(ask::nobody(&outline, so));
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
                Ok(Answer::Routed(routed)) => {
                    lines.line(&self.describe(&routed, &outline))?;
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

    /// The event and what became of it, in one object for programs.
    fn describe(&self, routed: &Routed, outline: &Outline) -> String {
        match serde_json::from_str::<BufferedEvent>(routed.event.get()) {
            Ok(event) if !self.json => {
                let mut text = line::line(&event, &outline.zone);
                text.push('\n');
                if routed.chains.is_empty() {
                    text.push_str("  made by a script or filter, with the event before it\n");
                }
                why::describe_chains(&routed.chains, &mut text);
                text.truncate(text.trim_end().len());
                text
            }
            // Cannot fail: all its keys are text.
            _ => serde_json::to_string(routed).unwrap_or_default(),
        }
    }
}
