//! The only place that spawns: tasks and threads that shutdown can wait for.

use std::future::Future;
use std::io;
use std::thread;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks that end together. A copy adds to the same group.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// An empty group.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A group of its own that is told to stop when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: self.stop.child_token(),
        }
    }

    /// Run `task` on the current runtime. It should end soon after [`Tasks::stopping`] resolves.
    #[expect(clippy::disallowed_methods, reason = "the one home of spawn")]
    pub fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        tokio::spawn(self.tracker.track_future(task))
    }

    /// Run `work`, which may block, on the runtime's threads for blocking work.
    #[expect(clippy::disallowed_methods, reason = "the one home of spawn_blocking")]
    pub fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let token = self.tracker.token();
        tokio::task::spawn_blocking(move || {
            let value = work();
            drop(token);
            value
        })
    }

    /// A token that is cancelled when the group is told to stop.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tell every task to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Resolves when the group is told to stop.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Resolves when the group was told to stop and every task has ended.
    pub async fn ended(&self) {
        self.stop.cancelled().await;
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// A thread with a runtime of its own that can be waited for with a deadline.
#[derive(Debug)]
pub struct Thread {
    name: &'static str,
    ended: oneshot::Receiver<()>,
}

impl Thread {
    /// Run `task` on it.
    ///
    /// # Errors
    /// When the system refuses a thread or a runtime.
    pub fn run(
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (done, ended) = oneshot::channel();
        thread(name, move || {
            runtime.block_on(task);
            // Nobody waits when the host gave up on this thread.
            done.send(()).unwrap_or_default();
        })?;
        Ok(Self { name, ended })
    }

    /// Wait for its end until `deadline`, then leave it behind.
    pub async fn end_by(self, deadline: Instant) {
        // An error means that the thread is gone, which is what was wanted.
        if let Err(_elapsed) = timeout_at(deadline, self.ended).await {
            tracing::warn!(thread = self.name, "a thread did not stop in time");
        }
    }
}

/// Start a named thread of its own.
///
/// # Errors
/// When the system refuses another thread.
#[expect(clippy::disallowed_methods, reason = "the one home of threads")]
pub fn thread<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(body)
}
