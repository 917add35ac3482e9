//! Cases of a script, `scripts/NAME.cases.toml`: events at virtual times, and what must become of them.

mod alerts;
mod compare;
mod made;
mod table;

pub use alerts::AlertCases;

use super::memory::SharedMemory;
use super::{Engine, EngineOptions, Limits, Outcome, RunContext, Script};
use crate::clock::Clock;
use crate::config::{OnError, ScriptPlan};
use jiff::tz::TimeZone;
use made::Maker;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use table::{CaseTable, FileTable, StepTable};
use unifi_herald_plugin::testing::START;
use unifi_herald_plugin::{Origin, Span, Timestamp};

/// What the name of a file with cases ends with.
pub const SUFFIX: &str = ".cases.toml";

/// Largest file with cases, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The cases of one script.
#[derive(Debug)]
pub struct Cases {
    script: PathBuf,
    folder: PathBuf,
    table: FileTable,
}

/// Cases that cannot be run.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", file.display())]
pub struct CasesError {
    /// The file with the cases.
    pub file: PathBuf,
    /// What is wrong, with the place when it is known.
    pub message: String,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The script's name: its file without the ending.
    pub script: String,
    /// The name of the case.
    pub case: String,
    /// Whether everything was as expected.
    pub ok: bool,
    /// What was not.
    pub differences: Vec<Difference>,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which step, counted from 1; 0 is the case as a whole.
    pub step: usize,
    /// Its virtual time since the start of the case.
    pub at: String,
    /// The field that differs, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the case wants.
    pub expected: String,
    /// What the script made of it.
    pub got: String,
}

/// What became of an event.
enum Verdict {
    Outcome(Outcome),
    Error(String),
}

impl Cases {
    /// Where the cases of `script` are.
    #[must_use]
    pub fn beside(script: &Path) -> PathBuf {
        script.with_extension(SUFFIX.trim_start_matches('.'))
    }

    /// Read the cases of `script` from the file beside it.
    ///
    /// # Errors
    /// When the file cannot be read or is not what it must be.
    pub fn read(script: &Path) -> Result<Self, CasesError> {
        let file = Self::beside(script);
        let error = |message: String| CasesError {
            file: file.clone(),
            message,
        };
        let size = std::fs::metadata(&file).map_err(|e| error(e.to_string()))?;
        if size.len() > MAX_FILE {
            return Err(error(format!("has more than {MAX_FILE} bytes")));
        }
        let text = std::fs::read_to_string(&file).map_err(|e| error(e.to_string()))?;
        let table: FileTable = toml::from_str(&text).map_err(|e| error(e.to_string()))?;
        Ok(Self {
            folder: file.parent().unwrap_or(Path::new("")).to_owned(),
            script: script.to_owned(),
            table,
        })
    }

    /// The script's name: its file without the ending.
    #[must_use]
    pub fn script(&self) -> String {
        let name = self.script.file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The names of the cases, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.table.cases.iter().map(|case| &*case.name)
    }

    /// Run the cases that `selects` wants by name, each with fresh state.
    pub fn run(&self, selects: impl Fn(&str) -> bool) -> Vec<Report> {
        let cases = self.table.cases.iter().filter(|case| selects(&case.name));
        cases.map(|case| self.report(case)).collect()
    }

    fn report(&self, case: &CaseTable) -> Report {
        let mut differences = Vec::new();
        if let Err(message) = self.play(case, &mut differences) {
            differences.push(Difference {
                step: 0,
                at: String::new(),
                field: None,
                expected: "a case that can be run".to_owned(),
                got: message,
            });
        }
        Report {
            script: self.script(),
            case: case.name.clone(),
            ok: differences.is_empty(),
            differences,
        }
    }

    fn play(&self, case: &CaseTable, differences: &mut Vec<Difference>) -> Result<(), String> {
        let start = match case.start.as_ref().or(self.table.start.as_ref()) {
            Some(start) => start.parse().map_err(|e| format!("`start`: {e}"))?,
            None => START,
        };
        let zone = match case.zone.as_ref().or(self.table.zone.as_ref()) {
            Some(zone) => TimeZone::get(zone).map_err(|e| format!("`zone`: {e}"))?,
            None => TimeZone::UTC,
        };
        // It stands still: on no machine is a case too slow, and an endless loop is stopped by its operations.
        let clock = Clock::manual(start);
        let mut script = self.compile(case, zone, &clock)?;
        script.remember_in(SharedMemory::new("cases".into()));
        let maker = Maker::new(&self.folder, self.table.corpus.as_deref());
        let begun = clock.now();
        let mut at = Duration::ZERO;
        for (index, step) in case.steps.iter().enumerate() {
            let step_error = |message: String| format!("step {}: {message}", index + 1);
            if let Some(text) = &step.at {
                at = time(text).map_err(step_error)?;
            }
            let made = maker.make(&step.event, start + at, index + 1);
            let event = Arc::new(made.map_err(step_error)?);
            let context = RunContext {
                now: now(event.origin, event.time, start + at),
                instant: begun + at,
                salt: "case/0",
            };
            let verdict = match script.run(&event, &context) {
                Ok(outcome) => Verdict::Outcome(outcome),
                Err(error) => Verdict::Error(error.to_string()),
            };
            Self::judge(step, &verdict, index + 1, at, differences).map_err(step_error)?;
        }
        Ok(())
    }

    fn compile(&self, case: &CaseTable, zone: TimeZone, clock: &Clock) -> Result<Script, String> {
        let mut params = self.table.params.clone();
        params.extend(case.params.clone());
        let engine = Engine::new(EngineOptions {
            scripts_dir: Some(self.folder.clone()),
            zone,
            clock: clock.clone(),
            limits: Limits::default(),
        });
        let plan = ScriptPlan {
            file: self.script.clone(),
            on_error: OnError::Keep,
            params,
        };
        let script = engine.compile_file(&self.script(), &plan);
        script.map_err(|error| error.to_string())
    }

    fn judge(
        step: &StepTable,
        verdict: &Verdict,
        number: usize,
        at: Duration,
        differences: &mut Vec<Difference>,
    ) -> Result<(), String> {
        let found = compare::differences(&step.expect, verdict)?;
        differences.extend(found.into_iter().map(|found| Difference {
            step: number,
            at: Span(at).to_string(),
            field: found.field,
            expected: found.expected,
            got: found.got,
        }));
        Ok(())
    }
}

/// The script's clock, as in a chain.
fn now(origin: Origin, time: Timestamp, now: Timestamp) -> Timestamp {
    match origin {
        Origin::Backfill => time,
        Origin::Stream | Origin::Derived => now,
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let Span(at) = text.parse().map_err(|e| format!("`at`: {e}"))?;
    Ok(at)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.step > 0 {
            write!(f, "step {} at {}: ", self.step, self.at)?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "expected {}, got {}", self.expected, self.got)
    }
}

/// The scripts in `folder`, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn scripts_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "rhai") {
            scripts.push(path);
        }
    }
    scripts.sort();
    Ok(scripts)
}

#[cfg(test)]
mod tests;
