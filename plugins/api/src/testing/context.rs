//! A host made of a clock that stands still, the current runtime, and scripted HTTP.

use super::{START, TestHttp};
use crate::connect::{ConnectError, Connection, Connector, Dial};
use crate::http::TlsOptions;
use crate::{
    BoxFuture, BuildContext, BuildError, FilterPlugin, HttpClient, HttpOptions, Services,
    SinkPlugin, SourcePlugin, Timestamp, async_trait,
};
use serde::de::DeserializeOwned;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a plugin gets instead of a host. A copy speaks of the same one.
///
/// The clock starts at [`START`] and moves only by [`advance`](Self::advance). Tasks and blocking work run on the tokio
/// runtime of the test. No byte leaves the machine: HTTP requests are recorded and answered by [`TestHttp`], and connections
/// go to servers on loopback, in the clear.
#[derive(Clone)]
pub struct TestContext {
    services: Arc<Kit>,
}

struct Kit {
    clock: watch::Sender<(Instant, Timestamp)>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    started: Mutex<Vec<String>>,
    http: TestHttp,
}

impl TestContext {
    /// A host whose HTTP answers 200 to everything.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` has no other source; it is read once and then stands still"
    )]
    pub fn new() -> Self {
        Self {
            services: Arc::new(Kit {
                clock: watch::Sender::new((Instant::now(), START)),
                tasks: Mutex::default(),
                started: Mutex::default(),
                http: TestHttp::default(),
            }),
        }
    }

    /// What a plugin's `build` is given: `name` is the sink's name, `base` the folder of the configuration.
    #[must_use]
    pub fn build_context(&self, name: &str, base: &Path) -> BuildContext {
        BuildContext::new(name, base, Arc::clone(&self.services) as Arc<dyn Services>)
    }

    /// Build a sink from the JSON form of its options, as the host would.
    ///
    /// # Errors
    /// The error of `build`, or the mistake in the options as a [`BuildError`] without a path.
    pub fn build<S: SinkPlugin>(
        &self,
        base: &Path,
        options: serde_json::Value,
    ) -> Result<S, BuildError> {
        let config = read::<S::Config>(options)?;
        S::build(config, &self.build_context(S::NAME, base))
    }

    /// Build a filter from the JSON form of its options, as the host would.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_filter<F: FilterPlugin>(
        &self,
        base: &Path,
        options: serde_json::Value,
    ) -> Result<F, BuildError> {
        let config = read::<F::Config>(options)?;
        F::build(config, &self.build_context(F::NAME, base))
    }

    /// Build a source from the JSON form of its options, as the host would.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_source<S: SourcePlugin>(
        &self,
        base: &Path,
        options: serde_json::Value,
    ) -> Result<S, BuildError> {
        let config = read::<S::Config>(options)?;
        S::build(config, &self.build_context(S::NAME, base))
    }

    /// Monotonic time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.services.now()
    }

    /// Wall-clock time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.services.wall()
    }

    /// Move both clocks forward; whoever sleeps until then wakes.
    pub fn advance(&self, by: Duration) {
        self.services.clock.send_modify(|(now, wall)| {
            *now += by;
            *wall = *wall + by;
        });
    }

    /// What was sent by HTTP, and what comes back.
    #[must_use]
    pub fn http(&self) -> &TestHttp {
        &self.services.http
    }

    /// The names of the tasks that the plugin has started, in their order.
    #[must_use]
    pub fn started(&self) -> Vec<String> {
        let started = self.services.started.lock();
        started.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Wait until every task the plugin has spawned has ended.
    ///
    /// # Panics
    /// When one of them panicked.
    pub async fn settled(&self) {
        loop {
            let task = self.services.tasks().pop();
            let Some(task) = task else { return };
            if let Err(error) = task.await {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

fn read<T: DeserializeOwned>(options: serde_json::Value) -> Result<T, BuildError> {
    serde_json::from_value(options).map_err(|error| BuildError::new("", error.to_string()))
}

impl Default for TestContext {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestContext({})", self.wall())
    }
}

impl Kit {
    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services for Kit {
    fn now(&self) -> Instant {
        self.clock.borrow().0
    }

    fn wall(&self) -> Timestamp {
        self.clock.borrow().1
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the kit is the host here and has no `Tasks`"
    )]
    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>) {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.push(name.to_owned());
        drop(started);
        let handle = tokio::spawn(task);
        self.tasks().push(handle);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the kit is the host here and has no `Tasks`"
    )]
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let handle = tokio::task::spawn_blocking(work);
        Box::pin(async move {
            // A panic is the caller's to notice: it finds no result.
            drop(handle.await);
        })
    }

    fn http(&self, _options: &HttpOptions, _base: &Path) -> Result<HttpClient, BuildError> {
        Ok(self.http.client())
    }

    fn connector(&self, tls: Option<&TlsOptions>, _base: &Path) -> Result<Connector, BuildError> {
        let tls = tls.is_some();
        Ok(Connector::new(Arc::new(Loopback { tls })))
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let mut clock = self.clock.subscribe();
        Box::pin(async move {
            // The sender lives as long as the host; without it nothing would ever wake.
            if clock.wait_for(|(now, _)| *now >= at).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Connects to this machine only.
struct Loopback {
    tls: bool,
}

#[async_trait]
impl Dial for Loopback {
    async fn dial(&self, host: &str, port: u16) -> Result<Connection, ConnectError> {
        if self.tls || !matches!(host, "127.0.0.1" | "::1" | "localhost") {
            return Err(ConnectError::new(
                "the test kit connects to loopback, without TLS",
            ));
        }
        let stream = tokio::net::TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|error| ConnectError::new(error.to_string()))?;
        Ok(Connection::new(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_moved_and_not_before() {
        let context = TestContext::new();
        let build = context.build_context("x", Path::new(""));
        let at = context.now() + Duration::from_secs(60);
        let (sent, mut woken) = tokio::sync::oneshot::channel();
        let sleeper = build.clone();
        build.spawn("sleeper", async move {
            sleeper.sleep_until(at).await;
            sent.send(sleeper.wall()).unwrap();
        });
        assert_eq!(context.started(), ["sleeper"]);
        context.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(woken.try_recv().is_err());
        context.advance(Duration::from_secs(1));
        context.settled().await;
        assert_eq!(woken.await, Ok(START + Duration::from_secs(60)));
    }

    #[tokio::test]
    async fn blocking_work_runs_to_its_end_when_nobody_waits() {
        let context = TestContext::new();
        let services: &dyn Services = &*context.services;
        let (sent, received) = tokio::sync::oneshot::channel();
        drop(services.blocking(Box::new(move || sent.send(7).unwrap())));
        assert_eq!(received.await, Ok(7));
    }
}
