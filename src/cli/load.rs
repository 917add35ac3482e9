//! From the global options to a plan.

use super::Exit;
use super::output::{colour, complain};
use crate::clock::Clock;
use crate::config::{self, ConfigErrors, Locator, Outline, Plan};
use crate::host::PlanSource;
use crate::registry::Registry;
use crate::services::HostServices;
use crate::tasks::Tasks;
use std::path::PathBuf;
use std::sync::Arc;
use unifi_herald_plugin::{Services, Text};

/// The registry and what the user said about the configuration.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) registry: Registry,
    locator: Locator,
    log_level: Option<String>,
}

impl Loader {
    pub(super) fn new(
        registry: Registry,
        file: Option<PathBuf>,
        log_level: Option<String>,
    ) -> Self {
        Self {
            registry,
            locator: Locator::from_process(file),
            log_level,
        }
    }

    /// For this file, whatever was named before.
    pub(super) fn naming(mut self, file: PathBuf) -> Self {
        self.locator.file = Some(file);
        self
    }

    /// For a herald whose controllers are simulated.
    pub(super) fn replacing_controllers(mut self) -> Self {
        self.locator = self.locator.replacing_controllers();
        self
    }

    /// The file that counts.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.locator.find()
    }

    /// The checked configuration; what is wrong with it has been said on standard error.
    pub(super) fn plan(&self) -> Result<Plan, Exit> {
        let plan = load(&self.locator, &self.registry, self.log_level.as_ref());
        plan.map_err(|errors| refuse(&errors))
    }

    /// The checked configuration for who does not use its controllers: their secrets are not read.
    pub(super) fn plan_without_controllers(&self) -> Result<Plan, Exit> {
        let locator = self.locator.clone().replacing_controllers();
        let plan = load(&locator, &self.registry, self.log_level.as_ref());
        plan.map_err(|errors| refuse(&errors))
    }

    /// What a running host needs to read the configuration anew, and where it is.
    pub(super) fn into_parts(self) -> (Registry, PlanSource, Locator) {
        let Self {
            registry,
            locator,
            log_level,
        } = self;
        let place = locator.clone();
        let source = move |registry: &Registry| load(&place, registry, log_level.as_ref());
        (registry, Arc::new(source), locator)
    }

    /// What a command must know that asks a running host or opens its store.
    pub(super) fn outline(&self) -> Result<Outline, Exit> {
        let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
        config::outline(&self.locator, &self.registry, &services).map_err(|errors| refuse(&errors))
    }

    /// Name and file of each script; none when the configuration does not say.
    pub(super) fn script_files(&self) -> Vec<(Text, PathBuf)> {
        let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
        let outline = config::outline(&self.locator, &self.registry, &services);
        outline.map(|outline| outline.scripts).unwrap_or_default()
    }

    /// The sinks that presets send to; none when the configuration does not say.
    pub(super) fn preset_sinks(&self) -> Vec<String> {
        config::preset_sinks(&self.locator, &self.registry).unwrap_or_default()
    }

    /// The effective configuration as text.
    pub(super) fn show(&self) -> Result<String, Exit> {
        config::show(&self.locator, &self.registry).map_err(|errors| refuse(&errors))
    }
}

fn load(
    locator: &Locator,
    registry: &Registry,
    log_level: Option<&String>,
) -> Result<Plan, ConfigErrors> {
    let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
    let mut plan = config::load(locator, registry, &services)?;
    if let Some(level) = log_level {
        plan.log.filter.clone_from(level);
    }
    Ok(plan)
}

fn refuse(errors: &ConfigErrors) -> Exit {
    let count = errors.iter().count();
    let sum = if count == 1 {
        "1 error".to_owned()
    } else {
        format!("{count} errors")
    };
    complain(&format!(
        "{}\n\nthe configuration has {sum}",
        errors.render(colour())
    ));
    Exit::Config
}
