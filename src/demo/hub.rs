//! The heart of the simulator: what happens is written into the ledger and given to the sockets, in one order.

use super::SimulatorOptions;
use super::auth::{Account, Door};
use super::item::{Item, with_field};
use super::ledger::{Carrier, Entry, Ledger, Record};
use super::mischief::{History, Mischief};
use super::peers::Peers;
use super::rng::{Rng, hash, object_id};
use super::scenario::Act;
use super::stats::Stats;
use super::story::Story;
use super::twin::{Directory, has_twin, twin};
use crate::config::ControllerKind;
use crate::tasks::Tasks;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Bytes;
use unifi_herald_plugin::Timestamp;

/// Everything the parts of the simulator share.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) options: SimulatorOptions,
    pub(super) stats: Stats,
    pub(super) ledger: Ledger,
    pub(super) mischief: Mischief,
    pub(super) door: Arc<Door>,
    pub(super) peers: Arc<Peers>,
    pub(super) tasks: Tasks,
    started: (Instant, Timestamp),
    world: Mutex<World>,
}

/// What happens, and the order in which it does.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stories: Vec<Story>,
    rng: Rng,
}

/// The site-less socket of self-hosted controllers.
pub(super) const SUPER: &str = "super";

impl Hub {
    pub(super) fn new(options: SimulatorOptions) -> Self {
        let fleets: Vec<_> = options
            .networks()
            .into_iter()
            .map(|network| network.build(options.seed, options.kind))
            .collect();
        let directory = Arc::new(Directory::new(&fleets, options.kind));
        let started = (
            options.clock.now(),
            options.time_origin.unwrap_or_else(|| options.clock.wall()),
        );
        let now = started.1.as_millis();
        let stories = fleets
            .into_iter()
            .map(|fleet| {
                Story::new(fleet, Arc::clone(&directory), options.seed, now)
                    .troubled(options.trouble)
            })
            .collect();
        let account = Account {
            username: options.username.clone(),
            password: options.password.clone(),
            totp: options.totp.clone(),
            api_key: options.api_key.clone(),
            session: options.session,
        };
        let (door, peers) = (
            Arc::new(Door::new(account, options.seed)),
            Arc::new(Peers::default()),
        );
        Self {
            stats: Stats::default(),
            ledger: Ledger::new(directory, options.ledger_capacity),
            mischief: Mischief::new(Arc::clone(&peers), Arc::clone(&door)),
            door,
            peers,
            tasks: Tasks::new(),
            started,
            world: Mutex::new(World {
                stories,
                rng: Rng::new(options.seed ^ 0x0077),
            }),
            options,
        }
    }

    /// The controller's own time, which events carry.
    pub(super) fn event_time(&self) -> Timestamp {
        let elapsed = self
            .options
            .clock
            .now()
            .saturating_duration_since(self.started.0);
        if self.options.time_origin.is_none()
            && (self.options.time_scale - 1.0).abs() < f64::EPSILON
        {
            return self.options.clock.wall();
        }
        self.started.1
            + Duration::try_from_secs_f64(elapsed.as_secs_f64() * self.options.time_scale.max(0.0))
                .unwrap_or_default()
    }

    pub(super) fn history(&self) -> History {
        self.mischief
            .settings()
            .history
            .unwrap_or(self.options.history)
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let `count` events of ordinary life happen on a site.
    pub(super) fn emit(&self, site: usize, count: usize) -> Vec<Arc<Entry>> {
        let (now, legacy) = (
            self.event_time().as_millis(),
            self.history() == History::LegacyOnly,
        );
        let mut world = self.world();
        let Some(story) = world.stories.get_mut(site) else {
            return Vec::new();
        };
        let told = std::iter::repeat_with(|| story.next(now))
            .filter(|item| !(item.alert && legacy))
            .take(count);
        let items: Vec<Item> = told.collect();
        self.publish(&mut world, site, items)
    }

    /// Let something happen on a site and publish all that is said about it.
    pub(super) fn act(&self, site: usize, acts: impl IntoIterator<Item = Act>) -> Vec<Arc<Entry>> {
        let (now, legacy) = (
            self.event_time().as_millis(),
            self.history() == History::LegacyOnly,
        );
        let mut world = self.world();
        let Some(story) = world.stories.get_mut(site) else {
            return Vec::new();
        };
        for act in acts {
            story.act(act, now);
        }
        let items = story
            .ready
            .drain(..)
            .filter(|item| !(item.alert && legacy))
            .collect();
        self.publish(&mut world, site, items)
    }

    /// Publish an item word for word.
    pub(super) fn emit_item(&self, site: usize, carrier: Carrier, raw: &str) -> Arc<Entry> {
        let value: Value = serde_json::from_str(raw).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| value.get(name).and_then(Value::as_i64);
        let time = number("time")
            .or_else(|| number("timestamp"))
            .unwrap_or_else(|| self.event_time().as_millis());
        let mut world = self.world();
        let name = self.site_of(&world, site, false);
        let record = Record {
            key: text("key").unwrap_or_default(),
            time,
            id: text("_id").or_else(|| text("id")),
            raw: raw.to_owned(),
            ..self.blank(name, carrier)
        };
        let entry = self.ledger.record(record);
        self.send(&mut world, std::slice::from_ref(&entry));
        entry
    }

    /// Send a sync frame of a site to its sockets.
    pub(super) fn sync(&self, site: usize) {
        let now = self.event_time().as_millis();
        let mut world = self.world();
        let Some(story) = world.stories.get_mut(site) else {
            return;
        };
        let peers = self.peers.of(story.fleet.name);
        if !peers.is_empty() {
            let frame = Bytes::from(story.sync_frame(now));
            peers.iter().for_each(|peer| peer.offer(frame.clone()));
        }
    }

    /// The name of the socket that carries what happens on this site.
    fn site_of(&self, world: &World, site: usize, siteless: bool) -> String {
        if siteless && self.options.kind == ControllerKind::SelfHosted {
            return SUPER.to_owned();
        }
        world
            .stories
            .get(site)
            .map_or_else(String::new, |story| story.fleet.name.to_owned())
    }

    fn publish(&self, world: &mut World, site: usize, items: Vec<Item>) -> Vec<Arc<Entry>> {
        let entries: Vec<_> = items
            .into_iter()
            .map(|item| self.record(world, site, item))
            .collect();
        self.send(world, &entries);
        entries
    }

    fn record(&self, world: &mut World, site: usize, item: Item) -> Arc<Entry> {
        let name = self.site_of(world, site, item.siteless);
        let as_alert = world.rng.chance(self.options.alert_share);
        let without_id = world.rng.chance(self.options.missing_id_share);
        let blank = self.blank(
            name,
            if item.alert {
                Carrier::Alert
            } else {
                Carrier::Events
            },
        );
        let twin_text = (as_alert
            && !item.alert
            && has_twin(&item.key)
            && self.history() != History::LegacyOnly)
            .then(|| {
                world
                    .stories
                    .get(site)
                    .and_then(|story| twin(&story.directory, &item.text, &blank.twin_id, true))
            });
        let record = match (item.id, twin_text.flatten()) {
            (Some(id), _) => Record {
                key: item.key,
                time: item.time,
                id: Some(id),
                raw: item.text,
                ..blank
            },
            (None, Some(raw)) => Record {
                key: item.key,
                time: item.time,
                id: Some(blank.twin_id.clone()),
                raw,
                carrier: Carrier::Alert,
                ..blank
            },
            (None, None) if without_id => Record {
                key: item.key,
                time: item.time,
                raw: item.text,
                ..blank
            },
            (None, None) => {
                let raw = with_field(&item.text, "_id", &blank.record_id);
                Record {
                    key: item.key,
                    time: item.time,
                    id: Some(blank.record_id.clone()),
                    raw,
                    ..blank
                }
            }
        };
        self.ledger.record(record)
    }

    fn blank(&self, site: String, carrier: Carrier) -> Record {
        let number = self.ledger.next_number();
        let family = self.options.seed ^ hash(&site);
        Record {
            listeners: self.peers.of(&site).len(),
            site,
            key: String::new(),
            time: 0,
            id: None,
            record_id: object_id(family ^ 0x0e, number),
            twin_id: object_id(family ^ 0x51, number),
            raw: String::new(),
            carrier,
            made: self.options.clock.now(),
        }
    }

    /// Give these events to the sockets of their sites. The world is held so that the order is that of the ledger.
    fn send(&self, _world: &mut World, entries: &[Arc<Entry>]) {
        let settings = self.mischief.settings();
        let due = |every: u64, entry: &Entry| every > 0 && entry.number % every == every - 1;
        let mut parcel = Parcel {
            hub: self,
            most: settings.items_per_frame.max(1),
            site: "",
            carrier: Carrier::Events,
            items: Vec::new(),
        };
        for entry in entries.iter().filter(|_| !self.mischief.swallows()) {
            parcel.add(&entry.site, entry.carrier, &entry.raw);
            if due(settings.duplicate_every, entry) {
                parcel.add(&entry.site, entry.carrier, &entry.raw);
            }
            let twin = (due(settings.twin_every, entry) && entry.carrier == Carrier::Events)
                .then(|| self.ledger.system_log(entry));
            if let Some(twin) = twin.flatten() {
                parcel.add(&entry.site, Carrier::Alert, twin);
            }
        }
        parcel.post();
    }
}

/// Items on their way into one frame.
struct Parcel<'a> {
    hub: &'a Hub,
    most: usize,
    site: &'a str,
    carrier: Carrier,
    items: Vec<&'a str>,
}

impl<'a> Parcel<'a> {
    fn add(&mut self, site: &'a str, carrier: Carrier, item: &'a str) {
        if self.items.len() >= self.most || self.site != site || self.carrier != carrier {
            self.post();
            (self.site, self.carrier) = (site, carrier);
        }
        self.items.push(item);
    }

    fn post(&mut self) {
        if self.items.is_empty() {
            return;
        }
        let peers = self.hub.peers.of(self.site);
        if !peers.is_empty() {
            let frame = Bytes::from(event_frame(self.carrier, &self.items));
            peers.iter().for_each(|peer| peer.offer(frame.clone()));
        }
        self.items.clear();
    }
}

/// A frame with these event items.
pub(super) fn event_frame<S: AsRef<str>>(carrier: Carrier, items: &[S]) -> String {
    let kind = match carrier {
        Carrier::Events => "events",
        Carrier::Alert => "alert",
    };
    format!(
        r#"{{"meta":{{"rc":"ok","message":"{kind}"}},"data":{}}}"#,
        super::json::array(items)
    )
}
