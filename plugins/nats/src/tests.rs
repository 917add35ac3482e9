//! What the tests of sink and source share.

pub(crate) mod server;
