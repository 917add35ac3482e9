//! The sink: one line of text per event, by HTTP.

use serde::Deserialize;
use unifi_herald_plugin::http::{HttpClient, HttpOptions, Request, TlsOptions, Uri};
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Revealed, Secret, Sink, SinkPlugin, async_trait,
};

/// The table `options` of the sink.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the lines go.
    url: String,
    /// Who we are.
    token: Secret,
    /// Whom to trust.
    #[serde(default)]
    tls: TlsOptions,
}

/// Posts one line of text per event.
#[derive(Debug)]
pub struct ExampleSink {
    http: HttpClient,
    url: Uri,
    token: Revealed,
}

impl SinkPlugin for ExampleSink {
    const NAME: &'static str = "example";
    const SUMMARY: &'static str = "posts a line of text per event";
    type Config = Config;

    /// Opens nothing: mistakes in the options are found here, by `herald check` too.
    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let url: Uri = config
            .url
            .parse()
            .map_err(|error| BuildError::new("url", format!("not an address: {error}")))?;
        Ok(Self {
            http: context.http(&HttpOptions { tls: config.tls })?,
            token: context.reveal("token", &config.token)?,
            url,
        })
    }
}

#[async_trait]
impl Sink for ExampleSink {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        for (accepted, event) in batch.iter().enumerate() {
            let request = Request::post(&self.url)
                .header("authorization", format!("Bearer {}", self.token.expose()))
                // The same on every try: whoever gets a line twice can tell.
                .header("idempotency-key", &*event.id)
                .body(event.summary.to_string().into())
                .map_err(DeliveryError::misconfigured)?;
            let sent = self.http.deliver(request).await;
            sent.map_err(|error| error.with_accepted(accepted))?;
        }
        Ok(())
    }
}
