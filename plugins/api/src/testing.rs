//! A test kit for plugins: events, a host that stands still, and the contracts that sinks and sources must keep.
//!
//! The feature `samples` has the events alone, `testing` everything.
//!
//! A sink is tested in three steps: build it with a `TestContext`, look at what it does with a [`batch`] or a made-up
//! [`event`], and let `assert_sink_contract` find out what a lane would find out in a bad night. The last one needs a
//! `SinkWorld`, which builds the sink and plays its destination; for sinks that speak HTTP an `HttpWorld` is one. In the same
//! way `assert_source_contract` takes a `SourceWorld`.
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
mod source;
#[cfg(feature = "testing")]
mod watch;
#[cfg(feature = "testing")]
mod world;

#[cfg(feature = "testing")]
pub use context::TestContext;
#[cfg(feature = "testing")]
pub use contract::{Behaviour, SinkWorld, assert_sink_contract, sink_violations};
pub use events::{EventBuilder, START, batch, buffered, event};
#[cfg(feature = "testing")]
pub use http::TestHttp;
#[cfg(feature = "testing")]
pub use source::{SourceWorld, assert_source_contract, source_violations};
#[cfg(feature = "testing")]
pub use world::{HttpWorld, header_ids};
