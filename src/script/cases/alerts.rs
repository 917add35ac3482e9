//! Cases of an alert, `alerts/NAME.cases.toml`: events at virtual times, and what must be told.

use super::compare::{self, Found, json};
use super::made::Maker;
use super::{CasesError, Difference, MAX_FILE, Report, SUFFIX, now, time};
use crate::alert::{Addressee, Alerts, assemble};
use crate::clock::Clock;
use crate::config::Plan;
use crate::script::{Engine, EngineOptions, Limits, Memories, RunContext};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::testing::START;
use unifi_herald_plugin::{Alert, Event, Span, Timestamp};

/// Most timers that one step waits through.
const MOST_TIMERS: usize = 10_000;

/// The cases of one alert.
#[derive(Debug)]
pub struct AlertCases {
    name: String,
    folder: PathBuf,
    table: FileTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    /// Where `corpus = "file:line"` looks, relative to this file.
    corpus: Option<PathBuf>,
    /// For cases that say nothing else.
    start: Option<String>,
    #[serde(default, rename = "case")]
    cases: Vec<CaseTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTable {
    name: String,
    /// When it begins; the time of made-up events otherwise.
    start: Option<String>,
    steps: Vec<StepTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    /// Since the start of the case; as the step before otherwise.
    at: Option<String>,
    /// What happens; nothing but time without it.
    event: Option<toml::Table>,
    /// What is told since the step before.
    expect: toml::Value,
}

impl AlertCases {
    /// The files with cases of alerts in `folder`, by name; none when there is no folder.
    #[must_use]
    pub fn files_in(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let mut files: Vec<PathBuf> = paths
            .filter(|path| path.to_string_lossy().ends_with(SUFFIX))
            .collect();
        files.sort();
        files
    }

    /// Read the cases in `file`, whose name is that of the alert.
    ///
    /// # Errors
    /// When the file cannot be read or is not what it must be.
    pub fn read(file: &Path) -> Result<Self, CasesError> {
        let error = |message: String| CasesError {
            file: file.to_owned(),
            message,
        };
        let size = std::fs::metadata(file).map_err(|e| error(e.to_string()))?;
        if size.len() > MAX_FILE {
            return Err(error(format!("has more than {MAX_FILE} bytes")));
        }
        let text = std::fs::read_to_string(file).map_err(|e| error(e.to_string()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.trim_end_matches(SUFFIX).to_owned(),
            folder: file.parent().unwrap_or(Path::new("")).to_owned(),
            table: toml::from_str(&text).map_err(|e| error(e.to_string()))?,
        })
    }

    /// The alert's name.
    #[must_use]
    pub fn alert(&self) -> &str {
        &self.name
    }

    /// The names of the cases, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.table.cases.iter().map(|case| &*case.name)
    }

    /// Run the cases that `selects` wants by name on the alerts of `plan`, each with fresh state.
    pub fn run(&self, plan: &Plan, selects: impl Fn(&str) -> bool) -> Vec<Report> {
        let cases = self.table.cases.iter().filter(|case| selects(&case.name));
        cases.map(|case| self.report(plan, case)).collect()
    }

    fn report(&self, plan: &Plan, case: &CaseTable) -> Report {
        let mut differences = Vec::new();
        if let Err(message) = self.play(plan, case, &mut differences) {
            differences.push(Difference {
                step: 0,
                at: String::new(),
                field: None,
                expected: "a case that can be run".to_owned(),
                got: message,
            });
        }
        Report {
            script: format!("alerts/{}", self.name),
            case: case.name.clone(),
            ok: differences.is_empty(),
            differences,
        }
    }

    fn play(
        &self,
        plan: &Plan,
        case: &CaseTable,
        differences: &mut Vec<Difference>,
    ) -> Result<(), String> {
        let start = match case.start.as_ref().or(self.table.start.as_ref()) {
            Some(start) => start.parse().map_err(|e| format!("`start`: {e}"))?,
            None => START,
        };
        let mut stage = Stage::new(plan, &self.name, start)?;
        let maker = Maker::new(&self.folder, self.table.corpus.as_deref());
        let mut at = Duration::ZERO;
        for (index, step) in case.steps.iter().enumerate() {
            let number = index + 1;
            let step_error = |message: String| format!("step {number}: {message}");
            if let Some(text) = &step.at {
                at = time(text).map_err(step_error)?;
            }
            stage.until(start + at);
            if let Some(table) = &step.event {
                let made = maker.make(table, start + at, number);
                stage.put(&Arc::new(made.map_err(step_error)?));
            }
            let found = judge(&step.expect, &std::mem::take(&mut stage.told));
            differences.extend(
                found
                    .map_err(step_error)?
                    .into_iter()
                    .map(|found| Difference {
                        step: number,
                        at: Span(at).to_string(),
                        field: found.field,
                        expected: found.expected,
                        got: found.got,
                    }),
            );
        }
        Ok(())
    }
}

/// The alerts, and a clock that goes as the case says.
struct Stage {
    alerts: Alerts,
    count: usize,
    position: usize,
    name: String,
    clock: Clock,
    now: Timestamp,
    told: Vec<Arc<Event>>,
}

impl Stage {
    fn new(plan: &Plan, name: &str, start: Timestamp) -> Result<Self, String> {
        let position = plan.alerts.iter().position(|alert| *alert.name == *name);
        let position = position.ok_or_else(|| format!("there is no alert `{name}`"))?;
        let clock = Clock::manual(start);
        let engine = Engine::new(EngineOptions {
            scripts_dir: Some(plan.base.join("scripts")),
            zone: plan.zone.clone(),
            clock: clock.clone(),
            limits: Limits::default(),
        });
        let alerts = assemble(plan, &engine, &mut Memories::default());
        Ok(Self {
            alerts: alerts.map_err(|error| error.to_string())?,
            count: plan.alerts.len(),
            position,
            name: name.to_owned(),
            clock,
            now: start,
            told: Vec::new(),
        })
    }

    /// Let time pass; everything happens when it is due.
    fn until(&mut self, time: Timestamp) {
        for _ in 0..MOST_TIMERS {
            let wake = self.alerts.wake_at(self.now).filter(|wake| *wake <= time);
            let Some(wake) = wake else { break };
            self.tick(wake);
        }
        self.tick(time);
    }

    fn tick(&mut self, time: Timestamp) {
        self.now = self.now.max(time);
        self.alerts.tick(self.now);
        self.hear();
    }

    fn put(&mut self, event: &Arc<Event>) {
        let context = RunContext {
            now: now(event.origin, event.time, self.now),
            instant: self.clock.now(),
            salt: "case/0",
        };
        self.alerts.begin_event();
        for position in 0..self.count {
            self.alerts.apply(position, event, self.now, &context);
        }
        self.tick(self.now);
    }

    /// Note what the alert of the cases says; others may explain it, and are not heard.
    fn hear(&mut self) {
        for said in self.alerts.take_said() {
            let own = match &said.event.alert {
                Some(alert) => *alert.name == *self.name,
                None => said.to == Addressee::StepsBehind(self.position),
            };
            if own {
                self.told.push(said.event);
            }
        }
    }
}

const FORMS: &str = "`expect` is \"nothing\", { firing = { … } } with fields of `alert`, or a list of such tables; for firing there may be repeated, resolved, folded";

fn judge(expect: &toml::Value, told: &[Arc<Event>]) -> Result<Vec<Found>, String> {
    let wanted = match expect {
        toml::Value::String(word) if word == "nothing" => Vec::new(),
        toml::Value::Table(table) => vec![wanted(table)?],
        toml::Value::Array(list) => {
            let tables = list
                .iter()
                .map(|item| wanted(item.as_table().ok_or(FORMS)?));
            tables.collect::<Result<_, String>>()?
        }
        _ => return Err(FORMS.to_owned()),
    };
    let states = |states: Vec<&str>| match states.len() {
        0 => "nothing".to_owned(),
        _ => states.join(", "),
    };
    let expected: Vec<&str> = wanted.iter().map(|(state, _)| *state).collect();
    let got: Vec<&str> = told.iter().map(|event| state(event)).collect();
    if expected != got {
        return Ok(vec![Found {
            field: None,
            expected: states(expected),
            got: states(got),
        }]);
    }
    let mut found = Vec::new();
    for (index, ((state, fields), event)) in wanted.iter().zip(told).enumerate() {
        let subject = event
            .alert
            .as_deref()
            .map(|alert: &Alert| serde_json::to_value(alert));
        let subject = subject.unwrap_or_else(|| serde_json::to_value(&**event));
        let subject = subject.map_err(|error| error.to_string())?;
        for mut one in compare::subset(&json(fields), &subject) {
            let field = one.field.take().unwrap_or_default();
            one.field = Some(match wanted.len() {
                1 => format!("{state}.{field}"),
                _ => format!("[{index}].{state}.{field}"),
            });
            found.push(one);
        }
    }
    Ok(found)
}

/// `{ firing = { title = "…" } }`
fn wanted(table: &toml::Table) -> Result<(&str, &toml::Value), String> {
    let mut fields = table.iter();
    match (fields.next(), fields.next()) {
        (Some((state, fields)), None)
            if ["firing", "repeated", "resolved", "folded", "notice"].contains(&&**state)
                && fields.is_table() =>
        {
            Ok((state, fields))
        }
        _ => Err(FORMS.to_owned()),
    }
}

fn state(event: &Event) -> &'static str {
    event
        .alert
        .as_deref()
        .map_or("notice", |alert| alert.state.as_str())
}
