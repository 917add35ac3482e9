//! What keeping a batch costs: journal and outbox on disk, with one sink and with five, with and without the record of
//! what each step did, against memory.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot go on has nothing to say"
)]

use divan::Bencher;
use divan::counter::ItemsCount;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::config::{BufferPlan, StoreMode, StorePlan, SyncMode, WhenFull};
use unifi_herald::store::{Commit, DiskStore, MemoryStore, Settled, Share, Store};
use unifi_herald_plugin::{BufferedEvent, Client, Event, Kind, Mac, Raw, Text, Timestamp};

/// Events in a batch, as the router makes them under load.
const BATCH: u64 = 512;

/// Batches in a measurement.
const SAMPLES: u32 = 200;

const BUFFER: BufferPlan = BufferPlan {
    capacity: 10_000,
    when_full: WhenFull::Wait,
    max_wait: Duration::ZERO,
    max_bytes: 32 << 20,
};

fn main() {
    divan::main();
}

/// A store and the next batch for it.
struct Rig {
    runtime: tokio::runtime::Runtime,
    store: Box<dyn Store>,
    sinks: usize,
    next: u64,
    /// Bytes of the record of each event; 0 for none.
    record: usize,
}

impl Rig {
    fn new(sinks: usize, open: impl FnOnce(&[Text]) -> Box<dyn Store>) -> Self {
        let names: Vec<Text> = (0..sinks)
            .map(|sink| format!("sink{sink}").into())
            .collect();
        let store = open(&names);
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime"),
            next: store.next_seq(),
            store,
            sinks,
            record: 0,
        }
    }

    fn batch(&mut self) -> Commit {
        let events: Vec<_> = (self.next..self.next + BATCH).map(roam).collect();
        self.next += BATCH;
        let share = |sink| Share {
            sink,
            events: events.clone(),
        };
        let recorded = if self.record > 0 { events.len() } else { 0 };
        Commit {
            shares: (0..self.sinks).map(share).collect(),
            verdicts: vec![vec![7; self.record]; recorded],
            events,
            ..Commit::default()
        }
    }

    /// Commit, and let every sink claim and settle.
    fn pass(&self, commit: Commit) {
        self.runtime.block_on(async {
            self.store.commit(commit).await.expect("a commit");
            for sink in 0..self.sinks {
                let mut left = BATCH;
                while left > 0 {
                    let claimed = self.store.claim(sink, 512).await;
                    left -= claimed.len() as u64;
                    let settled = claimed
                        .iter()
                        .map(|event| Settled::Delivered { seq: event.seq });
                    self.store
                        .settle(sink, settled.collect())
                        .await
                        .expect("room");
                }
            }
        });
    }
}

fn roam(seq: u64) -> BufferedEvent {
    let id = format!("5ee9f7ca453d4e00{seq:08x}");
    let time = Timestamp::from_millis(1_795_305_600_000 + i64::try_from(seq).unwrap_or(0));
    let mut event = Event::new(Kind::CLIENT_ROAMED, id.as_str(), time);
    event.controller = "home".into();
    event.site = "default".into();
    event.site_name = "Home".into();
    event.key = Some("EVT_WU_Roam".into());
    event.summary = "Anna's iPhone roamed from Attic to Kitchen on Home (5 GHz, 36 → 44)".into();
    event.client = Some(Client {
        mac: Some(Mac::new([0xaa, 0, 0, 0, 0, (seq % 200) as u8])),
        name: Some("Anna's iPhone".into()),
        hostname: Some("iphone".into()),
        ..Client::default()
    });
    let raw = format!(
        r#"{{"_id":"{id}","key":"EVT_WU_Roam","subsystem":"wlan","site_id":"5c8d1a2b3c4d5e6f70819203","user":"aa:00:00:00:00:01","hostname":"iphone","ssid":"Home","ap_from":"f0:9f:c2:00:00:01","ap_to":"f0:9f:c2:00:00:02","ap_from_name":"Attic","ap_to_name":"Kitchen","radio_from":"na","radio_to":"na","channel_from":"36","channel_to":"44","time":{},"datetime":"2026-11-22T17:21:13Z","msg":"User[aa:00:00:00:00:01] roams from AP[f0:9f:c2:00:00:01] to AP[f0:9f:c2:00:00:02] from \"channel 36(na)\" to \"channel 44(na)\" on \"Home\"","is_negative":false}}"#,
        time.as_millis()
    );
    event.raw = Raw::parse(&raw).ok();
    BufferedEvent {
        seq,
        event: Arc::new(event),
    }
}

fn measure(bencher: Bencher<'_, '_>, mut rig: Rig) {
    let batches = std::sync::Mutex::new((0..=SAMPLES).map(|_| rig.batch()).collect::<Vec<_>>());
    let next = || {
        let mut batches = batches.lock().expect("one thread");
        batches.pop().unwrap_or_default()
    };
    batches.lock().expect("one thread").reverse();
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(next)
        .bench_local_values(|commit| {
            if !commit.events.is_empty() {
                rig.pass(commit);
            }
        });
}

#[divan::bench(args = [1, 5], sample_count = SAMPLES, sample_size = 1)]
fn disk(bencher: Bencher<'_, '_>, sinks: usize) {
    on_disk(bencher, sinks, 0);
}

/// As much as four chains of four steps leave behind.
#[divan::bench(args = [1, 5], sample_count = SAMPLES, sample_size = 1)]
fn disk_recorded(bencher: Bencher<'_, '_>, sinks: usize) {
    on_disk(bencher, sinks, 24);
}

fn on_disk(bencher: Bencher<'_, '_>, sinks: usize, record: usize) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut plan = StorePlan::new(StoreMode::Disk, dir.path().join("data"));
    plan.sync = SyncMode::Full;
    let open = |names: &[Text]| -> Box<dyn Store> {
        let store = DiskStore::open(&plan, names, &BUFFER, Clock::system());
        Box::new(store.expect("a store"))
    };
    let mut rig = Rig::new(sinks, open);
    rig.record = record;
    measure(bencher, rig);
}

#[divan::bench(args = [1, 5], sample_count = SAMPLES, sample_size = 1)]
fn memory(bencher: Bencher<'_, '_>, sinks: usize) {
    let open = |names: &[Text]| -> Box<dyn Store> {
        Box::new(MemoryStore::new(names, &BUFFER, Clock::system()))
    };
    measure(bencher, Rig::new(sinks, open));
}
