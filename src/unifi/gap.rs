//! The holes in a site's stream, from their opening to their end: what must be fetched from the history, and when.

mod lost;
mod open;
mod skew;
mod terms;

pub use skew::Skew;
pub use terms::{Histories, History, News, Next, Now, Slice};

use crate::backoff::Backoff;
use crate::config::{BackfillPlan, FirstRun};
use crate::store::{Hole, HoleChange};
use open::Open;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Gap, Text, Timestamp};

/// Why a hole is there: herald was not running.
pub const START: &str = "start";
/// Why a hole is there: the socket was not up.
pub const RECONNECT: &str = "reconnect";
/// Why a hole is there: the socket was up and said nothing.
pub const BLIND: &str = "blind";
/// Why a hole is there: it is what happened before herald first met the site. It is told by no `herald.gap`.
pub const FIRST_RUN: &str = "first_run";

/// Why a hole is there: the ring was full. Also why it stays one, where the history does not have what was dropped.
pub const RING_OVERFLOW: &str = "ring_overflow";

/// Why a hole cannot be filled: the controller has no history, or does not give it.
pub const HISTORY_UNAVAILABLE: &str = "history_unavailable";
/// Why a hole cannot be filled: it is older than `backfill.max_age`.
pub const TOO_OLD: &str = "too_old";

/// Most holes kept apart; beyond it a new one becomes part of another.
const MAX_HOLES: usize = 8;
/// What is asked for beyond the end of a hole: clocks differ, and a socket may be up a little before it is heard.
const MARGIN: Duration = Duration::from_secs(10);
/// The end of a hole is not believed when it is further than this in the future.
const FUTURE: Duration = Duration::from_secs(60 * 60);
/// How much is fetched at once, in the controller's time.
const FIRST_STEP: Duration = Duration::from_secs(6 * 60 * 60);
const MIN_STEP: Duration = Duration::from_millis(100);
const MAX_STEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// After a failure.
const RETRY: Backoff = match Backoff::new(Duration::from_secs(2), Duration::from_secs(5 * 60)) {
    Ok(backoff) => backoff,
    Err(_) => panic!("the bounds are constants"),
};

/// The holes of one controller's site.
///
/// Every change it returns is to be committed in order, and what fills a hole before the change that says so. What a
/// hole's row covers is then always what may be missing, whenever the process ends.
#[derive(Debug)]
pub struct Repairs {
    plan: BackfillPlan,
    holes: Vec<Open>,
    gone: Histories,
    login: u64,
    step: Duration,
    retry: Backoff,
    retry_at: Option<Instant>,
    connected: bool,
}

impl Repairs {
    /// No holes, and not connected.
    #[must_use]
    pub fn new(plan: BackfillPlan) -> Self {
        Self {
            plan,
            holes: Vec::new(),
            gone: Histories::default(),
            login: 0,
            step: FIRST_STEP,
            retry: RETRY,
            retry_at: None,
            connected: false,
        }
    }

    /// A hole that begins after `seen`, the controller's time of the last that is known, and ends now.
    #[must_use]
    pub fn hole_since(
        &self,
        seen: Timestamp,
        (controller, site): (&Text, &Text),
        id: u64,
        reason: &str,
        now: Now,
    ) -> Hole {
        Hole {
            id,
            controller: controller.clone(),
            site: site.clone(),
            from: seen.min(now.wall) - self.plan.overlap,
            to: Some(now.wall),
            reason: reason.into(),
        }
    }

    /// As [`Self::hole_since`], where a connection was heard up to `heard`, by a clock that events may not go by.
    #[must_use]
    pub fn hole_since_heard(
        &self,
        (heard, skew): (Timestamp, Skew),
        scope: (&Text, &Text),
        id: u64,
        reason: &str,
        now: Now,
    ) -> Hole {
        // What was heard is not too old because an event was slow, nor missed where no history tells.
        let unknown = self.histories() == Histories::default();
        let behind = if unknown {
            Duration::ZERO
        } else {
            skew.behind()
        };
        let oldest = now.wall - self.plan.max_age + self.plan.overlap;
        let seen = (heard - behind).max(oldest.min(heard));
        let hole = self.hole_since(seen, scope, id, reason, now);
        Hole {
            to: Some(now.wall + skew.ahead()),
            ..hole
        }
    }

    /// What happened before herald first met the site.
    #[must_use]
    pub fn first_run(&self, (controller, site): (&Text, &Text), id: u64, now: Now) -> Hole {
        Hole {
            id,
            controller: controller.clone(),
            site: site.clone(),
            from: now.wall - self.plan.max_age,
            to: Some(now.wall),
            reason: FIRST_RUN.into(),
        }
    }

    /// There is a hole, new or from an earlier run; without an end, it ends now.
    pub fn open(&mut self, mut hole: Hole, now: Now) -> Vec<News> {
        let to = hole.to.unwrap_or(now.wall).min(now.wall + FUTURE);
        hole.from = hole.from.min(to);
        hole.to = Some(to);
        let oldest = now.wall - self.plan.max_age;
        if to <= oldest {
            let gap = told(&hole, hole.from, to, TOO_OLD);
            let change = HoleChange::Close { id: hole.id };
            return vec![News { change, gap }];
        }
        let mut gap = None;
        if hole.from < oldest {
            gap = told(&hole, hole.from, oldest, TOO_OLD);
            hole.from = oldest;
        }
        let Some(known) = self.place_for(&hole, to) else {
            let change = HoleChange::Open(hole.clone());
            self.holes.push(Open::new(hole, to));
            return vec![News { change, gap }];
        };
        known.take_in(&hole, to);
        let change = HoleChange::Open(known.hole.clone());
        let mut news = vec![News { change, gap }];
        if known.hole.id != hole.id {
            news.push(quiet(HoleChange::Close { id: hole.id }));
        }
        news
    }

    /// As [`Self::open`], for a hole of which so many events are known to be lost.
    pub fn open_lost(&mut self, hole: Hole, count: u64, now: Now) -> Vec<News> {
        let lost = Gap {
            from: hole.from,
            to: hole.to.unwrap_or(now.wall),
            count: Some(count),
        };
        let news = self.open(hole, now);
        let holds = |open: &&mut Open| {
            !is_first_run(&open.hole) && open.hole.from <= lost.to && lost.from <= open.to
        };
        if let Some(open) = self.holes.iter_mut().find(holds) {
            open.lost.add(lost);
        }
        news
    }

    /// Whether the socket is up: only then is anything fetched.
    pub fn connected(&mut self, connected: bool) {
        self.connected = connected;
        if connected {
            self.retry_at = None;
        }
    }

    /// The session that requests are made with; a new one may find what another did not.
    pub fn logged_in(&mut self, login: u64) {
        if self.login != login {
            self.login = login;
            self.gone = Histories::default();
        }
    }

    /// The histories there may be.
    #[must_use]
    pub fn histories(&self) -> Histories {
        Histories {
            system_log: !self.gone.system_log,
            legacy: !self.gone.legacy,
        }
    }

    /// What to do now.
    pub fn next(&mut self, now: Now) -> Next {
        let oldest = now.wall - self.plan.max_age;
        let expired = self
            .holes
            .iter()
            .position(|open| open.is_unread() && open.to < oldest);
        if let Some(at) = expired {
            return Next::Commit(vec![self.give_up(at, TOO_OLD)]);
        }
        if !self.connected {
            return Next::Rest(None);
        }
        let is_due = |open: &Open| open.due().is_none_or(|at| at <= now.instant);
        let next = (0..self.holes.len())
            .filter(|at| is_due(&self.holes[*at]))
            .min_by_key(|at| {
                // What was before herald is known as such before another hole, which may reach into it, tells it.
                let open = &self.holes[*at];
                (!is_first_run(&open.hole), open.cursor)
            });
        let Some(at) = next else {
            return Next::Rest(self.holes.iter().filter_map(Open::due).min());
        };
        if let Some(retry) = self.retry_at.filter(|retry| now.instant < *retry) {
            return Next::Rest(Some(retry));
        }
        let histories = self.histories();
        if histories == Histories::default() {
            return Next::Commit(vec![self.give_up(at, HISTORY_UNAVAILABLE)]);
        }
        let open = &self.holes[at];
        let to = if histories.system_log {
            open.to.min(open.cursor + self.step)
        } else {
            // `stat/event` is read from the newest down whatever the slice, so that short ones only cost more.
            open.to
        };
        let seed = is_first_run(&open.hole) && self.plan.first_run == FirstRun::Seed;
        Next::Fetch(Slice {
            hole: open.hole.id,
            from: open.cursor,
            to,
            // What is beyond the end of a seed is for the sinks.
            until: if to == open.to && !seed {
                to + MARGIN
            } else {
                to
            },
            histories,
            seed,
            asked: now,
        })
    }

    /// Events of these times were brought for the slice, before [`Self::fetched`] is told of it.
    pub fn brought(&mut self, slice: &Slice, times: &[Timestamp]) {
        if let Some(at) = self.position(slice) {
            self.holes[at].brought(times, &self.plan);
        }
    }

    /// What was asked for was handed on: all of `slice`, or what is older than `cut` when there was more than is held at
    /// once.
    pub fn fetched(&mut self, slice: &Slice, cut: Option<Timestamp>) -> Vec<News> {
        self.retry.reset();
        self.retry_at = None;
        let cut = slice.divided_at(cut);
        if cut.is_none() {
            self.step = (self.step * 2).min(MAX_STEP);
        }
        let Some(at) = self.position(slice) else {
            return Vec::new();
        };
        let change = self.holes[at].fetched(slice, cut, &self.plan);
        let mut gap = None;
        if matches!(change, Some(HoleChange::Close { .. })) {
            let rest = self.holes.remove(at).lost.rest();
            gap = rest.map(|rest| (rest, RING_OVERFLOW));
        }
        let news = change.map(|change| News { change, gap });
        news.into_iter().collect()
    }

    /// From which time on what this slice brings will be looked at again, if any: the end of a hole is, when the
    /// controller has written what was under way, and the end of a slice is together with what lies behind it. `cut` is
    /// as for [`Self::fetched`].
    #[must_use]
    pub fn looked_at_again(&self, slice: &Slice, cut: Option<Timestamp>) -> Option<Timestamp> {
        let cut = slice.divided_at(cut);
        self.holes[self.position(slice)?].looked_at_again(slice, cut, &self.plan)
    }

    /// The slice has so many times more than is held at once, which would all be read for each part of it; true when a
    /// shorter one will come, false when it cannot be shorter.
    pub fn narrow(&mut self, slice: &Slice, times: u32) -> bool {
        let length = slice.to.since(slice.from);
        let shorter = length > MIN_STEP;
        if shorter {
            self.step = (length / times.max(2)).max(MIN_STEP);
        }
        shorter
    }

    /// The history could not be asked; try again later, or when the controller said so.
    pub fn failed(&mut self, now: Instant, draw: f64, wait: Option<Duration>) {
        let delay = self.retry.fail(draw).max(wait.unwrap_or_default());
        self.retry_at = Some(now + delay);
    }

    /// The controller does not have this history, or does not give it to this account.
    pub fn gone(&mut self, history: History) {
        match history {
            History::SystemLog => self.gone.system_log = true,
            History::Legacy => self.gone.legacy = true,
        }
    }

    /// How many holes are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.holes.len()
    }

    /// Whether no hole is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holes.is_empty()
    }

    fn position(&self, slice: &Slice) -> Option<usize> {
        // A hole that has grown backwards in the meantime is fetched from its new beginning.
        let is = |open: &Open| open.hole.id == slice.hole && open.cursor == slice.from;
        self.holes.iter().position(is)
    }

    /// The open hole that this one is to become part of: itself, one that it touches, or any when there are too many.
    fn place_for(&mut self, hole: &Hole, to: Timestamp) -> Option<&mut Open> {
        let alike = |open: &Open| is_first_run(&open.hole) == is_first_run(hole);
        let touches = |open: &Open| open.hole.from <= to && hole.from <= open.to;
        let at = self
            .holes
            .iter()
            .position(|open| open.hole.id == hole.id)
            .or_else(|| {
                let mut holes = self.holes.iter();
                holes.position(|open| alike(open) && touches(open))
            })
            .or_else(|| {
                let full = self.holes.len() >= MAX_HOLES;
                full.then(|| self.holes.iter().rposition(alike)).flatten()
            })?;
        self.holes.get_mut(at)
    }

    fn give_up(&mut self, at: usize, reason: &'static str) -> News {
        let open = self.holes.remove(at);
        News {
            change: HoleChange::Close { id: open.hole.id },
            // Some of what is before the cursor may have been fetched too early; its row knows.
            gap: told(&open.hole, open.hole.from, open.to, reason),
        }
    }
}

fn is_first_run(hole: &Hole) -> bool {
    &*hole.reason == FIRST_RUN
}

fn quiet(change: HoleChange) -> News {
    News { change, gap: None }
}

/// What is to be told of a stretch that stays a hole: nothing where there is none, and nobody misses what was before herald.
fn told(
    hole: &Hole,
    from: Timestamp,
    to: Timestamp,
    reason: &'static str,
) -> Option<(Gap, &'static str)> {
    let gap = Gap {
        from,
        to,
        count: None,
    };
    (from < to && !is_first_run(hole)).then_some((gap, reason))
}

#[cfg(test)]
mod tests;
