//! Asking a running host, for the verbs that do.

use super::Exit;
use super::output::complain;
use crate::config::Outline;
use crate::control::protocol::Request;
use crate::control::{Client, ClientError};

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

/// Say what went wrong.
pub(super) fn refused(error: &ClientError) -> Exit {
    complain(&format!("error: {error}"));
    match error {
        ClientError::Denied(_) => Exit::Refused,
        ClientError::NotRunning(_) | ClientError::Refused(_) | ClientError::Broken(_) => {
            Exit::Failed
        }
    }
}

/// Say that only a running host could tell, and where it was looked for.
pub(super) fn not_running(outline: &Outline) -> Exit {
    complain(&format!(
        "herald is not running (nobody answers at {}), and with `store.mode = \"memory\"` only a running one knows",
        outline.store.socket.display()
    ));
    Exit::Failed
}
