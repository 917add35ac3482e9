//! `herald demo`

use super::launch::{Occasion, Reading};
use super::load::Loader;
use super::output::complain;
use super::{Exit, launch, log, run};
use crate::config::{AuthPlan, ControllerKind, Plan, Sites, StoreMode, StorePlan};
use crate::demo::{Pace, Scenario, Simulator, SimulatorOptions};
use crate::host::PlanSource;
use crate::registry::Registry;
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use unifi_herald_plugin::Span;
use unifi_herald_plugin::http::TlsOptions;

/// Run this configuration against a simulated network.
///
/// The controllers of the configuration are replaced by simulated ones on this machine, with TLS, a login and a fleet of
/// access points, switches and clients; chains, scripts and sinks are yours. The same seed gives the same events. Where
/// there is no configuration, the shipped one runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald demo
  herald demo --rate 20 --for 30s
  herald demo --scenario ap-outage --seed 7")]
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
    /// What happens in the network. The outages last longer than most rules wait: `ap-outage` takes three minutes and
    /// `wan-failover` one and a half, the others half a minute.
    #[arg(long, value_name = "NAME", default_value_t = Scenario::House, value_parser = scenarios())]
    scenario: Scenario,
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
                if loader.file().is_none() {
                    complain(
                        "there is no config.toml here: running the one that herald ships with",
                    );
                }
                log::start(&plan.log);
                run::warn(&plan);
                self.launch(plan, loader)
            }
            Err(exit) => exit,
        }
    }
}

/// Write down how other commands find the demo while it runs: a configuration for them.
fn leave_word(plan: &Plan) -> io::Result<PathBuf> {
    let folder = &plan.store.dir;
    DirBuilder::new().mode(0o700).create(folder)?;
    let mode = match plan.store.mode {
        StoreMode::Disk | StoreMode::Jetstream => "disk",
        StoreMode::Memory => "memory",
    };
    let mut text = format!("[store]\nmode = \"{mode}\"\ndir = \".\"\n");
    if let Some(zone) = plan.zone.iana_name() {
        text.push_str(&format!("[time]\nzone = \"{zone}\"\n"));
    }
    let file = folder.join("config.toml");
    std::fs::write(&file, text)?;
    Ok(file)
}

/// What is read anew runs with the controllers and the store of the `running` plan.
fn standing_in(running: &Plan, source: PlanSource) -> PlanSource {
    let (controllers, store) = (running.controllers.clone(), running.store.clone());
    Arc::new(move |registry: &Registry| {
        Ok(Plan {
            controllers: controllers.clone(),
            store: store.clone(),
            ..source(registry)?
        })
    })
}

/// The scenarios that there are, so that help and completions name them.
fn scenarios() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::ALL.map(Scenario::as_str))
        .try_map(|name| name.parse::<Scenario>())
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

impl Demo {
    /// Run the host against simulated controllers until it is told to stop, or the time is up.
    fn launch(&self, mut plan: Plan, loader: Loader) -> Exit {
        let simulators = match self.simulate(&mut plan) {
            Ok(simulators) => simulators,
            Err(error) => {
                complain(&format!(
                    "error: cannot start a simulated controller: {error}"
                ));
                return Exit::Failed;
            }
        };
        for simulator in &simulators {
            // A fair share each, so that the rate is that of the whole.
            simulator.play(Pace::PerSecond(self.rate / simulators.len() as f64));
        }
        // What a demo remembers must not be taken for what a real network did.
        let scratch = std::env::temp_dir().join(format!("herald-demo-{}", std::process::id()));
        let mode = match plan.store.mode {
            StoreMode::Memory => StoreMode::Memory,
            // Nobody else's business is what a demo makes up.
            StoreMode::Disk | StoreMode::Jetstream => StoreMode::Disk,
        };
        plan.store = StorePlan {
            sync: plan.store.sync,
            ..StorePlan::new(mode, scratch.clone())
        };
        match leave_word(&plan) {
            Ok(file) => tracing::info!(
                status = %format_args!("herald -c {} status", file.display()),
                "the demo can be looked into from another terminal; tail, events, incidents and others find it in the same way"
            ),
            Err(error) => tracing::debug!(%error, "other commands cannot find the demo"),
        }
        let (registry, source, _) = loader.into_parts();
        let reading = Reading {
            source: standing_in(&plan, source),
            watched: None,
        };
        let exit = launch::run(
            plan,
            registry,
            reading,
            Occasion::Demo(self.length.map(|span| span.0)),
        );
        simulators.into_iter().for_each(Simulator::stop);
        if let Err(error) = std::fs::remove_dir_all(&scratch) {
            tracing::debug!(error = %error, "the demo's store could not be removed");
        }
        exit
    }

    /// Put a simulated controller in the place of each of the plan's.
    fn simulate(&self, plan: &mut Plan) -> io::Result<Vec<Simulator>> {
        let mut simulators = Vec::new();
        for (seed, controller) in (self.seed..).zip(&mut plan.controllers) {
            let simulator = Simulator::start(SimulatorOptions {
                kind: self.kind.controller(),
                seed,
                scenario: self.scenario,
                ..SimulatorOptions::default()
            })?;
            let options = simulator.options();
            simulator.url().clone_into(&mut controller.url);
            controller.kind = None;
            controller.sites = Sites::All;
            controller.auth = AuthPlan {
                username: options.username.clone(),
                password: options.password.clone().into(),
                totp: None,
                api_key: None,
            };
            controller.tls = TlsOptions {
                pin_sha256: Some(simulator.fingerprint().to_owned()),
                ..TlsOptions::default()
            };
            simulators.push(simulator);
        }
        Ok(simulators)
    }
}
