//! The command line as a user meets it: the real binary, its texts and its exit codes.

mod capture;
mod check;
mod demo;
mod doctor;
mod full_disk;
mod init;
mod reload;
mod replay;
mod run;
mod schema;
mod scripts;
mod send_test;
mod tools;

use crate::support::herald::Herald;

/// A configuration in order whose controller is not there, with sinks and chains of this.
fn nobody_home(rest: &str) -> String {
    format!(
        r#"[controllers.home]
url = "https://127.0.0.1:1"
auth = {{ username = "herald", password = "not here" }}

{rest}"#
    )
}
