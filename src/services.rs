//! What the host lends to plugins: clock, time zone, tasks, timers, and HTTP with the host's TLS policy.

mod connect;
mod witness;

pub use witness::{Exchange, Witness};

use crate::clock::Clock;
use crate::source::http::{builder, why};
use crate::source::tls::Tls;
use crate::tasks::Tasks;
use bytes::{Bytes, BytesMut};
use connect::Dialer;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use unifi_herald_plugin::connect::Connector;
use unifi_herald_plugin::http::{
    HttpError, HttpTransport, MAX_ANSWER, Request, Response, TlsOptions,
};
use unifi_herald_plugin::{
    BoxFuture, BuildError, HttpClient, HttpOptions, Services, Timestamp, Zone, async_trait,
};

/// The host's implementation of [`Services`].
pub struct HostServices {
    clock: Clock,
    tasks: Tasks,
    /// The runtime plugins run on. They may be built before it runs, and on a thread that is not part of it.
    runtime: Option<Handle>,
    /// Who wants to know what requests are answered.
    witness: Option<Witness>,
}

impl HostServices {
    /// Tasks of plugins join `tasks`, and run on the runtime that is current here, else on the one that is current
    /// when they are started.
    #[must_use]
    pub fn new(clock: Clock, tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            clock,
            tasks,
            runtime: Handle::try_current().ok(),
            witness: None,
        })
    }

    /// The same for a plugin that is being tried out: `witness` sees what its requests are answered.
    #[must_use]
    pub fn witnessed(clock: Clock, tasks: Tasks, witness: Witness) -> Arc<Self> {
        Arc::new(Self {
            clock,
            tasks,
            runtime: Handle::try_current().ok(),
            witness: Some(witness),
        })
    }

    fn on_runtime<T>(&self, start: impl FnOnce() -> T) -> Option<T> {
        let runtime = self.runtime.clone().or_else(|| Handle::try_current().ok());
        let Some(runtime) = runtime else {
            tracing::error!("a plugin started a task outside of the runtime, it does not run");
            return None;
        };
        let _entered = runtime.enter();
        Some(start())
    }
}

impl fmt::Debug for HostServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostServices")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Services for HostServices {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>) {
        let stop = self.tasks.stop_token();
        let name = name.to_owned();
        let cancellable = async move {
            if stop.run_until_cancelled(task).await.is_none() {
                tracing::debug!(task = name, "a plugin's task was cancelled");
            }
        };
        // The group waits for it; nobody wants its result.
        let _task = self.on_runtime(|| self.tasks.spawn(cancellable));
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let started = self.on_runtime(|| self.tasks.blocking(work));
        Box::pin(async move {
            if let Some(started) = started
                && let Err(error) = started.await
            {
                tracing::error!(%error, "blocking work of a plugin broke down");
            }
        })
    }

    fn http(&self, options: &HttpOptions, base: &Path) -> Result<HttpClient, BuildError> {
        let tls = policy(&options.tls, base)?;
        let inner = builder(&tls)
            .build()
            .map_err(|error| BuildError::new("tls", why(&error)))?;
        let client = HttpClient::new(Arc::new(Transport { inner, tls }));
        Ok(match &self.witness {
            Some(witness) => witness.of(client),
            None => client,
        })
    }

    fn connector(&self, tls: Option<&TlsOptions>, base: &Path) -> Result<Connector, BuildError> {
        let tls = tls.map(|options| policy(options, base)).transpose()?;
        Ok(Connector::new(Arc::new(Dialer { tls })))
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let wait = at.saturating_duration_since(self.clock.now());
        Box::pin(async move { tokio::time::sleep(wait).await })
    }
}

/// `zone` as plugins see it.
#[must_use]
pub fn lent_zone(zone: &jiff::tz::TimeZone) -> Zone {
    let zone = zone.clone();
    Zone::new(move |at| {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        zone.to_offset(at).seconds()
    })
}

fn policy(options: &TlsOptions, base: &Path) -> Result<Tls, BuildError> {
    let tls = Tls::new(options, base).map_err(|error| BuildError::new("tls", error.to_string()))?;
    if options.insecure && options.pin_sha256.is_none() {
        tracing::warn!(
            "insecure = true in the options of a plugin: anybody in between can read what it sends"
        );
    }
    Ok(tls)
}

/// Most of a body that is read where the status is the answer: the words of any service, and the rest of most bodies, so
/// that the connection can be used again.
const GLANCE: usize = 64 * 1024;
/// How long that may take. It comes on top of the wait for the head, and the lane has a timeout for both.
const SOON: Duration = Duration::from_millis(500);

/// HTTP for plugins.
#[derive(Debug)]
struct Transport {
    inner: reqwest::Client,
    tls: Tls,
}

impl Transport {
    fn error(&self, error: &reqwest::Error) -> HttpError {
        HttpError::new(self.tls.explain(error).unwrap_or_else(|| why(error)))
    }

    /// The head of the answer.
    async fn ask(&self, request: Request<Bytes>) -> Result<reqwest::Response, HttpError> {
        let (parts, body) = request.into_parts();
        let request = self
            .inner
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        request.send().await.map_err(|error| self.error(&error))
    }
}

#[async_trait]
impl HttpTransport for Transport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer = self.ask(request).await?;
        if !answer.status().is_success() {
            return Ok(glance(answer).await);
        }
        let mut body = BytesMut::new();
        let read = read(&mut answer, &mut body, MAX_ANSWER).await;
        read.map_err(|error| self.error(&error))?;
        Ok(response(&mut answer, body))
    }

    async fn submit(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Ok(glance(self.ask(request).await?).await)
    }
}

/// The answer with what soon comes of its body. Whatever becomes of the rest, the head has arrived.
async fn glance(mut answer: reqwest::Response) -> Response<Bytes> {
    let mut body = BytesMut::new();
    let read = read(&mut answer, &mut body, GLANCE);
    match tokio::time::timeout(SOON, read).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(error = why(&error), "the body of an answer broke off"),
        Err(_elapsed) => tracing::debug!("the body of an answer did not end in time"),
    }
    response(&mut answer, body)
}

/// Append the body to `into` until it ends, or `most` bytes are there.
async fn read(
    answer: &mut reqwest::Response,
    into: &mut BytesMut,
    most: usize,
) -> reqwest::Result<()> {
    while into.len() < most
        && let Some(piece) = answer.chunk().await?
    {
        into.extend_from_slice(&piece[..piece.len().min(most - into.len())]);
    }
    Ok(())
}

fn response(answer: &mut reqwest::Response, body: BytesMut) -> Response<Bytes> {
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    response
}

#[cfg(test)]
mod tests;
