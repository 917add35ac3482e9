//! What is taken out of the window before it is delivered: what is too old, and what later news made pointless.

use super::{LaneWorker, State};
use crate::lane::coalesce::overtaken;
use crate::store::Settled;
use futures_util::FutureExt;

/// How far behind the front the end of an incident is looked for.
const LOOK_AHEAD: usize = 1_000;

impl LaneWorker {
    /// Take out what is not worth sending any more. False when the window is no longer what the lane decided on, or the
    /// store did not take it.
    pub(super) async fn sift(&self, state: &mut State) -> bool {
        let mut pointless = Vec::new();
        if self.plan.coalesce {
            self.look_ahead(state);
            pointless = overtaken(&state.window);
        }
        let limit = self.plan.max_age.map(|age| self.clock.wall() - age);
        let (mut indices, mut settled) = (Vec::new(), Vec::new());
        for (index, event) in state.window.iter().enumerate() {
            let seq = event.seq;
            if pointless.binary_search(&index).is_ok() {
                settled.push(Settled::Merged { seq });
            } else if limit.is_some_and(|limit| event.time < limit) {
                settled.push(Settled::Expired { seq });
            } else {
                continue;
            }
            indices.push(index);
        }
        let untouched = indices.is_empty();
        self.settle(state, &indices, settled).await && untouched
    }

    /// Have at hand what is there already, as far as the end of an incident is looked for.
    fn look_ahead(&self, state: &mut State) {
        while state.window.len() < LOOK_AHEAD {
            let room = LOOK_AHEAD - state.window.len();
            match self.store.claim(self.index, room).now_or_never() {
                Some(events) => self.add(state, events),
                None => return,
            }
        }
    }
}
