//! From the global options to a plan.

use super::Exit;
use super::output::{colour, complain};
use crate::clock::Clock;
use crate::config::{self, ConfigErrors, Locator, Outline, Plan};
use crate::registry::Registry;
use crate::services::HostServices;
use crate::tasks::Tasks;
use std::path::PathBuf;
use std::sync::Arc;
use unifi_herald_plugin::Services;

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
        let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
        let mut plan = config::load(&self.locator, &self.registry, &services)
            .map_err(|errors| refuse(&errors))?;
        if let Some(level) = &self.log_level {
            plan.log.filter.clone_from(level);
        }
        Ok(plan)
    }

    /// What a command must know that asks a running host or opens its store.
    pub(super) fn outline(&self) -> Result<Outline, Exit> {
        let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
        config::outline(&self.locator, &self.registry, &services).map_err(|errors| refuse(&errors))
    }

    /// The effective configuration as text.
    pub(super) fn show(&self) -> Result<String, Exit> {
        config::show(&self.locator, &self.registry).map_err(|errors| refuse(&errors))
    }
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
