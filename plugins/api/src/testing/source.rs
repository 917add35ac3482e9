//! The contract every source keeps, as a test that drives any source and says in words what was broken.

mod chapters;

use crate::{Source, async_trait};
use chapters::Run;

/// A source and where its messages come from, for [`assert_source_contract`].
#[async_trait]
pub trait SourceWorld: Send {
    /// A new source. All of them are the same reader: what is settled by one does not come to the next.
    async fn build(&mut self) -> Box<dyn Source>;

    /// Send these as another program would, in this order; once they are sent, whoever receives will get them.
    async fn send(&mut self, payloads: &[String]);

    /// Break the connections of all sources, so that new sources work; false where there is nothing to break.
    async fn cut(&mut self) -> bool {
        false
    }
}

/// Check that the source keeps the contract of [`Source`]. Needs a tokio runtime with its timer enabled.
///
/// Takes it through a check, order, a cancellation of `receive` at every `await`, and a broken connection; one that
/// [redelivers](Source::redelivers) also through holding, settling, and being dropped with messages in hand. A panic is a
/// violation like any other.
///
/// # Panics
/// When it does not, with everything that was broken.
pub async fn assert_source_contract(world: &mut dyn SourceWorld) {
    let violations = source_violations(world).await;
    assert!(
        violations.is_empty(),
        "the source breaks its contract:\n  - {}",
        violations.join("\n  - ")
    );
}

/// What [`assert_source_contract`] would complain about: at most one sentence per chapter of the contract.
pub async fn source_violations(world: &mut dyn SourceWorld) -> Vec<String> {
    let mut run = Run::new(world);
    let mut violations = Vec::new();
    let mut note = |chapter: &str, result: Result<(), String>| {
        if let Err(violation) = result {
            violations.push(format!("{chapter}: {violation}"));
        }
    };
    note("check", run.check().await);
    note("order", run.order().await);
    note("cancellation", run.cancellation().await);
    note("holding", run.holding().await);
    note("settling", run.settling().await);
    note("redelivery", run.redelivery().await);
    note("broken connection", run.broken_connection().await);
    violations
}

#[cfg(test)]
mod tests;
