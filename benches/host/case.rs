//! What is measured: the configuration of a host, in a folder of its own, and the controller it listens to.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use unifi_herald::demo::{Simulator, SimulatorOptions};

/// Where the host keeps what is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Memory,
    Disk,
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) mode: Mode,
    scripts: usize,
    sinks: usize,
    /// Share of sync frames among all frames.
    pub(crate) sync_share: f64,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

impl Case {
    pub(crate) fn new(mode: Mode, scripts: usize, sinks: usize, sync_share: f64) -> Self {
        Self {
            mode,
            scripts,
            sinks,
            sync_share,
        }
    }

    pub(crate) fn name(&self) -> String {
        let mut name = self.mode.name().to_owned();
        for (count, what) in [(self.scripts, "script"), (self.sinks, "file")] {
            let plural = if count == 1 { "" } else { "s" };
            write!(name, ", {count} {what}{plural}").unwrap();
        }
        if self.sync_share > 0.0 {
            write!(name, ", {} % sync frames", self.sync_share * 100.0).unwrap();
        }
        name
    }

    /// Write the configuration for a host that listens to `simulator`, whose files are rotated at `size` if at all.
    pub(crate) fn write(&self, folder: &Path, simulator: &Simulator, size: Option<&str>) {
        let mut config = head(self.mode, simulator);
        let mut steps = String::new();
        for _ in 0..self.scripts {
            steps.push_str(r#"{ where = 'event.kind != "wan.down" && event.level < 5' }, "#);
        }
        let rotate = size.map_or_else(String::new, |size| {
            format!(", rotate = {{ size = \"{size}\", keep = 1 }}")
        });
        for sink in 0..self.sinks {
            write!(
                config,
                "[sinks.s{sink}]\nplugin = \"file\"\noptions = {{ path = \"{sink}.jsonl\"{rotate} }}\n"
            )
            .unwrap();
            write!(steps, "{{ sink = \"s{sink}\" }}, ").unwrap();
        }
        write!(config, "[chains.all]\nsteps = [{steps}]\n").unwrap();
        fs::write(folder.join("config.toml"), config).unwrap();
    }
}

/// Controller and store of a configuration.
pub(crate) fn head(mode: Mode, simulator: &Simulator) -> String {
    let options = simulator.options();
    format!(
        r#"
[controllers.home]
url = "{}"
auth = {{ username = "{}", password = "{}" }}
tls = {{ pin_sha256 = "{}" }}
[store]
mode = "{}"
max_size = "16GiB"
"#,
        simulator.url(),
        options.username,
        options.password,
        simulator.fingerprint(),
        mode.name()
    )
}

/// A controller with this share of sync frames, every event with an id and told once.
pub(crate) fn simulator(sync_share: f64) -> Simulator {
    Simulator::start(options(sync_share)).unwrap()
}

pub(crate) fn options(sync_share: f64) -> SimulatorOptions {
    SimulatorOptions {
        sync_share,
        missing_id_share: 0.0,
        alert_share: 0.0,
        ..SimulatorOptions::default()
    }
}
