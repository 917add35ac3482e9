//! What the end of a connection means and what to do about it: the catalogue of closes and failures, row by row.

use super::timing::Timing;
use crate::backoff::Backoff;
use std::time::Duration;

/// Longest wait between two connections of one socket, and the wait when the times given make no back-off.
const MAX_RETRY: Duration = Duration::from_secs(60);
const SLOWEST: Backoff = match Backoff::new(MAX_RETRY, MAX_RETRY) {
    Ok(backoff) => backoff,
    Err(_) => panic!("the bounds are constants"),
};
/// A controller that says "too many" at the handshake without a time is left alone this long.
const TOO_MANY: Duration = Duration::from_secs(5 * 60);
/// The longest wait a handshake can ask for.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);
/// Connections in a row that were accepted and closed without a data frame, until the session is distrusted.
const EMPTY: u32 = 3;
/// First limit for "pongs but no data"; doubled each time it was reached for nothing.
const MUTE: Duration = Duration::from_secs(60 * 60);

/// How a connection, or the attempt to make one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The handshake was answered with something other than an upgrade.
    Rejected {
        /// HTTP status.
        status: u16,
        /// `Retry-After`, where it came.
        retry_after: Option<Duration>,
    },
    /// No handshake at all; the text says why and names the fix.
    Unreachable(String),
    /// It was up and is not any more.
    Lost {
        /// In which way.
        how: Loss,
        /// Whether a data frame had come.
        data: bool,
        /// How long it was up.
        up: Duration,
    },
}

/// How an accepted connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// With a close frame of this code.
    Close(u16),
    /// Without one: what browsers call 1006.
    Abnormal,
    /// No frame came within the limit, not even a pong.
    HalfOpen,
    /// Pongs came, data did not.
    Mute,
    /// The controller broke the protocol, or sent a message above the size limit.
    Protocol,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// Wait this long before connecting again.
    pub wait: Duration,
    /// Whether the session is to be distrusted first, which leads to a login.
    pub login: bool,
    /// What happened, for the `herald.disconnected` event and the log.
    pub reason: String,
    /// What is wrong, in one sentence with the fix.
    pub trouble: String,
}

/// The memory of one socket across its connections.
#[derive(Clone, Debug)]
pub struct Reconnect {
    backoff: Backoff,
    empty: u32,
    refused: u32,
    policy: u32,
    mutes: u32,
    steady: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self::new(Timing::default())
    }
}

impl Reconnect {
    /// A socket that was never connected.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self {
            backoff: Backoff::new(timing.retry, MAX_RETRY).unwrap_or(SLOWEST),
            steady: timing.steady,
            empty: 0,
            refused: 0,
            policy: 0,
            mutes: 0,
        }
    }

    /// After how long without data a connection of this socket counts as mute.
    #[must_use]
    pub fn mute_limit(&self) -> Duration {
        MUTE * (1 << self.mutes.min(5))
    }

    /// Judge one end. `draw` in `[0, 1)` spreads the wait.
    pub fn judge(&mut self, seen: &Seen, draw: f64) -> Next {
        if let Seen::Lost {
            how,
            data: true,
            up,
        } = seen
        {
            self.empty = 0;
            self.refused = 0;
            // Being accepted proves nothing, and one frame each second before a close would be a storm of its own.
            if *up >= self.steady {
                self.backoff.reset();
            }
            if *how != Loss::Mute {
                self.mutes = 0;
            }
        }
        let wait = self.backoff.fail(draw);
        match seen {
            Seen::Unreachable(why) => Next {
                wait,
                login: false,
                reason: "no connection".to_owned(),
                trouble: why.clone(),
            },
            Seen::Rejected {
                status,
                retry_after,
            } => self.rejected(*status, *retry_after, wait),
            Seen::Lost { how, data, .. } => self.lost(*how, *data, wait),
        }
    }

    fn rejected(&mut self, status: u16, retry_after: Option<Duration>, wait: Duration) -> Next {
        let next = |wait, login, trouble: &str| Next {
            wait,
            login,
            reason: format!("the socket was answered with HTTP {status}"),
            trouble: trouble.to_owned(),
        };
        if !matches!(status, 401 | 403) {
            return match status {
                400 | 426 => next(
                    wait,
                    false,
                    "the socket was refused as a bad request: if a reverse proxy is in between, let it pass Upgrade and Connection headers on /wss and /proxy/network/wss, or set url to the controller itself",
                ),
                429 => next(
                    wait.max(retry_after.unwrap_or(TOO_MANY).min(MAX_WAIT)),
                    false,
                    "the controller says that it is asked too often: stop other tools that use this account; herald waits and then tries again",
                ),
                404 => next(
                    wait,
                    false,
                    "the Network application has no socket for this site: it is restarting or being upgraded, else check sites",
                ),
                300..=399 => next(
                    wait,
                    false,
                    "the socket was redirected: set url to the controller's final address",
                ),
                _ => next(
                    wait,
                    false,
                    "the Network application is restarting or being upgraded: nothing to do, herald tries again by itself",
                ),
            };
        }
        self.refused = self.refused.saturating_add(1);
        // A session that is refused although it is new will not get better by another login right away.
        let login = (self.refused + 1).is_power_of_two();
        let trouble = if self.refused == 1 {
            "the session has ended: nothing to do, herald logs in again"
        } else {
            "the controller refuses the socket of this site although the login succeeded: give the account at least View Only rights for Network on this site"
        };
        next(wait, login, trouble)
    }

    fn lost(&mut self, how: Loss, data: bool, wait: Duration) -> Next {
        let (reason, trouble) = match how {
            Loss::Close(code) => (
                format!("socket closed by the controller ({code})"),
                "the controller closed the socket: nothing to do, herald connects again",
            ),
            Loss::Abnormal => (
                "socket lost (1006)".to_owned(),
                "the connection was lost: if it happens often, look at proxies and the network between herald and the controller",
            ),
            Loss::HalfOpen => (
                "no answer to pings".to_owned(),
                "the controller stopped answering: check its power and the network in between; herald connects again",
            ),
            Loss::Mute => (
                "no data for a very long time".to_owned(),
                "the socket was open but brought nothing: herald logs in again; on self-hosted controllers real-time updates must be on",
            ),
            Loss::Protocol => (
                "socket broke the protocol".to_owned(),
                "the controller sent what herald does not accept: update herald, or look at proxies in between",
            ),
        };
        let mut login = false;
        let mut trouble = trouble.to_owned();
        if how == Loss::Mute {
            self.mutes = self.mutes.saturating_add(1);
            login = true;
        }
        if how == Loss::Close(1008) {
            self.policy = self.policy.saturating_add(1);
            login = (self.policy + 1).is_power_of_two();
        } else {
            self.policy = 0;
        }
        if !data && how != Loss::Mute {
            self.empty = self.empty.saturating_add(1);
            let due = self.empty.is_multiple_of(EMPTY) && (self.empty / EMPTY).is_power_of_two();
            login |= due;
            trouble = "the controller accepts the socket and closes it without a frame: herald logs in again after three of these; if it stays, turn on real-time updates and check that no other session limit is met".to_owned();
        }
        Next {
            wait,
            login,
            reason,
            trouble,
        }
    }
}

#[cfg(test)]
mod tests;
