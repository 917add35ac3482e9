//! Writes down what became of the events of the window, and takes them out of it.

use super::{LaneWorker, State};
use crate::lane::Verdict;
use crate::store::{DeadLetter, Settled};
use unifi_herald_plugin::DeliveryError;

/// Longest reason that is kept with a dead letter: an answer may be a whole page.
const MAX_REASON: usize = 500;

impl LaneWorker {
    pub(super) async fn settle_verdict(
        &self,
        state: &mut State,
        attempts: u32,
        start: usize,
        verdict: &Verdict,
        error: Option<&DeliveryError>,
    ) {
        let at = self.clock.wall();
        let delivered = start..start + verdict.accepted;
        let mut indices: Vec<usize> = delivered
            .clone()
            .chain(verdict.dead.iter().copied())
            .collect();
        indices.sort_unstable();
        // An event that is given up because the one behind it was taken was refused before.
        let reason = match error {
            Some(error) => short(&error.to_string()),
            None => short(state.lane.health().last_error().unwrap_or_default()),
        };
        let settled = indices
            .iter()
            .map(|index| {
                let event = &state.window[*index];
                if delivered.contains(index) {
                    return Settled::Delivered { seq: event.seq };
                }
                Settled::Dead(Box::new(DeadLetter {
                    sink: self.index,
                    event: event.clone(),
                    reason: reason.clone(),
                    attempts,
                    first: event.received.min(at),
                    last: at,
                }))
            })
            .collect();
        self.settle(state, &indices, settled).await;
    }

    /// Write `settled` down and take `indices`, rising, out of the window. Until the store has it the window
    /// keeps it, and the sink gets it again: at least once.
    pub(super) async fn settle(
        &self,
        state: &mut State,
        indices: &[usize],
        settled: Vec<Settled>,
    ) -> bool {
        if indices.is_empty() {
            return true;
        }
        if let Err(error) = self.store.settle(self.index, settled).await {
            tracing::error!(sink = %self.plan.name, error = %error, "store did not take an acknowledgement");
            return false;
        }
        let whole_prefix = indices.len() == state.window.len();
        if whole_prefix {
            state.window.clear();
        } else {
            let mut settled = indices.iter().copied().peekable();
            let mut index = 0;
            state.window.retain(|_| {
                let gone = settled.next_if_eq(&index).is_some();
                index += 1;
                !gone
            });
        }
        if state.window.is_empty() {
            state.oldest = None;
        }
        true
    }
}

/// What a destination answered, as far as it tells something.
fn short(reason: &str) -> String {
    let reason = reason.trim();
    if reason.is_empty() {
        return "refused by the sink".to_owned();
    }
    match reason.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}
