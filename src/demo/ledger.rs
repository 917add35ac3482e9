//! What the controller knows: every event it ever made, which its history serves and tests compare with what arrived.

use super::item::with_field;
use super::twin::{Directory, has_twin, twin};
use std::collections::{BTreeMap, VecDeque, vec_deque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Timestamp;

/// Every event the simulated controller made. A copy is a view of the same ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    sites: Arc<Mutex<Sites>>,
    directory: Arc<Directory>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Sites {
    /// Per site in order of time.
    entries: BTreeMap<String, VecDeque<Arc<Entry>>>,
    made: u64,
    forgotten: u64,
}

/// One event.
#[derive(Debug)]
pub struct Entry {
    /// Counts from zero in the order in which the controller made them, over all sites.
    pub number: u64,
    /// Short name of the site; `super` for what belongs to none.
    pub site: String,
    /// `EVT_…` or a system-log key.
    pub key: String,
    /// The event's own time.
    pub time: Timestamp,
    /// The id as sent on the socket, which some controllers leave out.
    pub id: Option<String>,
    /// The item exactly as sent on the socket.
    pub raw: String,
    /// By which kind of frame it was sent.
    pub carrier: Carrier,
    /// How many sockets it was given to; zero means that nobody was listening.
    pub listeners: usize,
    record_id: String,
    twin_id: String,
    made: Instant,
    twin: OnceLock<Option<String>>,
    legacy: OnceLock<Option<String>>,
}

/// The two kinds of frame that carry events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `events`: EVT_ items.
    Events,
    /// `alert`: items shaped like the system log.
    Alert,
}

/// What is to be recorded.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) site: String,
    pub(super) key: String,
    pub(super) time: i64,
    pub(super) id: Option<String>,
    /// Id in the legacy history.
    pub(super) record_id: String,
    /// Id in the v2 history.
    pub(super) twin_id: String,
    pub(super) raw: String,
    pub(super) carrier: Carrier,
    pub(super) listeners: usize,
    pub(super) made: Instant,
}

/// What a history API asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Milliseconds, inclusive.
    pub(super) from: i64,
    pub(super) to: i64,
    /// Only what was made up to this moment is written yet.
    pub(super) written_by: Instant,
}

impl Ledger {
    pub(super) fn new(directory: Arc<Directory>, capacity: usize) -> Self {
        Self {
            sites: Arc::default(),
            directory,
            capacity,
        }
    }

    /// How many events were made, over all sites.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.lock().made
    }

    /// How many of them the ledger had no room to keep.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.lock().forgotten
    }

    /// The events of one site in the order in which they were made.
    #[must_use]
    pub fn entries(&self, site: &str) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self
            .lock()
            .entries
            .get(site)
            .map(|kept| kept.iter().cloned().collect())
            .unwrap_or_default();
        entries.sort_by_key(|entry| entry.number);
        entries
    }

    /// The events of all sites in the order in which they were made.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.lock().entries.values().flatten().cloned().collect();
        entries.sort_by_key(|entry| entry.number);
        entries
    }

    /// The event's text in the v2 system log, for those that have one there.
    #[must_use]
    pub fn system_log<'a>(&self, entry: &'a Entry) -> Option<&'a str> {
        let render = || match entry.carrier {
            Carrier::Alert => Some(entry.raw.clone()),
            Carrier::Events => twin(&self.directory, &entry.raw, &entry.twin_id, false),
        };
        entry.twin.get_or_init(render).as_deref()
    }

    /// Whether `raw`, an item as received, is this event: as sent, or as one of the histories tells it.
    #[must_use]
    pub fn same(&self, entry: &Entry, raw: &str) -> bool {
        entry.raw == raw || entry.legacy() == Some(raw) || self.system_log(entry) == Some(raw)
    }

    pub(super) fn next_number(&self) -> u64 {
        self.lock().made
    }

    /// Count events that are not kept.
    pub(super) fn count_only(&self, events: u64) {
        let mut sites = self.lock();
        sites.made += events;
        sites.forgotten += events;
    }

    pub(super) fn record(&self, record: Record) -> Arc<Entry> {
        let mut sites = self.lock();
        let entry = Arc::new(Entry {
            number: sites.made,
            site: record.site,
            key: record.key,
            time: Timestamp::from_millis(record.time),
            id: record.id,
            raw: record.raw,
            carrier: record.carrier,
            listeners: record.listeners,
            record_id: record.record_id,
            twin_id: record.twin_id,
            made: record.made,
            twin: OnceLock::new(),
            legacy: OnceLock::new(),
        });
        sites.made += 1;
        let kept = sites.entries.entry(entry.site.clone()).or_default();
        // Times come nearly in order, so the place is near the end.
        let place = kept
            .iter()
            .rposition(|other| other.time <= entry.time)
            .map_or(0, |at| at + 1);
        kept.insert(place, Arc::clone(&entry));
        if kept.len() > self.capacity {
            kept.pop_front();
            sites.forgotten += 1;
        }
        entry
    }

    /// Newest first: what the v2 system log of this site has in the window.
    pub(super) fn in_system_log(&self, site: &str, window: Window) -> Vec<Arc<Entry>> {
        self.within(site, window, Entry::in_system_log)
    }

    /// A page of what `stat/event` of this site has in the window, newest first unless `oldest_first`; and how much there
    /// is on all pages. A history may be long and its pages many, so that only those of the page are looked at closely.
    pub(super) fn in_legacy(
        &self,
        site: &str,
        window: Window,
        page: (usize, usize),
        oldest_first: bool,
    ) -> (Vec<Arc<Entry>>, usize) {
        let sites = self.lock();
        let Some(kept) = sites.entries.get(site) else {
            return (Vec::new(), 0);
        };
        let in_window = range(kept, window);
        let has = |entry: &&Arc<Entry>| entry.made <= window.written_by && entry.in_legacy();
        let (start, limit) = page;
        let entries = if oldest_first {
            let found = in_window.clone().filter(has);
            found.skip(start).take(limit).cloned().collect()
        } else {
            let found = in_window.clone().rev().filter(has);
            found.skip(start).take(limit).cloned().collect()
        };
        (entries, in_window.filter(has).count())
    }

    fn within(
        &self,
        site: &str,
        window: Window,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Vec<Arc<Entry>> {
        let sites = self.lock();
        let Some(kept) = sites.entries.get(site) else {
            return Vec::new();
        };
        range(kept, window)
            .rev()
            .filter(|entry| entry.made <= window.written_by && wanted(entry))
            .cloned()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Sites> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether the v2 system log has it.
    #[must_use]
    pub fn in_system_log(&self) -> bool {
        self.carrier == Carrier::Alert || has_twin(&self.key)
    }

    /// Whether `stat/event` has it.
    #[must_use]
    pub fn in_legacy(&self) -> bool {
        self.carrier == Carrier::Events
    }

    /// The event's text in `stat/event`, for those that are there: always with an `_id`.
    #[must_use]
    pub fn legacy(&self) -> Option<&str> {
        let render = || match (self.carrier, &self.id) {
            (Carrier::Alert, _) => None,
            (Carrier::Events, Some(_)) => Some(self.raw.clone()),
            (Carrier::Events, None) => Some(with_field(&self.raw, "_id", &self.record_id)),
        };
        self.legacy.get_or_init(render).as_deref()
    }
}

/// Those whose time is in the window, in the order of time.
fn range(kept: &VecDeque<Arc<Entry>>, window: Window) -> vec_deque::Iter<'_, Arc<Entry>> {
    let start = kept.partition_point(|entry| entry.time.as_millis() < window.from);
    let end = kept.partition_point(|entry| entry.time.as_millis() <= window.to);
    kept.range(start..end.max(start))
}

/// The latest moment that counts as written when writing takes `lag`.
pub(super) fn written_by(now: Instant, lag: Duration) -> Instant {
    // A machine that was started less than `lag` ago has written nothing before its start.
    now.checked_sub(lag).unwrap_or(now)
}
