//! `herald demo`

use super::load::Loader;
use super::{Exit, log, run};
use crate::config::{ControllerKind, Plan};
use crate::registry::Registry;
use clap::ValueEnum;
use unifi_herald_plugin::Span;

/// Run this configuration against a simulated network.
///
/// The controllers of the configuration are replaced by simulated ones on this machine, with TLS, a login and a fleet of
/// access points, switches and clients; chains, scripts and sinks are yours. The same seed gives the same events.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald demo
  herald demo --rate 20 --for 30s
  herald demo --scenario outage --seed 7")]
pub(super) struct Demo {
    /// Where chance begins; the same seed gives the same events.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
    /// Events in a second, on average.
    #[arg(long, value_name = "EVENTS", default_value_t = 5.0, value_parser = rate)]
    pub(super) rate: f64,
    /// End after this time: 30s, 5m. Without it: run until told to stop.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub(super) length: Option<Span>,
    /// What happens in the network.
    #[arg(long, value_name = "NAME")]
    pub(super) scenario: Option<String>,
    /// What the simulated controllers are.
    #[arg(long, value_enum, default_value_t = Kind::UnifiOs)]
    pub(super) kind: Kind,
}

/// What a simulated controller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A UniFi OS console.
    UnifiOs,
    /// The classic Network application.
    SelfHosted,
}

impl Kind {
    /// In the host's words.
    pub(super) fn controller(self) -> ControllerKind {
        match self {
            Self::UnifiOs => ControllerKind::UnifiOs,
            Self::SelfHosted => ControllerKind::SelfHosted,
        }
    }
}

impl Demo {
    pub(super) fn main(self, loader: Loader) -> Exit {
        let loader = loader.replacing_controllers();
        match loader.plan() {
            Ok(plan) => {
                log::start(&plan.log);
                run::warn(&plan);
                launch(plan, loader.registry, &self)
            }
            Err(exit) => exit,
        }
    }
}

fn span(text: &str) -> Result<Span, String> {
    text.parse()
        .map_err(|error: unifi_herald_plugin::InvalidUnit| error.to_string())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("expected a number of events in a second, above 0".to_owned()),
    }
}

/// Run the host against simulated controllers until it is told to stop, or the time is up.
fn launch(plan: Plan, registry: Registry, demo: &Demo) -> Exit {
    let kind = demo.kind.controller();
    drop((plan, registry));
    tracing::error!(
        ?kind,
        seed = demo.seed,
        rate = demo.rate,
        "the demo is not wired in yet"
    );
    Exit::Failed
}
