//! What the store holds in memory while the disk takes nothing: all that the disk does not know yet, bounded.

use super::commit::{Pen, write_holes, write_state};
use super::omitted::{self, Omission};
use super::outbox::{self, Refill};
use super::runs::Runs;
use super::untold;
use super::window::Window;
use super::{letters, number};
use crate::buffer::Loss;
use crate::store::{Books, Commit, DeadLetter, HoleChange, Settled, StateChange, Watermark};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Text};

/// Most dead letters held; beyond it the oldest is forgotten, as in the memory store.
const MAX_DEAD_LETTERS: usize = 1000;

/// Most omissions held; of the others it is not known any more why a sink did not get the event.
const MAX_OMITTED: usize = 10_000;

/// The difference between the disk as it was last known and what is true now. Writing it is idempotent, for the
/// transaction that failed may have reached the disk after all.
#[derive(Debug)]
pub(super) struct Held {
    /// The last number the disk is known to have; everything held is behind it.
    committed: u64,
    max_bytes: usize,
    bytes: usize,
    events: VecDeque<(BufferedEvent, Option<Vec<u8>>)>,
    /// For each sink, what it awaits of the held events, in order; what its lane has in hands included.
    pending: Vec<VecDeque<BufferedEvent>>,
    /// For each sink, what it settled of the events on disk.
    settled: Vec<Runs>,
    dead: VecDeque<DeadLetter>,
    /// What sinks do not get that they were given, by position and number.
    omitted: Vec<(usize, u64, Omission)>,
    cleared: BTreeSet<Text>,
    state: BTreeMap<(Text, Text), StateChange>,
    watermarks: HashMap<(Text, Text), Watermark>,
    holes: Vec<HoleChange>,
    /// What its events tell that was lost.
    told: Vec<Loss>,
}

impl Held {
    pub(super) fn new(sinks: usize, committed: u64, max_bytes: usize) -> Self {
        Self {
            committed,
            max_bytes,
            bytes: 0,
            events: VecDeque::new(),
            pending: vec![VecDeque::new(); sinks],
            settled: vec![Runs::default(); sinks],
            dead: VecDeque::new(),
            omitted: Vec::new(),
            cleared: BTreeSet::new(),
            state: BTreeMap::new(),
            watermarks: HashMap::new(),
            holes: Vec::new(),
            told: Vec::new(),
        }
    }

    /// How many events are in memory only.
    pub(super) fn len(&self) -> u64 {
        self.events.len() as u64
    }

    /// How many of them each sink awaits.
    pub(super) fn pending(&self) -> impl Iterator<Item = u64> {
        self.pending.iter().map(|pending| pending.len() as u64)
    }

    /// Take a batch in and enter it in the books.
    pub(super) fn commit(&mut self, commit: &Commit, gone: &[bool], books: &mut [Books]) {
        for (index, event) in commit.events.iter().enumerate() {
            self.bytes += event.weight();
            self.events
                .push_back((event.clone(), commit.verdicts.get(index).cloned()));
        }
        let mut shares = commit.shares.iter().peekable();
        for (position, books) in books.iter_mut().enumerate() {
            let share = shares.next_if(|share| share.sink == position);
            if gone[position] && share.is_none() {
                continue;
            }
            let given = match share {
                Some(share) => {
                    self.pending[position].extend(share.events.iter().cloned());
                    share.events.len()
                }
                None => 0,
            };
            let dead = commit.dead.iter().filter(|one| one.sink == position);
            books.enter_batch(
                commit.events.len() as u64,
                commit.duplicates,
                commit.lost,
                given as u64,
                dead.count() as u64,
            );
        }
        commit.dead.iter().for_each(|letter| self.bury(letter));
        self.remember(commit);
    }

    fn remember(&mut self, commit: &Commit) {
        for change in &commit.state {
            match change {
                StateChange::Set { scope, key, .. } | StateChange::Forget { scope, key } => {
                    self.state
                        .insert((scope.clone(), key.clone()), change.clone());
                }
                StateChange::Clear { scope } => {
                    self.state.retain(|(known, _), _| known != scope);
                    self.cleared.insert(scope.clone());
                }
            }
        }
        self.told.extend(commit.told.iter().cloned());
        for mark in &commit.watermarks {
            self.watermarks
                .insert((mark.controller.clone(), mark.site.clone()), mark.clone());
        }
        for change in &commit.holes {
            if matches!(change, HoleChange::Shrink { .. }) {
                // Only the last one counts, and a long repair makes many.
                self.holes.retain(|known| {
                    !matches!(known, HoleChange::Shrink { .. }) || hole_id(known) != hole_id(change)
                });
            } else {
                self.holes.retain(|known| hole_id(known) != hole_id(change));
            }
            self.holes.push(change.clone());
        }
    }

    fn omit(&mut self, position: usize, seq: u64, why: Omission) {
        if self.omitted.len() < MAX_OMITTED {
            self.omitted.push((position, seq, why));
        }
    }

    fn bury(&mut self, letter: &DeadLetter) {
        self.dead.push_back(letter.clone());
        if self.dead.len() > MAX_DEAD_LETTERS {
            self.dead.pop_front();
        }
    }

    /// Take out what a sink settled and enter it in the books; what was not in its hands changes nothing.
    pub(super) fn settle(
        &mut self,
        position: usize,
        settled: &[Settled],
        window: &Window,
        books: &mut Books,
    ) {
        for one in settled {
            let seq = one.seq();
            let found = if seq > self.committed {
                let pending = &mut self.pending[position];
                let at = pending.iter().position(|event| event.seq == seq);
                at.and_then(|at| pending.remove(at)).is_some()
            } else {
                window.claimed().contains(seq) && self.settled[position].insert(seq)
            };
            if found {
                books.settle(one);
                match one {
                    Settled::Delivered { .. } => {}
                    Settled::Expired { .. } => self.omit(position, seq, Omission::TooOld),
                    Settled::Merged { .. } => self.omit(position, seq, Omission::Merged),
                    Settled::Dead(letter) => self.bury(letter),
                }
            }
        }
    }

    /// While there is too much: the oldest event, to be lost for the sinks that still await it.
    pub(super) fn excess(&mut self) -> Option<BufferedEvent> {
        if self.bytes <= self.max_bytes || self.events.len() <= 1 {
            return None;
        }
        let (event, _) = self.events.pop_front()?;
        self.bytes -= event.weight();
        Some(event)
    }

    /// The sink will not get this event any more; false when it did not await it.
    pub(super) fn lose(&mut self, position: usize, seq: u64) -> bool {
        let pending = &mut self.pending[position];
        let at = pending.iter().position(|event| event.seq >= seq);
        at.filter(|at| pending[*at].seq == seq)
            .and_then(|at| pending.remove(at))
            .is_some()
    }

    /// Whether the disk still has a row for what the sink settled.
    pub(super) fn is_settled(&self, position: usize, seq: u64) -> bool {
        self.settled[position].contains(seq)
    }

    /// Go on with what is in memory where the disk has no more.
    pub(super) fn refill(
        &self,
        position: usize,
        cursor: u64,
        max_events: usize,
        claimed: &Runs,
        refill: &mut Refill,
    ) {
        let behind = self.pending[position]
            .iter()
            .filter(|event| event.seq > cursor && !claimed.contains(event.seq));
        for event in behind {
            if refill.events.len() >= max_events {
                refill.complete = false;
                return;
            }
            refill.events.push(event.clone());
        }
    }

    /// Write everything within the caller's transaction. `books` are true whatever the disk says.
    pub(super) fn write(
        &self,
        connection: &Connection,
        pen: &mut Pen,
        books: &[Books],
    ) -> rusqlite::Result<()> {
        let committed = number(self.committed);
        connection.execute("DELETE FROM outbox WHERE first > ?1", [committed])?;
        connection.execute("DELETE FROM versions WHERE seq > ?1", [committed])?;
        let mut forms = HashMap::new();
        for (event, verdict) in &self.events {
            let one = std::slice::from_ref(event);
            let known = pen.journal(connection, one, verdict.as_slice())?;
            if known.is_empty() {
                forms.insert(event.seq, &event.event);
            }
        }
        for (position, pending) in self.pending.iter().enumerate() {
            let sink = pen.sinks[position];
            outbox::remove(connection, sink, &self.settled[position])?;
            for event in pending {
                let same = forms
                    .get(&event.seq)
                    .is_some_and(|form| Arc::ptr_eq(form, &event.event) || **form == event.event);
                if !same {
                    pen.version(connection, sink, event)?;
                }
            }
            let seqs: Runs = pending.iter().map(|event| event.seq).collect();
            outbox::append(connection, sink, &seqs)?;
        }
        let mut json = Vec::new();
        for letter in &self.dead {
            letters::add(connection, pen.sinks[letter.sink], letter, &mut json)?;
        }
        for (position, seq, why) in &self.omitted {
            omitted::note(connection, pen.sinks[*position], *seq, *why)?;
        }
        let clears = self.cleared.iter().cloned();
        let clears: Vec<_> = clears.map(|scope| StateChange::Clear { scope }).collect();
        write_state(connection, &clears)?;
        write_state(connection, self.state.values())?;
        write_holes(connection, &self.holes)?;
        untold::told(connection, &self.told)?;
        for mark in self.watermarks.values() {
            super::commit::write_watermark(connection, mark)?;
        }
        let unlike = |books: &Books| Books {
            received: !books.received,
            ..*books
        };
        let before: Vec<_> = books.iter().map(unlike).collect();
        pen.books(connection, &before, books)
    }
}

fn hole_id(change: &HoleChange) -> u64 {
    match change {
        HoleChange::Open(hole) => hole.id,
        HoleChange::Shrink { id, .. } | HoleChange::Close { id } => *id,
    }
}
