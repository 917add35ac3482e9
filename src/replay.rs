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

/// What became of one event.
#[derive(Debug)]
pub struct Replayed {
    /// What each chain and step did with it.
    pub chains: Vec<ChainFate>,
    /// How often each sink would get it, or what was made of it.
    pub sent: Sent,
    /// It, and what was made of it.
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
        let now = self.now(event.time);
        self.routing.for_journal_only(journal_only);
        self.chains.route(event, now, &mut self.routing);
        // Nobody keeps it, and it would grow.
        drop(self.chains.take_state());
        let record = self.routing.take_verdicts().into_iter().next();
        let record = record.as_deref().and_then(verdict::read);
        let chains = record.map(|(_, chains)| name_chains(chains, &self.shape));
        let chains = chains.unwrap_or_default();
        let (events, shares, dead) = self.routing.take(now.wall);
        Replayed {
            sent: sent(&chains),
            chains,
            events,
            shares,
            dead,
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
    // What a script made has no record of its own.
    let by_script = event.origin == Origin::Derived && record.is_some_and(<[u8]>::is_empty);
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
