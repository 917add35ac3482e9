//! The binary: everything is in the library, so that one's own `main` can be five lines.

use std::process::ExitCode;

fn main() -> ExitCode {
    unifi_herald::cli(unifi_herald::builtin())
}
