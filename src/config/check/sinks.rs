//! Sinks and filters: each is built once, to see that it can be.

use super::Check;
use crate::config::file::SinkTable;
use crate::config::read::Flaw;
use crate::config::suggest;
use crate::config::tree::Path;
use crate::config::{BatchPlan, OnError, PluginPlan, RetryPlan, SinkPlan};
use crate::registry::{OptionError, Role};
use std::collections::BTreeMap;
use std::sync::Arc;
use unifi_herald_plugin::{BuildContext, Text};

impl Check<'_> {
    pub(super) fn sinks(&mut self) -> Vec<SinkPlan> {
        let reading = self.reading;
        let names = reading.names("sinks");
        names
            .iter()
            .filter_map(|name| Some(self.sink(name, reading.file.sinks.get(name)?)))
            .collect()
    }

    fn sink(&mut self, name: &str, table: &SinkTable) -> SinkPlan {
        let path = Path::of(&["sinks", name]);
        if !(1..=10_000).contains(&table.batch.max) {
            self.flaw(Flaw::value(
                path.join("batch").join("max"),
                "expected 1 to 10000 events",
            ));
        }
        if table.retry.min.0.is_zero() {
            self.flaw(Flaw::value(
                path.join("retry").join("min"),
                "expected more than \"0s\"",
            ));
        }
        if table.retry.max < table.retry.min {
            let message = format!("expected at least `min`, which is \"{}\"", table.retry.min);
            self.flaw(Flaw::value(path.join("retry").join("max"), message));
        }
        if table.timeout.0.is_zero() {
            self.flaw(Flaw::value(
                path.join("timeout"),
                "expected more than \"0s\"",
            ));
        }
        if table.max_age.is_some_and(|age| age.0.is_zero()) {
            self.flaw(Flaw::value(
                path.join("max_age"),
                "expected more than \"0s\"",
            ));
        }
        let plugin = self.plugin(
            Role::Sink,
            &path,
            name,
            table.plugin.as_deref(),
            &table.options,
        );
        SinkPlan {
            name: name.into(),
            plugin,
            batch: BatchPlan {
                max: table.batch.max,
                wait: table.batch.wait.0,
            },
            retry: RetryPlan {
                min: table.retry.min.0,
                max: table.retry.max.0,
                give_up_after: table.retry.give_up_after.map(|span| span.0),
            },
            timeout: table.timeout.0,
            raw: table.raw,
            max_age: self.max_age(table.max_age),
            coalesce: table.coalesce,
        }
    }

    pub(super) fn filters(&mut self) -> BTreeMap<Text, PluginPlan> {
        let mut plans = BTreeMap::new();
        for (name, table) in &self.reading.file.filters {
            let path = Path::of(&["filters", name]);
            let plan = self.plugin(
                Role::Filter,
                &path,
                name,
                table.plugin.as_deref(),
                &table.options,
            );
            plans.insert(
                name.as_str().into(),
                PluginPlan {
                    on_error: table.on_error,
                    ..plan
                },
            );
        }
        plans
    }

    pub(super) fn plugin(
        &mut self,
        role: Role,
        path: &Path,
        name: &str,
        plugin: Option<&str>,
        options: &toml::Table,
    ) -> PluginPlan {
        let plan = PluginPlan {
            plugin: plugin.unwrap_or_default().to_owned(),
            options: options.clone(),
            on_error: OnError::default(),
        };
        let names = self.registry.names(role);
        let Some(plugin) = plugin else {
            self.missing(path.join("plugin"), &format!("one of {}", names.join(", ")));
            return plan;
        };
        if !names.contains(&plugin) {
            let help = suggest::help(plugin, names.iter().copied(), "there are");
            let flaw = Flaw::value(
                path.join("plugin"),
                format!("there is no plugin `{plugin}`"),
            );
            self.flaw(flaw.help(help));
            return plan;
        }
        let root = path.join("options");
        if self.reading.is_struck(&root) {
            return plan;
        }
        let context = BuildContext::new(name, &self.reading.base, Arc::clone(self.services));
        let built = match role {
            Role::Sink => self
                .registry
                .build_sink(plugin, options, &context)
                .map(drop),
            Role::Filter => self
                .registry
                .build_filter(plugin, options, &context)
                .map(drop),
            Role::Source => self
                .registry
                .build_source(plugin, options, &context)
                .map(drop),
        };
        if let Err(OptionError { option, message }) = built {
            let inner = option.replace('[', ".").replace(']', "");
            let keys = inner
                .split('.')
                .filter(|key| !key.is_empty())
                .map(str::to_owned);
            self.flaw(Flaw::value(root.append(&Path(keys.collect())), message));
        }
        plan
    }
}
