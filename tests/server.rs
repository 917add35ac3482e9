//! The HTTP server of a running host: metrics, health, the API, who is let in, and the dashboard in a real browser.

mod access;
mod api;
mod browser;
mod health;
mod metrics;

use crate::support::eventually;
use crate::support::rig::Rig;
use std::net::SocketAddr;
use unifi_herald::host::Host;

/// A server on a free port, without a token.
pub(crate) const OPEN: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";

/// The token of [`CLOSED`].
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server on a free port that wants [`TOKEN`].
pub(crate) const CLOSED: &str =
    "[server]\nlisten = \"127.0.0.1:0\"\ntoken = \"0123456789abcdef0123456789abcdef\"\n";

/// A controller that is not there.
pub(crate) const NOBODY: &str = "[controllers.home]\nurl = \"https://127.0.0.1:1\"\nauth = { username = \"herald\", password = \"hunter2-is-secret\" }\n";

/// Start a host and wait for its server.
pub(crate) fn start(rig: &Rig) -> (Host, SocketAddr) {
    let host = rig.start();
    let address = address(&host);
    (host, address)
}

pub(crate) fn address(host: &Host) -> SocketAddr {
    eventually("the server listens", || host.server_address().is_some());
    host.server_address().unwrap()
}
