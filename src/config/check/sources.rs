//! Sources: each is built once, to see that it can be.

use super::Check;
use crate::config::read::Flaw;
use crate::config::tree::Path;
use crate::config::{Controllers, SourcePlan, StoreMode};
use crate::registry::Role;

impl Check<'_> {
    /// None when the controllers are simulated: whoever tries something must not take away what is real.
    pub(super) fn sources(&mut self) -> Vec<SourcePlan> {
        let reading = self.reading;
        let names = reading.names("sources");
        if !names.is_empty() && reading.file.store.mode == StoreMode::Jetstream {
            let flaw = Flaw::key(
                Path::of(&["sources"]),
                "a herald with store.mode = \"jetstream\" has no sources",
            );
            let help = "publish to the stream of the cluster instead: see \"Events of other programs\" in docs/scaling.md";
            self.flaw(flaw.help(help.to_owned()));
        }
        if self.locator.controllers == Controllers::Replaced {
            return Vec::new();
        }
        let plans = names.iter().filter_map(|name| {
            let table = reading.file.sources.get(name)?;
            let path = Path::of(&["sources", name]);
            let plugin = table.plugin.as_deref();
            Some(SourcePlan {
                name: name.as_str().into(),
                plugin: self.plugin(Role::Source, &path, name, plugin, &table.options),
            })
        });
        plans.collect()
    }
}
