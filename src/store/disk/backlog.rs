//! Reads on for the lanes: from the outbox, and from what is held while the disk takes nothing.

use super::outbox;
use super::runs::Runs;
use super::writer::Writer;
use crate::config::SyncMode;

/// Most events read from the disk in one go, so that no commit waits long for a backlog.
const REFILL: usize = 256;

impl Writer {
    /// Read on for a lane whose window is empty.
    pub(super) fn refill(&mut self, sink: usize) {
        let lane = self.shared.lane(sink);
        let (wants, claimed) = {
            let window = lane.window();
            (window.wants(), window.claimed().clone())
        };
        let (cursor, events, bytes) = wants;
        let events = events.min(REFILL);
        let held = self.held.as_ref();
        let read = outbox::read(
            &self.connection,
            self.pen.sinks[sink],
            cursor,
            events,
            bytes,
            |seq| {
                let elsewhere =
                    held.is_some_and(|held| seq > self.committed || held.is_settled(sink, seq));
                elsewhere || claimed.contains(seq)
            },
        );
        match read {
            Ok(mut refill) => {
                if let Some(held) = held.filter(|_| refill.complete) {
                    held.refill(sink, cursor, events, &claimed, &mut refill);
                }
                let unreadable = std::mem::take(&mut refill.unreadable);
                lane.window().refill(refill);
                lane.filled.notify_one();
                if !unreadable.is_empty() {
                    self.lose_unreadable(sink, &unreadable.into_iter().collect());
                }
            }
            // The lane keeps asking, and the next tick hears it.
            Err(error) => {
                tracing::warn!(sink = %lane.name, error = %error, "store could not read a backlog");
            }
        }
    }

    fn lose_unreadable(&mut self, sink: usize, seqs: &Runs) {
        let name = &self.shared.lane(sink).name.clone();
        tracing::error!(sink = %name, lost = seqs.len(), "store has pending events that cannot be read, they are lost; run `herald store check`");
        if self.held.is_some() {
            return;
        }
        let written = self.transact(SyncMode::Normal, |connection, pen, books| {
            let removed = outbox::remove(connection, pen.sinks[sink], seqs)?;
            books[sink].lose(removed.len());
            Ok(())
        });
        if let Err(error) = written {
            self.degrade(&error);
        }
    }
}
