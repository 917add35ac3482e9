//! `herald store`

use super::load::Loader;
use super::output::{complain, print};
use super::{Exit, ask};
use crate::config::StoreMode;
use crate::store::{backup, check, compact};
use clap::Subcommand;
use std::path::PathBuf;

/// Look after the store on disk.
#[derive(Debug, clap::Args)]
pub(super) struct Store {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Read the store from end to end and say what is wrong with it. A herald may be running.
    #[command(after_help = "Example:\n  herald store check")]
    Check,
    /// Give the store's free space back to the system. No herald may be running.
    #[command(after_help = "Example:\n  systemctl stop unifi-herald && herald store compact")]
    Compact,
    /// Write a copy of the store, as of one moment. A herald may be running.
    #[command(after_help = "Example:\n  herald store backup /backup/herald-$(date +%F).db")]
    Backup {
        /// Where to; must not be there yet.
        file: PathBuf,
    },
}

impl Store {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: &Loader) -> Result<Exit, Exit> {
        let outline = loader.outline()?;
        let dir = &outline.store.dir;
        if outline.store.mode == StoreMode::Memory {
            complain("error: with `store.mode = \"memory\"` there is no store on disk");
            return Err(Exit::Failed);
        }
        match self.verb {
            Verb::Check => {
                let wrong = check(dir).map_err(|error| ask::unopened(&error))?;
                if wrong.is_empty() {
                    return Ok(print("the store is sound\n"));
                }
                for complaint in &wrong {
                    complain(&format!("error: {complaint}"));
                }
                complain(&format!(
                    "\nthe store is damaged: stop herald and move `herald.db` and what is named after it out of `{}`; \
                     then put a backup there as `herald.db`, or begin anew without",
                    dir.display()
                ));
                Ok(Exit::Failed)
            }
            Verb::Compact => {
                let (before, after) = compact(dir).map_err(|error| ask::undone(&error))?;
                Ok(print(&format!(
                    "{} before, {} now\n",
                    size(before),
                    size(after)
                )))
            }
            Verb::Backup { file } => {
                backup(dir, &file).map_err(|error| ask::undone(&error))?;
                Ok(print(&format!("copied to {}\n", file.display())))
            }
        }
    }
}

/// A number of bytes in its largest unit.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
