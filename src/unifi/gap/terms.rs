//! What the machine of holes is told and what it answers.

use crate::store::HoleChange;
use crate::unifi::dedupe::WINDOW;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Gap, Timestamp};

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For timers.
    pub instant: Instant,
    /// The controller's time, as far as it is known.
    pub wall: Timestamp,
}

/// The two histories of a controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histories {
    /// The v2 system log.
    pub system_log: bool,
    /// `stat/event`.
    pub legacy: bool,
}

/// One of the histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// The v2 system log.
    SystemLog,
    /// `stat/event`.
    Legacy,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Fetch this, and tell [`super::Repairs::fetched`], [`super::Repairs::failed`], [`super::Repairs::narrow`] or [`super::Repairs::gone`].
    Fetch(Slice),
    /// Commit this.
    Commit(Vec<News>),
    /// Nothing, until this moment or until something happens.
    Rest(Option<Instant>),
}

/// A stretch of a hole that is fetched at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The hole.
    pub hole: u64,
    /// Its beginning, inclusive.
    pub from: Timestamp,
    /// Its end, inclusive.
    pub to: Timestamp,
    /// Up to when to ask: a little more than `to` at the end of a hole.
    pub until: Timestamp,
    /// Where to ask.
    pub histories: Histories,
    /// Whether it is for the journal and the memory of scripts only.
    pub seed: bool,
    /// When this was decided.
    pub asked: Now,
}

impl Slice {
    /// From which time on less than all was held, where that leaves something: a single moment is not divided further.
    pub(super) fn divided_at(&self, cut: Option<Timestamp>) -> Option<Timestamp> {
        cut.filter(|cut| *cut <= self.to && self.from < self.to)
    }

    /// Where the slice behind this one begins.
    pub(super) fn next_from(&self, cut: Option<Timestamp>) -> Timestamp {
        self.in_common(cut).unwrap_or_else(|| match cut {
            Some(cut) => cut.max(self.from + Duration::from_millis(1)),
            None => self.to,
        })
    }

    /// From which time on this slice has something in common with the one behind, which a short one cannot.
    pub(super) fn in_common(&self, cut: Option<Timestamp>) -> Option<Timestamp> {
        let begin = cut.unwrap_or(self.to) - WINDOW;
        (begin > self.from + WINDOW).then_some(begin)
    }
}

/// A change to the rows of holes.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// The change.
    pub change: HoleChange,
    /// What stays a hole, and why: to be told with the same commit.
    pub gap: Option<(Gap, &'static str)>,
}
