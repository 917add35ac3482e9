//! The `example` plugin: a sink that posts a line of text per event, and a filter that lets one event of a kind pass
//! and then none for a while.
//!
//! ```toml
//! [sinks.mine]
//! plugin  = "example"
//! options = { url = "https://192.0.2.1/lines", token = { env = "TOKEN" } }
//!
//! [filters.calm]
//! plugin  = "example"
//! options = { pause = "10m" }
//!
//! [chains.mine]
//! steps = [{ filter = "calm" }, { sink = "mine" }]
//! ```

mod filter;
mod sink;

pub use filter::ExampleFilter;
pub use sink::ExampleSink;

#[cfg(test)]
mod tests;
