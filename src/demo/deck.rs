//! Frames for benchmarks: rendered once, dealt again and again with a fresh id and time in each event.

use super::hub::{Hub, event_frame};
use super::item::{datetime, with_field};
use super::ledger::Carrier;
use super::rng::hash;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Bytes;

/// Frames of one site.
#[derive(Debug)]
struct Pile {
    site: String,
    frames: Vec<Card>,
    syncs: Vec<Bytes>,
}

/// A frame, and where its ids, times and dates are.
#[derive(Debug)]
struct Card {
    text: String,
    items: u64,
    ids: Vec<usize>,
    times: Vec<usize>,
    dates: Vec<usize>,
}

/// The frames of all sites.
#[derive(Debug)]
pub(super) struct Deck {
    piles: Vec<Pile>,
    family: u64,
    dealt: u64,
    next: usize,
    /// Sync frames that are due, with the fraction left over.
    syncs: f64,
    sync_rate: f64,
}

/// Different frames per site; what they tell repeats after that.
const FRAMES: usize = 1_024;
/// Frames dealt at a time.
const HAND: usize = 64;

impl Deck {
    pub(super) fn new(hub: &Arc<Hub>, items: usize) -> Self {
        let now = hub.event_time().as_millis();
        let mut world = hub.world();
        let piles = world.stories.iter_mut().map(|story| {
            let mut item = || loop {
                let item = story.next(now);
                if !item.alert {
                    return with_field(&item.text, "_id", "000000000000000000000000");
                }
            };
            let frames = (0..FRAMES)
                .map(|_| {
                    Card::new(
                        &std::iter::repeat_with(&mut item)
                            .take(items)
                            .collect::<Vec<_>>(),
                    )
                })
                .collect();
            let syncs = (0..32)
                .map(|_| Bytes::from(story.sync_frame(now)))
                .collect();
            Pile {
                site: story.fleet.name.to_owned(),
                frames,
                syncs,
            }
        });
        let share = hub.options.sync_share.clamp(0.0, 0.99);
        let piles = piles.collect();
        Self {
            piles,
            family: hash("deck") ^ hub.options.seed,
            dealt: 0,
            next: 0,
            syncs: 0.0,
            sync_rate: share / (1.0 - share),
        }
    }

    /// Give every site's sockets some more frames.
    pub(super) fn deal(&mut self, hub: &Hub) {
        let now = hub.event_time().as_millis();
        let (time, date) = (format!("{now:013}"), datetime(now));
        let mut events = 0;
        for pile in &self.piles {
            let peers = hub.peers.of(&pile.site);
            if peers.is_empty() {
                continue;
            }
            for n in 0..HAND {
                let Some(card) = pile.frames.get((self.next + n) % pile.frames.len().max(1)) else {
                    continue;
                };
                let first = self.dealt + events;
                let frame = Bytes::from(card.fresh(self.family, first, now, &time, &date));
                events += card.items;
                peers.iter().for_each(|peer| peer.offer(frame.clone()));
                self.syncs += self.sync_rate;
                while self.syncs >= 1.0 {
                    self.syncs -= 1.0;
                    if let Some(sync) = pile.syncs.get((self.next + n) % pile.syncs.len().max(1)) {
                        peers.iter().for_each(|peer| peer.offer(sync.clone()));
                    }
                }
            }
        }
        self.dealt += events;
        self.next += HAND;
        hub.ledger.count_only(events);
    }
}

impl Card {
    fn new(items: &[String]) -> Self {
        let text = event_frame(Carrier::Events, items);
        let find = |name: &str| {
            text.match_indices(name)
                .map(|(at, found)| at + found.len())
                .collect::<Vec<_>>()
        };
        let (ids, times, dates) = (
            find("\"_id\":\""),
            find("\"time\":"),
            find("\"datetime\":\""),
        );
        Self {
            items: items.len() as u64,
            ids,
            times,
            dates,
            text,
        }
    }

    /// The frame with ids from `first` on, and this time. The ids are made as the controller's database makes them: of
    /// the second, the process and a counter.
    fn fresh(&self, family: u64, first: u64, now: i64, time: &str, date: &str) -> String {
        let mut bytes = self.text.clone().into_bytes();
        let second = u64::try_from(now / 1000).unwrap_or(0);
        for (&at, n) in self.ids.iter().zip(first..) {
            hex(&mut bytes[at..at + 8], second);
            hex(&mut bytes[at + 8..at + 18], family);
            hex(&mut bytes[at + 18..at + 24], n);
        }
        for &at in &self.times {
            bytes[at..at + 13].copy_from_slice(time.as_bytes());
        }
        for &at in &self.dates {
            bytes[at..at + 20].copy_from_slice(date.as_bytes());
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

fn hex(out: &mut [u8], mut value: u64) {
    for byte in out.iter_mut().rev() {
        *byte = b"0123456789abcdef"[usize::try_from(value & 15).unwrap_or(0)];
        value >>= 4;
    }
}
