//! Scripts: their files are read and compiled, and so are the expressions of `where`.

use super::Check;
use crate::clock::Clock;
use crate::config::read::{Flaw, Part};
use crate::config::source::Source;
use crate::config::tree::Path;
use crate::config::{ConfigError, ScriptPlan};
use crate::script::{Engine, EngineOptions, Limits, ScriptError};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use unifi_herald_plugin::Text;

/// Beside the configuration; `import` finds scripts here.
const FOLDER: &str = "scripts";

impl Check<'_> {
    /// What compiles the scripts of this configuration.
    pub(super) fn engine(&self, zone: TimeZone) -> Engine {
        Engine::new(EngineOptions {
            scripts_dir: Some(self.path(FOLDER.as_ref())),
            zone,
            clock: Clock::system(),
            limits: Limits::default(),
        })
    }

    pub(super) fn scripts(&mut self, engine: &Engine) -> BTreeMap<Text, ScriptPlan> {
        let reading = self.reading;
        let mut plans = BTreeMap::new();
        for (name, table) in &reading.file.scripts {
            let path = Path::of(&["scripts", name, "file"]);
            let Some(file) = &table.file else {
                self.missing(path, "the script's file: file = \"scripts/name.rhai\"");
                continue;
            };
            let plan = ScriptPlan {
                file: self.path(file),
                on_error: table.on_error,
                params: table.params.clone(),
            };
            if let Err(error) = engine.compile_file(name, &plan) {
                self.script_error(path, error);
            }
            plans.insert(name.as_str().into(), plan);
        }
        plans
    }

    /// See that the expression at `path` compiles.
    pub(super) fn expression(&mut self, path: Path, engine: &Engine, expression: &str) {
        if let Err(error) = engine.compile_where(expression) {
            let part = match (error.line, error.column) {
                (Some(1), Some(column)) => Part::Character(column - 1),
                _ => Part::Value,
            };
            self.flaw(Flaw {
                part,
                ..Flaw::value(path, error.message)
            });
        }
    }

    /// An error with a place in a script is shown there; any other where the configuration names the script.
    fn script_error(&mut self, path: Path, error: ScriptError) {
        let ScriptError {
            file,
            line,
            column,
            message,
        } = error;
        let text = file
            .as_ref()
            .and_then(|file| std::fs::read_to_string(file).ok());
        match (file, line, text) {
            (Some(file), Some(line), Some(text)) => {
                let name = file
                    .strip_prefix(&self.locator.directory)
                    .unwrap_or(&file)
                    .to_owned();
                let error = Source::plain(name, text).at(line, column.unwrap_or(1), message);
                self.elsewhere.push(ConfigError {
                    key: path.to_string(),
                    ..error
                });
            }
            _ => self.flaw(Flaw::value(path, message)),
        }
    }
}
