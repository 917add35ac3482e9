//! The `exec` sink: any program in any language, which reads events and answers what became of them.
//!
//! ```toml
//! [sinks.script]
//! plugin = "exec"
//!
//! [sinks.script.options]
//! command = ["python3", "notify.py"]        # the program and its arguments; there is no shell
//! env     = { TOKEN = { env = "TOKEN" } }   # text, or secrets: { file = "…" }, { env = "…" }. Default: none
//! cwd     = "."                             # where it runs. Default: the folder of the configuration
//! ack     = "lines"                         # "lines": it answers; "write": it does not. Default: "lines"
//! ```
//!
//! The program is started with the first event and kept. A name without `/` is looked up in `PATH`; other relative paths
//! start at the folder of the configuration. Of herald's environment, which may hold passwords, it sees `PATH`, `HOME`,
//! `USER`, `LOGNAME`, `SHELL`, `LANG`, `LC_*`, `TZ` and `TMPDIR`, and besides `HERALD_SINK`, the name of the sink, and what
//! `env` says.
//!
//! # What it reads
//!
//! One event a line on its standard input, as JSON, oldest first. `id` is the same on every try. The end of the input
//! means that herald stops, or that the sink left the configuration: the program finishes what it has and ends.
//!
//! # What it answers
//!
//! One object a line on its standard output, flushed, in the order of the events:
//!
//! ```json
//! {"ack": "5ee9f7ca453d4e00f3c04b57"}
//! {"retry": "5ee9f7ca453d4e00f3c04b57", "after": "5s", "reason": "the mail server is busy"}
//! {"reject": "5ee9f7ca453d4e00f3c04b57", "reason": "the text is too long"}
//! ```
//!
//! Each covers every event up to its id that is not answered yet: a program that takes events in groups acknowledges the
//! last of a group. `retry` brings them again, after a time that the lane chooses where `after` is left out. `reject` makes
//! a dead letter of the event, once it was rejected alone. Every event wants an answer. A program that answered nothing
//! during three timeouts of the sink is killed and started anew.
//!
//! With `ack = "write"` an event counts as delivered when the program's input has taken it. The program need not answer,
//! its output is thrown away, and what it had not finished when it broke down is lost.
//!
//! # When it ends
//!
//! Events that it has not answered come again, to a new process: at once when it had run for ten seconds, or acknowledged
//! something and ended without an error; after a second when it had acknowledged something and fell; else after one second,
//! and after twice as long each time up to thirty. Its standard error goes into herald's log, a line at a time, of which a
//! flood is counted and not written. When the sink is closed it has three seconds to end by itself and two more
//! after SIGTERM; then it is killed. Signals go to its process group, so that what it has started ends with it.
//!
//! # Examples
//!
//! In Python (`examples/append.py`):
//!
//! ```python
#![doc = include_str!("../examples/append.py")]
//! ```
//!
//! In shell (`examples/append.sh`):
//!
//! ```sh
#![doc = include_str!("../examples/append.sh")]
//! ```

mod answer;
mod chatter;
mod config;
mod gate;
mod ledger;
mod lines;
mod outgoing;
mod program;
mod restarts;
mod sink;

pub use config::Config;
pub use sink::Exec;
