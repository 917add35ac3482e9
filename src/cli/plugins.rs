//! `herald plugins`

mod new;

use super::Exit;
use super::load::Loader;
use super::output::{complain, print};
use crate::config::suggest;
use clap::Subcommand;
use serde_json::json;
use std::fmt::Write;

/// List the plugins of this herald, or begin one of your own.
#[derive(Debug, clap::Args)]
pub(super) struct Plugins {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Name and purpose of every sink, filter and source.
    #[command(after_help = "Example:\n  herald plugins list --json | jq -r .name")]
    List {
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// One plugin.
    #[command(after_help = "Example:\n  herald plugins show file")]
    Show {
        /// Its name, as in `plugin = "NAME"`.
        name: String,
    },
    New(new::New),
}

impl Plugins {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        match self.verb {
            Verb::List { json } => list(loader, json),
            Verb::Show { name } => show(loader, &name),
            Verb::New(verb) => verb.main(loader),
        }
    }
}

fn list(loader: &Loader, json: bool) -> Exit {
    let plugins: Vec<_> = loader.registry.all().collect();
    if json {
        let objects = plugins.iter().map(|(role, name, summary)| {
            let object = json!({ "type": role.as_str(), "name": name, "summary": summary });
            format!("{object}\n")
        });
        return print(&objects.collect::<String>());
    }
    let width = plugins
        .iter()
        .map(|(_, name, _)| name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (role, name, summary) in plugins {
        let role = role.as_str();
        _ = writeln!(text, "{role:<6}  {name:<width$}  {summary}");
    }
    print(&text)
}

fn show(loader: &Loader, name: &str) -> Exit {
    let plugins: Vec<_> = loader.registry.all().collect();
    let mut text = String::new();
    for (role, _, summary) in plugins.iter().filter(|(_, known, _)| *known == name) {
        let table = role.table();
        _ = writeln!(
            text,
            "{name}: {summary}\n\n[{table}.NAME]\nplugin = \"{name}\"\n\n[{table}.NAME.options]"
        );
        let options = loader.registry.options(*role, name);
        let width = options
            .iter()
            .map(|option| option.path.to_string().len())
            .max()
            .unwrap_or(0);
        for option in options {
            let required = if option.required { "; required" } else { "" };
            _ = writeln!(
                text,
                "{:<width$}  {}{required}",
                option.path.to_string(),
                option.expects
            );
        }
    }
    if text.is_empty() {
        let help = suggest::help(
            name,
            plugins.iter().map(|(_, known, _)| *known),
            "there are",
        );
        complain(&format!(
            "error: there is no plugin `{name}`; {}",
            help.unwrap_or_default()
        ));
        return Exit::Usage;
    }
    print(&text)
}
