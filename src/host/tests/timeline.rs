//! A configuration's chains on a line of time: events go in when they happen, and what sinks are given is noted.

use super::super::assemble;
use crate::chain::{Chains, Now, Routing};
use crate::clock::Clock;
use crate::config::{Controllers, Locator, Plan, load};
use crate::newcomers::{Newcomers, Roll};
use crate::services::HostServices;
use crate::tasks::Tasks;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::testing::{EventBuilder, START};
use unifi_herald_plugin::{Event, Kind, Origin, Services, Timestamp};

/// A plan at work.
pub(super) struct Timeline {
    pub(super) plan: Plan,
    pub(super) clock: Clock,
    chains: Chains,
    routing: Routing,
    newcomers: Newcomers,
    /// What each sink was given, by its name.
    told: Vec<(String, Arc<Event>)>,
    made: u64,
}

/// The plan of `config`, with the scripts that come with herald beside it and a simulated controller.
pub(super) fn plan(config: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let scripts = folder.path().join("scripts");
    std::fs::create_dir(&scripts).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for script in std::fs::read_dir(shipped).unwrap() {
        let script = script.unwrap();
        std::fs::copy(script.path(), scripts.join(script.file_name())).unwrap();
    }
    let locator = Locator {
        file: None,
        environment: BTreeMap::new(),
        directory: folder.path().to_owned(),
        controllers: Controllers::Replaced,
    };
    let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
    load(&locator, &crate::builtin(), &services)
        .unwrap_or_else(|errors| panic!("{errors}\nin\n{config}"))
}

impl Timeline {
    /// Begin at [`START`]. Scripts in files are not there any more.
    pub(super) fn of(config: &str) -> Self {
        let plan = plan(config);
        let clock = Clock::manual(START);
        let services = HostServices::new(clock.clone(), Tasks::new());
        let engine = assemble::engine(&plan, &clock);
        let registry = Arc::new(crate::builtin());
        let mut chains = assemble::chains(&plan, &registry, &services, &engine).unwrap();
        chains.begin(&[], START);
        Self {
            routing: Routing::new(plan.sinks.len(), 1),
            plan,
            clock,
            chains,
            newcomers: Newcomers::default(),
            told: Vec::new(),
            made: 0,
        }
    }

    /// Let time pass; what is due is done when it is.
    pub(super) fn pass(&mut self, time: Duration) -> &mut Self {
        self.until(self.clock.wall() + time)
    }

    fn until(&mut self, target: Timestamp) -> &mut Self {
        for step in 0.. {
            assert!(step < 100_000, "time does not pass");
            let now = self.now();
            let wake = self.chains.wake_at(now.wall).filter(|at| *at <= target);
            let Some(wake) = wake else { break };
            self.clock.advance(wake.since(now.wall));
            let now = self.now();
            self.chains.tick(now, &mut self.routing);
            self.note();
        }
        self.clock.advance(target.since(self.clock.wall()));
        self
    }

    /// Something happens now.
    pub(super) fn route(&mut self, event: &Arc<Event>) {
        self.decide(event, false);
    }

    /// Something that happened before herald was there.
    pub(super) fn remember(&mut self, event: &Arc<Event>) {
        self.routing.for_journal_only(true);
        self.decide(event, true);
        self.routing.for_journal_only(false);
    }

    /// As the router does, on a site whose lists are empty when it is met.
    fn decide(&mut self, event: &Arc<Event>, history: bool) {
        let now = self.now();
        let roll = Roll {
            controller: event.controller.clone(),
            site: event.site.clone(),
            clients: Vec::new(),
        };
        self.newcomers.take_roll(&roll, now.wall);
        self.chains.route(event, now, &mut self.routing);
        if let Some(newcomer) = self.newcomers.judge(event, history, now.wall) {
            let newcomer = Arc::new(newcomer);
            self.chains.route(&newcomer, now, &mut self.routing);
        }
        self.note();
    }

    /// An event of `kind`, now.
    pub(super) fn push(&mut self, kind: Kind) -> &mut Self {
        self.push_with(kind, |_| {})
    }

    /// An event of `kind`, changed, now.
    pub(super) fn push_with(&mut self, kind: Kind, change: impl FnOnce(&mut Event)) -> &mut Self {
        self.made += 1;
        let event = EventBuilder::new(kind).id(&self.made.to_string());
        let event = event.time(self.clock.wall()).with(|event| {
            event.received = event.time;
            event.origin = Origin::Stream;
        });
        self.route(&Arc::new(event.with(change).build()));
        self
    }

    /// What was told since the last call, and to which sink.
    pub(super) fn told_events(&mut self) -> Vec<(String, Arc<Event>)> {
        std::mem::take(&mut self.told)
    }

    /// What was told since the last call: `phone alert.firing Kitchen is offline`.
    pub(super) fn told(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.map(|(sink, event)| format!("{sink} {} {}", event.kind, event.summary))
            .collect()
    }

    fn now(&self) -> Now {
        Now {
            instant: self.clock.now(),
            wall: self.clock.wall(),
        }
    }

    fn note(&mut self) {
        let (_, shares, dead) = self.routing.take(self.clock.wall());
        assert!(dead.is_empty(), "{dead:?}");
        for share in shares {
            let sink = self.plan.sinks[share.sink].name.to_string();
            let events = share.events.into_iter();
            self.told
                .extend(events.map(|event| (sink.clone(), event.event)));
        }
    }
}
