//! The way through the pages of the system log: when all of a slice is read, and when it has more than is held at once.

use super::SYSTEM_LOG_PAGE;

/// How often in a row a page may be the one before until the controller knows no pages.
const MAX_AGAIN: u32 = 2;
/// How often in a row a shorter slice may promise no fewer items until that is not believed any more.
const MAX_ALIKE: u32 = 3;

/// Reads one slice.
#[derive(Debug, Default)]
pub struct Pages {
    read: u64,
    again: u32,
}

/// What a page means for those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is another.
    More,
    /// All is read.
    Done,
    /// The controller gives the same page again and again: only a shorter slice brings what is behind it.
    Stuck,
}

impl Pages {
    /// A page of so many items came, perhaps the one before `again`; of `total` on all pages, where that was told.
    pub fn turn(&mut self, items: usize, again: bool, total: Option<u64>) -> Turn {
        self.again = if again { self.again + 1 } else { 0 };
        self.read += items as u64;
        // A full page has another behind it, whatever the controller says of all of them.
        let complete = items < SYSTEM_LOG_PAGE && total.is_some_and(|total| self.read >= total);
        if items == 0 || complete {
            Turn::Done
        } else if self.again == MAX_AGAIN {
            Turn::Stuck
        } else {
            Turn::More
        }
    }
}

/// What the controller promised, over the slices.
#[derive(Debug, Default)]
pub struct Promises {
    last: Option<u64>,
    alike: u32,
}

impl Promises {
    /// Whether to believe that a slice has so many items, more than are held at once: not when shorter and shorter ones have no
    /// fewer, as where they are counted without regard to the slice.
    pub fn believe(&mut self, total: u64) -> bool {
        let alike = self.last.is_some_and(|last| total >= last);
        self.alike = if alike { self.alike + 1 } else { 0 };
        self.last = Some(total);
        self.alike < MAX_ALIKE
    }

    /// A slice has no more items than are held at once.
    pub fn kept(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: usize = SYSTEM_LOG_PAGE;

    #[test]
    fn what_is_full_has_another_behind_it_whatever_is_said_of_all() {
        for total in [None, Some(0), Some(1), Some(2 * FULL as u64 + 3)] {
            let mut pages = Pages::default();
            assert_eq!(pages.turn(FULL, false, total), Turn::More);
            assert_eq!(pages.turn(FULL, false, total), Turn::More);
            let last = pages.turn(3, false, total);
            let expected = if total.is_some() {
                Turn::Done
            } else {
                Turn::More
            };
            assert_eq!(last, expected, "{total:?}");
            assert_eq!(pages.turn(0, false, total), Turn::Done);
        }
        // A controller that gives shorter pages than were asked for.
        let mut pages = Pages::default();
        assert_eq!(pages.turn(100, false, Some(150)), Turn::More);
        assert_eq!(pages.turn(50, false, Some(150)), Turn::Done);
    }

    #[test]
    fn the_same_page_again_and_again_is_the_only_one() {
        let mut pages = Pages::default();
        assert_eq!(pages.turn(FULL, false, None), Turn::More);
        assert_eq!(pages.turn(FULL, true, None), Turn::More);
        assert_eq!(pages.turn(FULL, true, None), Turn::Stuck);
    }

    #[test]
    fn a_promise_that_does_not_shrink_with_the_slice_is_believed_three_times() {
        let mut promises = Promises::default();
        let believed = [20_000; 5].map(|total| promises.believe(total));
        assert_eq!(believed, [true, true, true, false, false]);
        assert!(promises.believe(19_999), "it shrinks");
        assert!(promises.believe(19_999));
        promises.kept();
        assert!(promises.believe(30_000), "of another slice");
    }
}
