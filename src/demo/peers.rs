//! The sockets that are open: what each is still to be told, and how it shall end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Bytes;

/// Every open socket.
#[derive(Debug, Default)]
pub(super) struct Peers {
    open: Mutex<Vec<Arc<Peer>>>,
    /// Told whenever a socket took frames off its queue or went away.
    pub(super) drained: Arc<Notify>,
}

/// One open socket, as seen by those who have something for it.
#[derive(Debug)]
pub(super) struct Peer {
    /// The site it subscribed to.
    pub(super) site: String,
    state: Mutex<Todo>,
    changed: Notify,
    drained: Arc<Notify>,
    frozen: AtomicBool,
}

#[derive(Debug, Default)]
struct Todo {
    queue: VecDeque<Bytes>,
    bytes: usize,
    ending: Option<Ending>,
}

/// How a socket comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The connection breaks in the middle of a frame, without a close frame.
    Cut,
    /// The connection breaks between two frames, without a close frame: what a reader reports as 1006.
    Abort,
    /// A close frame with this code.
    Close(u16),
}

/// What a socket does next.
#[derive(Debug)]
pub(super) enum Next {
    Frames(Vec<Bytes>),
    End(Ending),
    /// Neither read nor write any more.
    Freeze,
}

/// A reader that is this far behind is cut off, as controllers do.
const MOST_BYTES: usize = 96 << 20;
/// As many frames as are written between two flushes.
const BATCH: usize = 256;

impl Peers {
    /// A new socket of this site.
    pub(super) fn join(&self, site: &str) -> Arc<Peer> {
        let peer = Arc::new(Peer {
            site: site.to_owned(),
            state: Mutex::default(),
            changed: Notify::new(),
            drained: Arc::clone(&self.drained),
            frozen: AtomicBool::new(false),
        });
        self.lock().push(Arc::clone(&peer));
        self.drained.notify_waiters();
        peer
    }

    pub(super) fn leave(&self, peer: &Arc<Peer>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, peer));
        self.drained.notify_waiters();
    }

    /// The sockets of this site.
    pub(super) fn of(&self, site: &str) -> Vec<Arc<Peer>> {
        self.lock()
            .iter()
            .filter(|peer| peer.site == site)
            .cloned()
            .collect()
    }

    pub(super) fn all(&self) -> Vec<Arc<Peer>> {
        self.lock().clone()
    }

    /// The longest queue of those that are still written to, in frames; nothing when there is no such socket.
    pub(super) fn longest_queue(&self) -> Option<usize> {
        self.lock()
            .iter()
            .filter(|peer| !peer.frozen())
            .map(|peer| peer.lock().queue.len())
            .max()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Peer>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    /// Tell it this. A frozen socket loses it, as the network would.
    pub(super) fn offer(&self, frame: Bytes) {
        if self.frozen() {
            return;
        }
        let mut todo = self.lock();
        todo.bytes += frame.len();
        todo.queue.push_back(frame);
        if todo.bytes > MOST_BYTES {
            todo.queue.clear();
            todo.bytes = 0;
            todo.ending = Some(Ending::Abort);
        }
        drop(todo);
        self.changed.notify_one();
    }

    pub(super) fn end(&self, ending: Ending) {
        self.lock().ending = Some(ending);
        self.changed.notify_one();
    }

    pub(super) fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
        let mut todo = self.lock();
        todo.queue.clear();
        todo.bytes = 0;
        drop(todo);
        self.changed.notify_one();
    }

    pub(super) fn frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    /// What to do next. Cancel-safe: what is returned is all that was taken.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    /// Resolves when the socket shall end or freeze, whatever is still in its queue.
    pub(super) async fn interrupted(&self) -> Next {
        loop {
            let ending = self.lock().ending;
            match ending {
                Some(ending) => return Next::End(ending),
                None if self.frozen() => return Next::Freeze,
                None => self.changed.notified().await,
            }
        }
    }

    /// Resolves when a frozen socket shall end.
    pub(super) async fn ended(&self) -> Ending {
        loop {
            let ending = self.lock().ending;
            match ending {
                Some(ending) => return ending,
                None => self.changed.notified().await,
            }
        }
    }

    fn take(&self) -> Option<Next> {
        let mut todo = self.lock();
        // What was said before the order to end is told first, so that a test may end a socket right after an event.
        if self.frozen() {
            return Some(Next::Freeze);
        }
        if todo.queue.is_empty() {
            return todo.ending.map(Next::End);
        }
        let count = todo.queue.len().min(BATCH);
        let frames: Vec<Bytes> = todo.queue.drain(..count).collect();
        todo.bytes -= frames.iter().map(|frame| frame.len()).sum::<usize>();
        drop(todo);
        self.drained.notify_waiters();
        Some(Next::Frames(frames))
    }

    fn lock(&self) -> MutexGuard<'_, Todo> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
