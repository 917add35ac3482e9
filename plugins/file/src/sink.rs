//! The sink: a writer where blocking is allowed.

use crate::config::{Config, Settings};
use crate::disk::{Disk, RealDisk};
use crate::writer::{Writer, explain, open};
use std::io;
use std::sync::Arc;
use unifi_herald_plugin::{
    Batch, Blocking, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, async_trait,
};

/// Appends events to a file.
#[derive(Debug)]
pub struct File {
    context: BuildContext,
    settings: Arc<Settings>,
    writer: Blocking<Writer>,
}

impl SinkPlugin for File {
    const NAME: &'static str = "file";
    const SUMMARY: &'static str = "appends events to a file as JSON lines, with rotation";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let settings = config.resolve(context)?;
        Ok(Self::new(settings, context, || Box::new(RealDisk)))
    }
}

impl File {
    pub(crate) fn new(
        settings: Settings,
        context: &BuildContext,
        disk: impl Fn() -> Box<dyn Disk> + Send + Sync + 'static,
    ) -> Self {
        let settings = Arc::new(settings);
        let shared = Arc::clone(&settings);
        Self {
            context: context.clone(),
            settings,
            writer: Blocking::new(context, move || Writer::new(Arc::clone(&shared), disk())),
        }
    }
}

#[async_trait]
impl Sink for File {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        self.writer.deliver(batch).await
    }

    /// Whether the file can be written, or made; leaves neither a file nor a byte behind.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let settings = Arc::clone(&self.settings);
        let probed = self.context.blocking(move || probe(&settings)).await;
        match probed {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(explain(&self.settings.path, &error)),
            None => Err(DeliveryError::later("the check panicked")),
        }
    }

    async fn close(mut self: Box<Self>) -> Result<(), DeliveryError> {
        self.writer.settle().await;
        Ok(())
    }
}

fn probe(settings: &Settings) -> io::Result<()> {
    if settings.path.exists() {
        return open(&settings.path, settings.mode).map(drop);
    }
    let mut name = settings.path.clone().into_os_string();
    name.push(format!(".check-{}", std::process::id()));
    open(name.as_ref(), settings.mode)?;
    std::fs::remove_file(name)
}

#[cfg(test)]
mod tests;
