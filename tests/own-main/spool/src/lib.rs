//! Somebody else's plugin: a sink that puts every event into a file of its own, and a filter that numbers them.

use serde::Deserialize;
use std::path::PathBuf;
use unifi_herald_plugin::{
    Batch, Blocking, BlockingSink, BoxError, BufferedEvent, BuildContext, BuildError,
    DeliveryError, Event, Filter, FilterPlugin, Sink, SinkPlugin, Verdict, async_trait,
};

/// The table `options` of the sink.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    folder: PathBuf,
}

/// Writes `<seq>-<id>.json` for every event.
#[derive(Debug)]
pub struct Spool(Blocking<Folder>);

#[derive(Clone, Debug)]
struct Folder(PathBuf);

impl SinkPlugin for Spool {
    const NAME: &'static str = "spool";
    const SUMMARY: &'static str = "writes each event into a file of its own";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let folder = Folder(context.path(&config.folder));
        Ok(Self(Blocking::new(context, move || folder.clone())))
    }
}

#[async_trait]
impl Sink for Spool {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        self.0.deliver(batch).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), DeliveryError> {
        self.0.settle().await;
        Ok(())
    }
}

impl BlockingSink for Folder {
    fn deliver(&mut self, events: &[BufferedEvent]) -> Result<(), DeliveryError> {
        for (accepted, event) in events.iter().enumerate() {
            let file = self.0.join(format!("{:010}-{}.json", event.seq, event.id));
            let written = std::fs::create_dir_all(&self.0)
                .and_then(|()| std::fs::write(file, event.to_json()));
            written.map_err(|error| DeliveryError::later(error).with_accepted(accepted))?;
        }
        Ok(())
    }
}

/// No options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// Adds `fields.number`, counted from 1.
#[derive(Debug)]
pub struct Number(u64);

impl FilterPlugin for Number {
    const NAME: &'static str = "number";
    const SUMMARY: &'static str = "numbers the events";
    type Config = NoOptions;

    fn build(_: NoOptions, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(0))
    }
}

impl Filter for Number {
    fn apply(&mut self, event: &Event) -> Result<Verdict, BoxError> {
        self.0 += 1;
        let mut event = event.clone();
        event.fields.insert("number".to_owned(), self.0.into());
        Ok(Verdict::Replace(vec![event]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;
    use unifi_herald_plugin::testing::{Behaviour, SinkWorld, TestContext, assert_sink_contract};

    struct World(TestContext, TempDir, usize);

    #[async_trait]
    impl SinkWorld for World {
        async fn build(&mut self) -> Box<dyn Sink> {
            let options = serde_json::json!({"folder": "spool"});
            Box::new(self.0.build::<Spool>(self.1.path(), options).unwrap())
        }

        fn answer(&mut self, behaviour: Behaviour) {
            assert_eq!(behaviour, Behaviour::Accept);
        }

        fn arrived(&mut self) -> Vec<String> {
            let entries = std::fs::read_dir(self.1.path().join("spool"));
            let entries = entries.into_iter().flatten();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            let new = names.split_off(self.2);
            self.2 += new.len();
            let id = |name: String| name.trim_end_matches(".json")[11..].to_owned();
            new.into_iter().map(id).collect()
        }
    }

    #[tokio::test]
    async fn keeps_the_contract_of_sinks() {
        let mut world = World(TestContext::new(), TempDir::new().unwrap(), 0);
        assert_sink_contract(&mut world).await;
    }
}
