//! The `file` sink: events as JSON lines.
//!
//! ```toml
//! [sinks.archive]
//! plugin = "file"
//!
//! [sinks.archive.options]
//! path = "events.jsonl"   # relative to the configuration file; its folder must exist
//! rotate = { size = "64MiB", every = "day", keep = 10, compress = "gzip" }
//! sync = "none"           # "none": the system writes when it likes; "batch": every batch is on the disk before it counts
//! mode = "0640"           # permissions of new files, before the umask
//! ```
//!
//! Lines are whole, in order, and there once: a line that could not be finished is taken back, and one that a crash tore is
//! removed before the next is written. A file that was moved or deleted is made anew, so logrotate needs no signal. A full disk
//! or a missing folder delays, and loses nothing. While it is open the file is locked (`flock`), so that two sinks cannot
//! mix their lines.
//!
//! # Rotation
//!
//! Off unless `rotate` is there. The file is set aside before a batch that would make it larger than `size`, and before the
//! first batch of a new `every` (`"hour"` or `"day"`, in the
//! zone of the configuration); at least one of the two is needed. It becomes
//! `events.jsonl.000001`, the next one `events.jsonl.000002`, and so on: the highest number is the newest, and no file is
//! ever renumbered. `compress` (`"none"`, `"gzip"`, `"zstd"`; default `"none"`) then makes `events.jsonl.000001.gz` of it, beside the
//! deliveries; what a crash broke off is taken up at the next start. `keep` is how many files set aside are kept; without it,
//! all are.

mod archive;
mod config;
mod disk;
mod rotation;
mod sink;
mod tail;
mod writer;

pub use config::Config;
pub use sink::File;
