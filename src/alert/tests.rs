//! Alerts over virtual time: what is pushed when, and what is told when.

mod docs;
mod groups;
mod hushes;
mod keys;
mod line;
mod time;

use line::{Line, line};
