//! The way through a history that is counted from its newest item: where to read for a stretch of time far back, without
//! reading all that is newer for each stretch.
//!
//! Items that are written in the meantime push what is known towards older places, never towards newer ones. So pages are
//! read from newer to older places, and what is remembered of a place is only where to begin: what is found there decides.

use crate::unifi::gap::Slice;
use std::collections::VecDeque;
use unifi_herald_plugin::Timestamp;

/// Items of which the oldest is remembered with their place.
pub const CHUNK: usize = 32;
/// Most of those remembered.
const MAX_MARKS: usize = 512;
/// How often in a row a page may be the one before until the controller knows no pages: once it is pushed back by as many
/// new items as a page has.
const MAX_AGAIN: u32 = 2;
/// No history has so many items.
const MAX_PLACE: usize = 4_000_000;

/// Reads one slice.
#[derive(Debug)]
pub struct Walk {
    from: Timestamp,
    to: Timestamp,
    until: Timestamp,
    /// How many items are held at once.
    hold: usize,
    step: Step,
    /// Where the pages began, and where the next one does.
    begin: usize,
    place: usize,
    may_search: bool,
    again: u32,
    marks: Marks,
}

/// What to ask next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The page that begins at this place.
    Page(usize),
    /// Only the item at this place.
    Item(usize),
}

/// What a page brought.
#[derive(Clone, Debug, Default)]
pub struct PageRead {
    /// How many items.
    pub items: usize,
    /// The oldest time in each [`CHUNK`] of them, where there is one.
    pub oldest: Vec<Option<Timestamp>>,
    /// Whether it is the page before once more.
    pub again: bool,
}

/// What one item that was asked for is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemRead {
    /// From this time.
    Of(Timestamp),
    /// The history does not reach so far.
    None,
    /// No single item, or one without a time.
    Odd,
}

/// What a walk leaves for the next one: places, and that everything from there on was this old.
#[derive(Debug, Default)]
pub struct Marks {
    spots: VecDeque<(usize, Timestamp)>,
    /// Where the history ended.
    end: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Read,
    /// The slice ends somewhere behind the place `newer` and before `older`, where that is known.
    Search {
        newer: usize,
        older: Option<usize>,
        stride: usize,
    },
    Done,
}

impl Walk {
    /// Read `slice`, of which so many items are held at once, the oldest.
    #[must_use]
    pub fn new(slice: &Slice, hold: usize, marks: &Marks) -> Self {
        let mut walk = Self {
            from: slice.from,
            to: slice.to,
            until: slice.until,
            hold,
            step: Step::Read,
            begin: 0,
            place: 0,
            may_search: true,
            again: 0,
            marks: Marks::default(),
        };
        if let Some(end) = marks.place_of(slice.from) {
            walk.begin_at(walk.above(end));
        }
        walk
    }

    /// What to ask, until all is read.
    #[must_use]
    pub fn next(&self) -> Option<Ask> {
        match self.step {
            Step::Done => None,
            Step::Read => Some(Ask::Page(self.place)),
            Step::Search {
                newer,
                older: None,
                stride,
            } => Some(Ask::Item(newer + stride)),
            Step::Search {
                newer,
                older: Some(older),
                ..
            } => Some(Ask::Item(newer + (older - newer) / 2)),
        }
    }

    /// This page came. From the time that is returned on, not all was read.
    pub fn page(&mut self, page: &PageRead) -> Option<Timestamp> {
        let mut cut = None;
        if self.place == self.begin && self.begin > 0 {
            match page.oldest.first().copied().flatten() {
                Some(newest) if newest > self.until => {}
                Some(newest) if newest > self.from && newest <= self.to => cut = Some(newest),
                // What is wanted may begin before this place, so that all is read.
                _ => {
                    self.may_search = false;
                    self.begin_at(0);
                    return None;
                }
            }
        }
        if page.items == 0 {
            self.marks.end = Some(self.place);
            self.step = Step::Done;
            return cut;
        }
        self.marks.add(self.place, page);
        self.place += page.items;
        self.again = if page.again { self.again + 1 } else { 0 };
        let beyond = page.oldest.iter().flatten().any(|time| *time < self.from);
        let read = self.place - self.begin;
        // Where the place was remembered, new items may have pushed the slice back a little.
        let far = if self.begin == 0 {
            self.hold
        } else {
            self.hold * 2
        };
        if beyond || self.again == MAX_AGAIN {
            self.step = Step::Done;
        } else if self.may_search && read >= far {
            self.may_search = false;
            self.step = Step::Search {
                newer: self.place,
                older: None,
                stride: self.hold,
            };
        }
        cut
    }

    /// This item came.
    pub fn item(&mut self, item: ItemRead) {
        let (
            Some(Ask::Item(at)),
            Step::Search {
                newer,
                older,
                stride,
            },
        ) = (self.next(), self.step)
        else {
            return;
        };
        let (newer, older) = match item {
            ItemRead::Of(time) if time >= self.from => (at, older),
            ItemRead::Of(_) | ItemRead::None => (newer, Some(at)),
            ItemRead::Odd => {
                self.step = Step::Read;
                return;
            }
        };
        self.step = match older {
            Some(older) if older - newer <= self.slack() => {
                let begin = self.above(older);
                // What lies between is less than what would be read anew.
                if begin > self.place {
                    self.begin_at(begin);
                }
                Step::Read
            }
            None if at >= MAX_PLACE => Step::Read,
            older => Step::Search {
                newer,
                older,
                stride: stride * 2,
            },
        };
    }

    /// What the next walk may know.
    #[must_use]
    pub fn into_marks(self) -> Marks {
        self.marks
    }

    fn begin_at(&mut self, place: usize) {
        (self.begin, self.place) = (place, place);
        self.again = 0;
        self.step = Step::Read;
        self.marks = Marks::default();
    }

    /// Where to begin so that what is held at once ends at this place.
    fn above(&self, place: usize) -> usize {
        place.saturating_sub(self.hold - self.slack())
    }

    /// A little, compared with what is held.
    fn slack(&self) -> usize {
        (self.hold / 40).max(1)
    }
}

impl Marks {
    fn add(&mut self, place: usize, page: &PageRead) {
        for (chunk, oldest) in page.oldest.iter().enumerate() {
            let end = page.items.min((chunk + 1) * CHUNK);
            if let Some(oldest) = oldest {
                self.spots.push_back((place + end, *oldest));
            }
        }
        while self.spots.len() > MAX_MARKS {
            self.spots.pop_front();
        }
    }

    /// The place from which on everything is older than `from`, if it is among those that are known.
    fn place_of(&self, from: Timestamp) -> Option<usize> {
        self.spots.front().filter(|(_, time)| *time >= from)?;
        let older = self.spots.iter().find(|(_, time)| *time < from);
        older.map(|(place, _)| *place).or(self.end)
    }
}

#[cfg(test)]
mod tests;
