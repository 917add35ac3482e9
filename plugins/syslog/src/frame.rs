//! How messages are told apart on a stream (RFC 6587).

use serde::Deserialize;
use std::io::Write as _;

/// How one message ends and the next begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Framing {
    /// Its length before each message, as RFC 5425 demands for TLS.
    #[default]
    Octets,
    /// A line feed after each message, for old collectors.
    Lines,
}

impl Framing {
    /// Append `message`, which has no line feed in it.
    pub(crate) fn push(self, message: &str, out: &mut Vec<u8>) {
        if self == Self::Octets {
            // Writing to a vector cannot fail.
            let written = write!(out, "{} ", message.len());
            debug_assert!(written.is_ok(), "{written:?}");
        }
        out.extend_from_slice(message.as_bytes());
        if self == Self::Lines {
            out.push(b'\n');
        }
    }
}
