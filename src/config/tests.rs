//! Tests of the whole way from text to plan.

mod alerts;
mod errors;
mod hostile;
mod plans;
mod presets;
mod secrecy;
mod server;
mod shipped;
mod shown;
mod sources;

use super::{ConfigErrors, Controllers, Locator, Plan, load, show};
use crate::registry::Registry;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use unifi_herald_plugin::connect::{ConnectError, Connection, Dial};
use unifi_herald_plugin::http::{
    HttpClient, HttpError, HttpOptions, HttpTransport, Request, Response, TlsOptions,
};
use unifi_herald_plugin::{
    Batch, BoxError, BoxFuture, BuildContext, BuildError, Connector, DeliveryError, Event, Filter,
    FilterPlugin, Secret, Services, Sink, SinkPlugin, Size, Timestamp, Verdict, async_trait,
};

/// A folder with a `config.toml`, and an environment.
struct House {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    controllers: Controllers,
}

/// What most tests need around the few lines they are about.
const HOME: &str = "[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = { username = \"herald\", password = \"hunter2\" }\n";

impl House {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Self {
            folder,
            environment: BTreeMap::new(),
            controllers: Controllers::Checked,
        }
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn locator(&self) -> Locator {
        Locator {
            file: None,
            environment: self.environment.clone(),
            directory: self.folder.path().to_owned(),
            controllers: self.controllers,
        }
    }

    fn load(&self) -> Result<Plan, ConfigErrors> {
        load(&self.locator(), &registry(), &services())
    }

    fn plan(&self) -> Plan {
        self.load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The errors as text, with the folder's name taken out.
    fn errors(&self) -> String {
        let text = self.load().unwrap_err().to_string();
        text.replace(&self.folder.path().display().to_string(), "FOLDER")
    }

    fn show(&self) -> String {
        show(&self.locator(), &registry()).unwrap_or_else(|errors| panic!("{errors}"))
    }
}

fn registry() -> Registry {
    Registry::new()
        .sink::<Pager>()
        .sink::<Null>()
        .filter::<Sieve>()
}

fn services() -> Arc<dyn Services> {
    Arc::new(NoServices)
}

/// Building a plugin needs nothing of these.
struct NoServices;

impl Services for NoServices {
    fn now(&self) -> Instant {
        unreachable!("checking reads no clock")
    }
    fn wall(&self) -> Timestamp {
        unreachable!("checking reads no clock")
    }
    fn spawn(&self, _: &str, _: BoxFuture<'static, ()>) {
        unreachable!("checking spawns nothing")
    }
    fn blocking(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        unreachable!("checking spawns nothing")
    }
    fn http(&self, _: &HttpOptions, _: &Path) -> Result<HttpClient, BuildError> {
        Ok(HttpClient::new(Arc::new(Self)))
    }
    fn connector(&self, _: Option<&TlsOptions>, _: &Path) -> Result<Connector, BuildError> {
        Ok(Connector::new(Arc::new(Self)))
    }
    fn sleep_until(&self, _: Instant) -> BoxFuture<'static, ()> {
        unreachable!("checking does not sleep")
    }
}

#[async_trait]
impl Dial for NoServices {
    async fn dial(&self, _: &str, _: u16) -> Result<Connection, ConnectError> {
        unreachable!("checking opens nothing")
    }
}

#[async_trait]
impl HttpTransport for NoServices {
    async fn send(&self, _: Request<bytes::Bytes>) -> Result<Response<bytes::Bytes>, HttpError> {
        unreachable!("checking opens nothing")
    }
}

/// A sink with every kind of option.
struct Pager;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PagerConfig {
    url: String,
    #[serde(default)]
    pager_id: String,
    #[serde(default)]
    wristband: Option<Secret>,
    #[serde(default)]
    rotate: PagerRotate,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    colour: Colour,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PagerRotate {
    size: Option<Size>,
    keep: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Colour {
    #[default]
    Auto,
    Never,
}

impl SinkPlugin for Pager {
    const NAME: &'static str = "pager";
    type Config = PagerConfig;
    fn build(config: PagerConfig, context: &BuildContext) -> Result<Self, BuildError> {
        if let Some(secret) = &config.wristband {
            context.reveal("wristband", secret)?;
        }
        let unused = (
            config.pager_id,
            config.headers,
            config.colour,
            config.rotate.size,
        );
        drop(unused);
        if config.rotate.keep > 99 {
            return Err(BuildError::new("rotate.keep", "keep at most 99 files"));
        }
        if !config.url.starts_with("https://") {
            return Err(BuildError::new("url", "write https://"));
        }
        Ok(Self)
    }
}

#[async_trait]
impl Sink for Pager {
    async fn deliver(&mut self, _: Batch<'_>) -> Result<(), DeliveryError> {
        Ok(())
    }
}

/// A sink without options.
struct Null;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NullConfig {}

impl SinkPlugin for Null {
    const NAME: &'static str = "null";
    type Config = NullConfig;
    fn build(_: NullConfig, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

#[async_trait]
impl Sink for Null {
    async fn deliver(&mut self, _: Batch<'_>) -> Result<(), DeliveryError> {
        Ok(())
    }
}

/// A filter.
struct Sieve;

impl FilterPlugin for Sieve {
    const NAME: &'static str = "sieve";
    type Config = NullConfig;
    fn build(_: NullConfig, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Filter for Sieve {
    fn apply(&mut self, _: &Event) -> Result<Verdict, BoxError> {
        Ok(Verdict::Keep)
    }
}
