//! What a sink keeps: known to the next run, and to the lane that takes its place at a reload.

use super::alerts::push;
use crate::support::eventually;
use crate::support::rig::{Rig, reload, stop_clean};
use serde::Deserialize;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use unifi_herald::host::Host;
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Kind, Sink, SinkPlugin, Storage, async_trait,
};

const CONFIG: &str = r#"
[controllers.home]
url = "https://127.0.0.1:9"
auth = { username = "x", password = "y" }

[sinks.chain]
plugin = "links"
options = { path = "links.txt" }

[chains.everything]
steps = [{ sink = "chain" }]
"#;

/// Writes of each event which one came before it, as far as it knows.
struct Links {
    path: PathBuf,
    storage: Storage,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: PathBuf,
}

impl SinkPlugin for Links {
    const NAME: &'static str = "links";
    const SUMMARY: &'static str = "knows which event came before";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self {
            path: context.path(&config.path),
            storage: context.storage().clone(),
        })
    }
}

#[async_trait]
impl Sink for Links {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let mut file = File::options();
        let mut file = file.create(true).append(true).open(&self.path).unwrap();
        for event in batch.iter() {
            let before = self.storage.get("last");
            let before = before.as_deref().unwrap_or("nothing");
            writeln!(file, "{} after {before}", event.id).unwrap();
            self.storage.set("last", event.id.clone());
        }
        Ok(())
    }
}

fn start(rig: &Rig) -> Host {
    rig.start_reloading_with(unifi_herald::builtin().sink::<Links>())
}

fn lines(rig: &Rig, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(rig.path(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn what_a_sink_keeps_is_there_after_a_restart_and_after_a_reload() {
    let rig = Rig::new(CONFIG);
    let host = start(&rig);
    push(&host, "a", Kind::WAN_DOWN);
    eventually("the first is there", || {
        lines(&rig, "links.txt") == ["a after nothing"]
    });
    stop_clean(host);

    let host = start(&rig);
    push(&host, "b", Kind::WAN_UP);
    eventually("it knows the one before the restart", || {
        lines(&rig, "links.txt").last().map(String::as_str) == Some("b after a")
    });
    rig.write("config.toml", &CONFIG.replace("links.txt", "other.txt"));
    reload(&host).unwrap();
    push(&host, "c", Kind::WAN_DOWN);
    eventually("it knows the one before the reload", || {
        lines(&rig, "other.txt") == ["c after b"]
    });
    stop_clean(host);
}
