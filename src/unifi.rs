//! What herald knows of UniFi controllers, without any I/O: decisions in, decisions out.

pub mod answer;
mod catalog;
mod checked;
pub mod close;
pub mod cookies;
mod decode;
pub mod dedupe;
pub mod endpoint;
mod envelope;
pub mod gap;
pub mod history;
mod identity;
mod item;
pub mod liveness;
pub mod login;
mod names;
mod scan;
pub mod session;
pub mod sites;
mod subjects;
mod summary;
mod text;
mod time;
pub mod timing;
pub mod token;
pub mod totp;
mod value;

pub use decode::{BadFrame, DecodeCounts, Decoder, Frame, Site};
pub use dedupe::{Admission, Dedupe, EventSource, Report};
pub(crate) use item::is_deeper_than;
pub use names::{ClientNames, DeviceNames, Names, NamesError};
