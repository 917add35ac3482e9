//! `herald test`

use super::Exit;
use super::launch::Signals;
use super::load::Loader;
use super::output::{complain, print};
use super::scripts::find;
use crate::script::cases::{AlertCases, Cases, Report, SUFFIX, scripts_in};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often `--watch` looks for changes.
const LOOK: Duration = Duration::from_millis(500);

/// Run the cases of scripts and alerts: events at virtual times, and what must become of them.
///
/// The cases of scripts/NAME.rhai are in scripts/NAME.cases.toml, those of [alerts.NAME] in alerts/NAME.cases.toml. Without
/// names all scripts in the folder `scripts` beside the configuration are tested, those without cases with a warning, and
/// all alerts that have cases. Prints what differs, field by field.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald test
  herald test roaming_storm --case 'history*'
  herald test scripts/night.rhai --watch
  herald test alerts/device_down")]
pub(super) struct Test {
    /// A script: its file without the ending, its name in the configuration, or a path; alerts/NAME for the cases of an
    /// alert.
    #[arg(value_name = "SCRIPT")]
    scripts: Vec<PathBuf>,
    /// Only cases of this name; with * and ?.
    #[arg(long, value_name = "PATTERN")]
    case: Option<String>,
    /// Run them again whenever a file in the scripts' folders changes, until Ctrl-C; then the exit code is that of the
    /// last run.
    #[arg(long)]
    watch: bool,
    /// One object a line: {"script", "case", "ok", "differences"}.
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let folder = scripts_folder(loader);
        if self.watch {
            return self.keep_testing(&folder, loader);
        }
        self.test(&folder, loader)
    }

    fn test(&self, folder: &Path, loader: &Loader) -> Exit {
        let scripts = match self.selected(folder, loader) {
            Ok(scripts) => scripts,
            Err(message) => {
                complain(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let mut failed = false;
        let mut reports = Vec::new();
        for script in &scripts {
            if self.scripts.is_empty() && !Cases::beside(script).exists() {
                complain(&format!("warning: {} has no cases", script.display()));
                continue;
            }
            match Cases::read(script) {
                Ok(cases) => reports.extend(cases.run(|name| self.selects(name))),
                Err(error) => {
                    complain(&format!("error: {error}"));
                    failed = true;
                }
            }
        }
        match self.alerts(folder, loader) {
            Ok(more) => reports.extend(more),
            Err(()) => failed = true,
        }
        if reports.is_empty() && !failed {
            complain(&format!(
                "error: there are no such cases in {}",
                folder.display()
            ));
            return Exit::Failed;
        }
        failed |= reports.iter().any(|report| !report.ok);
        match print(&self.render(&reports)) {
            Exit::Done if failed => Exit::Failed,
            exit => exit,
        }
    }

    /// The cases of alerts; what cannot be run has been said.
    fn alerts(&self, folder: &Path, loader: &Loader) -> Result<Vec<Report>, ()> {
        let named: Vec<String> = self
            .scripts
            .iter()
            .filter_map(|wanted| alert_name(wanted))
            .collect();
        let mut files = AlertCases::files_in(&alerts_folder(folder));
        if !self.scripts.is_empty() {
            let folder = alerts_folder(folder);
            files = named
                .iter()
                .map(|name| folder.join(format!("{name}{SUFFIX}")))
                .collect();
        }
        if files.is_empty() {
            return Ok(Vec::new());
        }
        // What is wrong with the configuration has been said.
        let plan = loader.plan().map_err(drop)?;
        let mut reports = Vec::new();
        for file in files {
            match AlertCases::read(&file) {
                Ok(cases) => reports.extend(cases.run(&plan, |name| self.selects(name))),
                Err(error) => {
                    complain(&format!("error: {error}"));
                    return Err(());
                }
            }
        }
        Ok(reports)
    }

    fn selects(&self, name: &str) -> bool {
        let pattern = self.case.as_deref();
        pattern.is_none_or(|pattern| crate::glob::matches(pattern, name))
    }

    /// The scripts that are asked for.
    fn selected(&self, folder: &Path, loader: &Loader) -> Result<Vec<PathBuf>, String> {
        let all = || scripts_in(folder).map_err(|error| format!("{}: {error}", folder.display()));
        if self.scripts.is_empty() {
            // Whoever has alerts to test need not have scripts.
            let none = !folder.exists() && alerts_folder(folder).exists();
            return if none { Ok(Vec::new()) } else { all() };
        }
        let scripts = self
            .scripts
            .iter()
            .filter(|wanted| alert_name(wanted).is_none());
        scripts
            .map(|wanted| find::file(wanted, folder, loader))
            .collect()
    }

    fn render(&self, reports: &[Report]) -> String {
        let mut text = String::new();
        if self.json {
            for report in reports {
                // Texts and numbers always have a form in JSON.
                let line = serde_json::to_string(report).unwrap_or_default();
                _ = writeln!(text, "{line}");
            }
            return text;
        }
        let width = reports.iter().map(|report| report.script.len()).max();
        let width = width.unwrap_or(0);
        for report in reports {
            let word = if report.ok { "ok" } else { "FAILED" };
            _ = writeln!(
                text,
                "{word:<6}  {:<width$}  {}",
                report.script, report.case
            );
            for difference in &report.differences {
                _ = writeln!(text, "        {difference}");
            }
        }
        let ok = reports.iter().filter(|report| report.ok).count();
        let failed = reports.len() - ok;
        _ = match failed {
            0 => writeln!(text, "\n{ok} cases ok"),
            _ => writeln!(text, "\n{ok} cases ok, {failed} failed"),
        };
        text
    }

    /// Until somebody stops it; the exit code is that of the last run.
    fn keep_testing(&self, folder: &Path, loader: &Loader) -> Exit {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let ended = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let mut stop = Signals::new()?;
                loop {
                    let seen = self.files(folder, loader);
                    let exit = self.test(folder, loader);
                    complain("\nwaiting for a change");
                    loop {
                        let pause = tokio::time::timeout(LOOK, stop.next());
                        if pause.await.is_ok() {
                            return Ok(exit);
                        }
                        if self.files(folder, loader) != seen {
                            break;
                        }
                    }
                }
            })
        });
        ended.unwrap_or_else(|error| {
            complain(&format!("error: cannot wait for changes: {error}"));
            Exit::Failed
        })
    }

    /// Everything beside the tested scripts, and when it changed.
    fn files(&self, folder: &Path, loader: &Loader) -> BTreeMap<PathBuf, Option<SystemTime>> {
        let scripts = self.selected(folder, loader).unwrap_or_default();
        let alerts = alerts_folder(folder);
        let mut folders: Vec<&Path> = scripts.iter().filter_map(|path| path.parent()).collect();
        folders.push(folder);
        folders.push(&alerts);
        let entries = folders
            .into_iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .flatten();
        entries
            .map(|entry| {
                let changed = entry.metadata().and_then(|metadata| metadata.modified());
                (entry.path(), changed.ok())
            })
            .collect()
    }
}

/// The alert of `alerts/NAME`, also with the ending of its cases.
fn alert_name(wanted: &Path) -> Option<String> {
    let text = wanted.to_string_lossy();
    let name = text.strip_prefix("alerts/")?;
    Some(name.strip_suffix(SUFFIX).unwrap_or(name).to_owned())
}

/// The folder `alerts` beside that of the scripts.
fn alerts_folder(scripts: &Path) -> PathBuf {
    scripts.with_file_name("alerts")
}

/// The folder `scripts` beside the configuration, or here when there is none.
pub(super) fn scripts_folder(loader: &Loader) -> PathBuf {
    let file = loader.file();
    let base = file.as_deref().and_then(Path::parent);
    base.unwrap_or(Path::new("")).join("scripts")
}
