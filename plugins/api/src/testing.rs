//! A test kit for plugins: events, a host that stands still, and the contract every sink must keep.
//!
//! The feature `samples` has the events alone, `testing` everything.
//!
//! ```
//! # #[cfg(feature = "testing")] {
//! use unifi_herald_plugin::testing::{self, TestContext};
//! use unifi_herald_plugin::Kind;
//!
//! let context = TestContext::new();
//! let build = context.build_context("ops", std::path::Path::new("/tmp"));
//! assert_eq!(build.wall(), context.wall());
//! assert_eq!(testing::event(Kind::CLIENT_ROAMED).category(), "client");
//! assert_eq!(testing::batch(3).len(), 3);
//! # }
//! ```

#[cfg(feature = "testing")]
mod context;
#[cfg(feature = "testing")]
mod contract;
mod events;
#[cfg(feature = "testing")]
mod http;

#[cfg(feature = "testing")]
pub use context::TestContext;
#[cfg(feature = "testing")]
pub use contract::{Behaviour, SinkWorld, assert_sink_contract, sink_violations};
pub use events::{EventBuilder, START, batch, buffered, event};
#[cfg(feature = "testing")]
pub use http::TestHttp;
