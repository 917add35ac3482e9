//! The contract every sink keeps, as a test that drives any sink and says in words what was broken.

mod chapters;
mod run;

use crate::{Sink, async_trait};
use run::Run;

/// What a sink's destination does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Take everything, until told otherwise. Every destination does that, and begins with it.
    Accept,
    /// Take this many events from the front of the next delivery, then fail as in [`Unavailable`](Self::Unavailable)
    /// until told otherwise.
    AcceptSome(usize),
    /// Take nothing now: away, full, or overloaded.
    Unavailable,
    /// Refuse us, whatever the event: a wrong password, a missing permission.
    Refuse,
    /// Refuse the event, which must be one alone.
    RefuseEvent,
}

/// A sink and its destination, for [`assert_sink_contract`].
#[async_trait]
pub trait SinkWorld: Send {
    /// A new sink for the one destination, which keeps what it has.
    async fn build(&mut self) -> Box<dyn Sink>;

    /// Make the destination behave so from now on. Called only with what it supports.
    fn answer(&mut self, behaviour: Behaviour);

    /// The ids of the events that have arrived since the last call, in the order they lie in the destination. What lies there
    /// and is no whole event (half a line) is given as it is: the contract then says that something was torn.
    fn arrived(&mut self) -> Vec<String>;

    /// Whether the destination can behave so; what it cannot is not tried.
    fn supports(&self, behaviour: Behaviour) -> bool {
        behaviour == Behaviour::Accept
    }
}

/// Check that the sink keeps the contract of [`Sink`]. Needs a tokio runtime with its timer enabled.
///
/// Takes it through success, partial acceptance, retries, refusals, a cancellation at every `await` while the destination is
/// well and while it is away, timers, `check` and `close`. A panic is a violation like any other.
///
/// # Panics
/// When it does not, with everything that was broken.
pub async fn assert_sink_contract(world: &mut dyn SinkWorld) {
    let violations = sink_violations(world).await;
    assert!(
        violations.is_empty(),
        "the sink breaks its contract:\n  - {}",
        violations.join("\n  - ")
    );
}

/// What [`assert_sink_contract`] would complain about: at most one sentence per chapter of the contract.
pub async fn sink_violations(world: &mut dyn SinkWorld) -> Vec<String> {
    let mut run = Run::new(world);
    let mut violations = Vec::new();
    let mut note = |chapter: &str, result: Result<(), String>| {
        if let Err(violation) = result {
            violations.push(format!("{chapter}: {violation}"));
        }
    };
    note("success", run.success().await);
    note("partial acceptance", run.partial_acceptance().await);
    note("unavailable", run.unavailable().await);
    note("refusal", run.refusal().await);
    note("refused event", run.refused_event().await);
    note("cancellation", run.cancellation().await);
    note(
        "cancellation while away",
        run.cancellation_while_away().await,
    );
    note("wake", run.wake().await);
    note("check", run.check().await);
    note("close", run.close().await);
    violations
}

#[cfg(test)]
mod tests;
