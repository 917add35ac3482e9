//! The command line: one file per verb.

use crate::registry::Registry;
use std::process::ExitCode;

/// Run the command line of the process with the plugins in `registry`.
#[must_use]
pub fn cli(registry: Registry) -> ExitCode {
    drop(registry);
    ExitCode::SUCCESS
}
