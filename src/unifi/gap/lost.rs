//! How many events of a hole are known to be lost, and how many of them the history brings back.

use unifi_herald_plugin::{Gap, Timestamp};

/// What the ring dropped of one hole.
#[derive(Debug, Default)]
pub(super) struct Lost {
    stretch: Option<Gap>,
    /// Brought of what is fetched once.
    once: u64,
    /// Brought of the hole's end, by the look that brought most, and by the one that lasts.
    end: u64,
    look: u64,
}

impl Lost {
    /// So many more are lost.
    pub(super) fn add(&mut self, more: Gap) {
        let known = self.stretch.take();
        self.stretch = Some(match known {
            None => more,
            Some(known) => Gap {
                from: known.from.min(more.from),
                to: known.to.max(more.to),
                count: Some(known.count.unwrap_or_default() + more.count.unwrap_or_default()),
            },
        });
    }

    /// An event of this time was brought; `again` where its moment is fetched again.
    pub(super) fn brought(&mut self, time: Timestamp, again: bool) {
        let inside = |stretch: &Gap| stretch.from <= time && time <= stretch.to;
        if !self.stretch.as_ref().is_some_and(inside) {
            return;
        }
        *(if again {
            &mut self.look
        } else {
            &mut self.once
        }) += 1;
    }

    /// The hole was looked at up to its end.
    pub(super) fn looked(&mut self) {
        self.end = self.end.max(std::mem::take(&mut self.look));
    }

    /// All of it is fetched anew.
    pub(super) fn anew(&mut self) {
        (self.once, self.end, self.look) = (0, 0, 0);
    }

    /// What stays lost at least: the history may bring what was not dropped as well.
    pub(super) fn rest(self) -> Option<Gap> {
        let stretch = self.stretch?;
        let rest = stretch.count?.saturating_sub(self.once + self.end);
        (rest > 0).then_some(Gap {
            count: Some(rest),
            ..stretch
        })
    }
}
