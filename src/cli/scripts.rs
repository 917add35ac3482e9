//! `herald scripts`

use super::Exit;
use super::ask;
use super::load::Loader;
use super::output::{complain, print};
use super::test::scripts_folder;
use crate::config::{StoreMode, suggest};
use crate::control::protocol::Request;
use crate::script::cases::{Cases, scripts_in};
use crate::store::forget_state;
use clap::Subcommand;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// List the scripts beside the configuration; make one forget what it remembers.
#[derive(Debug, clap::Args)]
pub(super) struct Scripts {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Name and purpose of every script in the folder `scripts`, and how many cases it has.
    List,
    /// What a script is for, its parameters, and how to configure it.
    #[command(after_help = "Example:\n  herald scripts show roaming_storm")]
    Show {
        /// Its file without the ending.
        name: String,
    },
    /// Make a script forget everything it remembers: in every chain that runs it while herald runs, else in the store.
    #[command(after_help = "Example:\n  herald scripts reset newcomers")]
    Reset {
        /// Its name in the configuration, as in [scripts.NAME].
        name: String,
    },
}

impl Scripts {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let done = match self.verb {
            Verb::List => scripts(loader).map(|scripts| list(&scripts)),
            Verb::Show { name } => scripts(loader).map(|scripts| show(&scripts, &name)),
            Verb::Reset { name } => reset(loader, &name),
        };
        done.unwrap_or_else(|exit| exit)
    }
}

fn scripts(loader: &Loader) -> Result<Vec<PathBuf>, Exit> {
    let folder = scripts_folder(loader);
    scripts_in(&folder).map_err(|error| {
        complain(&format!("error: {}: {error}", folder.display()));
        Exit::Failed
    })
}

fn reset(loader: &Loader, name: &str) -> Result<Exit, Exit> {
    let outline = loader.outline()?;
    let request = Request::ForgetScript {
        name: name.to_owned(),
    };
    if let Some(mut client) = ask::ask(&outline, &request)? {
        let forgotten = ask::each(&mut client, |_| Err(ask::misunderstood()))?;
        return Ok(print(&format!("{name}: {forgotten} keys forgotten\n")));
    }
    if outline.store.mode == StoreMode::Memory {
        complain("with `store.mode = \"memory\"` a restart forgets what scripts remember");
        return Err(Exit::Failed);
    }
    let forgotten = forget_state(&outline.store.dir, &format!("script/{name}/"));
    let forgotten = forgotten.map_err(|error| ask::undone(&error))?;
    Ok(print(&format!("{name}: {forgotten} keys forgotten\n")))
}

fn list(scripts: &[PathBuf]) -> Exit {
    let names: Vec<String> = scripts.iter().map(|script| name(script)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (script, name) in scripts.iter().zip(names) {
        let cases = match Cases::read(script) {
            Ok(cases) => format!("{} cases", cases.names().count()),
            Err(_) => "no cases".to_owned(),
        };
        let head = head(script);
        let purpose = head.lines().next().unwrap_or_default();
        _ = writeln!(text, "{name:<width$}  {cases:>8}  {purpose}");
    }
    print(&text)
}

fn show(scripts: &[PathBuf], wanted: &str) -> Exit {
    let Some(script) = scripts.iter().find(|script| name(script) == wanted) else {
        let names: Vec<String> = scripts.iter().map(|script| name(script)).collect();
        let help = suggest::help(wanted, names.iter().map(String::as_str), "there are");
        complain(&format!(
            "error: there is no script `{wanted}`; {}",
            help.unwrap_or_default()
        ));
        return Exit::Usage;
    };
    let mut text = format!("{}\n\n{}", script.display(), head(script));
    if let Ok(cases) = Cases::read(script) {
        text.push_str("\nCases:\n");
        for case in cases.names() {
            _ = writeln!(text, "  {case}");
        }
    }
    print(&text)
}

fn name(script: &Path) -> String {
    let stem = script.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The comment at the top of a script, without its slashes.
fn head(script: &Path) -> String {
    let text = std::fs::read_to_string(script).unwrap_or_default();
    let lines = text.lines().map_while(|line| line.strip_prefix("//"));
    lines
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect()
}
