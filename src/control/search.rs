//! Long answers, put together a page at a time by a thread that may block.

use super::fate::fates;
use super::protocol::{Answer, Letter, Letters, Query};
use super::session::line;
use crate::store::{Reader, Store};
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use unifi_herald_plugin::BufferedEvent;

/// A page is sent when it has this many bytes.
const PAGE: usize = 64 << 10;

/// Dead letters read in one go.
const LETTERS: usize = 64;

/// Why there is nothing to search.
pub(crate) const NO_JOURNAL: &str = "with `store.mode = \"memory\"` there is no journal to search; `herald tail` shows what happens from now on";

/// Call `visit` with the events that `query` describes, without `raw` where that is not wanted, until it breaks.
pub(crate) fn find(
    store: &dyn Store,
    query: &Query,
    mut visit: impl FnMut(BufferedEvent) -> ControlFlow<()>,
) -> Result<(), String> {
    let reader = journal(store)?;
    let mut left = query.limit.unwrap_or(usize::MAX);
    if left == 0 {
        return Ok(());
    }
    let searched = reader.search(&query.to_store(), |found| {
        left -= 1;
        let seen = visit(if query.no_raw {
            without_raw(found.event)
        } else {
            found.event
        });
        if left == 0 {
            ControlFlow::Break(())
        } else {
            seen
        }
    });
    searched.map_err(|error| error.message)
}

/// Send the events that `query` describes; how many there were. Whoever stops reading ends the search.
pub(super) fn events(
    store: &dyn Store,
    query: &Query,
    pages: &Sender<Vec<u8>>,
) -> Result<u64, String> {
    let mut page = Vec::new();
    let mut count = 0;
    find(store, query, |found| {
        event(&found, &mut page);
        count += 1;
        if page.len() >= PAGE && pages.blocking_send(std::mem::take(&mut page)).is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    // A reader that is gone needs no last page.
    pages.blocking_send(page).unwrap_or_default();
    Ok(count)
}

/// Send what became of the events with this id; how many there are.
pub(super) fn why(store: &dyn Store, id: &str, pages: &Sender<Vec<u8>>) -> Result<u64, String> {
    let fates = fates(&journal(store)?, id).map_err(|error| error.message)?;
    let count = fates.len() as u64;
    for fate in fates {
        let page = line(&Answer::Fate(Box::new(fate)));
        if pages.blocking_send(page).is_err() {
            break;
        }
    }
    Ok(count)
}

pub(crate) fn journal(store: &dyn Store) -> Result<Reader, String> {
    match store.journal() {
        Ok(Some(reader)) => Ok(reader),
        Ok(None) => Err(NO_JOURNAL.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Send the dead letters that `filter` describes; how many there were.
pub(super) fn letters(
    store: &dyn Store,
    filter: &Letters,
    pages: &Sender<Vec<u8>>,
) -> Result<u64, String> {
    let filter = filter.to_store();
    let (mut after, mut count) = (0, 0);
    loop {
        let kept = store.dead_letters(&filter, after, LETTERS);
        let kept = kept.map_err(|error| error.message)?;
        let Some(last) = kept.last() else {
            return Ok(count);
        };
        after = last.position;
        count += kept.len() as u64;
        let letters = kept.iter().filter_map(Letter::of);
        let page = letters.flat_map(|letter| line(&Answer::Letter(letter)));
        if pages.blocking_send(page.collect()).is_err() {
            return Ok(count);
        }
    }
}

/// Append the event as an answer: the bytes that [`Answer::Event`] would be, without a detour.
pub(super) fn event(event: &BufferedEvent, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event\":");
    event.write_json(out);
    out.extend_from_slice(b"}\n");
}

/// The event without what the controller sent.
pub(crate) fn without_raw(mut event: BufferedEvent) -> BufferedEvent {
    if event.raw.is_some() {
        Arc::make_mut(&mut event.event).raw = None;
    }
    event
}
