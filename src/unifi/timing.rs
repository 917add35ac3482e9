//! How closely sockets are watched and how soon they are opened again: the times that a test must be able to shorten.

use std::time::Duration;

/// The times of every socket, whatever its site. Not for users: the defaults are what controllers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How often to ping.
    pub ping: Duration,
    /// Without any frame for this long, pongs included, the socket is half-open.
    pub silence: Duration,
    /// First wait before connecting again; it doubles up to a minute.
    pub retry: Duration,
    /// How long a connection that brought data must have been up for its loss to be no sign of a storm, so that the
    /// wait begins anew.
    pub steady: Duration,
}

impl Default for Timing {
    /// Pings each 15 s, half-open after 75 s, a second before the first retry, a loss within 5 s adds to a storm.
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(15),
            silence: Duration::from_secs(75),
            retry: Duration::from_secs(1),
            steady: Duration::from_secs(5),
        }
    }
}
