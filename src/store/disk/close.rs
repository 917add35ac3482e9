//! The end of a run: one more try to write what is held, and what is left for the next run to begin with.

use super::writer::Writer;
use super::{reserve, sinks};

impl Writer {
    /// Try now what is tried again and again, for the last time: what is said about it then stays true.
    pub(super) fn save(&mut self) {
        if self.held.is_some() && !self.saved {
            self.recover();
        }
        if let Some(held) = &self.held
            && !self.saved
        {
            tracing::error!(
                events = held.len(),
                "store ends degraded, what it holds in memory only is gone"
            );
        }
        self.saved = true;
    }

    pub(super) fn close(&mut self) {
        self.save();
        self.say_forgotten();
        if self.held.is_some() {
            return;
        }
        reserve::keep(&self.plan.dir);
        let closed = sinks::note_clean_end(&self.connection);
        if let Err(error) = closed {
            tracing::warn!(error = %error, "store did not close cleanly");
        }
    }
}
