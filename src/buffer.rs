//! The bounded ring between the socket and the chains: what is kept, what waits, what is lost.

use crate::config::{BufferPlan, WhenFull};
use crate::newcomers::Roll;
use crate::store::HoleChange;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Event, Gap, Origin, Text};

/// Bounds of a ring, and what happens at them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most events.
    pub events: usize,
    /// Most bytes, by [`Event::weight`]; one event is admitted however large it is.
    pub bytes: usize,
    /// What happens to an event that finds the ring full.
    pub when_full: WhenFull,
    /// How long [`WhenFull::Wait`] waits.
    pub max_wait: Duration,
}

impl Limits {
    /// The ring's part of the plan, where `holders` queues share the bytes.
    #[must_use]
    pub fn new(plan: &BufferPlan, holders: usize) -> Self {
        Self {
            events: plan.capacity.max(1),
            bytes: share_of_bytes(plan, holders),
            when_full: plan.when_full,
            max_wait: plan.max_wait,
        }
    }
}

/// What each of `holders` queues may hold of `max_bytes`, so that all together stay within it.
#[must_use]
pub fn share_of_bytes(plan: &BufferPlan, holders: usize) -> usize {
    usize::try_from(plan.max_bytes).unwrap_or(usize::MAX) / holders.max(1)
}

/// What passes through the ring.
#[derive(Clone, Debug)]
pub enum Item {
    /// An event on its way to the sinks.
    Event(Arc<Event>),
    /// An event of a history that will be told again; where it is in doubt whether it is new, that is decided then.
    Early(Arc<Event>),
    /// An event for the journal and the memory of scripts only: history older than herald.
    Seed(Arc<Event>),
    /// A change to the open holes, which must not be committed before what stands in front of it.
    Hole(Box<HoleNews>),
    /// The clients of a site, which must be known before what stands behind it is judged.
    Roll(Box<Roll>),
    /// An event of another program, which comes again unless it is kept: it is never lost here.
    Handed(Arc<Event>),
    /// Asks to be told when everything in front of it is committed.
    Receipt(u64),
}

/// A change to the open holes, and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct HoleNews {
    /// The change.
    pub change: HoleChange,
    /// The `herald.gap` that tells of what could not be fetched; committed together with the change.
    pub gap: Option<Arc<Event>>,
}

/// So many events are enough for the router to have something to do.
const ENOUGH: usize = 1_024;

/// How long whoever pushes lets the router go first.
const PAUSE: Duration = Duration::from_millis(100);

/// Most events of a history that are taken beyond the others.
const MAX_HISTORY: usize = 8_192;

impl Item {
    fn is_history(&self) -> bool {
        !matches!(self, Self::Handed(_))
            && self
                .event()
                .is_some_and(|event| event.origin == Origin::Backfill)
    }

    /// The event that takes part in the bounds of the ring.
    #[must_use]
    pub fn event(&self) -> Option<&Arc<Event>> {
        match self {
            Self::Event(event) | Self::Early(event) | Self::Seed(event) | Self::Handed(event) => {
                Some(event)
            }
            Self::Hole(_) | Self::Roll(_) | Self::Receipt(_) => None,
        }
    }
}

/// A first-in first-out queue of events that never grows past its limits, and of changes to holes and rolls, which are few
/// and never lost.
#[derive(Debug)]
pub struct Ring {
    limits: Limits,
    items: VecDeque<Item>,
    /// How many of the items are events.
    events: usize,
    bytes: usize,
    full_since: Option<Instant>,
    /// Since when it has held enough, with nothing taken.
    enough_since: Option<Instant>,
    losses: Vec<Loss>,
    /// How many receipts were asked for.
    receipts: u64,
}

/// What became of an offered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It, or what was lost in its place, is settled.
    Taken,
    /// There is no room: offer it again when there is, or at this time, when it will push out the oldest.
    Full(Instant),
}

/// Events that were dropped because the ring was full, of one controller and site; herald's own apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Name of the controller.
    pub controller: Text,
    /// Short name of the site.
    pub site: Text,
    /// Name of the site for people.
    pub site_name: Text,
    /// Whether they are herald's own, which no history has.
    pub own: bool,
    /// The stretch of time they are from, and how many they are.
    pub gap: Gap,
}

impl Loss {
    /// Whether both are of one controller and site.
    #[must_use]
    pub fn is_of_the_place_of(&self, other: &Self) -> bool {
        self.controller == other.controller && self.site == other.site
    }

    /// This was lost as well.
    pub fn take_in(&mut self, gap: &Gap) {
        self.gap.from = self.gap.from.min(gap.from);
        self.gap.to = self.gap.to.max(gap.to);
        let count = self.gap.count.unwrap_or_default() + gap.count.unwrap_or_default();
        self.gap.count = Some(count);
    }
}

impl Ring {
    /// An empty ring.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            items: VecDeque::new(),
            events: 0,
            bytes: 0,
            full_since: None,
            enough_since: None,
            losses: Vec::new(),
            receipts: 0,
        }
    }

    /// Hold no more than this from now on; what is there stays.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Put `event` at the end, or say why not. Every drop is recorded as a [`Loss`].
    pub fn offer(&mut self, event: &Arc<Event>, now: Instant) -> Offer {
        if self.has_room_for(event) {
            self.append(Item::Event(Arc::clone(event)));
            return Offer::Taken;
        }
        match self.limits.when_full {
            WhenFull::DropNewest => self.lose(event),
            WhenFull::DropOldest => self.make_room_for(event),
            WhenFull::Wait => {
                // Once the wait is over it stays over until somebody takes: a second event must not wait again
                // while the controller's patience runs out.
                let deadline = *self.full_since.get_or_insert(now) + self.limits.max_wait;
                if now < deadline {
                    return Offer::Full(deadline);
                }
                self.make_room_for(event);
            }
        }
        Offer::Taken
    }

    /// Put `event` at the end at once, in place of the oldest where there is no room.
    pub fn force(&mut self, event: &Arc<Event>) {
        if self.has_room_for(event) {
            self.append(Item::Event(Arc::clone(event)));
        } else {
            self.make_room_for(event);
        }
    }

    /// Put a piece of history at the end if the ring is less than half full, so that the stream never suffers from a
    /// repair; otherwise it is handed back. A change to a hole and a roll always have room.
    ///
    /// # Errors
    /// With the item, when it has to wait.
    pub fn offer_history(&mut self, item: Item) -> Result<(), Item> {
        let room = item.event().is_none_or(|event| {
            self.events == 0
                || (self.events < self.limits.events.div_ceil(2)
                    && self.bytes + event.weight() <= self.limits.bytes / 2)
        });
        if !room {
            return Err(item);
        }
        if let Item::Hole(news) = &item {
            self.supersede(news);
        }
        self.append(item);
        Ok(())
    }

    /// Put a receipt at the end; its number, which is above that of every one before.
    pub fn ask_for_receipt(&mut self) -> u64 {
        self.receipts += 1;
        self.append(Item::Receipt(self.receipts));
        self.receipts
    }

    /// The oldest items, at most `max` and the rest of a piece of history, in order, appended to `out`.
    pub fn take(&mut self, max: usize, out: &mut Vec<Item>) {
        let mut count = self.items.len().min(max);
        let most = self.items.len().min(max.saturating_add(MAX_HISTORY));
        // What a history tells of like things is looked at together.
        while (1..most).contains(&count)
            && self.items[count - 1].is_history()
            && self.items[count].is_history()
        {
            count += 1;
        }
        let before = self.events;
        for item in self.items.drain(..count) {
            if let Some(event) = item.event() {
                self.bytes -= event.weight();
                self.events -= 1;
            }
            out.push(item);
        }
        if self.events < before {
            self.full_since = None;
            self.enough_since = None;
        }
    }

    /// Whether whoever pushes had better let the router take something first, until this time at most. There is room
    /// still, but more than the router can take soon would only take up memory.
    pub fn pause(&mut self, now: Instant) -> Option<Instant> {
        if self.events < ENOUGH || self.limits.when_full != WhenFull::Wait {
            return None;
        }
        let until = *self.enough_since.get_or_insert(now) + PAUSE.min(self.limits.max_wait);
        (now < until).then_some(until)
    }

    /// What was lost since the last call, one entry per controller and site.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }

    /// How many events are waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events
    }

    /// How many events and changes to holes are waiting.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing waits: no event, no change to a hole, no loss to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.losses.is_empty()
    }

    fn has_room_for(&self, event: &Event) -> bool {
        self.events == 0
            || (self.events < self.limits.events
                && self.bytes + event.weight() <= self.limits.bytes)
    }

    fn append(&mut self, item: Item) {
        if let Some(event) = item.event() {
            self.bytes += event.weight();
            self.events += 1;
        }
        self.items.push_back(item);
    }

    fn make_room_for(&mut self, event: &Arc<Event>) {
        while !self.has_room_for(event) {
            // Changes to holes stay: what is dropped in front of one that fills a hole is a loss, and so a hole of its
            // own. Seeds stay, since what is fetched for a loss goes to the sinks, and what was handed over, since it can
            // wait where it is; they are less than half of it all.
            let is_event = |item: &Item| matches!(item, Item::Event(_) | Item::Early(_));
            let oldest = self.items.iter().position(is_event);
            let Some(Item::Event(oldest) | Item::Early(oldest)) =
                oldest.and_then(|at| self.items.remove(at))
            else {
                break;
            };
            self.events -= 1;
            self.bytes -= oldest.weight();
            self.lose(&oldest);
        }
        self.append(Item::Event(Arc::clone(event)));
    }

    /// Changes that wait and mean nothing once `news` is committed go, so that there are at most two for each hole:
    /// a narrowing may come later than it could, never earlier.
    fn supersede(&mut self, news: &HoleNews) {
        let (HoleChange::Shrink { id, .. } | HoleChange::Close { id }) = news.change else {
            return;
        };
        self.items.retain(|item| {
            !matches!(item, Item::Hole(old)
                if old.gap.is_none() && matches!(old.change, HoleChange::Shrink { id: other, .. } if other == id))
        });
    }

    fn lose(&mut self, event: &Event) {
        let lost = Loss {
            controller: event.controller.clone(),
            site: event.site.clone(),
            site_name: event.site_name.clone(),
            own: event.origin == Origin::Derived,
            gap: Gap {
                from: event.time,
                to: event.time,
                count: Some(1),
            },
        };
        let mut known = self.losses.iter_mut();
        match known.find(|known| known.own == lost.own && known.is_of_the_place_of(&lost)) {
            Some(known) => known.take_in(&lost.gap),
            None => self.losses.push(lost),
        }
    }
}

#[cfg(test)]
mod tests;
