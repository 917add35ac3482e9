//! A step of a chain, written in Rust.

use crate::{BoxError, Event};

/// Decides about one event at a time, on equal terms with a script.
///
/// Called on the router's thread, in order, for every event that reaches the step: it must not block and
/// should cost microseconds. A panic is contained and counts as an error; an error follows the step's
/// `on_error`.
pub trait Filter: Send + 'static {
    /// Decide about `event`.
    ///
    /// # Errors
    /// Anything that kept the filter from deciding; shown to people as it is.
    fn apply(&mut self, event: &Event) -> Result<Verdict, BoxError>;
}

/// What becomes of an event at a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It goes on as it is.
    Keep,
    /// It goes no further in this chain.
    Drop,
    /// These go on in its place, at most 64. An event with the id of the one given is the event itself,
    /// changed; others are new, and the host gives them ids.
    Replace(Vec<Event>),
}
