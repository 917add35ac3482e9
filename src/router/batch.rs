//! What was taken from the ring, put together for one commit.

use super::{Router, gaps};
use crate::buffer::{HoleNews, Item, Loss};
use crate::newcomers::Roll;
use crate::store::{Hole, HoleChange};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use unifi_herald_plugin::Event;

/// What is decided and committed together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<(Arc<Event>, Way)>,
    /// Known before the first of the events: they were listed when its site was met.
    pub(super) rolls: Vec<Roll>,
    pub(super) holes: Vec<HoleChange>,
    /// The holes that the ring made.
    pub(super) made: Vec<Hole>,
    pub(super) lost: u64,
    /// What the store lost, which the first of the events tell.
    pub(super) told: Vec<Loss>,
    /// The last of the receipts that were asked for.
    pub(super) receipt: Option<u64>,
}

/// How far an event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Sinks,
    /// What is in doubt comes again.
    SinksIfSure,
    Journal,
    /// It is another program's: of herald's own workings nothing follows from it.
    Handed,
}

impl Router {
    /// What is to be decided together: what was lost is older than what is left in the ring, and comes first. Of what the
    /// store lost, all where this is the `last`.
    pub(super) fn batch(&self, losses: Vec<Loss>, taken: &mut Vec<Item>, last: bool) -> Batch {
        let mut batch = Batch {
            lost: losses.iter().filter_map(|loss| loss.gap.count).sum(),
            told: self.store.take_losses(last),
            ..Batch::default()
        };
        let now = self.clock.wall();
        let told = batch.told.iter().cloned();
        batch
            .events
            .extend(told.map(|loss| (gaps::store_full(loss, now), Way::Sinks)));
        for loss in losses {
            if let Some(measures) = &self.measures {
                let count = loss.gap.count.unwrap_or_default();
                measures.ring_lost.fetch_add(count, Ordering::Relaxed);
            }
            tracing::error!(controller = %loss.controller, site = %loss.site, count = loss.gap.count, "the ring was full, events are lost");
            match self.outlet.hole_of(&loss) {
                Some(hole) => {
                    batch.holes.push(HoleChange::Open(hole.clone()));
                    batch.made.push(hole);
                }
                None => batch
                    .events
                    .push((gaps::ring_overflow(loss, now), Way::Sinks)),
            }
        }
        for item in taken.drain(..) {
            match item {
                Item::Event(event) => batch.events.push((event, Way::Sinks)),
                Item::Early(event) => batch.events.push((event, Way::SinksIfSure)),
                Item::Seed(event) => batch.events.push((event, Way::Journal)),
                Item::Handed(event) => batch.events.push((event, Way::Handed)),
                Item::Receipt(number) => batch.receipt = Some(number),
                Item::Roll(roll) => batch.rolls.push(*roll),
                Item::Hole(news) => {
                    let HoleNews { change, gap } = *news;
                    batch.holes.push(change);
                    batch.events.extend(gap.map(|gap| (gap, Way::Sinks)));
                }
            }
        }
        batch
    }
}
