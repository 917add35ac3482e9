//! Messages on a connection that may turn out to be dead: what goes out, what was surely written, what is written again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use unifi_herald_plugin::connect::{ConnectError, Connection, Connector};

/// A peer that is gone says so well within this time after it was written to: by closing, or by resetting.
const SURE_AFTER: Duration = Duration::from_secs(5);
/// How soon to look again for a collector that is away.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Most bytes kept for a second time; what is beyond counts as arrived.
const MOST_KEPT: usize = 4 * 1024 * 1024;

/// The way to one collector.
#[derive(Debug)]
pub(crate) struct Stream {
    connector: Connector,
    host: String,
    port: u16,
    open: Option<Open>,
    /// Written in the last seconds and not known to have arrived, oldest first.
    unsure: VecDeque<Written>,
    /// When to look whether it has.
    look_at: Option<Instant>,
}

/// A connection, and what it still has to write: a message once begun is finished, whoever is cancelled meanwhile.
#[derive(Debug)]
struct Open {
    connection: Connection,
    rest: Vec<u8>,
    done: usize,
}

#[derive(Debug)]
struct Written {
    at: Instant,
    frames: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(connector: Connector, host: String, port: u16) -> Self {
        Self {
            connector,
            host,
            port,
            open: None,
            unsure: VecDeque::new(),
            look_at: None,
        }
    }

    /// Write these whole frames, after what may have been lost with an earlier connection.
    ///
    /// # Errors
    /// When there is no connection, or it broke; the frames may then have been written in part.
    pub(crate) async fn send(&mut self, frames: Vec<u8>, now: Instant) -> Result<(), SendError> {
        self.forget_sure(now).await;
        self.ready().await?;
        self.write(&frames).await?;
        self.keep(Written { at: now, frames });
        Ok(())
    }

    /// Open a connection, unless there is one.
    pub(crate) async fn open(&mut self) -> Result<(), SendError> {
        self.ready().await
    }

    /// When [`make_sure`](Self::make_sure) wants to be called.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Look whether the peer is still there, and if it is not, write again what it may have lost.
    pub(crate) async fn make_sure(&mut self, now: Instant) -> Result<(), SendError> {
        self.look_at = Some(now + LOOK_AGAIN);
        self.forget_sure(now).await;
        if !self.unsure.is_empty() {
            self.ready().await?;
        }
        self.look_at = self.unsure.back().map(|_| now + SURE_AFTER);
        Ok(())
    }

    /// Finish, say goodbye, and wait for the peer to have read everything.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.finish().await?;
        open.connection.shutdown().await?;
        let mut ignored = [0; 1024];
        loop {
            match open.connection.read(&mut ignored).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // It has closed without the goodbye of TLS, as many do.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// A connection is open, idle and alive, and what was in doubt has been written on it.
    async fn ready(&mut self) -> Result<(), SendError> {
        if let Some(open) = &mut self.open {
            if open.finish().await.is_ok() && open.is_alive().await {
                return Ok(());
            }
            self.open = None;
        }
        let connection = self.connector.connect(&self.host, self.port).await?;
        self.open = Some(Open {
            connection,
            rest: Vec::new(),
            done: 0,
        });
        // Once only: a collector that hangs up after every message would get them for ever.
        while let Some(written) = self.unsure.pop_front() {
            if let Err(error) = self.write(&written.frames).await {
                self.unsure.push_front(written);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn write(&mut self, frames: &[u8]) -> Result<(), SendError> {
        let Some(open) = &mut self.open else {
            return Err(SendError("the connection is closed".to_owned()));
        };
        open.rest.extend_from_slice(frames);
        if let Err(error) = open.finish().await {
            self.open = None;
            return Err(error.into());
        }
        Ok(())
    }

    fn keep(&mut self, written: Written) {
        self.look_at = Some(written.at + SURE_AFTER);
        self.unsure.push_back(written);
        let mut kept: usize = self.unsure.iter().map(|written| written.frames.len()).sum();
        while kept > MOST_KEPT
            && let Some(oldest) = self.unsure.pop_front()
        {
            kept -= oldest.frames.len();
        }
    }

    /// Let go of what was written long enough ago on a connection that is still alive.
    async fn forget_sure(&mut self, now: Instant) {
        let is_sure = |written: &Written| now.saturating_duration_since(written.at) >= SURE_AFTER;
        if !self.unsure.iter().any(is_sure) {
            return;
        }
        if let Some(open) = &mut self.open {
            if open.is_alive().await {
                self.unsure.retain(|written| !is_sure(written));
            } else {
                self.open = None;
            }
        }
    }
}

impl Open {
    /// Write what is left. Cancel-safe: what was not written stays.
    async fn finish(&mut self) -> io::Result<()> {
        while self.done < self.rest.len() {
            let written = self.connection.write(&self.rest[self.done..]).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.done += written;
        }
        self.connection.flush().await?;
        self.rest.clear();
        self.done = 0;
        Ok(())
    }

    /// Whether the peer still reads: it has neither closed nor reset. What it says is ignored; collectors say nothing.
    async fn is_alive(&mut self) -> bool {
        if !self.is_quiet().await {
            return false;
        }
        // Whether there is news is known only when the runtime has asked the system.
        tokio::task::yield_now().await;
        self.is_quiet().await
    }

    async fn is_quiet(&mut self) -> bool {
        let connection = &mut self.connection;
        poll_fn(|cx| {
            let mut ignored = [0; 1024];
            // Bounded, so that a peer that never stops talking does not keep us here.
            for _ in 0..64 {
                let mut buffer = ReadBuf::new(&mut ignored);
                match Pin::new(&mut *connection).poll_read(cx, &mut buffer) {
                    Poll::Pending => return Poll::Ready(true),
                    Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(false),
                }
            }
            Poll::Ready(true)
        })
        .await
    }
}

/// Nothing could be written, or nobody knows how much; in words.
#[derive(Debug)]
pub(crate) struct SendError(String);

impl std::fmt::Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SendError {}

impl From<ConnectError> for SendError {
    fn from(error: ConnectError) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self(format!("the connection broke: {error}"))
    }
}
