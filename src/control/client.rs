//! The asking end of the control socket, for commands: blocking, one question at a time.

use super::protocol::{Answer, Request};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for an answer that the host gives at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest line taken from a host: an event with its `raw`, and room.
const MAX_LINE: u64 = 16 << 20;

/// The host could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there.
    #[error("herald is not running (nobody answers at {})", .0.display())]
    NotRunning(PathBuf),
    /// The socket belongs to somebody else.
    #[error("{} belongs to another user; run this as the user that herald runs as", .0.display())]
    Denied(PathBuf),
    /// The host cannot do it as it was asked, for this reason.
    #[error("{0}")]
    Misasked(String),
    /// The host did not do it, for this reason.
    #[error("{0}")]
    Refused(String),
    /// The host went away in the middle of it.
    #[error("herald stopped before it had answered")]
    Ended,
    /// The connection broke, or the host speaks otherwise.
    #[error("the running herald cannot be asked: {0}")]
    Broken(#[from] io::Error),
}

/// A question that was asked, and its answers as they come.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    line: Vec<u8>,
}

impl Client {
    /// Ask the host at the socket `path`.
    ///
    /// # Errors
    /// When nobody answers there, or the connection breaks.
    pub fn ask(path: &Path, request: &Request) -> Result<Self, ClientError> {
        let mut stream = UnixStream::connect(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory => {
                ClientError::NotRunning(path.to_owned())
            }
            ErrorKind::PermissionDenied => ClientError::Denied(path.to_owned()),
            _ => ClientError::Broken(error),
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = serde_json::to_vec(request).map_err(io::Error::other)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        Ok(Self {
            stream: BufReader::new(stream),
            line,
        })
    }

    /// Wait for answers however long they take.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn be_patient(&self) -> Result<(), ClientError> {
        Ok(self.stream.get_ref().set_read_timeout(None)?)
    }

    /// The next answer.
    ///
    /// # Errors
    /// When the host refuses, or the connection breaks.
    pub fn answer(&mut self) -> Result<Answer, ClientError> {
        self.line.clear();
        let mut bounded = (&mut self.stream).take(MAX_LINE);
        bounded.read_until(b'\n', &mut self.line)?;
        if self.line.last() != Some(&b'\n') {
            return Err(ClientError::Ended);
        }
        match serde_json::from_slice(&self.line) {
            Ok(Answer::Misasked(reason)) => Err(ClientError::Misasked(reason)),
            Ok(Answer::Failed(reason)) => Err(ClientError::Refused(reason)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(io::Error::other(format!(
                "it speaks otherwise, is it of another version? ({error})"
            ))
            .into()),
        }
    }
}
