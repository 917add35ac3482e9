//! `herald send-test`

mod made_up;

use super::Exit;
use super::load::Loader;
use super::output::{complain, plain, print};
use crate::clock::Clock;
use crate::config::{Plan, SinkPlan, suggest};
use crate::lane::worker::without_raw;
use crate::registry::Registry;
use crate::services::{Exchange, HostServices, Witness};
use crate::tasks::Tasks;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::fmt::Write;
use std::time::Duration;
use tokio::time::timeout;
use unifi_herald_plugin::{Batch, BufferedEvent, BuildContext, DeliveryError, Fault, Kind};

/// Send one made-up event to one sink, and show what its destination answers.
///
/// The event is made at once and goes past chains, scripts and the store, whether herald runs or not. It says that it is
/// a test: its line for people begins with `Test:`, its `fields.test` is true and its id begins with `test-`. All tests
/// for a sink speak of the same incident, so that `alert.resolved` closes what `alert.firing` opened.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald send-test phone
  herald send-test phone --kind alert.resolved
  herald send-test ops --kind device.offline")]
pub(super) struct SendTest {
    /// The sink's name in the configuration.
    #[arg(value_name = "SINK")]
    sink: String,
    /// What the event is.
    #[arg(long, value_name = "KIND", default_value = "alert.firing", value_parser = kinds(), hide_possible_values = true)]
    kind: Kind,
}

/// The kinds that there are, so that completions and errors name them.
fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|name| name.parse::<Kind>())
}

impl SendTest {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let plan = match loader.plan() {
            Ok(plan) => plan,
            Err(exit) => return exit,
        };
        let Some(sink) = plan.sinks.iter().find(|sink| *sink.name == *self.sink) else {
            let known = plan.sinks.iter().map(|sink| &*sink.name);
            let help = suggest::help(&self.sink, known, "there are");
            complain(&format!(
                "error: there is no sink `{}`; {}",
                plain(&self.sink),
                help.unwrap_or_else(|| "add a table [sinks.NAME]".to_owned())
            ));
            return Exit::Usage;
        };
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => {
                complain(&format!("error: cannot start a runtime: {error}"));
                return Exit::Failed;
            }
        };
        let clock = Clock::system();
        let controller = plan.controllers.first();
        let controller = controller.map_or("home", |controller| &controller.name);
        let mut event = made_up::event(self.kind, controller, &sink.name, clock.wall());
        if !sink.raw {
            event = without_raw(event);
        }
        let header = format!(
            "sink {} ({}) gets {}: {}\n",
            sink.name,
            sink.plugin.plugin,
            event.kind,
            plain(&event.summary)
        );
        let trial = runtime.block_on(Trial::of(&plan, sink, &loader.registry, &clock, event));
        match print(&format!("{header}{}", trial.text())) {
            Exit::Done => trial.exit(),
            unread => unread,
        }
    }
}

/// What came of a delivery.
struct Trial {
    outcome: Outcome,
    exchanges: Vec<Exchange>,
    took: Duration,
}

enum Outcome {
    Delivered,
    Unbuilt(String),
    Refused(DeliveryError),
    NoAnswer(Duration),
    /// It took the event, and lost it or its place when it was told to end.
    Unclosed(DeliveryError),
}

impl Trial {
    async fn of(
        plan: &Plan,
        sink: &SinkPlan,
        registry: &Registry,
        clock: &Clock,
        event: BufferedEvent,
    ) -> Self {
        let witness = Witness::default();
        let tasks = Tasks::new();
        let services = HostServices::witnessed(clock.clone(), tasks.clone(), witness.clone());
        let context = BuildContext::new(sink.name.clone(), &plan.base, services);
        let begun = clock.now();
        let outcome = deliver(sink, registry, &context, event).await;
        let took = clock.now() - begun;
        tasks.stop();
        Self {
            outcome,
            exchanges: witness.take(),
            took,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for Exchange { asked, answered } in &self.exchanges {
            _ = match answered {
                Ok((status, said)) if said.is_empty() => {
                    writeln!(text, "{asked} answered {status}")
                }
                Ok((status, said)) => writeln!(text, "{asked} answered {status}: {said}"),
                Err(error) => writeln!(text, "{asked}: no answer: {}", plain(error)),
            };
        }
        _ = match &self.outcome {
            Outcome::Delivered => writeln!(text, "ok, after {} ms", self.took.as_millis()),
            Outcome::Unbuilt(error) => writeln!(text, "failed: {}", plain(error)),
            Outcome::Refused(error) => writeln!(
                text,
                "failed: {}; {}",
                plain(&error.to_string()),
                advice(error.fault())
            ),
            Outcome::NoAnswer(limit) => writeln!(
                text,
                "failed: it did not answer within {} s; see `timeout`",
                limit.as_secs_f32()
            ),
            Outcome::Unclosed(error) => writeln!(
                text,
                "failed: it took the event and did not end well: {}",
                plain(&error.to_string())
            ),
        };
        text
    }

    fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Delivered => Exit::Done,
            Outcome::Unbuilt(_) => Exit::Config,
            Outcome::Refused(_) if self.denied() => Exit::Refused,
            Outcome::Refused(_) | Outcome::NoAnswer(_) | Outcome::Unclosed(_) => Exit::Failed,
        }
    }

    /// Whether the destination's last word was that we may not.
    fn denied(&self) -> bool {
        let last = self.exchanges.last();
        last.is_some_and(|last| {
            matches!(&last.answered, Ok((status, _)) if matches!(status.as_u16(), 401 | 403))
        })
    }
}

async fn deliver(
    sink: &SinkPlan,
    registry: &Registry,
    context: &BuildContext,
    event: BufferedEvent,
) -> Outcome {
    let built = registry.build_sink(&sink.plugin.plugin, &sink.plugin.options, context);
    let mut built = match built {
        Ok(built) => built,
        Err(error) => return Outcome::Unbuilt(error.to_string()),
    };
    let delivered = timeout(sink.timeout, built.deliver(Batch::new(&[event]))).await;
    let closed = timeout(sink.timeout, built.close()).await;
    match (delivered, closed) {
        (Ok(Ok(())), Ok(Ok(()))) => Outcome::Delivered,
        (Ok(Err(error)), _) => Outcome::Refused(error),
        (Err(_elapsed), _) | (_, Err(_elapsed)) => Outcome::NoAnswer(sink.timeout),
        (Ok(Ok(())), Ok(Err(error))) => Outcome::Unclosed(error),
    }
}

/// What a running herald would do, and what helps.
fn advice(fault: Fault) -> &'static str {
    match fault {
        Fault::Unreachable => "check the address and the way there; herald would try again",
        Fault::Unavailable => "herald would try again",
        Fault::Configuration | Fault::Gone => "check the sink's options",
        Fault::Event => "herald would keep such an event as a dead letter",
    }
}
