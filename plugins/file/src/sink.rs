//! The sink: a writer where blocking is allowed.

use crate::archive;
use crate::config::{Config, Settings};
use crate::disk::{Disk, RealDisk};
use crate::writer::{Writer, explain, open};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use unifi_herald_plugin::{
    Batch, Blocking, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, async_trait,
};

/// Appends events to a file.
#[derive(Debug)]
pub struct File {
    context: BuildContext,
    settings: Arc<Settings>,
    writer: Blocking<Writer>,
    tidying: Arc<Tidying>,
}

/// What the sink and the task that looks after the files set aside tell each other.
#[derive(Debug)]
struct Tidying {
    /// There may be something to do.
    untidy: Arc<AtomicBool>,
    /// The task is at it.
    busy: AtomicBool,
    /// It shall end.
    stop: AtomicBool,
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
        let untidy = Arc::new(AtomicBool::new(settings.rotate.is_some()));
        let tidying = Tidying {
            untidy: Arc::clone(&untidy),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        };
        let (lent, shared) = (context.clone(), Arc::clone(&settings));
        let make = move || {
            Writer::new(
                lent.clone(),
                Arc::clone(&shared),
                disk(),
                Arc::clone(&untidy),
            )
        };
        Self {
            context: context.clone(),
            settings,
            writer: Blocking::new(context, make),
            tidying: Arc::new(tidying),
        }
    }

    /// Look after the files set aside, beside the deliveries.
    fn tidy(&self) {
        let Some(policy) = self.settings.rotate else {
            return;
        };
        let tidying = Arc::clone(&self.tidying);
        if !tidying.untidy.load(Ordering::Relaxed) || tidying.busy.swap(true, Ordering::Relaxed) {
            return;
        }
        let (context, settings) = (self.context.clone(), Arc::clone(&self.settings));
        self.context.spawn("file rotation", async move {
            while tidying.untidy.swap(false, Ordering::Relaxed) {
                let (settings, shared) = (Arc::clone(&settings), Arc::clone(&tidying));
                let work = move || archive::tidy(&settings.path, policy, &shared.stop);
                if let Some(Err(error)) = context.blocking(work).await {
                    tracing::warn!(
                        sink = context.name(),
                        %error,
                        "cannot tidy rotated files up; trying again at the next rotation"
                    );
                }
            }
            tidying.busy.store(false, Ordering::Relaxed);
        });
    }
}

#[async_trait]
impl Sink for File {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let delivered = self.writer.deliver(batch).await;
        self.tidy();
        delivered
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
        self.tidying.stop.store(true, Ordering::Relaxed);
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
