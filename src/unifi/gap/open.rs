//! One open hole: how far it was fetched, and when its end is fetched again.

use super::lost::Lost;
use super::terms::Slice;
use crate::config::BackfillPlan;
use crate::store::{Hole, HoleChange};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Timestamp;

/// After so long the stream has told the neighbours of what a hole ends with, and the history mostly as well.
const SOON: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Open {
    /// As its row says.
    pub(super) hole: Hole,
    pub(super) to: Timestamp,
    /// Everything before is fetched, at least once.
    pub(super) cursor: Timestamp,
    /// What is known to have been in it.
    pub(super) lost: Lost,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is being fetched.
    Fetch,
    /// Its end is fetched at the first moment for what was in doubt, whose neighbours the history mostly has by then.
    Doubts(Instant, Instant),
    /// Its end is fetched once more at this moment, when the controller has written what was under way.
    Settle(Instant),
}

impl Stage {
    /// The one behind it, when the hole was fetched up to its end.
    fn next(self, asked: Instant, settle: Duration) -> Self {
        match self {
            Self::Fetch if SOON < settle => Self::Doubts(asked + SOON, asked + settle),
            Self::Fetch => Self::Settle(asked + settle),
            Self::Doubts(_, settled) | Self::Settle(settled) => Self::Settle(settled),
        }
    }
}

impl Open {
    /// Nothing of it is fetched.
    pub(super) fn new(hole: Hole, to: Timestamp) -> Self {
        Self {
            cursor: hole.from,
            to,
            hole,
            lost: Lost::default(),
            stage: Stage::Fetch,
        }
    }

    /// This one, which goes up to `to`, becomes part of it.
    pub(super) fn take_in(&mut self, hole: &Hole, to: Timestamp) {
        self.hole.from = self.hole.from.min(hole.from);
        // The end that was to be fetched once more may now be far from the end.
        self.cursor = self.hole.from;
        self.lost.anew();
        self.to = self.to.max(to);
        self.hole.to = Some(self.to);
        self.stage = Stage::Fetch;
    }

    /// Whether not all of it was fetched yet.
    pub(super) fn is_unread(&self) -> bool {
        self.stage == Stage::Fetch
    }

    /// When something of it is to be fetched, if not now.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.stage {
            Stage::Fetch => None,
            Stage::Doubts(at, _) | Stage::Settle(at) => Some(at),
        }
    }

    /// As [`super::Repairs::fetched`], with the `cut` that divides the slice.
    pub(super) fn fetched(
        &mut self,
        slice: &Slice,
        cut: Option<Timestamp>,
        plan: &BackfillPlan,
    ) -> Option<HoleChange> {
        let id = self.hole.id;
        let mut just_read = false;
        let again = self.looked_at_again(slice, cut, plan);
        // Until it was fetched for the last time, the end of the hole stays in its row.
        let end = self.end(plan);
        self.cursor = slice.next_from(cut);
        let settling = matches!(self.stage, Stage::Settle(_));
        if cut.is_none() && slice.to >= self.to {
            self.lost.looked();
            if again.is_none() {
                return Some(HoleChange::Close { id });
            }
            just_read = self.is_unread();
            self.stage = self.stage.next(slice.asked.instant, plan.settle);
            self.cursor = end;
        }
        let from = if settling {
            self.cursor
        } else {
            self.cursor.min(end)
        };
        // That all of it was read is told even where nothing of its row is filled.
        if from <= self.hole.from && !just_read {
            return None;
        }
        let from = from.max(self.hole.from);
        self.hole.from = from;
        Some(HoleChange::Shrink {
            id,
            from,
            to: Some(self.to),
            read: !self.is_unread(),
        })
    }

    /// Events of these times were brought.
    pub(super) fn brought(&mut self, times: &[Timestamp], plan: &BackfillPlan) {
        let end = self.end(plan);
        for time in times {
            self.lost.brought(*time, *time >= end);
        }
    }

    /// As [`super::Repairs::looked_at_again`], with the `cut` that divides the slice.
    pub(super) fn looked_at_again(
        &self,
        slice: &Slice,
        cut: Option<Timestamp>,
        plan: &BackfillPlan,
    ) -> Option<Timestamp> {
        let settling = matches!(self.stage, Stage::Settle(_));
        let end = self.end(plan);
        if cut.is_some() || slice.to < self.to {
            let second_look = (!settling).then_some(end);
            return slice.in_common(cut).into_iter().chain(second_look).min();
        }
        // What is before this slice in the end of the hole may have been fetched too early.
        let whole_end = slice.from <= end;
        let late = slice.asked.wall >= self.to + plan.settle;
        let last_look = settling || (whole_end && late);
        (!last_look).then_some(end)
    }

    /// Where the end of the hole begins, which is looked at again.
    fn end(&self, plan: &BackfillPlan) -> Timestamp {
        let tail = plan.settle + plan.overlap;
        self.hole.from.max(self.to - tail)
    }
}
