//! Old events through the chains of today: what they would do, beside what was done.
//!
//! Time is the events' own, and everything remembered is the replay's own: it begins with nothing and ends with the
//! process. Nothing is sent and nothing committed; whoever wants that has the shares.

use crate::chain::{Chains, Now, Routing, Shape, verdict};
use crate::control::fate::{ChainFate, name_chains};
use crate::store::{DeadLetter, Share, StateEntry};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{BufferedEvent, Event, Origin, Timestamp};

/// Most moments at which something is due between two events; the rest is said with the next.
const MOMENTS: usize = 1000;

/// The chains of today, and where the replay is in time.
#[derive(Debug)]
pub struct Replay {
    chains: Chains,
    routing: Routing,
    shape: Shape,
    begun: Instant,
    first: Option<Timestamp>,
    last: Duration,
}

/// What became of one event, and of what alerts and digests had to say by its time.
#[derive(Debug)]
pub struct Replayed {
    /// What each chain and step did with it.
    pub chains: Vec<ChainFate>,
    /// How often each sink would get it, or what scripts make of it.
    pub sent: Sent,
    /// What alerts and digests said, with what became of that.
    pub said: Vec<(BufferedEvent, Vec<ChainFate>, Sent)>,
    /// All of it, and what was made of it.
    pub events: Vec<BufferedEvent>,
    /// What each sink would get.
    pub shares: Vec<Share>,
    /// What a step gave up on.
    pub dead: Vec<DeadLetter>,
}

/// How often each sink got, or would get, an event or what was made of it; by name.
pub type Sent = BTreeMap<String, u64>;

/// The names of chains and steps at earlier times, by the key that records have.
#[derive(Debug, Default)]
pub struct Shapes(HashMap<String, Shape>);

impl Replay {
    /// Through these `chains`, of this `shape`, to so many sinks; `begun` is any moment.
    #[must_use]
    pub fn new(chains: Chains, shape: Shape, sinks: usize, begun: Instant) -> Self {
        let mut routing = Routing::new(sinks, 1);
        routing.record_verdicts(&shape);
        Self {
            chains,
            routing,
            shape,
            begun,
            first: None,
            last: Duration::ZERO,
        }
    }

    /// Run `event` through, at its own time; for the memory of scripts only when it was history from before herald.
    pub fn run(&mut self, event: &Arc<Event>, journal_only: bool) -> Replayed {
        if self.first.is_none() {
            self.chains.begin(&[], event.time);
        }
        self.routing.for_journal_only(false);
        self.say_what_is_due(event.time);
        let place = self.routing.len();
        let now = self.now(event.time);
        self.routing.for_journal_only(journal_only);
        self.chains.route(event, now, &mut self.routing);
        self.routing.for_journal_only(false);
        self.say_what_is_due(event.time);
        // Nobody keeps it, and it would grow.
        drop(self.chains.take_state());
        let records = self.routing.take_verdicts();
        let (events, shares, dead) = self.routing.take(now.wall);
        let mut replayed = Replayed {
            chains: Vec::new(),
            sent: Sent::new(),
            said: Vec::new(),
            events,
            shares,
            dead,
        };
        for (index, (event, record)) in replayed.events.iter().zip(&records).enumerate() {
            // What a script made is told with what it was made of.
            if verdict::is_of_made(record) {
                continue;
            }
            let Some((_, chains)) = verdict::read(record) else {
                continue;
            };
            let chains = name_chains(chains, &self.shape);
            let sent = sent(&chains);
            if index == place {
                (replayed.chains, replayed.sent) = (chains, sent);
            } else {
                replayed.said.push((event.clone(), chains, sent));
            }
        }
        replayed
    }

    /// Let alerts and digests say what is due by `time`, each at its moment.
    fn say_what_is_due(&mut self, time: Timestamp) {
        for _ in 0..MOMENTS {
            match self.chains.wake_at(time) {
                Some(at) if at <= time => {
                    let now = self.now(at);
                    self.chains.tick(now, &mut self.routing);
                }
                _ => return,
            }
        }
    }

    /// The wall shows the event's time. What is monotonic goes forward with it, and stands where events are out of
    /// order.
    fn now(&mut self, time: Timestamp) -> Now {
        let first = *self.first.get_or_insert(time);
        if time > first {
            self.last = self.last.max(time.since(first));
        }
        Now {
            instant: self.begun + self.last,
            wall: time,
        }
    }
}

impl Shapes {
    /// As the store keeps them under [`Shape::SCOPE`].
    #[must_use]
    pub fn of(kept: Vec<StateEntry>) -> Self {
        let shapes = kept.into_iter().filter_map(|entry| {
            let shape = serde_json::from_slice(&entry.value).ok()?;
            Some((entry.key.to_string(), shape))
        });
        Self(shapes.collect())
    }

    /// What was sent at that time, by the record of it; none when there is none, or none that is understood.
    #[must_use]
    pub fn sent(&self, record: Option<&[u8]>) -> Option<Sent> {
        let (key, chains) = verdict::read(record?)?;
        let shape = self.0.get(&Shape::name_of(key))?;
        Some(sent(&name_chains(chains, shape)))
    }
}

/// Whether no sink got the event whatever the chains said, because it was history from before herald.
#[must_use]
pub fn is_for_journal_only(record: Option<&[u8]>) -> bool {
    let read = record.and_then(verdict::read);
    read.is_some_and(|(_, chains)| {
        let mut steps = chains.iter().flat_map(|chain| &chain.steps);
        steps.any(|step| step.deed == verdict::Deed::Journaled)
    })
}

/// Whether a replay makes this event itself, out of those that it was made of at that time.
#[must_use]
pub fn is_made(event: &Event, record: Option<&[u8]>) -> bool {
    let by_chains = matches!(event.kind.category(), "alert" | "digest");
    let by_script = event.origin == Origin::Derived && record.is_some_and(verdict::is_of_made);
    by_chains || by_script
}

fn sent(chains: &[ChainFate]) -> Sent {
    let mut sent = Sent::new();
    let steps = chains.iter().flat_map(|chain| &chain.steps);
    for step in steps.filter(|step| step.did == "given") {
        if let Some(sink) = step.step.strip_prefix("sink ") {
            *sent.entry(sink.to_owned()).or_default() += 1;
        }
    }
    sent
}
