//! What herald knows of UniFi controllers, without any I/O: decisions in, decisions out.

pub mod answer;
pub mod backoff;
pub mod close;
pub mod cookies;
pub mod endpoint;
pub mod liveness;
pub mod login;
pub mod session;
pub mod token;
pub mod totp;
