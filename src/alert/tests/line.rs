//! A line of time on which events are pushed and messages are noted.

use crate::alert::{Addressee, Alerts, assemble};
use crate::clock::Clock;
use crate::config::{Controllers, Locator, Plan, load};
use crate::script::{Engine, EngineOptions, Limits, Memories, RunContext};
use crate::services::HostServices;
use crate::store::{Hole, HoleChange, StateChange, StateEntry};
use crate::tasks::Tasks;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::testing::{EventBuilder, START};
use unifi_herald_plugin::{
    Alert, Device, Event, Kind, Mac, Origin, Services, Span, Text, Timestamp, Uplink,
};

/// Alerts, a clock, and what was told.
pub(super) struct Line {
    config: String,
    pub(super) alerts: Alerts,
    pub(super) now: Timestamp,
    told: Vec<(Timestamp, Addressee, Arc<Event>)>,
    next_id: u64,
    pub(super) disk: BTreeMap<(Text, Text), Vec<u8>>,
    /// Whether the process dies after every step, and a new one repairs what there is.
    pub(super) restarts: bool,
}

/// The line of the alerts in `config`.
pub(super) fn line(config: &str) -> Line {
    Line {
        config: config.to_owned(),
        alerts: alerts(config),
        now: START,
        told: Vec::new(),
        next_id: 0,
        disk: BTreeMap::new(),
        restarts: false,
    }
}

/// The alerts as a user writes them, by way of a whole configuration.
fn alerts(config: &str) -> Alerts {
    let plan = plan(config);
    let engine = Engine::new(EngineOptions {
        scripts_dir: None,
        zone: plan.zone.clone(),
        clock: Clock::manual(START),
        limits: Limits::default(),
    });
    assemble(&plan, &engine, &mut Memories::default()).unwrap()
}

/// A whole configuration around the alerts in `config`.
pub(super) fn plan(config: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let steps = config
        .lines()
        .filter_map(|line| line.strip_prefix("[alerts.")?.strip_suffix(']'))
        .map(|name| format!("{{ alert = \"{name}\" }}, "));
    let steps: String = steps.collect();
    let whole = format!(
        "{config}\n[sinks.s]\nplugin = \"console\"\n[chains.c]\nsteps = [{steps}{{ sink = \"s\" }}]\n[time]\nzone = \"UTC\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), whole).unwrap();
    let locator = Locator {
        file: None,
        environment: BTreeMap::new(),
        directory: folder.path().to_owned(),
        controllers: Controllers::Replaced,
    };
    let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
    load(&locator, &crate::builtin(), &services).unwrap_or_else(|errors| panic!("{errors}"))
}

/// `90s`, `10m`
pub(super) fn span(text: &str) -> Duration {
    let Span(span) = text.parse().unwrap();
    span
}

/// An access point, switch or other device that hangs on another.
pub(super) fn device(number: u8, uplink: Option<u8>) -> Device {
    let mac = |number| Some(Mac::new([0xf0, 0x9f, 0xc2, 0, 0, number]));
    Device {
        mac: mac(number),
        name: Some(format!("D{number}").into()),
        uplink: uplink.map(|uplink| {
            Box::new(Uplink {
                mac: mac(uplink),
                name: Some(format!("D{uplink}").into()),
                port: None,
            })
        }),
        ..Device::default()
    }
}

impl Line {
    /// Let time pass until so long after the start; everything happens when it is due.
    pub(super) fn until(&mut self, at: &str) -> &mut Self {
        let target = START + span(at);
        for step in 0.. {
            assert!(step < 100_000, "time does not pass");
            match self.alerts.wake_at(self.now).filter(|wake| *wake <= target) {
                Some(wake) => self.now = self.now.max(wake),
                None => break,
            }
            self.tick();
        }
        self.now = target;
        self.tick();
        self
    }

    /// Nothing runs until so long after the start.
    pub(super) fn sleep_until(&mut self, at: &str) -> &mut Self {
        self.now = START + span(at);
        self
    }

    pub(super) fn tick(&mut self) {
        self.alerts.tick(self.now);
        self.after();
    }

    /// An event of `kind`, now.
    pub(super) fn push(&mut self, kind: Kind) -> &mut Self {
        self.push_with(kind, |_| {})
    }

    /// An event of `kind` about a device, now.
    pub(super) fn push_device(&mut self, kind: Kind, device: Device) -> &mut Self {
        self.push_with(kind, |event| event.device = Some(device))
    }

    pub(super) fn push_with(&mut self, kind: Kind, change: impl FnOnce(&mut Event)) -> &mut Self {
        let mut event = EventBuilder::new(kind).time(self.now).build();
        event.received = self.now;
        event.origin = Origin::Stream;
        self.next_id += 1;
        event.id = format!("e{}", self.next_id).into();
        change(&mut event);
        self.put(&Arc::new(event));
        self
    }

    /// An event of history, that happened so long after the start.
    pub(super) fn push_history(&mut self, at: &str, kind: Kind, device: Device) -> &mut Self {
        let time = START + span(at);
        self.push_with(kind, |event| {
            event.device = Some(device);
            event.time = time;
            event.origin = Origin::Backfill;
        })
    }

    pub(super) fn put(&mut self, event: &Arc<Event>) {
        let context = RunContext {
            now: self.now,
            instant: Clock::manual(START).now(),
            salt: "c/0",
        };
        self.alerts.begin_event();
        for position in 0..self.alerts.rules.len() {
            self.alerts.apply(position, event, self.now, &context);
        }
        self.tick();
    }

    fn after(&mut self) {
        for said in self.alerts.take_said() {
            self.told.push((self.now, said.to, said.event));
        }
        if self.restarts {
            self.restart();
            self.repaired();
        }
    }

    /// What the store has now.
    pub(super) fn commit(&mut self) {
        for change in self.alerts.take_state() {
            match change {
                StateChange::Set {
                    scope, key, value, ..
                } => {
                    self.disk.insert((scope, key), value);
                }
                StateChange::Forget { scope, key } => {
                    self.disk.remove(&(scope, key));
                }
                StateChange::Clear { scope } => self.disk.retain(|(of, _), _| *of != scope),
            }
        }
    }

    /// The process dies after its commit, and another begins.
    pub(super) fn restart(&mut self) {
        self.commit();
        let mut fresh = alerts(&self.config);
        let disk = &self.disk;
        let load = |scope: &str| -> Result<Vec<StateEntry>, ()> {
            let of_scope = disk.iter().filter(|((of, _), _)| &**of == scope);
            let entry = |((_, key), value): (&(Text, Text), &Vec<u8>)| StateEntry {
                key: key.clone(),
                value: value.clone(),
                expires: None,
            };
            Ok(of_scope.map(entry).collect())
        };
        fresh.load(&mut { load }).unwrap();
        fresh.begin(&[], self.now);
        self.alerts = fresh;
    }

    /// A hole of the site, open or closed.
    pub(super) fn hole(&mut self, open: bool) -> &mut Self {
        let change = if open {
            HoleChange::Open(Hole {
                id: 7,
                controller: "home".into(),
                site: "default".into(),
                from: self.now,
                to: Some(self.now),
                reason: "start".into(),
            })
        } else {
            HoleChange::Close { id: 7 }
        };
        self.alerts.hole_changed(&change, self.now);
        self
    }

    /// The history has told what it knew of the hole; for what comes late it stays open.
    pub(super) fn hole_is_read(&mut self) -> &mut Self {
        let change = HoleChange::Shrink {
            id: 7,
            from: self.now,
            to: Some(self.now),
            read: true,
        };
        self.alerts.hole_changed(&change, self.now);
        self
    }

    /// What the history of the site had to tell, it has told.
    pub(super) fn repaired(&mut self) -> &mut Self {
        self.hole(true).hole(false)
    }

    /// All messages: how long after the start they came, what they are, and of which key.
    pub(super) fn told(&self) -> Vec<String> {
        let told = self.told.iter().map(|(at, _, event)| {
            let alert = alert(event);
            format!(
                "{} {} {} {}",
                Span(at.since(START)),
                alert.name,
                alert.state.as_str(),
                alert.key
            )
        });
        told.collect()
    }

    /// The messages without their keys.
    pub(super) fn states(&self) -> Vec<String> {
        let states = self.told.iter().map(|(at, _, event)| {
            format!("{} {}", Span(at.since(START)), alert(event).state.as_str())
        });
        states.collect()
    }

    pub(super) fn messages(&self) -> Vec<Arc<Event>> {
        self.told
            .iter()
            .map(|(.., event)| Arc::clone(event))
            .collect()
    }

    pub(super) fn addressees(&self) -> Vec<Addressee> {
        self.told.iter().map(|(_, to, _)| *to).collect()
    }

    pub(super) fn last(&self) -> &Event {
        &self.told.last().unwrap().2
    }
}

pub(super) fn alert(event: &Event) -> &Alert {
    event.alert.as_deref().unwrap()
}
