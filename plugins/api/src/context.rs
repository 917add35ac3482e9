//! What the host lends to a plugin: clock, time zone, tasks, HTTP, files beside the configuration, storage.

use crate::connect::Connector;
use crate::http::TlsOptions;
use crate::{
    BoxFuture, BuildError, HttpClient, HttpOptions, Revealed, Secret, Storage, Text, Timestamp,
    Zone,
};
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Handed to `build`; cheap to clone and keep.
#[derive(Clone)]
pub struct BuildContext {
    name: Text,
    base: Arc<Path>,
    services: Arc<dyn Services>,
    zone: Zone,
    storage: Storage,
}

/// What a host provides behind a [`BuildContext`]. Plugins use the context; only hosts and test kits implement this.
pub trait Services: Send + Sync + 'static {
    /// Monotonic time.
    fn now(&self) -> Instant;
    /// Wall-clock time.
    fn wall(&self) -> Timestamp;
    /// Run a future beside the sink; it ends at the latest when the host stops.
    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>);
    /// Run a closure where it may block; the future resolves when it has run. The closure runs even when the
    /// future is dropped.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
    /// A client with the host's TLS policy.
    ///
    /// # Errors
    /// When the options cannot work, such as a CA file that cannot be read.
    fn http(&self, options: &HttpOptions, base: &Path) -> Result<HttpClient, BuildError>;
    /// What opens connections, with the host's TLS policy where `tls` is given.
    ///
    /// # Errors
    /// When the options cannot work, such as a CA file that cannot be read, or when there are no connections to be had.
    fn connector(&self, tls: Option<&TlsOptions>, base: &Path) -> Result<Connector, BuildError> {
        let _nothing = (tls, base);
        Err(BuildError::new("", "this host lends no connections"))
    }
    /// Wait until `at`.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;
}

impl BuildContext {
    /// For hosts and test kits. `name` is the table's name in the configuration, `base` the folder that relative
    /// paths start from.
    pub fn new(name: impl Into<Text>, base: &Path, services: Arc<dyn Services>) -> Self {
        Self {
            name: name.into(),
            base: base.into(),
            services,
            zone: Zone::utc(),
            storage: Storage::default(),
        }
    }

    /// For hosts and test kits: the zone that [`BuildContext::zone`] gives; UTC otherwise.
    #[must_use]
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// For hosts and test kits: what [`BuildContext::storage`] gives; an empty one otherwise.
    #[must_use]
    pub fn storing_in(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// The name the user gave this sink or filter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Monotonic time. Plugins never read a clock themselves, so that tests can set it.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.services.now()
    }

    /// Wall-clock time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.services.wall()
    }

    /// The zone of what people read, and of days: `[time] zone` in the configuration, else the system's.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// What the host keeps for a sink over restarts. That of a filter is forgotten with it.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Run `task` beside the sink; the host waits for it or cancels it when it stops.
    pub fn spawn(&self, name: &str, task: impl Future<Output = ()> + Send + 'static) {
        self.services.spawn(name, Box::pin(task));
    }

    /// Wait until `at`.
    pub async fn sleep_until(&self, at: Instant) {
        self.services.sleep_until(at).await;
    }

    /// Run `work`, which may block, off the async threads. When the returned future is dropped, `work` still
    /// runs to its end: what it shares with the sink must be behind a lock.
    ///
    /// Returns `None` when `work` panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        let job = move || {
            let value = work();
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        };
        self.services.blocking(Box::new(job)).await;
        slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// An HTTP client with the host's TLS policy: verified by default, no redirects, answers bounded in size.
    ///
    /// # Errors
    /// When the options cannot work.
    pub fn http(&self, options: &HttpOptions) -> Result<HttpClient, BuildError> {
        self.services.http(options, &self.base)
    }

    /// What opens connections for protocols other than HTTP: by TLS with the host's policy where `tls` is given, else
    /// in the clear.
    ///
    /// # Errors
    /// When the options cannot work.
    pub fn connector(&self, tls: Option<&TlsOptions>) -> Result<Connector, BuildError> {
        self.services.connector(tls, &self.base)
    }

    /// `path` as the configuration means it: relative to the configuration file.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// Read a secret; `option` is its path inside `options`, for the error.
    ///
    /// # Errors
    /// When the variable, file or credential it names cannot be read.
    pub fn reveal(&self, option: &str, secret: &Secret) -> Result<Revealed, BuildError> {
        secret
            .reveal(&self.base)
            .map_err(|error| BuildError::new(option, error.to_string()))
    }
}

impl fmt::Debug for BuildContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildContext")
            .field("name", &self.name)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
