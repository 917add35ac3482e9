//! `/api/stream`: what is committed from now on, as Server-sent events.

use super::Problem;
use super::events::Wanted;
use crate::control::protocol::Query;
use crate::control::{Shown, search};
use crate::server::App;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{self, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use unifi_herald_plugin::BufferedEvent;

/// Events sent together are no more bytes than this, or one event.
const PAGE: usize = 64 << 10;

/// After so long without an event a comment is sent, so that a dead connection is found out.
const SILENCE: Duration = Duration::from_secs(15);

/// One watcher. Its events wait in the host's ring of the newest; it is told how many it missed of them.
struct Watcher {
    app: Arc<App>,
    query: Query,
    events: Receiver<Shown>,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn watch(
    State(app): State<Arc<App>>,
    wanted: Result<extract::Query<Wanted>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let query = wanted?.0.query(&app)?;
    let Ok(place) = Arc::clone(&app.watchers).try_acquire_owned() else {
        return Err(Problem::busy("too many watch already").after(SILENCE));
    };
    let watcher = Watcher {
        events: app.board.tap.watch(),
        query,
        app,
        _place: place,
    };
    let first = Bytes::from_static(b"event: watching\ndata: {}\n\n");
    let pages = stream::unfold((watcher, Some(first)), |(mut watcher, first)| async move {
        let page = match first {
            Some(page) => Some(page),
            None => watcher.next().await,
        }?;
        Some((Ok::<_, Infallible>(page), (watcher, None)))
    });
    Ok((
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(pages),
    ))
}

impl Watcher {
    /// The next page; nothing when the host stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let mut page = Vec::new();
            tokio::select! {
                next = self.events.recv() => match next {
                    Ok(shown) => {
                        self.push(shown.event, &mut page);
                        self.more(&mut page);
                    }
                    Err(RecvError::Lagged(missed)) => note_missed(missed, &mut page),
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(SILENCE) => page.extend_from_slice(b": still here\n\n"),
                () = self.app.tasks.stopping() => return None,
            }
            if !page.is_empty() {
                return Some(page.into());
            }
        }
    }

    /// Add what is there already.
    fn more(&mut self, page: &mut Vec<u8>) {
        while page.len() < PAGE {
            match self.events.try_recv() {
                Ok(shown) => self.push(shown.event, page),
                Err(TryRecvError::Lagged(missed)) => note_missed(missed, page),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn push(&self, event: BufferedEvent, page: &mut Vec<u8>) {
        if !self.query.admits(&event) {
            return;
        }
        let event = if self.query.no_raw {
            search::without_raw(event)
        } else {
            event
        };
        page.extend_from_slice(b"data: ");
        let start = page.len();
        event.write_json(page);
        // What a controller sent may be spread over lines; between values of JSON a blank is as good.
        for byte in &mut page[start..] {
            if matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        page.extend_from_slice(b"\n\n");
    }
}

fn note_missed(missed: u64, page: &mut Vec<u8>) {
    let note = format!("event: missed\ndata: {{\"count\":{missed}}}\n\n");
    page.extend_from_slice(note.as_bytes());
}
