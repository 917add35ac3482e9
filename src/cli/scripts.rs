//! `herald scripts`

pub(super) mod find;

use super::Exit;
use super::ask;
use super::load::Loader;
use super::output::{complain, print};
use super::test::scripts_folder;
use crate::config::{Outline, StoreMode};
use crate::control::protocol::Request;
use crate::script::cases::{Cases, scripts_in};
use crate::store::forget_state;
use clap::Subcommand;
use serde_json::json;
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
    List {
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// What a script is for, its parameters, and how to configure it.
    #[command(after_help = "Example:\n  herald scripts show roaming_storm")]
    Show {
        /// Its file without the ending, its name in the configuration, or a path.
        #[arg(value_name = "SCRIPT")]
        name: PathBuf,
    },
    /// Make a script forget everything it remembers: in every chain that runs it while herald runs, else in the store.
    #[command(after_help = "Example:\n  herald scripts reset newcomers")]
    Reset {
        /// Its name in the configuration, as in [scripts.NAME]; or its file without the ending, or a path: then every
        /// script of the configuration that is made of this file.
        #[arg(value_name = "SCRIPT")]
        name: PathBuf,
    },
}

impl Scripts {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let done = match self.verb {
            Verb::List { json } => scripts(loader).map(|scripts| list(&scripts, json)),
            Verb::Show { name } => Ok(show(loader, &name)),
            Verb::Reset { name } => reset(loader, &name),
        };
        done.unwrap_or_else(|exit| exit)
    }
}

fn scripts(loader: &Loader) -> Result<Vec<PathBuf>, Exit> {
    let folder = scripts_folder(loader);
    if !folder.exists() {
        // Nobody has to have scripts.
        return Ok(Vec::new());
    }
    scripts_in(&folder).map_err(|error| {
        complain(&format!("error: {}: {error}", folder.display()));
        Exit::Failed
    })
}

fn reset(loader: &Loader, wanted: &Path) -> Result<Exit, Exit> {
    let outline = loader.outline()?;
    let (names, help) = match find::names(wanted, &outline.scripts) {
        Ok(names) => (names, None),
        // A script that has left the configuration may still remember something.
        Err(help) => (vec![wanted.to_string_lossy().into()], Some(help)),
    };
    let mut text = String::new();
    for name in names {
        let forgotten = forget(&outline, &name)?;
        if let (0, Some(help)) = (forgotten, &help) {
            return Err(unknown(help));
        }
        _ = writeln!(text, "{name}: {forgotten} keys forgotten");
    }
    Ok(print(&text))
}

/// How many keys.
fn forget(outline: &Outline, name: &str) -> Result<u64, Exit> {
    let request = Request::ForgetScript {
        name: name.to_owned(),
    };
    if let Some(mut client) = ask::ask(outline, &request)? {
        return ask::each(&mut client, |_| Err(ask::misunderstood()));
    }
    if outline.store.mode == StoreMode::Memory {
        complain("with `store.mode = \"memory\"` a restart forgets what scripts remember");
        return Err(Exit::Failed);
    }
    let forgotten = forget_state(&outline.store.dir, &format!("script/{name}/"));
    forgotten.map_err(|error| ask::undone(&error))
}

fn list(scripts: &[PathBuf], json: bool) -> Exit {
    let names: Vec<String> = scripts.iter().map(|script| find::stem(script)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (script, name) in scripts.iter().zip(names) {
        let count = Cases::read(script).map_or(0, |cases| cases.names().count());
        let head = head(script);
        let purpose = head.lines().next().unwrap_or_default();
        if json {
            let object = json!({ "name": name, "cases": count, "purpose": purpose });
            _ = writeln!(text, "{object}");
            continue;
        }
        let cases = match count {
            0 => "no cases".to_owned(),
            count => format!("{count} cases"),
        };
        _ = writeln!(text, "{name:<width$}  {cases:>8}  {purpose}");
    }
    if text.is_empty() && !json {
        text.push_str("there are no scripts in the folder `scripts`\n");
    }
    print(&text)
}

fn show(loader: &Loader, wanted: &Path) -> Exit {
    let script = match find::file(wanted, &scripts_folder(loader), loader) {
        Ok(script) => script,
        Err(error) => return unknown(&error),
    };
    let mut text = format!("{}\n\n{}", script.display(), head(&script));
    if let Ok(cases) = Cases::read(&script) {
        text.push_str("\nCases:\n");
        for case in cases.names() {
            _ = writeln!(text, "  {case}");
        }
    }
    print(&text)
}

fn unknown(error: &str) -> Exit {
    complain(&format!("error: {error}"));
    Exit::Usage
}

/// The comment at the top of a script, without its slashes.
fn head(script: &Path) -> String {
    let text = std::fs::read_to_string(script).unwrap_or_default();
    let lines = text.lines().map_while(|line| line.strip_prefix("//"));
    lines
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect()
}
