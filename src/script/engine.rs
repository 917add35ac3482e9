//! Compiles scripts, each with an engine of its own.

use super::bind::{self, Params};
use super::context::Context;
use super::error::ScriptError;
use super::imports::{self, Folder};
use super::limits::{Limits, MAX_FILE};
use super::{Entry, Script, body, convert, host, inner, words};
use crate::clock::Clock;
use crate::config::ScriptPlan;
use jiff::tz::TimeZone;
use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, BitFieldPackage, CorePackage,
    LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, Dynamic, Module, OptimizationLevel, Position, Scope};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        let (mut engine, context, folder, known) = self.prepare(name, params);
        // The first call is that of `filter`, whose body is not called but run.
        engine.set_max_call_levels(self.options.limits.calls.saturating_sub(1));
        let ast = engine
            .compile_into_self_contained(&known, text)
            .map_err(|error| {
                let mut error = ScriptError::eval(file, &error, &self.options.limits);
                error.find_import(file, text);
                error
            })?;
        folder.seal();
        let position = find_filter(text);
        let parameter =
            parameter(&ast).map_err(|message| ScriptError::at(file, position, message))?;
        let (ast, entry) = body::flatten(&ast, parameter, position);
        let mut ast = inner::watched(&ast);
        if let Some(file) = file {
            ast.set_source(file.to_string_lossy().as_ref());
        }
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
        words::register(&mut engine);
        inner::register(&mut engine, &context);
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

/// What `filter` calls the event.
fn parameter(ast: &AST) -> Result<&str, String> {
    let filters = ast
        .iter_functions()
        .filter(|function| function.name == "filter")
        .map(|function| function.params);
    let mut filters = filters.collect::<Vec<_>>();
    filters.sort_unstable_by_key(Vec::len);
    for parameters in &filters {
        if let [parameter] = parameters[..] {
            return Ok(parameter);
        }
    }
    Err(match filters.first() {
        None => "the script has no `fn filter(event)`".to_owned(),
        Some(parameters) => format!(
            "`filter` must take one parameter, `fn filter(event)`, but takes {}",
            parameters.len()
        ),
    })
}

/// Looks at the clock every so many operations, so that most runs never do.
fn watch_time(engine: &mut rhai::Engine, context: &Arc<Context>) {
    const EVERY: u64 = 32;
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

pub(super) fn position_of(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    Position::new(
        u16::try_from(line).unwrap_or(u16::MAX),
        u16::try_from(column).unwrap_or(u16::MAX),
    )
}
