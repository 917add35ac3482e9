//! Scripts: filters in the Rhai language, synchronous, bounded and without I/O.
//!
//! [`Engine`] compiles, [`Script`] runs, [`ScriptStep`] adds what a chain needs: the policy for errors, the breaker,
//! counts. What scripts may do is told in `docs/scripting.md`.

mod bind;
mod breaker;
mod context;
mod convert;
mod derive;
mod error;
mod host;
mod hours;
mod imports;
mod limits;
mod log_gate;
mod names;
mod node;
mod raw;
mod redact;
mod step;
mod write;

pub use breaker::{Breaker, LIMITS_IN_A_ROW, REST};
pub use context::RunContext;
pub use error::{RunError, RunErrorKind, ScriptError};
pub use limits::{Limits, MAX_EVENTS, MAX_FIELDS, MAX_FIELDS_DEPTH, MAX_FILE};
pub use step::{ScriptCounts, ScriptStep, ScriptTrouble, StepOutcome};

use crate::clock::Clock;
use crate::config::ScriptPlan;
use bind::Params;
use context::Context;
use imports::Folder;
use jiff::tz::TimeZone;
use node::Node;
use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, BitFieldPackage, CorePackage,
    LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, Array, Dynamic, EvalAltResult, Module, OptimizationLevel, Position, Scope};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unifi_herald_plugin::Event;

/// What all scripts of a host have in common.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where `import` finds scripts; without it nothing can be imported.
    pub scripts_dir: Option<PathBuf>,
    /// The zone of `in_hours`.
    pub zone: TimeZone,
    /// Watches the time a run takes.
    pub clock: Clock,
    /// Bounds on each script.
    pub limits: Limits,
}

/// Compiles scripts.
#[derive(Clone, Debug)]
pub struct Engine {
    options: EngineOptions,
}

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
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// By `fn filter(event)`.
    Filter {
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

impl Engine {
    /// An engine; nothing is read yet.
    #[must_use]
    pub fn new(options: EngineOptions) -> Self {
        Self { options }
    }

    /// Read and compile the file of `plan`, which must have `fn filter(event)`.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or is not such a script.
    pub fn compile_file(&self, name: &str, plan: &ScriptPlan) -> Result<Script, ScriptError> {
        let text = imports::read_script(&plan.file).map_err(|message| {
            ScriptError::whole_file(&plan.file, format!("the script {message}"))
        })?;
        self.compile(name, Some(&plan.file), &text, &plan.params)
    }

    /// Compile `text`, which must have `fn filter(event)`.
    ///
    /// # Errors
    /// When it is not such a script.
    pub fn compile_text(
        &self,
        name: &str,
        text: &str,
        params: &toml::Table,
    ) -> Result<Script, ScriptError> {
        self.compile(name, None, text, params)
    }

    /// Compile the expression `source`, which sees `event`. Where a file must give true or false, an expression
    /// that gives `()`, the value of an absent field, counts as false.
    ///
    /// # Errors
    /// When it is not one expression.
    pub fn compile_where(&self, source: &str) -> Result<Script, ScriptError> {
        if source.len() as u64 > MAX_FILE {
            return Err(ScriptError::at(
                None,
                Position::NONE,
                "the expression is too long",
            ));
        }
        let (engine, context, _, mut known) = self.prepare("where", &toml::Table::new());
        known.push("event", ());
        let ast = engine
            .compile_expression_with_scope(&known, source)
            .map_err(|error| ScriptError::parse(None, &error))?;
        Ok(Script {
            engine,
            ast,
            context,
            file: None,
            entry: Entry::Where,
            scope: Scope::new(),
        })
    }

    fn compile(
        &self,
        name: &str,
        file: Option<&Path>,
        text: &str,
        params: &toml::Table,
    ) -> Result<Script, ScriptError> {
        let (engine, context, folder, known) = self.prepare(name, params);
        let mut ast = engine
            .compile_into_self_contained(&known, text)
            .map_err(|error| {
                let mut error = ScriptError::eval(file, &error, &self.options.limits);
                error.find_import(file, text);
                error
            })?;
        folder.seal();
        if let Some(file) = file {
            ast.set_source(file.to_string_lossy().as_ref());
        }
        let position = find_filter(text);
        let arity = ast
            .iter_functions()
            .filter(|function| function.name == "filter")
            .map(|function| function.params.len());
        let mut arities = arity.collect::<Vec<_>>();
        arities.sort_unstable();
        if !arities.contains(&1) {
            let message = match arities.first() {
                None => "the script has no `fn filter(event)`".to_owned(),
                Some(params) => format!(
                    "`filter` must take one parameter, `fn filter(event)`, but takes {params}"
                ),
            };
            return Err(ScriptError::at(file, position, message));
        }
        let entry = Entry::Filter { position };
        Ok(Script {
            engine,
            ast,
            context,
            file: file.map(Path::to_owned),
            entry,
            scope: Scope::new(),
        })
    }

    /// An engine of its own for one script, and the names it knows without declaring them.
    fn prepare(
        &self,
        name: &str,
        params: &toml::Table,
    ) -> (rhai::Engine, Arc<Context>, Folder, Scope<'static>) {
        let EngineOptions {
            scripts_dir,
            zone,
            clock,
            limits,
        } = &self.options;
        let context = Context::new(name.into(), zone.clone(), clock.clone(), *limits);
        let params = Params(Arc::new(convert::from_toml(params)));

        let mut engine = rhai::Engine::new_raw();
        // The standard library without its clock, which would read the host's time in a replay, and without blobs.
        CorePackage::new().register_into_engine(&mut engine);
        BitFieldPackage::new().register_into_engine(&mut engine);
        LogicPackage::new().register_into_engine(&mut engine);
        BasicMathPackage::new().register_into_engine(&mut engine);
        BasicArrayPackage::new().register_into_engine(&mut engine);
        BasicMapPackage::new().register_into_engine(&mut engine);
        MoreStringPackage::new().register_into_engine(&mut engine);
        engine.set_optimization_level(OptimizationLevel::Simple);
        engine.set_strict_variables(true);
        engine.disable_symbol("eval");
        limits.apply(&mut engine);
        watch_time(&mut engine, &context);
        bind::register(&mut engine, &context, &params);
        host::register(&mut engine, &context);

        // Functions do not see variables outside of them; they do see those of global modules.
        let mut globals = Module::new();
        globals.set_var("params", params.clone());
        engine.register_global_module(globals.into());
        let mut known = Scope::new();
        known.push_constant("params", params);
        let folder = Folder::new(scripts_dir.clone(), known.clone());
        engine.set_module_resolver(folder.clone());
        (engine, context, folder, known)
    }
}

/// Looks at the clock every so many operations, so that most runs never do.
fn watch_time(engine: &mut rhai::Engine, context: &Arc<Context>) {
    const EVERY: u64 = 64;
    let context = Arc::clone(context);
    engine.on_progress(move |operations| {
        let stop = operations % EVERY == 0 && context.out_of_time();
        stop.then_some(Dynamic::UNIT)
    });
}

/// Where `fn filter` stands in the text, as far as can be told without parsing it; else the beginning.
fn find_filter(text: &str) -> Position {
    let is_filter = |at: &usize| {
        let name = text[at + "fn".len()..].trim_start();
        name.starts_with("filter")
    };
    let found = text.match_indices("fn").map(|(at, _)| at).find(is_filter);
    position_of(text, found.unwrap_or(0))
}

fn position_of(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    Position::new(
        u16::try_from(line).unwrap_or(u16::MAX),
        u16::try_from(column).unwrap_or(u16::MAX),
    )
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

    /// Run it for `event`.
    ///
    /// # Errors
    /// When the script fails, hits a limit, or gives something that is neither true nor false nor events. Nothing
    /// it changed before counts then.
    pub fn run(&mut self, event: &Arc<Event>, cx: &RunContext<'_>) -> Result<Outcome, RunError> {
        self.context.begin(cx);
        let node = Node::new(Arc::clone(event));
        let (result, position): (Result<Dynamic, _>, _) = match self.entry {
            // Constants and imports outside of functions are evaluated each time, when there are any.
            Entry::Filter { position } => (
                self.engine
                    .call_fn(&mut self.scope, &self.ast, "filter", (node.clone(),)),
                position,
            ),
            Entry::Where => {
                self.scope.push("event", node.clone());
                (
                    self.engine.eval_ast_with_scope(&mut self.scope, &self.ast),
                    Position::new(1, 1),
                )
            }
        };
        self.scope.clear();
        let result = result.map_err(|error| self.error(position, &error))?;
        self.outcome(&result, &node)
            .map_err(|message| RunError::new(RunErrorKind::Result, self.file(), position, message))
    }

    fn error(&self, position: Position, error: &EvalAltResult) -> RunError {
        RunError::eval(self.file(), position, error, &self.context.limits)
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
