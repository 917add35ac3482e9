//! A test kit for plugins: events, a host that stands still, and the contract every sink must keep.
//!
//! ```
//! use unifi_herald_plugin::testing::{self, TestContext};
//! use unifi_herald_plugin::Kind;
//!
//! let context = TestContext::new();
//! let build = context.build_context("ops", std::path::Path::new("/tmp"));
//! assert_eq!(build.wall(), context.wall());
//! assert_eq!(testing::event(Kind::CLIENT_ROAMED).category(), "client");
//! assert_eq!(testing::batch(3).len(), 3);
//! ```

mod context;
mod contract;
mod events;
mod http;

pub use context::TestContext;
pub use contract::{Behaviour, SinkWorld, assert_sink_contract, sink_violations};
pub use events::{EventBuilder, START, batch, buffered, event};
pub use http::TestHttp;
