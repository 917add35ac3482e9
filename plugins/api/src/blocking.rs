//! Sinks whose work blocks: files, terminals, libraries that know no async.

use crate::{Batch, BoxFuture, BufferedEvent, BuildContext, DeliveryError, Text};
use std::collections::VecDeque;
use std::fmt;

/// A destination that is written to with blocking calls.
///
/// Give it to a [`Blocking`], which is called from [`Sink::deliver`](crate::Sink::deliver).
pub trait BlockingSink: Send + 'static {
    /// Deliver `events`, oldest first; never empty. Runs where it may block, one call at a time, always to its end.
    ///
    /// # Errors
    /// As for [`Sink::deliver`](crate::Sink::deliver); `accepted` counts within `events`.
    fn deliver(&mut self, events: &[BufferedEvent]) -> Result<(), DeliveryError>;
}

/// Runs a [`BlockingSink`] off the async threads and keeps its books when a delivery is cancelled.
///
/// A blocking call cannot be stopped: when the lane gives up waiting, it runs on. So the call is kept here and not in
/// the cancelled future. The next delivery waits for it first, and skips the events it turns out to have delivered.
/// No two calls overlap, a call that hangs holds one thread and not one per try, and nothing is delivered twice.
pub struct Blocking<S> {
    context: BuildContext,
    make: Box<dyn Fn() -> S + Send + Sync>,
    state: State<S>,
    /// Delivered by calls whose result the host never saw, oldest first.
    unreported: VecDeque<(u64, Text)>,
}

enum State<S> {
    /// The sink at rest; `None` before the first call, and after one that panicked.
    Idle(Option<S>),
    Running(BoxFuture<'static, Option<Done<S>>>),
}

struct Done<S> {
    sink: S,
    events: Vec<BufferedEvent>,
    result: Result<(), DeliveryError>,
}

impl<S: BlockingSink> Blocking<S> {
    /// `make` makes the sink when it is first needed, and again after a panic.
    pub fn new(context: &BuildContext, make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        Self {
            context: context.clone(),
            make: Box::new(make),
            state: State::Idle(None),
            unreported: VecDeque::new(),
        }
    }

    /// Deliver `batch`. Cancelling this future is harmless.
    ///
    /// # Errors
    /// What the sink said, or that it panicked.
    pub async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        if let State::Running(_) = self.state {
            let done = self.finish().await;
            self.keep_note(done);
        }
        let skip = self.already_delivered(&batch);
        if skip == batch.len() {
            self.report(skip);
            return Ok(());
        }
        self.start(batch[skip..].to_vec());
        let Some(result) = self.finish().await.map(|(_, result)| result) else {
            self.report(skip);
            return Err(DeliveryError::later("the sink panicked").with_accepted(skip));
        };
        self.report(skip);
        result.map_err(|error| {
            let accepted = skip + error.accepted();
            error.with_accepted(accepted)
        })
    }

    /// Wait for a call that a cancelled delivery left behind.
    pub async fn settle(&mut self) {
        if let State::Running(_) = self.state {
            let done = self.finish().await;
            self.keep_note(done);
        }
    }

    fn start(&mut self, events: Vec<BufferedEvent>) {
        let sink = match &mut self.state {
            State::Idle(sink) => sink.take(),
            State::Running(_) => None,
        };
        let mut sink = sink.unwrap_or_else(|| (self.make)());
        let context = self.context.clone();
        self.state = State::Running(Box::pin(async move {
            let work = move || {
                let result = sink.deliver(&events);
                Done {
                    sink,
                    events,
                    result,
                }
            };
            context.blocking(work).await
        }));
    }

    /// Wait for the running call. Cancel-safe: until it has ended, it stays in `state`.
    async fn finish(&mut self) -> Option<(Vec<BufferedEvent>, Result<(), DeliveryError>)> {
        let State::Running(call) = &mut self.state else {
            return None;
        };
        let (sink, outcome) = match call.await {
            Some(done) => (Some(done.sink), Some((done.events, done.result))),
            None => (None, None),
        };
        self.state = State::Idle(sink);
        outcome
    }

    /// Remember what a call delivered whose result nobody waited for.
    fn keep_note(&mut self, done: Option<(Vec<BufferedEvent>, Result<(), DeliveryError>)>) {
        let Some((events, result)) = done else { return };
        let delivered = match result {
            Ok(()) => events.len(),
            Err(error) => error.accepted().min(events.len()),
        };
        let notes = events[..delivered]
            .iter()
            .map(|event| (event.seq, event.id.clone()));
        self.unreported.extend(notes);
    }

    /// How many events from the front of `batch` were delivered by a cancelled call.
    fn already_delivered(&mut self, batch: &[BufferedEvent]) -> usize {
        let same =
            |note: &(u64, Text), event: &BufferedEvent| note.0 == event.seq && note.1 == event.id;
        // The host may have given up on some of them in the meantime; what is before the batch never comes again.
        let first = batch.first();
        let start = first.and_then(|first| self.unreported.iter().position(|n| same(n, first)));
        match start {
            Some(start) => drop(self.unreported.drain(..start)),
            None => self.unreported.clear(),
        }
        let pairs = self.unreported.iter().zip(batch);
        pairs.take_while(|(note, event)| same(note, event)).count()
    }

    /// The host learns of the first `count` notes now.
    fn report(&mut self, count: usize) {
        drop(self.unreported.drain(..count));
    }
}

impl<S> fmt::Debug for Blocking<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("context", &self.context)
            .field("running", &matches!(self.state, State::Running(_)))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
