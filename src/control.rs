//! The control socket: how commands ask a running host, and how it answers.
//!
//! A host serves `herald.sock` in a folder that only its user may enter. One connection is one question: a line of
//! JSON, answered by lines of JSON ([`protocol`]). Everything is bounded: the question, the number of connections,
//! and how long somebody who does not read is waited for.

pub mod board;
pub mod client;
pub mod fate;
mod health;
mod opening;
pub mod protocol;
pub mod query;
pub(crate) mod search;
mod server;
mod session;
mod socket;
mod tail;
mod tap;
pub mod trial;

pub use board::Board;
pub(crate) use board::former_sinks;
pub use client::{Client, ClientError};
pub use health::Health;
pub use opening::serve;
pub use server::Server;
pub use socket::SocketError;
pub use tap::{Shown, Tap};

#[cfg(test)]
mod tests;
