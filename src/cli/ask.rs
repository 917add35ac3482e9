//! Asking a running host, or its store when none runs, for the verbs that do.

use super::Exit;
use super::output::complain;
use crate::config::{Outline, StoreMode};
use crate::control::protocol::{Answer, Request};
use crate::control::{Client, ClientError};
use crate::store::{MaintenanceError, OpenError, Reader};
use std::io;

/// Ask the host that runs on this configuration; none when there is none.
pub(super) fn ask(outline: &Outline, request: &Request) -> Result<Option<Client>, Exit> {
    for socket in outline.store.sockets() {
        match Client::ask(&socket, request) {
            Ok(client) => return Ok(Some(client)),
            Err(ClientError::NotRunning(_)) => {}
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(None)
}

/// Take all that a host answers; how many things it did.
pub(super) fn each(
    client: &mut Client,
    mut visit: impl FnMut(Answer) -> Result<(), Exit>,
) -> Result<u64, Exit> {
    loop {
        match client.answer() {
            Ok(Answer::Done(count)) => return Ok(count),
            Ok(answer) => visit(answer)?,
            Err(error) => return Err(refused(&error)),
        }
    }
}

/// Say that a host whose disk takes nothing has more than what it could look for.
pub(super) fn tell_of_what_is_held(outline: &Outline) {
    let facts = super::status::running(outline);
    let degraded = facts.ok().flatten().and_then(|facts| facts.degraded);
    if let Some(degraded) = degraded.filter(|degraded| !degraded.away && degraded.held > 0) {
        complain(&format!(
            "note: the store is degraded: {} events that are in memory only, and what became of them, are not among these",
            degraded.held
        ));
    }
}

/// The store itself, to read, when no host runs.
pub(super) fn reader(outline: &Outline) -> Result<Reader, Exit> {
    match outline.store.mode {
        StoreMode::Memory => Err(not_running(outline)),
        StoreMode::Disk | StoreMode::Jetstream => {
            Reader::open(&outline.store.dir).map_err(|error| unopened(&error))
        }
    }
}

/// The same for what reads the journal, which a store in memory never has: to start a herald would not help.
pub(super) fn journal(outline: &Outline, none: &str) -> Result<Reader, Exit> {
    if outline.store.mode == StoreMode::Memory {
        complain(&format!("error: {none}"));
        return Err(Exit::Failed);
    }
    reader(outline)
}

/// The same for alerts, which are not in the store of a herald of a cluster.
pub(super) fn alerts(outline: &Outline) -> Result<Reader, Exit> {
    match outline.store.mode {
        StoreMode::Disk => reader(outline),
        StoreMode::Memory | StoreMode::Jetstream => Err(not_running(outline)),
    }
}

/// Say what went wrong between here and a host.
pub(super) fn refused(error: &ClientError) -> Exit {
    complain(&format!("error: {error}"));
    match error {
        ClientError::Misasked(_) => Exit::Usage,
        ClientError::Denied(_) => Exit::Refused,
        ClientError::NotRunning(_)
        | ClientError::Refused(_)
        | ClientError::Ended
        | ClientError::Broken(_) => Exit::Failed,
    }
}

/// Say that a host answered something else.
pub(super) fn misunderstood() -> Exit {
    refused(&io::Error::other("it did not answer what was asked").into())
}

/// Say why the store cannot be used.
pub(super) fn unopened(error: &OpenError) -> Exit {
    complain(&format!("error: {error}"));
    match error {
        OpenError::Locked { .. } => Exit::Config,
        _ => Exit::Failed,
    }
}

/// Say why something was not done to the store.
pub(super) fn undone(error: &MaintenanceError) -> Exit {
    match error {
        MaintenanceError::Open(error) => unopened(error),
        MaintenanceError::Store(error) => {
            complain(&format!("error: {error}"));
            Exit::Failed
        }
    }
}

/// Say where nobody answered and what follows from it; one that runs elsewhere cannot be told from none.
pub(super) fn nobody(outline: &Outline, so: &str) -> Exit {
    let places = outline.store.sockets();
    let places: Vec<String> = places.iter().map(|at| at.display().to_string()).collect();
    complain(&format!(
        "herald is not running (nobody answers at {}){so}\n\
         one that was started with another `store.dir` answers only there: SIGHUP has it reload, a restart moves it",
        places.join(" or at ")
    ));
    Exit::Failed
}

/// Say that only a running host could tell, and where it was looked for.
pub(super) fn not_running(outline: &Outline) -> Exit {
    let mode = match outline.store.mode {
        StoreMode::Jetstream => "jetstream",
        StoreMode::Disk | StoreMode::Memory => "memory",
    };
    let so = format!(", and with `store.mode = \"{mode}\"` only a running one knows");
    nobody(outline, &so)
}
