//! The `file` sink: events as JSON lines.
//!
//! ```toml
//! [sinks.archive]
//! plugin = "file"
//!
//! [sinks.archive.options]
//! path = "events.jsonl"   # relative to the configuration file; its folder must exist
//! sync = "none"           # "none": the system writes when it likes; "batch": every batch is on the disk before it counts
//! mode = "0640"           # permissions of new files, before the umask
//! ```
//!
//! Lines are whole, in order, and there once: a line that could not be finished is taken back, and one that a crash tore is
//! removed before the next is written. A file that was moved or deleted is made anew, so logrotate needs no signal. A full disk
//! or a missing folder delays, and loses nothing. While it is open the file is locked (`flock`), so that two sinks cannot
//! mix their lines.

mod config;
mod disk;
mod sink;
mod tail;
mod writer;

pub use config::Config;
pub use sink::File;
