//! How far the controllers have come in this life of the process, for a controller that is started anew in it.

use crate::store::{Hole, HoleChange, Watermark};

/// Watermarks and open holes.
#[derive(Debug, Default)]
pub(super) struct Progress {
    watermarks: Vec<Watermark>,
    holes: Vec<Hole>,
}

impl Progress {
    /// Enter what a batch changes.
    pub(super) fn enter(&mut self, watermarks: Vec<Watermark>, holes: Vec<HoleChange>) {
        for mark in watermarks {
            let is = |known: &&mut Watermark| {
                known.controller == mark.controller && known.site == mark.site
            };
            match self.watermarks.iter_mut().find(is) {
                Some(known) => *known = mark,
                None => self.watermarks.push(mark),
            }
        }
        for change in holes {
            match change {
                HoleChange::Open(hole) => {
                    self.holes.retain(|known| known.id != hole.id);
                    self.holes.push(hole);
                }
                HoleChange::Shrink { id, from, to, .. } => {
                    if let Some(hole) = self.holes.iter_mut().find(|hole| hole.id == id) {
                        (hole.from, hole.to) = (from, to);
                    }
                }
                HoleChange::Close { id } => self.holes.retain(|hole| hole.id != id),
            }
        }
    }

    pub(super) fn watermarks(&self) -> Vec<Watermark> {
        self.watermarks.clone()
    }

    pub(super) fn holes(&self) -> Vec<Hole> {
        self.holes.clone()
    }
}
