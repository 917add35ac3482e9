//! One connection to the control socket: one question, its answers, the end.

use super::protocol::{Answer, MAX_REQUEST, Request};
use super::search;
use super::server::Shared;
use super::tail;
use crate::router::Order;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a question may take to arrive, and how long an answer may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pages of an answer that may wait for their reader.
const PAGES: usize = 2;

/// Serve one connection to its end.
pub(super) async fn run(stream: UnixStream, shared: &Shared) {
    let mut stream = BufReader::new(stream);
    let Ok(request) = timeout(PATIENCE, read(&mut stream)).await else {
        return;
    };
    let mut replies = Replies {
        stream: stream.into_inner(),
    };
    let outcome = match request {
        Ok(Some(request)) => answer(request, shared, &mut replies).await,
        Ok(None) => return,
        Err(error) => replies.send(&Answer::Failed(error.to_string())).await,
    };
    match outcome {
        Ok(()) => {}
        Err(Gone::Slow) => shared.note_slow(),
        Err(Gone::Left) => {}
    }
}

async fn answer(request: Request, shared: &Shared, replies: &mut Replies) -> Result<(), Gone> {
    match request {
        Request::Status {} => {
            let status = Box::new(shared.board.status());
            replies.send(&Answer::Status(status)).await?;
            replies.send(&Answer::Done(0)).await
        }
        Request::Health {} => {
            let health = shared.board.health();
            replies.send(&Answer::Health(health)).await?;
            replies.send(&Answer::Done(0)).await
        }
        Request::Events { query } => {
            let (pages, found) = mpsc::channel(PAGES);
            let store = Arc::clone(&shared.board.store);
            let search = move || search::events(&*store, &query, &pages);
            replies.stream(found, shared.tasks.blocking(search)).await
        }
        Request::Why { id } => {
            let (pages, found) = mpsc::channel(PAGES);
            let store = Arc::clone(&shared.board.store);
            let tell = move || search::why(&*store, &id, &pages);
            replies.stream(found, shared.tasks.blocking(tell)).await
        }
        Request::Tail { watch } => tail::run(watch, shared, replies).await,
        Request::DeadLetters { filter } => {
            let (pages, found) = mpsc::channel(PAGES);
            let store = Arc::clone(&shared.board.store);
            let list = move || search::letters(&*store, &filter, &pages);
            replies.stream(found, shared.tasks.blocking(list)).await
        }
        Request::Incidents {} => {
            let incidents = shared.board.desk.incidents();
            let count = incidents.len() as u64;
            for incident in incidents {
                replies.send(&Answer::Incident(Box::new(incident))).await?;
            }
            replies.send(&Answer::Done(count)).await
        }
        Request::Acknowledge { id } => {
            let done = shared.board.desk.acknowledge(&id).await;
            let done = done.map(|()| 1).map_err(|error| error.to_string());
            replies.conclude(done).await
        }
        Request::Silences {} => {
            let silences = shared.board.desk.silences();
            let count = silences.len() as u64;
            for silence in silences {
                replies.send(&Answer::Silence(silence)).await?;
            }
            replies.send(&Answer::Done(count)).await
        }
        Request::Silence { new } => match shared.board.desk.silence(new).await {
            Ok(silence) => {
                replies.send(&Answer::Silence(silence)).await?;
                replies.send(&Answer::Done(1)).await
            }
            Err(error) => replies.conclude(Err(error.to_string())).await,
        },
        Request::EndSilence { id } => {
            let done = shared.board.desk.end_silence(&id).await;
            let done = done.map(|()| 1).map_err(|error| error.to_string());
            replies.conclude(done).await
        }
        Request::RetryDeadLetters { filter } => {
            let store = &shared.board.store;
            let done = store.retry_dead_letters(&filter.to_store()).await;
            replies.conclude(done.map_err(|error| error.message)).await
        }
        Request::DropDeadLetters { filter } => {
            let store = &shared.board.store;
            let done = store.drop_dead_letters(&filter.to_store()).await;
            replies.conclude(done.map_err(|error| error.message)).await
        }
        Request::Reload {} => match shared.board.reloader.reload().await {
            Ok(changes) => {
                replies.send(&Answer::Reloaded(Box::new(changes))).await?;
                replies.send(&Answer::Done(0)).await
            }
            Err(error) if error.is_config() => {
                replies
                    .send(&Answer::Misconfigured(error.to_string()))
                    .await
            }
            Err(error) => replies.send(&Answer::Failed(error.to_string())).await,
        },
        Request::ForgetScript { name } => {
            let (done, forgotten) = oneshot::channel();
            let sent = shared.board.orders.send(Order::Forget(name, done)).await;
            let keys = match sent {
                Ok(()) => forgotten.await.ok(),
                Err(_stopping) => None,
            };
            let keys = keys.map(|keys| keys as u64);
            replies
                .conclude(keys.ok_or_else(|| "herald is stopping".to_owned()))
                .await
        }
    }
}

/// The answer as a line, line feed included.
pub(super) fn line(answer: &Answer) -> Vec<u8> {
    // Neither can fail: there is no map whose keys are not text, and the writer is a vector.
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    line
}

/// The request; none when the other end said nothing.
async fn read(stream: &mut BufReader<UnixStream>) -> io::Result<Option<Request>> {
    let mut line = Vec::new();
    let limit = MAX_REQUEST as u64 + 1;
    stream.take(limit).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() > MAX_REQUEST {
        return Err(io::Error::other("the request is too long"));
    }
    match serde_json::from_slice(&line) {
        Ok(request) => Ok(Some(request)),
        Err(error) => Err(io::Error::other(format!(
            "this herald does not understand the request: {error}"
        ))),
    }
}

/// Why a reader gets no more.
#[derive(Debug)]
pub(super) enum Gone {
    /// It does not read.
    Slow,
    /// It went away.
    Left,
}

/// The way back to whoever asked.
#[derive(Debug)]
pub(super) struct Replies {
    stream: UnixStream,
}

impl Replies {
    /// Send one line, waiting for a slow reader for a while.
    pub(super) async fn send(&mut self, answer: &Answer) -> Result<(), Gone> {
        self.write(&line(answer)).await
    }

    /// Resolves when the other end is gone. Cancel-safe.
    pub(super) async fn left(&mut self) {
        // Nothing more is expected from there: whatever is read, and be it an error, the talk is over.
        drop(self.stream.read(&mut [0]).await);
    }

    /// Send pages as they come, then how it ended.
    async fn stream(
        &mut self,
        mut pages: mpsc::Receiver<Vec<u8>>,
        search: JoinHandle<Result<u64, String>>,
    ) -> Result<(), Gone> {
        while let Some(page) = pages.recv().await {
            self.write(&page).await?;
        }
        let ended = search.await;
        self.conclude(ended.unwrap_or_else(|_| Err("the search broke off".to_owned())))
            .await
    }

    /// Send the last line.
    async fn conclude(&mut self, done: Result<u64, String>) -> Result<(), Gone> {
        let answer = done.map_or_else(Answer::Failed, Answer::Done);
        self.send(&answer).await
    }

    /// Send lines that are ready.
    pub(super) async fn write(&mut self, lines: &[u8]) -> Result<(), Gone> {
        match timeout(PATIENCE, self.stream.write_all(lines)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_left)) => Err(Gone::Left),
            Err(_elapsed) => Err(Gone::Slow),
        }
    }
}
