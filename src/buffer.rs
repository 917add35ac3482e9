//! The bounded ring between the socket and the chains: what is kept, what waits, what is lost.

use crate::config::{BufferPlan, WhenFull};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Event, Gap, Text};

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

/// A first-in first-out queue of events that never grows past its limits.
#[derive(Debug)]
pub struct Ring {
    limits: Limits,
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    full_since: Option<Instant>,
    losses: Vec<Loss>,
}

/// What became of an offered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It, or what was lost in its place, is settled.
    Taken,
    /// There is no room: offer it again when there is, or at this time, when it will push out the oldest.
    Full(Instant),
}

/// Events that were dropped because the ring was full, of one controller and site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Name of the controller.
    pub controller: Text,
    /// Short name of the site.
    pub site: Text,
    /// Name of the site for people.
    pub site_name: Text,
    /// The stretch of time they are from, and how many they are.
    pub gap: Gap,
}

impl Ring {
    /// An empty ring.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            events: VecDeque::new(),
            bytes: 0,
            full_since: None,
            losses: Vec::new(),
        }
    }

    /// Put `event` at the end, or say why not. Every drop is recorded as a [`Loss`].
    pub fn offer(&mut self, event: &Arc<Event>, now: Instant) -> Offer {
        if self.has_room_for(event) {
            self.append(event);
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
            self.append(event);
        } else {
            self.make_room_for(event);
        }
    }

    /// The oldest events, at most `max`, in order, appended to `out`.
    pub fn take(&mut self, max: usize, out: &mut Vec<Arc<Event>>) {
        let count = self.events.len().min(max);
        for event in self.events.drain(..count) {
            self.bytes -= event.weight();
            out.push(event);
        }
        if count > 0 {
            self.full_since = None;
        }
    }

    /// What was lost since the last call, one entry per controller and site.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }

    /// How many events are waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing waits, neither an event nor a loss to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.losses.is_empty()
    }

    fn has_room_for(&self, event: &Event) -> bool {
        self.events.is_empty()
            || (self.events.len() < self.limits.events
                && self.bytes + event.weight() <= self.limits.bytes)
    }

    fn append(&mut self, event: &Arc<Event>) {
        self.bytes += event.weight();
        self.events.push_back(Arc::clone(event));
    }

    fn make_room_for(&mut self, event: &Arc<Event>) {
        while !self.has_room_for(event) {
            // `has_room_for` admits anything into an empty ring, so there is a front to drop.
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= oldest.weight();
            self.lose(&oldest);
        }
        self.append(event);
    }

    fn lose(&mut self, event: &Event) {
        let known = self
            .losses
            .iter_mut()
            .find(|loss| loss.controller == event.controller && loss.site == event.site);
        if let Some(loss) = known {
            loss.gap.from = loss.gap.from.min(event.time);
            loss.gap.to = loss.gap.to.max(event.time);
            loss.gap.count = loss.gap.count.map(|count| count + 1);
            return;
        }
        self.losses.push(Loss {
            controller: event.controller.clone(),
            site: event.site.clone(),
            site_name: event.site_name.clone(),
            gap: Gap {
                from: event.time,
                to: event.time,
                count: Some(1),
            },
        });
    }
}

#[cfg(test)]
mod tests;
