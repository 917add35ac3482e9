//! The `console` sink: one line per event on standard output, for people or for programs.
//!
//! ```toml
//! [sinks.screen]
//! plugin = "console"
//!
//! [sinks.screen.options]
//! format = "human"   # "human": aligned columns; "json": the event as one line of JSON. Default: "human"
//! color  = "auto"    # "auto": on a terminal, unless NO_COLOR is set; "always"; "never". Default: "auto"
//! time   = "local"   # "local": the zone of `[time]`; "utc". Only for "human". Default: "local"
//! ```
//!
//! A line for people:
//!
//! ```text
//! 17:21:13 info     client.roamed            home/Home  Anna's iPhone roamed from Attic to Kitchen
//! ```
//!
//! An event of another day than today has its date before the time. Control characters, escape sequences and marks that
//! reverse the direction of text are shown as `�`: host names are chosen by strangers, and a terminal obeys what it
//! is sent. A batch is one write, and a reader that went away (`herald run | head`) parks the sink for good.

mod human;
mod output;

use human::Human;
use output::{Format, Output, Stdout};
use serde::Deserialize;
use std::io::IsTerminal;
use unifi_herald_plugin::{
    Batch, Blocking, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, Zone, async_trait,
};

/// The table `options` of a console sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    format: Form,
    color: Color,
    time: Time,
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    #[default]
    Human,
    Json,
}

/// When the severity is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The clock people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Time {
    #[default]
    Local,
    Utc,
}

/// Writes events to standard output.
#[derive(Debug)]
pub struct Console {
    output: Blocking<Output>,
}

impl SinkPlugin for Console {
    const NAME: &'static str = "console";
    const SUMMARY: &'static str = "writes events to standard output, for people or as JSON";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let zone = match config.time {
            Time::Local => context.zone().clone(),
            Time::Utc => Zone::utc(),
        };
        let format = match config.format {
            Form::Json => Format::Json,
            Form::Human => Format::Human(Human::new(zone, colored(config.color))),
        };
        Ok(Self::with_output(context, move |context| {
            Output::new(context, format.clone(), Box::new(Stdout::default()))
        }))
    }
}

impl Console {
    fn with_output(
        context: &BuildContext,
        make: impl Fn(BuildContext) -> Output + Send + Sync + 'static,
    ) -> Self {
        let lent = context.clone();
        Self {
            output: Blocking::new(context, move || make(lent.clone())),
        }
    }
}

#[async_trait]
impl Sink for Console {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        self.output.deliver(batch).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), DeliveryError> {
        self.output.settle().await;
        Ok(())
    }
}

/// Whether to colour; <https://no-color.org>: any text in `NO_COLOR` counts, an empty one does not.
fn colored(color: Color) -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            set("NO_COLOR").is_none()
                && set("TERM").is_none_or(|term| term != "dumb")
                && std::io::stdout().is_terminal()
        }
    }
}

#[cfg(test)]
mod tests;
