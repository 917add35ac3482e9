//! Accepts connections to the control socket, so many at a time and no more.

use super::board::Board;
use super::protocol::Answer;
use super::session;
use super::socket::{Socket, SocketError};
use crate::tasks::Tasks;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Most connections at a time.
pub(super) const MAX_CONNECTIONS: usize = 32;

/// How long to wait when the system refuses a connection, for want of file handles say.
const BREATH: Duration = Duration::from_millis(200);

/// The control socket of a running host.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    socket: Socket,
    shared: Arc<Shared>,
    tasks: Tasks,
}

/// What the connections have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) board: Arc<Board>,
    pub(super) tasks: Tasks,
    places: Arc<Semaphore>,
    slow: AtomicU64,
}

impl Server {
    /// Bind the socket at `path`; must be called within a runtime.
    ///
    /// # Errors
    /// When another host answers there, or the system refuses.
    pub fn bind(path: &Path, board: Arc<Board>, tasks: Tasks) -> Result<Self, SocketError> {
        let (socket, listener) = Socket::bind(path)?;
        let listener = UnixListener::from_std(listener).map_err(|error| SocketError::System {
            path: path.to_owned(),
            error,
        })?;
        let shared = Arc::new(Shared {
            board,
            tasks: tasks.clone(),
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            slow: AtomicU64::new(0),
        });
        Ok(Self {
            listener,
            socket,
            shared,
            tasks,
        })
    }

    /// Answer until the tasks are told to stop.
    pub async fn serve(self) {
        let Self {
            listener,
            socket,
            shared,
            tasks,
        } = self;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = tasks.stopping() => break,
            };
            match accepted {
                Ok((stream, _)) => admit(&shared, stream, &tasks),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the control socket");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        drop(socket);
    }
}

fn admit(shared: &Arc<Shared>, stream: UnixStream, tasks: &Tasks) {
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        let full = "too many commands ask at a time, try again".to_owned();
        let line = session::line(&Answer::Failed(full));
        // A fresh socket has room for a line; whoever does not get it sees the end.
        drop(stream.try_write(&line));
        return;
    };
    let shared = Arc::clone(shared);
    tasks.spawn(async move {
        session::run(stream, &shared).await;
        drop(place);
    });
}

impl Shared {
    /// Note that somebody did not read and was left.
    pub(super) fn note_slow(&self) {
        let total = self.slow.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(
            total,
            "left a reader of the control socket that does not read"
        );
    }
}
