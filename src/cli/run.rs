//! `herald run`

use super::launch::{Occasion, Reading};
use super::load::Loader;
use super::output::complain;
use super::{Exit, launch, log};
use crate::config::{LogFormat, Plan};

/// Listen to the controllers and deliver, until told to stop.
///
/// SIGTERM and Ctrl-C stop the listening, deliver what is pending within a deadline, and say what was left: in the store for
/// the next start (0), or lost with the memory that held it, because there is no store or its disk is full (1).
/// A controller or a sink that is away is waited for; SIGHUP reads the configuration anew, as `herald reload` does; run ends
/// by itself only when the configuration is wrong (78) or when every controller refused the login (77).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald run
  herald run --watch
  herald run -c /etc/unifi-herald/config.toml --log-level debug")]
pub(super) struct Run {
    /// Reload when the configuration changes, or a script, a secret or a certificate that it names.
    #[arg(long)]
    watch: bool,
}

impl Run {
    pub(super) fn main(self, loader: Loader) -> Exit {
        match loader.plan() {
            Ok(plan) => {
                log::start(&plan.log);
                match plan.log.format {
                    LogFormat::Text => warn(&plan),
                    // What programs read has no line that is none of theirs.
                    LogFormat::Json | LogFormat::Journald => {
                        for warning in &plan.warnings {
                            tracing::warn!(warning, "the configuration deserves a word");
                        }
                    }
                }
                let (registry, source, locator) = loader.into_parts();
                let reading = Reading {
                    source,
                    watched: self.watch.then_some(locator),
                };
                launch::run(plan, registry, reading, Occasion::Service)
            }
            Err(exit) => exit,
        }
    }
}

/// Say what deserves a word.
pub(super) fn warn(plan: &Plan) {
    for warning in &plan.warnings {
        complain(&format!("warning: {warning}"));
    }
}
