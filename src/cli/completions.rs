//! `herald completions`

use super::output::print;
use super::{Cli, Exit};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print the completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald completions bash > ~/.local/share/bash-completion/completions/herald
  herald completions fish > ~/.config/fish/completions/herald.fish")]
pub(super) struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn main(self) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "herald", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
