//! `herald man`

use super::output::{complain, print};
use super::{Cli, Exit};
use clap::CommandFactory;
use std::io;
use std::path::{Path, PathBuf};

/// Print the manual page, or write one page for every verb.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald man | man -l -
  herald man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// Write herald.1, herald-run.1 and so on into this folder.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn main(self) -> Exit {
        match self.folder {
            Some(folder) => match write(&folder) {
                Ok(()) => Exit::Done,
                Err(error) => {
                    complain(&format!(
                        "error: cannot write manual pages to {}: {error}",
                        folder.display()
                    ));
                    Exit::Failed
                }
            },
            None => match page() {
                Ok(page) => print(&String::from_utf8_lossy(&page)),
                Err(error) => {
                    complain(&format!("error: cannot make the manual page: {error}"));
                    Exit::Failed
                }
            },
        }
    }
}

fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(page)
}

fn write(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}
