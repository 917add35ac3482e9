//! A running program: its pipes, its process group, its end.

use crate::chatter::{LAST_WORDS, listen};
use crate::config::{Ack, Command};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use unifi_herald_plugin::BuildContext;

/// A process with the group that it leads. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    group: Option<Pid>,
    started: Instant,
    /// Where its end is in [`stop`](Self::stop), which may be cancelled and called again.
    stage: Stage,
    /// Ends the listening to its standard error.
    _listened: oneshot::Sender<()>,
    /// Resolves when everything was heard that it said there.
    heard: Option<oneshot::Receiver<()>>,
}

/// How far a program has been asked to go.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Working,
    /// Until then it may end by itself.
    Asked(Instant),
    /// Until then it may end after SIGTERM.
    Told(Instant),
    Killed,
}

/// How long a program may take to finish what it has.
const TO_FINISH: Duration = Duration::from_secs(3);
/// And how long after SIGTERM.
const TO_OBEY: Duration = Duration::from_secs(2);

impl Program {
    /// Start `command`.
    pub(crate) fn start(command: &Command, ack: Ack, context: &BuildContext) -> io::Result<Self> {
        let stdout = match ack {
            Ack::Lines => Stdio::piped(),
            Ack::Write => Stdio::null(),
        };
        let mut child = tokio::process::Command::new(&command.program)
            .args(&command.arguments)
            .current_dir(&command.cwd)
            .env_clear()
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .envs(
                command
                    .secrets
                    .iter()
                    .map(|(name, value)| (name, value.expose())),
            )
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (stop, stopped) = oneshot::channel();
        let (all, heard) = oneshot::channel();
        if let Some(stderr) = child.stderr.take() {
            let listening = listen(stderr, stopped, context.clone(), all);
            context.spawn("exec-stderr", listening);
        }
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            group: id.and_then(Pid::from_raw),
            child,
            started: context.now(),
            stage: Stage::Working,
            _listened: stop,
            heard: Some(heard),
        })
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        // What cannot be asked for is treated as gone: it is killed, and another one started.
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it may be written to.
    pub(crate) fn reads(&self) -> bool {
        self.stdin.is_some()
    }

    /// Write some of `bytes`; nothing has been written when this is cancelled. After an error nothing more can be.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(stdin) = &mut self.stdin else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let written = stdin.write(bytes).await;
        if written.is_err() {
            self.stdin = None;
        }
        written
    }

    /// Write and read as one wish, of which one is granted.
    pub(crate) async fn exchange(&mut self, out: &[u8], answers: &mut [u8]) -> Exchange {
        let Self { stdin, stdout, .. } = self;
        let write = async {
            match stdin {
                Some(stdin) if !out.is_empty() => stdin.write(out).await,
                _ => std::future::pending().await,
            }
        };
        let read = async {
            match stdout {
                Some(stdout) => stdout.read(answers).await.unwrap_or(0),
                None => std::future::pending().await,
            }
        };
        // Both are cancel-safe: the one that is not granted has done nothing.
        tokio::select! {
            written = write => match written {
                Ok(count) => Exchange::Wrote(count),
                Err(_closed) => {
                    self.stdin = None;
                    Exchange::Closed
                }
            },
            count = read => if count == 0 { Exchange::Ended } else { Exchange::Read(count) },
        }
    }

    /// Let it finish what it has, then tell it to end, then kill it and what it has started. May be cancelled and called
    /// again.
    pub(crate) async fn stop(&mut self, context: &BuildContext) -> Option<ExitStatus> {
        self.stdin = None;
        loop {
            let until = match self.stage {
                Stage::Working => {
                    self.stage = Stage::Asked(context.now() + TO_FINISH);
                    continue;
                }
                Stage::Asked(until) | Stage::Told(until) => until,
                Stage::Killed => break,
            };
            tokio::select! {
                status = self.child.wait() => {
                    // What it has started has nobody to report to any more.
                    self.kill();
                    self.hear_out(context).await;
                    return status.ok();
                }
                () = context.sleep_until(until) => {}
            }
            if matches!(self.stage, Stage::Asked(_)) {
                self.signal(Signal::TERM);
                self.stage = Stage::Told(context.now() + TO_OBEY);
            } else {
                self.kill();
            }
        }
        self.child.wait().await.ok()
    }

    /// Its last words are logged before the host ends, which ends the listening.
    async fn hear_out(&mut self, context: &BuildContext) {
        if let Some(heard) = &mut self.heard {
            tokio::select! {
                _ = heard => {}
                () = context.sleep_until(context.now() + LAST_WORDS) => {}
            }
            self.heard = None;
        }
    }

    /// Kill it and what it has started.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.stage = Stage::Killed;
        self.group = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group
            && let Err(error) = kill_process_group(group, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(%error, "cannot signal a program");
        }
    }
}

/// What became of [`Program::exchange`].
#[derive(Debug)]
pub(crate) enum Exchange {
    /// So many bytes were written.
    Wrote(usize),
    /// So many bytes were read.
    Read(usize),
    /// It reads no more; what it has answered before can still be read.
    Closed,
    /// It answers no more.
    Ended,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
