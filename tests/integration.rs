//! All integration tests, in one binary so that linking happens once.
#![expect(
    unreachable_pub,
    reason = "a test binary exports nothing; `pub` is what its modules share"
)]
#![expect(
    clippy::unwrap_used,
    reason = "what fails in a helper of the tests fails the test"
)]

mod cli;
mod cluster;
mod control;
mod docs;
mod e2e;
mod house;
mod packaging;
mod server;
mod sinks;
mod soak;
mod sources;
mod support;
