//! One call into a plugin: bounded in time, panics contained, and its longest stretch without yielding measured.

use crate::clock::Clock;
use futures_util::FutureExt;
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use unifi_herald_plugin::{DeliveryError, Fault};

/// What a call came to.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) outcome: Result<(), CallError>,
    /// The longest the plugin kept the thread without yielding.
    pub(super) longest_poll: Duration,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error(transparent)]
    Refused(DeliveryError),
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the plugin panicked: {0}")]
    Panicked(String),
}

impl From<CallError> for DeliveryError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(error) => error,
            CallError::TimedOut(_) => Self::later(error),
            // A panic counts as an answer, so that an event that always causes one is found out.
            CallError::Panicked(_) => Self::later(error).with_fault(Fault::Unavailable),
        }
    }
}

/// Drive `future` to its end, for at most `timeout`.
pub(super) async fn call(
    clock: &Clock,
    timeout: Duration,
    future: impl Future<Output = Result<(), DeliveryError>> + Send,
) -> Call {
    let mut watched = Watched {
        future: Box::pin(future),
        clock,
        longest: Duration::ZERO,
    };
    let outcome =
        match tokio::time::timeout(timeout, AssertUnwindSafe(&mut watched).catch_unwind()).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(CallError::Refused(error)),
            Ok(Err(panic)) => Err(CallError::Panicked(text(&*panic))),
            Err(_elapsed) => Err(CallError::TimedOut(timeout)),
        };
    Call {
        outcome,
        longest_poll: watched.longest,
    }
}

struct Watched<'c, F> {
    future: Pin<Box<F>>,
    clock: &'c Clock,
    longest: Duration,
}

impl<F: Future> Future for Watched<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let begun = self.clock.now();
        let polled = self.future.as_mut().poll(cx);
        let taken = self.clock.now().saturating_duration_since(begun);
        self.longest = self.longest.max(taken);
        polled
    }
}

/// The message of a panic, which is text unless somebody went out of their way.
fn text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
