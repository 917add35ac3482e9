//! `herald reload`

use super::load::Loader;
use super::output::{complain, plain, print};
use super::{Exit, ask};
use crate::control::protocol::{Answer, Changes, FormerSink, Request};
use std::fmt::Write;

/// Have the running herald read its configuration anew.
///
/// The new configuration is checked and built whole beside the running one and takes its place between two batches:
/// nothing is lost or delivered twice, controllers and sinks that have not changed notice nothing, and scripts go on with
/// what they remember. A wrong one is reported here and changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald reload
  herald check && herald reload")]
pub(super) struct Reload {}

impl Reload {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let Self {} = self;
        reload(loader).unwrap_or_else(|exit| exit)
    }
}

fn reload(loader: &Loader) -> Result<Exit, Exit> {
    let outline = loader.outline()?;
    let Some(mut client) = ask::ask(&outline, &Request::Reload {})? else {
        let so = "; the next start reads the configuration";
        return Err(ask::nobody(&outline, so));
    };
    // Controllers that have changed are logged out of and sinks built, which takes as long as it takes.
    client.be_patient().map_err(|error| ask::refused(&error))?;
    match client.answer() {
        Ok(Answer::Reloaded(changes)) => {
            for warning in &changes.warnings {
                complain(&format!("warning: {warning}"));
            }
            Ok(print(&told(&changes)))
        }
        Ok(Answer::Misconfigured(errors)) => {
            complain(&format!(
                "{errors}\n\nthe running herald goes on with the former configuration"
            ));
            Err(Exit::Config)
        }
        Ok(_) => Err(ask::misunderstood()),
        Err(error) => Err(ask::refused(&error)),
    }
}

fn told(changes: &Changes) -> String {
    let mut text = "reloaded\n".to_owned();
    let parts = [
        ("added", &changes.added),
        ("changed", &changes.changed),
        ("removed", &changes.removed),
    ];
    for (what, names) in parts {
        if !names.is_empty() {
            _ = writeln!(text, "  {what}: {}", names.join(", "));
        }
    }
    for FormerSink { name, pending } in &changes.former_sinks {
        _ = writeln!(
            text,
            "  {pending} pending for the sink {}, which is not configured",
            plain(name)
        );
    }
    text
}
