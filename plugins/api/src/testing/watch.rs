//! Drives a plugin's futures while looking whether they hang or panic.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Far beyond what any machine needs for a few events: whoever takes longer hangs.
const HANGS: Duration = Duration::from_secs(120);

/// Poll `future` this many times and drop it; its result when it was over before.
pub(super) async fn polled<T>(
    what: &str,
    future: impl Future<Output = T>,
    polls: usize,
) -> Result<Option<T>, String> {
    let mut future = pin!(future);
    let mut left = polls;
    let outcome = poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    in_time(what, outcome).await
}

/// As [`polled`], also where nothing wakes the future, as nothing happens that it waits for.
pub(super) async fn poked<T>(
    what: &str,
    future: impl Future<Output = T>,
    polls: usize,
) -> Result<Option<T>, String> {
    let mut future = pin!(future);
    let restless = poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        cx.waker().wake_by_ref();
        polled
    });
    polled(what, restless, polls).await
}

/// The result of `future`, unless it hangs or panics.
pub(super) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    let contained = poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_panic) => Poll::Ready(Err(format!("{what} panics"))),
        }
    });
    match tokio::time::timeout(HANGS, contained).await {
        Ok(result) => result,
        Err(_elapsed) => Err(format!("{what} hangs while all is well")),
    }
}
