//! The verbs that ask a running host or open its store, as processes of their own.

mod filters;
mod journal;
mod status;
mod tail;
mod why;

use crate::support::rig::Rig;
use std::process::{Command, Output};

/// Run `herald` on the configuration of `rig`, without anything of the environment that could matter.
pub(crate) fn herald(rig: &Rig, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_herald"));
    command.env_clear().current_dir(rig.folder.path());
    command.args(arguments).output().unwrap()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
