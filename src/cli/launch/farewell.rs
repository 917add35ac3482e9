//! The last words of a host: what it leaves behind, where that is, and what is lost.

use super::Exit;
use crate::cli::output::complain;
use crate::config::LogFormat;
use crate::host::{Stopped, Unwritten};

/// Say what was left, if anything was, in a log of this form.
pub(super) fn report(stopped: &Stopped, format: LogFormat) -> Exit {
    if !stopped.safe {
        lose(stopped, "could not be delivered in time", format);
        return Exit::Failed;
    }
    if stopped.left.is_empty() {
        tracing::info!("everything is delivered");
    } else {
        let count = stopped.total();
        tracing::info!(
            count,
            "pending events are safe in the store, the next start delivers them"
        );
    }
    if let Some(unwritten) = stopped.unwritten.filter(|unwritten| unwritten.events > 0) {
        let events = unwritten.events;
        let future = future_of(unwritten);
        tracing::warn!(
            events,
            future,
            "events are not in the journal, for the store's disk takes nothing"
        );
    }
    Exit::Done
}

/// Say what is left by a host that was not given the time to stop.
pub(super) fn cut_short(stopped: &Stopped, format: LogFormat) {
    if stopped.safe {
        tracing::warn!("stopped by a second signal, pending events are safe in the store");
    } else {
        tracing::warn!("stopped by a second signal, pending events are lost");
        lose(stopped, "were pending in memory only", format);
    }
}

/// Say how many are lost, by sink and in all.
fn lose(stopped: &Stopped, what: &str, format: LogFormat) {
    for (sink, count) in &stopped.left {
        tracing::error!(sink = %sink, count, what, "events are lost");
    }
    let mut text = format!("{} events {what} and are lost", stopped.total());
    if let Some(unwritten) = stopped.unwritten {
        text += ", for the store's disk takes nothing; ";
        text += future_of(unwritten);
    }
    if stopped.kept > 0 {
        text += &format!("; {} others are safe in the store", stopped.kept);
    }
    match format {
        LogFormat::Text => complain(&text),
        LogFormat::Json | LogFormat::Journald => {
            tracing::error!(detail = text, "herald ends with a loss");
        }
    }
}

/// What may become of events that were not written.
fn future_of(unwritten: Unwritten) -> &'static str {
    if unwritten.comes_again {
        "what the controllers' histories still have comes again at the next start"
    } else {
        "the next start does not know of them"
    }
}
