//! What the tests of sink and source share.

pub(crate) mod between;
pub(crate) mod server;
