//! A host in a folder of its own, listening to simulated controllers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use unifi_herald::Registry;
use unifi_herald::clock::Clock;
use unifi_herald::config::{self, ConfigErrors, Controllers, Locator, Plan};
use unifi_herald::control::protocol::Changes;
use unifi_herald::demo::Simulator;
use unifi_herald::host::{Host, ReloadError, Setup};
use unifi_herald::services::HostServices;
use unifi_herald::tasks::Tasks;
use unifi_herald::unifi::timing::Timing;
use unifi_herald_plugin::{BufferedEvent, Services};

/// A folder with a `config.toml`, and what a host writes beside it.
pub struct Rig {
    pub folder: TempDir,
}

/// The controller's table for a simulator.
pub fn controller(name: &str, simulator: &Simulator, sites: &str) -> String {
    let options = simulator.options();
    format!(
        r#"
[controllers.{name}]
url = "{url}"
sites = {sites}
auth = {{ username = "{username}", password = "{password}" }}
{tls}
"#,
        url = simulator.url(),
        username = options.username,
        password = options.password,
        tls = if options.plain {
            String::new()
        } else {
            format!(r#"tls = {{ pin_sha256 = "{}" }}"#, simulator.fingerprint())
        },
    )
}

/// A sink that writes `events.jsonl`, and a chain that gives it everything.
pub const ARCHIVE: &str = r#"
[sinks.archive]
plugin = "file"
options = { path = "events.jsonl" }

[chains.everything]
steps = [{ sink = "archive" }]
"#;

impl Rig {
    /// A folder with this configuration.
    pub fn new(config: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("config.toml"), config).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The checked configuration.
    ///
    /// # Panics
    /// With the rendered errors when it is wrong.
    pub fn plan(&self) -> Plan {
        self.plan_with(&unifi_herald::builtin())
    }

    fn plan_with(&self, registry: &Registry) -> Plan {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        load(&self.locator(), registry).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn locator(&self) -> Locator {
        Locator {
            file: Some(self.path("config.toml")),
            environment: BTreeMap::new(),
            directory: self.folder.path().to_owned(),
            controllers: Controllers::Checked,
        }
    }

    /// Start a host that can read its configuration anew.
    pub fn start_reloading(&self) -> Host {
        self.start_reloading_with(unifi_herald::builtin())
    }

    /// The same, with these plugins.
    pub fn start_reloading_with(&self, registry: Registry) -> Host {
        let locator = self.locator();
        let setup = Setup {
            source: Some(Arc::new(move |registry: &Registry| {
                load(&locator, registry)
            })),
            ..Setup::default()
        };
        let plan = self.plan_with(&registry);
        Host::start_with(plan, registry, Clock::system(), setup).unwrap()
    }

    /// Start a host on it.
    pub fn start(&self) -> Host {
        Host::start(self.plan(), unifi_herald::builtin(), Clock::system()).unwrap()
    }

    /// Start a host that knows these plugins.
    pub fn start_with(&self, registry: Registry) -> Host {
        Host::start(self.plan_with(&registry), registry, Clock::system()).unwrap()
    }

    /// Start a host whose sockets are watched this closely.
    pub fn start_timed(&self, timing: Timing) -> Host {
        let (plan, registry) = (self.plan(), unifi_herald::builtin());
        Host::start_timed(plan, registry, Clock::system(), timing).unwrap()
    }

    /// The events in a file of JSON lines.
    ///
    /// # Panics
    /// When a line is torn.
    pub fn events(&self, name: &str) -> Vec<BufferedEvent> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        // The writer may be at work: only what ends in a line feed is a line.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        whole.lines().map(parse).collect()
    }

    /// The ids in a file of JSON lines, told apart by where they stand in a line rather than by parsing it.
    pub fn ids(&self, name: &str) -> BTreeSet<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        let id = |line: &str| {
            Some(
                line.strip_prefix(r#"{"v":1,"id":""#)?
                    .split('"')
                    .next()?
                    .to_owned(),
            )
        };
        text.lines().filter_map(id).collect()
    }

    /// The events of the file that came from a controller, as received: how often each was written.
    pub fn raws(&self, name: &str) -> BTreeMap<String, usize> {
        let mut raws = BTreeMap::new();
        for event in self.events(name) {
            if let Some(raw) = &event.raw {
                *raws.entry(raw.as_str().to_owned()).or_default() += 1;
            }
        }
        raws
    }
}

fn load(locator: &Locator, registry: &Registry) -> Result<Plan, ConfigErrors> {
    let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
    config::load(locator, registry, &services)
}

/// Have a host read its configuration anew.
pub fn reload(host: &Host) -> Result<Changes, ReloadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(host.reloader().reload())
}

/// Stop a host and demand that nothing was left and that the books balance.
pub fn stop_clean(host: Host) {
    for sink in host.books() {
        assert!(sink.books.balance(), "{sink:?}");
    }
    let stopped = host.stop(Duration::from_secs(30));
    assert!(stopped.left.is_empty(), "{stopped:?}");
}
