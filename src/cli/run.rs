//! `herald run`

use super::launch::Occasion;
use super::load::Loader;
use super::output::complain;
use super::{Exit, launch, log};
use crate::config::Plan;

/// Listen to the controllers and deliver, until told to stop.
///
/// SIGTERM and Ctrl-C stop the listening, deliver what is pending within a deadline, and say what was left. A controller
/// or a sink that is away is waited for; run ends by itself only when the configuration is wrong (78) or when every
/// controller refused the login (77).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald run
  herald run -c /etc/unifi-herald/config.toml --log-level debug")]
pub(super) struct Run {}

impl Run {
    pub(super) fn main(self, loader: Loader) -> Exit {
        let Self {} = self;
        match loader.plan() {
            Ok(plan) => {
                log::start(&plan.log);
                warn(&plan);
                launch::run(plan, loader.registry, Occasion::Service)
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
