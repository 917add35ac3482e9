//! `import`: scripts of the scripts folder, read while the importing script is compiled and never later.

use super::limits::MAX_FILE;
use rhai::{AST, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An `import` that is refused. It travels as the value of a run-time error.
#[derive(Clone, Debug)]
pub(super) struct ImportRefused {
    /// As the script wrote it.
    pub(super) path: String,
    pub(super) message: String,
}

/// Finds what scripts import. A clone is the same resolver.
#[derive(Clone)]
pub(super) struct Folder(Arc<Shelf>);

struct Shelf {
    /// The scripts folder; without one nothing can be imported.
    root: Option<PathBuf>,
    /// What a script can name without declaring it.
    known: Scope<'static>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    modules: HashMap<PathBuf, Shared<Module>>,
    /// What is being read right now, to notice scripts that import each other.
    reading: Vec<PathBuf>,
    /// No file is read any more.
    sealed: bool,
}

impl Folder {
    pub(super) fn new(root: Option<PathBuf>, known: Scope<'static>) -> Self {
        Self(Arc::new(Shelf {
            root,
            known,
            state: Mutex::default(),
        }))
    }

    /// From now on only what was imported before is found: running a script reads no files.
    pub(super) fn seal(&self) {
        self.state().sealed = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, engine: &Engine, path: &str) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let file = self.find(path).map_err(|message| refused(path, message))?;
        {
            let mut state = self.state();
            if let Some(module) = state.modules.get(&file) {
                return Ok(Shared::clone(module));
            }
            if state.sealed {
                return Err(refused(
                    path,
                    "is not imported by a plain `import \"name\"`, so it was not read",
                ));
            }
            if state.reading.contains(&file) {
                return Err(refused(path, "imports itself"));
            }
            state.reading.push(file.clone());
        }
        let module = self.compile(engine, path, &file).and_then(|ast| {
            Module::eval_ast_as_new(Scope::new(), &ast, engine)
                .map_err(|error| in_module(&file, error))
        });
        let mut state = self.state();
        state.reading.pop();
        let module = Shared::new(module?);
        state.modules.insert(file, Shared::clone(&module));
        Ok(module)
    }

    fn compile(&self, engine: &Engine, path: &str, file: &Path) -> Result<AST, Box<EvalAltResult>> {
        let text = read_script(file).map_err(|message| refused(path, message))?;
        let ast = engine
            .compile_with_scope(&self.0.known, text)
            .map_err(|error| {
                let position = error.position();
                in_module(
                    file,
                    EvalAltResult::ErrorParsing(error.err_type().clone(), position).into(),
                )
            })?;
        let mut ast = super::inner::watched(&ast);
        ast.set_source(file.to_string_lossy().as_ref());
        Ok(ast)
    }

    /// The file behind `path`, which lies in the scripts folder whatever links there are.
    fn find(&self, path: &str) -> Result<PathBuf, String> {
        let root = self
            .0
            .root
            .as_deref()
            .ok_or("cannot be imported: there is no scripts folder")?;
        let relative = Path::new(path);
        let plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || !plain || path.contains('\\') {
            return Err("is not the name of a file in the scripts folder".to_owned());
        }
        let mut file = root.join(relative).into_os_string();
        if relative
            .extension()
            .is_none_or(|extension| extension != "rhai")
        {
            file.push(".rhai");
        }
        let missing = |error: std::io::Error| format!("cannot be imported: {error}");
        let root = root.canonicalize().map_err(missing)?;
        let file = PathBuf::from(file).canonicalize().map_err(missing)?;
        if !file.starts_with(&root) {
            return Err("leads out of the scripts folder".to_owned());
        }
        Ok(file)
    }
}

impl ModuleResolver for Folder {
    fn resolve(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.load(engine, path).map_err(|error| at(error, position))
    }

    fn resolve_ast(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Option<Result<AST, Box<EvalAltResult>>> {
        let ast = self
            .find(path)
            .map_err(|message| refused(path, message))
            .and_then(|file| self.compile(engine, path, &file));
        Some(ast.map_err(|error| at(error, position)))
    }
}

/// The text of a script.
///
/// # Errors
/// When it cannot be read, is too large, or is not UTF-8.
pub(super) fn read_script(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let mut text = String::new();
    let mut bounded = std::fs::File::open(file)
        .map_err(unreadable)?
        .take(MAX_FILE + 1);
    bounded.read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        return Err(format!("is larger than {} KiB", MAX_FILE / 1024));
    }
    Ok(text)
}

fn refused(path: &str, message: impl Into<String>) -> Box<EvalAltResult> {
    let refused = ImportRefused {
        path: path.to_owned(),
        message: message.into(),
    };
    EvalAltResult::ErrorRuntime(rhai::Dynamic::from(refused), Position::NONE).into()
}

fn in_module(file: &Path, error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    EvalAltResult::ErrorInModule(file.to_string_lossy().into_owned(), error, Position::NONE).into()
}

fn at(mut error: Box<EvalAltResult>, position: Position) -> Box<EvalAltResult> {
    if error.position().is_none() {
        error.set_position(position);
    }
    error
}
