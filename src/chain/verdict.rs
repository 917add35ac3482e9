//! What the chains did with one event, a byte for each step: written while it is routed, read when somebody asks why.
//!
//! Four bytes name the [`Shape`](super::Shape) of the chains at that time. Then each chain has one byte for whether the
//! event entered it, followed by one for each step it came to. Where a step put several events in its place, the way
//! of each follows, and a byte that ends them; a byte behind a step tells that this one is the event itself. Of what a step
//! made, the record has the sinks that got it, each behind a byte that says so and its place in the chain.

use super::tally::{ChainTally, Cursor};
use std::sync::Arc;

/// Longest record of one event; the rest of its way is left out.
const MAX: usize = 4096;

const PASSED_BY: u8 = 0;
const ENTERED: u8 = 1;
const ONE_OF_SEVERAL: u8 = 2;
const END_OF_SEVERAL: u8 = 3;
const ITSELF: u8 = 4;
const AT: u8 = 5;
const FIRST_STEP: u8 = 16;
/// Added to a step's byte when the step failed and its `on_error` decided.
const FAILED: u8 = 64;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Deed {
    /// Its own `when` was not met: the event passed it by.
    Skipped = FIRST_STEP,
    /// Let it go on as it was.
    Kept,
    /// Let it go on, changed.
    Changed,
    /// Let it go no further.
    Dropped,
    /// Put several in its place, or none.
    Replaced,
    /// Gave it up for the sinks behind.
    Buried,
    /// Gave it to the sink.
    Given,
    /// Did not, since the sink has it from an earlier chain.
    Had,
    /// Did not, since it was for the journal only.
    Journaled,
    /// Counted it and kept it.
    Counted,
    /// Collected it.
    Collected,
    /// Said it: the event begins behind this step.
    Said,
}

/// All of them, in the order of their bytes.
pub(super) const DEEDS: [Deed; 12] = [
    Deed::Skipped,
    Deed::Kept,
    Deed::Changed,
    Deed::Dropped,
    Deed::Replaced,
    Deed::Buried,
    Deed::Given,
    Deed::Had,
    Deed::Journaled,
    Deed::Counted,
    Deed::Collected,
    Deed::Said,
];

impl Deed {
    /// Its place in [`DEEDS`].
    pub(super) fn index(self) -> usize {
        usize::from(self as u8 - FIRST_STEP)
    }

    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Kept => "kept",
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Replaced => "replaced",
            Self::Buried => "dead_letter",
            Self::Given => "given",
            Self::Had => "had_it",
            Self::Journaled => "journal_only",
            Self::Counted => "counted",
            Self::Collected => "collected",
            Self::Said => "said",
        }
    }
}

/// Writes the records of a batch, when somebody keeps them.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    shape: Option<[u8; 4]>,
    current: Vec<u8>,
    done: Vec<Vec<u8>>,
    cursor: Cursor,
    /// Which sinks got what was made of the event.
    made: Vec<Made>,
}

/// A sink got something that a step made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    /// Which of those that were made of the event, from 1.
    place: usize,
    chain: usize,
    position: u8,
}

impl Recorder {
    pub(super) fn start(&mut self, shape: [u8; 4]) {
        self.shape = Some(shape);
    }

    /// Count from now on as well.
    pub(super) fn count(&mut self, tallies: Vec<Arc<ChainTally>>) {
        self.cursor = Cursor::at(tallies);
    }

    /// Record no more; what is counted is counted on.
    pub(super) fn stop(&mut self) {
        self.shape = None;
        self.current.clear();
        self.done.clear();
        self.made.clear();
    }

    pub(super) fn is_recording(&self) -> bool {
        self.shape.is_some()
    }

    pub(super) fn chain(&mut self, entered: bool) {
        self.cursor.chain(entered);
        self.push(if entered { ENTERED } else { PASSED_BY });
    }

    pub(super) fn step(&mut self, deed: Deed, failed: bool) {
        self.cursor.step(deed, failed);
        self.push(deed as u8 + if failed { FAILED } else { 0 });
    }

    /// A sink got the event itself, at `place` 0, or what was made of it.
    pub(super) fn given(&mut self, place: usize) {
        let (chain, position, is_of_several) = self.cursor.place();
        self.step(Deed::Given, false);
        if place == 0 && is_of_several {
            self.push(ITSELF);
        }
        if place > 0
            && self.shape.is_some()
            && let Ok(position) = u8::try_from(position)
        {
            self.made.push(Made {
                place,
                chain,
                position,
            });
        }
    }

    pub(super) fn one_of_several(&mut self) {
        self.cursor.one_of_several();
        self.push(ONE_OF_SEVERAL);
    }

    pub(super) fn end_of_several(&mut self) {
        self.cursor.end_of_several();
        self.push(END_OF_SEVERAL);
    }

    fn push(&mut self, byte: u8) {
        if self.shape.is_some() && self.current.len() < MAX {
            self.current.push(byte);
        }
    }

    /// The event is through; with what was made of it there are `events` now.
    pub(super) fn end(&mut self, events: usize) {
        self.cursor.end();
        let Some(shape) = self.shape else { return };
        let mut record = Vec::with_capacity(shape.len() + self.current.len());
        record.extend_from_slice(&shape);
        record.append(&mut self.current);
        let first = self.done.len();
        self.done.push(record);
        self.done.resize(events, Vec::new());
        self.made.sort_unstable();
        for gifts in self.made.chunk_by(|one, next| one.place == next.place) {
            if let Some(record) = self.done.get_mut(first + gifts[0].place) {
                *record = of_made(shape, gifts);
            }
        }
        self.made.clear();
    }

    pub(super) fn take(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.done)
    }
}

/// The record of what a step made, which sinks got like this.
fn of_made(shape: [u8; 4], gifts: &[Made]) -> Vec<u8> {
    let (mut record, mut chains) = (shape.to_vec(), 0);
    for gift in gifts {
        while chains <= gift.chain {
            record.push(if chains == gift.chain {
                ENTERED
            } else {
                PASSED_BY
            });
            chains += 1;
        }
        record.extend([AT, gift.position, Deed::Given as u8]);
    }
    record
}

/// Whether this is the record of what a script or filter made.
#[must_use]
pub fn is_of_made(record: &[u8]) -> bool {
    let mut bytes = record.iter().skip(4);
    let first = bytes.find(|byte| ![PASSED_BY, ENTERED].contains(byte));
    record.is_empty() || first == Some(&AT)
}

/// What one chain did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainVerdict {
    /// Whether the event entered it.
    pub entered: bool,
    /// The steps it came to, in order.
    pub steps: Vec<StepVerdict>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepVerdict {
    /// Its place in the chain, from 0.
    pub position: usize,
    /// How many steps before it put several events in the place of one: 0 for the event itself.
    pub depth: usize,
    /// Whether this is the event itself, and not what was put in its place.
    pub itself: bool,
    /// What it did.
    pub deed: Deed,
    /// Whether it failed, so that its `on_error` decided.
    pub failed: bool,
}

/// Read a record: the key of the chains' shape, and what each chain did. None when it is no such record.
#[must_use]
pub fn read(record: &[u8]) -> Option<([u8; 4], Vec<ChainVerdict>)> {
    let (shape, bytes) = record.split_first_chunk::<4>()?;
    let mut chains: Vec<ChainVerdict> = Vec::new();
    let mut position = 0;
    let mut branches = Vec::new();
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match *byte {
            PASSED_BY => chains.push(ChainVerdict::default()),
            ENTERED => {
                position = 0;
                branches.clear();
                chains.push(ChainVerdict {
                    entered: true,
                    steps: Vec::new(),
                });
            }
            ONE_OF_SEVERAL => position = *branches.last()?,
            END_OF_SEVERAL => drop(branches.pop()?),
            ITSELF => chains.last_mut()?.steps.last_mut()?.itself = true,
            AT => position = usize::from(*bytes.next()?),
            byte => {
                let code = byte & !FAILED;
                let deed = *DEEDS.get(usize::from(code.checked_sub(FIRST_STEP)?))?;
                chains.last_mut()?.steps.push(StepVerdict {
                    position,
                    depth: branches.len(),
                    itself: branches.is_empty(),
                    deed,
                    failed: byte & FAILED != 0,
                });
                position += 1;
                if deed == Deed::Replaced {
                    branches.push(position);
                }
            }
        }
    }
    Some((*shape, chains))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut recorder = Recorder::default();
        recorder.start(*b"abcd");
        recorder.chain(false);
        recorder.chain(true);
        recorder.step(Deed::Kept, true);
        recorder.step(Deed::Replaced, false);
        for deed in [Deed::Given, Deed::Dropped] {
            recorder.one_of_several();
            recorder.step(deed, false);
        }
        recorder.end_of_several();
        recorder.end(3);
        let records = recorder.take();
        assert_eq!(records[1..], [Vec::<u8>::new(), Vec::new()]);
        let (shape, chains) = read(&records[0]).unwrap();
        let step = |position, depth, deed, failed| StepVerdict {
            position,
            depth,
            itself: depth == 0,
            deed,
            failed,
        };
        assert_eq!((&shape, chains[0].entered), (b"abcd", false));
        assert_eq!(
            chains[1].steps,
            [
                step(0, 0, Deed::Kept, true),
                step(1, 0, Deed::Replaced, false),
                step(2, 1, Deed::Given, false),
                step(2, 1, Deed::Dropped, false),
            ]
        );
        assert_eq!(records[0].len(), 4 + 9);
    }

    #[test]
    fn what_a_step_made_has_a_record_of_who_got_it() {
        let mut recorder = Recorder::default();
        recorder.start(*b"abcd");
        recorder.chain(true);
        recorder.step(Deed::Replaced, false);
        recorder.one_of_several();
        recorder.given(0);
        recorder.given(0);
        recorder.one_of_several();
        recorder.given(2);
        recorder.given(2);
        recorder.end_of_several();
        recorder.chain(false);
        recorder.chain(true);
        recorder.step(Deed::Replaced, false);
        recorder.one_of_several();
        recorder.given(2);
        recorder.end_of_several();
        recorder.end(3);
        let records = recorder.take();
        assert_eq!(
            [false, true, true],
            [&records[0], &records[1], &records[2]].map(|record| is_of_made(record))
        );
        let given = |record: &[u8]| {
            let (_, chains) = read(record).unwrap();
            let chains = chains.into_iter().enumerate();
            let steps = chains.flat_map(|(index, chain)| {
                let steps = chain.steps.into_iter();
                let itself = steps.filter(|step| step.itself && step.deed == Deed::Given);
                itself.map(move |step| (index, step.position))
            });
            steps.collect::<Vec<_>>()
        };
        assert_eq!(given(&records[0]), [(0, 1), (0, 2)]);
        assert_eq!(records[1], [0_u8; 0], "nobody got it");
        assert_eq!(given(&records[2]), [(0, 1), (0, 2), (2, 1)]);
    }

    #[test]
    fn nothing_is_written_unless_somebody_keeps_it() {
        let mut recorder = Recorder::default();
        recorder.chain(true);
        recorder.end(1);
        assert!(recorder.take().is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            drop(read(&bytes));
        }
    }
}
