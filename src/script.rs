//! Scripts: filters in the Rhai language, synchronous, bounded and without I/O.
//!
//! [`Engine`] compiles, [`Script`] runs, [`ScriptStep`] adds what a chain needs: the policy for errors, the breaker,
//! counts. What scripts may do is told in `docs/scripting.md`.

mod bind;
mod body;
mod breaker;
pub mod cases;
mod context;
mod convert;
mod derive;
mod engine;
mod error;
mod host;
mod hours;
mod imports;
mod inner;
mod limits;
mod log_gate;
mod memory;
mod names;
mod node;
mod raw;
mod read;
mod redact;
mod state;
mod step;
mod words;
mod write;

pub use breaker::{Breaker, LIMITS_IN_A_ROW, REST};
pub use context::RunContext;
pub use engine::{Engine, EngineOptions};
pub use error::{RunError, RunErrorKind, ScriptError};
pub use hours::Hours;
pub use limits::{Limits, MAX_EVENTS, MAX_FIELDS, MAX_FIELDS_DEPTH, MAX_FILE};
pub use memory::{Memories, Memory, MemoryError, MemoryLimits, SharedMemory};
pub use step::{ScriptCounts, ScriptHealth, ScriptStep, ScriptTrouble, StepOutcome};

use context::Context;
use node::Node;
use rhai::{AST, Array, Dynamic, EvalAltResult, Identifier, Position, Scope};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unifi_herald_plugin::Event;

/// A compiled script, ready to run on any thread, for one event at a time.
pub struct Script {
    /// One engine for each script: its functions know the script's name, parameters and current run.
    engine: rhai::Engine,
    ast: AST,
    context: Arc<Context>,
    file: Option<PathBuf>,
    entry: Entry,
    scope: Scope<'static>,
}

/// How a script is entered.
#[derive(Clone, Debug)]
enum Entry {
    /// By the body of `fn filter(event)`.
    Filter {
        /// The name by which it is given the event.
        event: Identifier,
        /// Where that function is, for failures whose place is not known any better.
        position: Position,
    },
    /// As an expression.
    Where,
}

/// What a script made of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It goes on; the same `Arc` when nothing was changed.
    Keep(Arc<Event>),
    /// It goes no further.
    Drop,
    /// These go on, in this order.
    Many(Vec<Arc<Event>>),
}

impl Script {
    /// Its name in the configuration; `where` for an expression.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.context.name
    }

    /// Its file, when it has one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Remember in `memory` what the functions of state are told; before, a script has a memory to itself.
    pub fn remember_in(&mut self, memory: SharedMemory) {
        self.context.run().memory = memory;
    }

    /// Run it for `event`.
    ///
    /// # Errors
    /// When the script fails, hits a limit, or gives something that is neither true nor false nor events. Nothing
    /// it changed before counts then, in the event or in what it remembers.
    pub fn run(&mut self, event: &Arc<Event>, cx: &RunContext<'_>) -> Result<Outcome, RunError> {
        self.context.begin(cx);
        let result = self.evaluate(event);
        self.context.end(result.is_ok());
        result
    }

    fn evaluate(&mut self, event: &Arc<Event>) -> Result<Outcome, RunError> {
        let node = Node::new(Arc::clone(event));
        let (event, position) = match &self.entry {
            Entry::Filter { event, position } => (event.clone(), *position),
            Entry::Where => ("event".into(), Position::new(1, 1)),
        };
        self.scope.push(event, node.clone());
        // Constants and imports outside of functions are evaluated each time, when there are any.
        let result: Result<Dynamic, _> =
            self.engine.eval_ast_with_scope(&mut self.scope, &self.ast);
        self.scope.clear();
        let result = result.map_err(|error| self.error(position, &error))?;
        self.outcome(&result, &node)
            .map_err(|message| RunError::new(RunErrorKind::Result, self.file(), position, message))
    }

    fn error(&self, position: Position, error: &EvalAltResult) -> RunError {
        let hit = self.context.run().hit.take();
        RunError::eval(self.file(), position, error, hit, &self.context.limits)
    }

    fn outcome(&self, result: &Dynamic, node: &Node) -> Result<Outcome, String> {
        match result.as_bool() {
            Ok(true) => return Ok(Outcome::Keep(node.event())),
            Ok(false) => return Ok(Outcome::Drop),
            Err(_) => {}
        }
        if result.is_unit() && matches!(self.entry, Entry::Where) {
            return Ok(Outcome::Drop);
        }
        if let Some(returned) = result.read_lock::<Node>() {
            return if returned.is(node) {
                Ok(Outcome::Keep(node.event()))
            } else {
                Err("the script returned a copy or a part of the event: copies go on in an array, `[copy]`".to_owned())
            };
        }
        let Some(array) = result.read_lock::<Array>() else {
            let what = if result.is_unit() {
                "nothing, `()`".to_owned()
            } else {
                self.type_of(result)
            };
            return Err(format!(
                "the script returned {what}: it must return true, false, the event, or an array of events"
            ));
        };
        self.many(&array)
    }

    fn many(&self, array: &Array) -> Result<Outcome, String> {
        if array.len() > MAX_EVENTS {
            return Err(format!(
                "the script returned {} events: it may return {MAX_EVENTS}",
                array.len()
            ));
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(array.len());
        for element in array {
            let node = element
                .read_lock::<Node>()
                .filter(|node| node.at == node::At::Event);
            let Some(node) = node else {
                return Err(format!(
                    "the array holds {}: it may hold only events",
                    self.type_of(element)
                ));
            };
            if nodes.iter().any(|other| other.is(&node)) {
                return Err(
                    "the array holds the same event twice: use `event.derive()` for each copy"
                        .to_owned(),
                );
            }
            nodes.push(node.clone());
        }
        if nodes.is_empty() {
            return Ok(Outcome::Drop);
        }
        Ok(Outcome::Many(nodes.iter().map(Node::event).collect()))
    }

    fn type_of(&self, value: &Dynamic) -> String {
        if value.is_unit() {
            "`()`".to_owned()
        } else {
            self.engine.map_type_name(value.type_name()).to_owned()
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("name", &self.name())
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
