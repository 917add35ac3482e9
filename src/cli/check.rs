//! `herald check`

use super::load::Loader;
use super::output::print;
use super::{Exit, log, online, run};
use crate::config::{Action, Plan};
use std::fmt::Write;

/// Read the configuration and say everything that is wrong with it.
///
/// Reads the file, the environment, secrets and scripts, and builds every plugin, but opens no connection. With
/// --online it also logs in to every controller and lets every sink check its destination.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald check
  herald check -c new.toml && systemctl reload unifi-herald
  herald check --online")]
pub(super) struct Check {
    /// Also log in to the controllers and let every sink check its destination.
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let plan = match loader.plan() {
            Ok(plan) => plan,
            Err(exit) => return exit,
        };
        run::warn(&plan);
        let mut text = String::new();
        if let Some(file) = loader.file() {
            _ = writeln!(text, "{}", file.display());
        }
        text.push_str(&summary(&plan));
        if !self.online {
            return print(&format!("{text}config ok\n"));
        }
        log::start(&plan.log);
        match print(&format!("{text}config ok\n")) {
            Exit::Done => online::check(&plan, &loader.registry),
            exit => exit,
        }
    }
}

/// What was read, in a few lines.
fn summary(plan: &Plan) -> String {
    let controllers = plan
        .controllers
        .iter()
        .map(|controller| format!("{} ({})", controller.name, controller.url));
    let sources = plan
        .sources
        .iter()
        .map(|source| format!("{} ({})", source.name, source.plugin.plugin));
    let sinks = plan
        .sinks
        .iter()
        .map(|sink| format!("{} ({})", sink.name, sink.plugin.plugin));
    let scripts = plan.scripts.keys().map(|name| name.to_string());
    let filters = plan
        .filters
        .iter()
        .map(|(name, filter)| format!("{name} ({})", filter.plugin));
    let alerts = plan.alerts.iter().map(|alert| alert.name.to_string());
    let digests = plan.digests.iter();
    let digests =
        digests.map(|digest| format!("{} ({})", digest.name, digest.at.strftime("%H:%M")));
    let chains = plan.chains.iter().map(|chain| {
        let steps = chain.steps.iter().map(|step| match &step.action {
            Action::Script(name) | Action::Filter(name) => name.to_string(),
            Action::Where(_) => "where".to_owned(),
            Action::Alert(index) => plan
                .alerts
                .get(*index)
                .map(|alert| alert.name.to_string())
                .unwrap_or_default(),
            Action::Digest(index) => plan
                .digests
                .get(*index)
                .map(|digest| digest.name.to_string())
                .unwrap_or_default(),
            Action::Sink(index) => plan
                .sinks
                .get(*index)
                .map(|sink| sink.name.to_string())
                .unwrap_or_default(),
        });
        format!("{}: {}", chain.name, steps.collect::<Vec<_>>().join(" → "))
    });
    let mut text = String::new();
    for (title, items) in [
        ("controllers", controllers.collect::<Vec<_>>()),
        ("sources", sources.collect()),
        ("scripts", scripts.collect()),
        ("filters", filters.collect()),
        ("alerts", alerts.collect()),
        ("digests", digests.collect()),
        ("sinks", sinks.collect()),
        ("chains", chains.collect()),
    ] {
        for (index, item) in items.iter().enumerate() {
            _ = writeln!(text, "  {:<12} {item}", if index == 0 { title } else { "" });
        }
    }
    text
}
