//! `herald config`

use super::Exit;
use super::load::Loader;
use super::output::print;
use clap::Subcommand;

/// Look at the configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the configuration that counts: with defaults and the environment's overrides, secrets as ***.
    #[command(after_help = "Examples:
  herald config show
  HERALD__LOG__LEVEL=debug herald config show | grep level")]
    Show,
}

impl Config {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        match self.verb {
            Verb::Show => loader.show().map_or_else(|exit| exit, |text| print(&text)),
        }
    }
}
