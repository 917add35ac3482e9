//! The filter: after an event, no other of its kind passes for a while.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{
    BoxError, BuildContext, BuildError, Event, Filter, FilterPlugin, Kind, Span, Verdict,
};

/// The table `options` of the filter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long none passes.
    pause: Span,
}

/// Lets one event of a kind pass, and then none for a while.
#[derive(Debug)]
pub struct ExampleFilter {
    context: BuildContext,
    pause: Duration,
    /// Bounded by the number of kinds.
    passed: BTreeMap<Kind, Instant>,
}

impl FilterPlugin for ExampleFilter {
    const NAME: &'static str = "example";
    const SUMMARY: &'static str = "lets one event of a kind pass, and then none for a while";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let Span(pause) = config.pause;
        if pause.is_zero() {
            return Err(BuildError::new("pause", "write at least \"1s\""));
        }
        Ok(Self {
            context: context.clone(),
            pause,
            passed: BTreeMap::new(),
        })
    }
}

impl Filter for ExampleFilter {
    fn apply(&mut self, event: &Event) -> Result<Verdict, BoxError> {
        let now = self.context.now();
        let passed = self.passed.get(&event.kind);
        if passed.is_some_and(|passed| now < *passed + self.pause) {
            return Ok(Verdict::Drop);
        }
        self.passed.insert(event.kind, now);
        Ok(Verdict::Keep)
    }
}
