//! `herald presets`

use super::Exit;
use super::load::Loader;
use super::output::{complain, plain, print};
use crate::config::presets::{PRESETS, Preset};
use crate::config::suggest;
use clap::Subcommand;
use serde_json::json;
use std::fmt::Write;

/// Show the alerts that come with herald.
///
/// `presets = ["essentials"]` at the beginning of config.toml brings them, and one chain that ends in `preset_sinks`: by
/// default every sink that no chain names.
#[derive(Debug, clap::Args)]
pub(super) struct Presets {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Name and purpose of every preset.
    List {
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// The configuration that a preset stands for, to copy and change.
    #[command(after_help = "Example:\n  herald presets show essentials >> config.toml")]
    Show {
        /// Its name, as in `presets = ["NAME"]`.
        name: String,
    },
}

impl Presets {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        match self.verb {
            Verb::List { json } => list(json),
            Verb::Show { name } => show(loader, &name),
        }
    }
}

fn list(json: bool) -> Exit {
    let mut text = String::new();
    for Preset { name, summary, .. } in PRESETS {
        _ = match json {
            true => writeln!(text, "{}", json!({ "name": name, "summary": summary })),
            false => writeln!(text, "{name}  {summary}"),
        };
    }
    print(&text)
}

fn show(loader: &Loader, name: &str) -> Exit {
    let Some(preset) = Preset::find(name) else {
        let known = PRESETS.iter().map(|preset| preset.name);
        let help = suggest::help(name, known, "there are").unwrap_or_default();
        complain(&format!(
            "error: there is no preset `{}`; {help}",
            plain(name)
        ));
        return Exit::Usage;
    };
    let mut sinks = loader.preset_sinks();
    if sinks.is_empty() {
        sinks.push("phone".to_owned());
    }
    print(&preset.text(&sinks))
}
