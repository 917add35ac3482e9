//! The configuration that counts, as TOML, without secrets.

use super::Reading;
use super::file::{
    AlertTable, BufferTable, ChainTable, ControllerTable, DigestTable, FilterTable, HeartbeatTable,
    LogTable, ScriptTable, ServerTable, SinkTable, SourceTable, StoreTable, TimeTable,
};
use super::secrets::{is_place, userinfo};
use super::source::hides;
use super::tree::{from_table, set, to_table};
use crate::registry::{Registry, Role};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

const MASK: &str = "***";

/// The file with defaults, in its own order.
pub(super) fn render(mut reading: Reading, registry: &Registry) -> String {
    for sink in reading.file.sinks.values_mut() {
        sink.options = masked(registry, Role::Sink, sink.plugin.as_deref(), &sink.options);
    }
    for filter in reading.file.filters.values_mut() {
        filter.options = masked(
            registry,
            Role::Filter,
            filter.plugin.as_deref(),
            &filter.options,
        );
    }
    for source in reading.file.sources.values_mut() {
        source.options = masked(
            registry,
            Role::Source,
            source.plugin.as_deref(),
            &source.options,
        );
    }
    for controller in reading.file.controllers.values_mut() {
        if let Some(url) = &mut controller.url {
            mask_account(url);
        }
    }
    let file = &reading.file;
    let shown = Shown {
        controllers: Ordered(reading.names("controllers"), &file.controllers),
        sources: Ordered(reading.names("sources"), &file.sources),
        buffer: &file.buffer,
        store: &file.store,
        scripts: Ordered(reading.names("scripts"), &file.scripts),
        filters: Ordered(reading.names("filters"), &file.filters),
        alerts: Ordered(reading.names("alerts"), &file.alerts),
        digests: Ordered(reading.names("digests"), &file.digests),
        sinks: Ordered(reading.names("sinks"), &file.sinks),
        chains: Ordered(reading.names("chains"), &file.chains),
        time: &file.time,
        heartbeat: file.heartbeat.as_ref(),
        log: &file.log,
        server: file.server.as_ref(),
    };
    toml::to_string(&shown).unwrap_or_default()
}

/// [`super::file::File`] with its tables in order.
#[derive(Serialize)]
struct Shown<'a> {
    controllers: Ordered<'a, ControllerTable>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    sources: Ordered<'a, SourceTable>,
    buffer: &'a BufferTable,
    store: &'a StoreTable,
    scripts: Ordered<'a, ScriptTable>,
    filters: Ordered<'a, FilterTable>,
    alerts: Ordered<'a, AlertTable>,
    digests: Ordered<'a, DigestTable>,
    sinks: Ordered<'a, SinkTable>,
    chains: Ordered<'a, ChainTable>,
    time: &'a TimeTable,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<&'a HeartbeatTable>,
    log: &'a LogTable,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a ServerTable>,
}

/// Tables in the order of their names here.
struct Ordered<'a, T>(Vec<String>, &'a BTreeMap<String, T>);

impl<T> Ordered<'_, T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Ordered<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in &self.0 {
            if let Some(table) = self.1.get(name) {
                map.serialize_entry(name, table)?;
            }
        }
        map.end()
    }
}

fn masked(
    registry: &Registry,
    role: Role,
    plugin: Option<&str>,
    options: &toml::Table,
) -> toml::Table {
    let mut tree = from_table(options);
    for path in registry.secret_options(role, plugin.unwrap_or_default(), &tree) {
        set(&mut tree, &path.0, MASK.into());
    }
    let mut options = to_table(&tree);
    mask(&mut options, false);
    options
}

/// Hide what has a secret's name, and accounts in URLs.
fn mask(table: &mut toml::Table, all: bool) {
    for (key, value) in table.iter_mut() {
        let secret = (all && !is_place(key)) || hides(key, value);
        mask_value(value, secret);
    }
}

fn mask_value(value: &mut toml::Value, secret: bool) {
    match value {
        toml::Value::Table(table) => mask(table, secret),
        toml::Value::Array(items) => {
            for item in items {
                mask_value(item, secret);
            }
        }
        value if secret => *value = MASK.into(),
        toml::Value::String(text) => mask_account(text),
        _ => {}
    }
}

fn mask_account(text: &mut String) {
    for range in userinfo(text).into_iter().rev() {
        text.replace_range(range, MASK);
    }
}
