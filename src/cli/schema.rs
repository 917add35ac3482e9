//! `herald schema`

use super::Exit;
use super::load::Loader;
use super::output::print;
use crate::config;

/// Print the JSON Schema of the configuration, for editors.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Editors with TOML support pick it up from a first line `#:schema ./herald.schema.json`.

Examples:
  herald schema > herald.schema.json"
)]
pub(super) struct Schema {
    /// The same as a page for people: docs/configuration.md.
    #[arg(long)]
    markdown: bool,
}

impl Schema {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        if self.markdown {
            return print(&config::reference(&loader.registry));
        }
        // A schema is made of text, numbers and lists.
        let text = serde_json::to_string_pretty(&config::schema(&loader.registry));
        print(&(text.unwrap_or_default() + "\n"))
    }
}
