//! `herald health`

use super::load::Loader;
use super::output::print;
use super::{Exit, ask};
use crate::control::Health as Facts;
use crate::control::protocol::{Answer, Request};
use std::fmt::Write;

/// Say whether the running herald does its work: for the health check of a container.
///
/// Ends with 0 while it makes progress and with 1 when it is stuck or does not run. What is not well besides, such as a
/// controller that is away, is told; a restart would not help, so it is no failure unless --ready asks for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald health
  herald health --ready --json")]
pub(super) struct Health {
    /// End with 1 unless all is well: controllers, sinks, scripts, store.
    #[arg(long)]
    ready: bool,
    /// One object, for programs.
    #[arg(long)]
    json: bool,
}

impl Health {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: &Loader) -> Result<Exit, Exit> {
        let outline = loader.outline()?;
        let Some(mut client) = ask::ask(&outline, &Request::Health {})? else {
            return Err(ask::nobody(&outline, ""));
        };
        let mut facts = None;
        ask::each(&mut client, |answer| match answer {
            Answer::Health(told) => {
                facts = Some(told);
                Ok(())
            }
            _ => Err(ask::misunderstood()),
        })?;
        let facts = facts.ok_or_else(ask::misunderstood)?;
        let text = if self.json {
            serde_json::to_string(&facts).unwrap_or_default() + "\n"
        } else {
            human(&facts)
        };
        let printed = print(&text);
        let well = if self.ready { facts.ready } else { facts.alive };
        Ok(if well { printed } else { Exit::Failed })
    }
}

fn human(facts: &Facts) -> String {
    let mut text = match (facts.alive, facts.ready) {
        (false, _) => "stuck\n",
        (true, false) => "alive\n",
        (true, true) => "all is well\n",
    }
    .to_owned();
    for reason in &facts.reasons {
        // Writing to a string cannot fail.
        writeln!(text, "  {reason}").unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_a_word_and_the_reasons() {
        let told = |alive, reasons: &[&str]| {
            human(&Facts {
                alive,
                ready: reasons.is_empty(),
                reasons: reasons.iter().map(ToString::to_string).collect(),
            })
        };
        assert_eq!(told(true, &[]), "all is well\n");
        assert_eq!(
            told(true, &["sink a is parked"]),
            "alive\n  sink a is parked\n"
        );
        assert_eq!(told(false, &["x"]), "stuck\n  x\n");
    }
}
