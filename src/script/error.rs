//! What can be wrong with a script, always with file, line and column.

use super::imports::ImportRefused;
use super::limits::Limits;
use rhai::{Dynamic, EvalAltResult, ParseError, Position};
use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::path::{Path, PathBuf};

/// A script that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The file; `None` for an expression of the configuration.
    pub file: Option<PathBuf>,
    /// Line, counted from 1; `None` when the whole file is meant.
    pub line: Option<usize>,
    /// Character within the line, counted from 1.
    pub column: Option<usize>,
    /// What is wrong, without the place.
    pub message: String,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// What sort of failure.
    pub kind: RunErrorKind,
    /// The file; `None` for an expression of the configuration.
    pub file: Option<PathBuf>,
    /// Line, counted from 1.
    pub line: Option<usize>,
    /// Character within the line, counted from 1.
    pub column: Option<usize>,
    /// What went wrong, without the place.
    pub message: String,
}

/// What sort of failure a run met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunErrorKind {
    /// The script did something that is not possible, or raised an error itself.
    Script,
    /// The result is neither true nor false nor events.
    Result,
    /// Too many operations.
    Operations,
    /// Too long on the clock.
    Time,
    /// Functions called each other too deep.
    Depth,
    /// A value, a pattern or a set of copies too large, too many variables or imports.
    Size,
}

impl RunErrorKind {
    /// Whether the script was stopped by one of its [`Limits`].
    #[must_use]
    pub fn is_limit(self) -> bool {
        match self {
            Self::Operations | Self::Time | Self::Depth | Self::Size => true,
            Self::Script | Self::Result => false,
        }
    }
}

fn write_place(
    f: &mut fmt::Formatter<'_>,
    file: Option<&Path>,
    line: Option<usize>,
    column: Option<usize>,
) -> fmt::Result {
    if let Some(file) = file {
        write!(f, "{}", file.display())?;
    } else {
        f.write_str("expression")?;
    }
    if let (Some(line), Some(column)) = (line, column) {
        write!(f, ":{line}:{column}")?;
    }
    f.write_str(": ")
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.file.as_deref(), self.line, self.column)?;
        f.write_str(&self.message)
    }
}

impl std::error::Error for ScriptError {}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.file.as_deref(), self.line, self.column)?;
        f.write_str(&self.message)
    }
}

impl std::error::Error for RunError {}

/// A limit that a host function enforces. It travels as the value of a run-time error.
#[derive(Clone, Debug)]
pub(super) struct TooLarge(pub(super) String);

/// Refuse with `message`.
pub(super) fn refuse(message: impl Into<String>) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE).into()
}

/// Refuse because something is too large.
pub(super) fn too_large(message: impl Into<String>) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(TooLarge(message.into())), Position::NONE).into()
}

/// A limit that was hit within a function, and where.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) what: Discriminant<EvalAltResult>,
    pub(super) file: Option<PathBuf>,
    pub(super) position: Position,
}

/// Where a failure is.
struct Place {
    file: Option<PathBuf>,
    position: Position,
}

impl ScriptError {
    pub(super) fn whole_file(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: Some(file.to_owned()),
            line: None,
            column: None,
            message: message.into(),
        }
    }

    pub(super) fn at(file: Option<&Path>, position: Position, message: impl Into<String>) -> Self {
        Self {
            file: file.map(Path::to_owned),
            line: position.line(),
            column: position.line().map(|_| position.position().unwrap_or(1)),
            message: message.into(),
        }
    }

    /// For an error that an `import` of `text` met, whose place Rhai does not tell: the place of the `import`.
    pub(super) fn find_import(&mut self, file: Option<&Path>, text: &str) {
        let named = self
            .message
            .strip_prefix('`')
            .and_then(|rest| rest.split_once('`'));
        if let Some((path, _)) = named
            && self.line.is_none()
            && self.file.as_deref() == file
            && let Some(offset) = text.find(&format!("{path:?}"))
        {
            let position = super::engine::position_of(text, offset);
            (self.line, self.column) = (position.line(), position.position());
        }
    }

    pub(super) fn parse(file: Option<&Path>, error: &ParseError) -> Self {
        Self::at(file, error.position(), error.err_type().to_string())
    }

    pub(super) fn eval(file: Option<&Path>, error: &EvalAltResult, limits: &Limits) -> Self {
        let (place, inner) = locate(file, error);
        Self::at(
            place.file.as_deref(),
            place.position,
            describe(inner, limits).1,
        )
    }
}

impl RunError {
    pub(super) fn new(
        kind: RunErrorKind,
        file: Option<&Path>,
        position: Position,
        message: impl Into<String>,
    ) -> Self {
        let ScriptError {
            file,
            line,
            column,
            message,
        } = ScriptError::at(file, position, message);
        Self {
            kind,
            file,
            line,
            column,
            message,
        }
    }

    /// `entry` is where the script begins, for failures whose place is not known any better; `hit` is the limit that
    /// was hit in a function, if one was.
    pub(super) fn eval(
        file: Option<&Path>,
        entry: Position,
        error: &EvalAltResult,
        hit: Option<Hit>,
        limits: &Limits,
    ) -> Self {
        let (mut place, inner) = locate(file, error);
        if let Some(hit) = hit
            && hit.what == discriminant(inner)
            && !hit.position.is_none()
        {
            place = Place {
                file: hit.file.or(place.file),
                position: hit.position,
            };
        }
        let position = if place.position.is_none() {
            entry
        } else {
            place.position
        };
        let (kind, message) = describe(inner, limits);
        Self::new(kind, place.file.as_deref(), position, message)
    }
}

/// The innermost place that is known, and the failure there.
fn locate<'e>(file: Option<&Path>, error: &'e EvalAltResult) -> (Place, &'e EvalAltResult) {
    let mut place = Place {
        file: file.map(Path::to_owned),
        position: Position::NONE,
    };
    let mut file = place.file.clone();
    let mut error = error;
    loop {
        if !error.position().is_none() {
            place = Place {
                file: file.clone(),
                position: error.position(),
            };
        }
        match error {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
                if !source.is_empty() {
                    file = Some(PathBuf::from(source));
                }
                error = inner;
            }
            EvalAltResult::ErrorInModule(path, inner, _) => {
                if !path.is_empty() {
                    file = Some(PathBuf::from(path));
                }
                error = inner;
            }
            _ => return (place, error),
        }
    }
}

/// The failure in words a user of scripts understands, without its place.
fn describe(error: &EvalAltResult, limits: &Limits) -> (RunErrorKind, String) {
    match error {
        EvalAltResult::ErrorTooManyOperations(_) => (
            RunErrorKind::Operations,
            format!("stopped after {} operations: is there an endless loop?", limits.operations),
        ),
        EvalAltResult::ErrorTerminated(..) => {
            (RunErrorKind::Time, format!("stopped after {} ms", limits.time.as_millis()))
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            (RunErrorKind::Depth, format!("functions call each other more than {} deep", limits.calls))
        }
        EvalAltResult::ErrorTooManyVariables(_) => {
            (RunErrorKind::Size, format!("more than {} variables at once", limits.variables))
        }
        EvalAltResult::ErrorTooManyModules(_) => {
            (RunErrorKind::Size, format!("more than {} imports", limits.modules))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            let most = if what.contains("string") {
                format!("a text may have {} bytes", limits.string)
            } else if what.contains("array") {
                format!("an array may have {} elements", limits.array)
            } else {
                format!("a map may have {} entries", limits.map)
            };
            (RunErrorKind::Size, format!("a value became too large: {most}"))
        }
        EvalAltResult::ErrorRuntime(value, _) => {
            if let Some(too_large) = value.read_lock::<TooLarge>() {
                return (RunErrorKind::Size, too_large.0.clone());
            }
            if let Some(refused) = value.read_lock::<ImportRefused>() {
                return (RunErrorKind::Script, format!("`{}` {}", refused.path, refused.message));
            }
            let raised = if value.is_unit() { "the script raised an error".to_owned() } else { value.to_string() };
            (RunErrorKind::Script, raised)
        }
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) if wanted == "bool" && found == "()" => (
            RunErrorKind::Script,
            "expected true or false but found `()`, an absent field: compare it, as in `x == true`".to_owned(),
        ),
        EvalAltResult::ErrorParsing(what, _) => (RunErrorKind::Script, what.to_string()),
        EvalAltResult::ErrorModuleNotFound(path, _) => {
            (RunErrorKind::Script, format!("there is no script `{path}` to import"))
        }
        other => {
            let text = other.to_string();
            let place = format!(" ({})", other.position());
            (RunErrorKind::Script, text.strip_suffix(&place).unwrap_or(&text).to_owned())
        }
    }
}
