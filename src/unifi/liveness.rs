//! Whether a socket that says nothing still lives: pings, a limit on silence, and a much longer one on silence
//! that is broken by pongs only.

use super::timing::Timing;
use std::time::{Duration, Instant};

/// The limits of a socket's silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Those of every site.
    pub timing: Timing,
    /// Without a data frame for this long, although pongs come, the subscription is dead; depends on the site's past.
    pub mute: Duration,
}

/// The timers of one connection.
#[derive(Clone, Debug)]
pub struct Liveness {
    limits: Limits,
    heard: Instant,
    data: Instant,
    pinged: Instant,
}

/// What a timer calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send a ping.
    Ping,
    /// Nothing comes any more: drop the connection.
    HalfOpen,
    /// Only pongs come: drop the connection and distrust the session.
    Mute,
}

impl Liveness {
    /// A connection that came up at `now`.
    #[must_use]
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            heard: now,
            data: now,
            pinged: now,
        }
    }

    /// A frame came; `data` tells whether it was more than a ping or a pong.
    pub fn heard(&mut self, data: bool, now: Instant) {
        self.heard = self.heard.max(now);
        if data {
            self.data = self.data.max(now);
        }
    }

    /// The socket was not read for a while, by our own choice, and is read again from `now` on: what has not been
    /// looked for cannot be missed.
    pub fn resumed(&mut self, now: Instant) {
        self.heard(true, now);
    }

    /// When to call [`Liveness::due`] next.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let ping = self.pinged + self.limits.timing.ping;
        ping.min(self.heard + self.limits.timing.silence)
            .min(self.data + self.limits.mute)
    }

    /// What the timers call for at `now`, if anything. Read what has already arrived before asking.
    pub fn due(&mut self, now: Instant) -> Option<Due> {
        if now >= self.heard + self.limits.timing.silence {
            return Some(Due::HalfOpen);
        }
        if now >= self.data + self.limits.mute {
            return Some(Due::Mute);
        }
        if now >= self.pinged + self.limits.timing.ping {
            self.pinged = now;
            return Some(Due::Ping);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(mute: Duration) -> Limits {
        Limits {
            timing: Timing::default(),
            mute,
        }
    }

    /// Run for `seconds`, with a pong `lag` after each ping if there is one; what happened, in order.
    fn run(liveness: &mut Liveness, start: Instant, seconds: u32, pong: bool) -> Vec<(u64, Due)> {
        let mut seen = Vec::new();
        let end = start + SECOND * seconds;
        loop {
            let now = liveness.deadline();
            if now > end {
                return seen;
            }
            match liveness.due(now) {
                Some(Due::Ping) if pong => liveness.heard(false, now),
                Some(Due::Ping) => {}
                Some(end) => {
                    seen.push(((now - start).as_secs(), end));
                    return seen;
                }
                None => panic!("a deadline without a cause"),
            }
            seen.push(((now - start).as_secs(), Due::Ping));
        }
    }

    #[test]
    fn a_half_open_socket_is_found_after_75_seconds() {
        let start = Clock::system().now();
        let mut liveness = Liveness::new(limits(SECOND * 3600), start);
        let seen = run(&mut liveness, start, 1000, false);
        let expected = [
            (15, Due::Ping),
            (30, Due::Ping),
            (45, Due::Ping),
            (60, Due::Ping),
            (75, Due::HalfOpen),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn pongs_keep_a_quiet_site_alive_until_it_is_mute() {
        let start = Clock::system().now();
        let mut liveness = Liveness::new(limits(SECOND * 3600), start);
        let seen = run(&mut liveness, start, 10_000, true);
        assert_eq!(seen.last(), Some(&(3600, Due::Mute)));
        assert_eq!(
            seen.len(),
            240,
            "a ping each 15 s, the last one gives way to the verdict"
        );
    }

    #[test]
    fn data_keeps_everything_alive() {
        let start = Clock::system().now();
        let mut liveness = Liveness::new(limits(SECOND * 60), start);
        for n in 1..100 {
            let now = start + SECOND * 50 * n;
            assert!(
                !matches!(liveness.due(now), Some(Due::HalfOpen | Due::Mute)),
                "{n}"
            );
            liveness.heard(true, now);
        }
    }

    #[test]
    fn waiting_for_room_is_not_silence() {
        let start = Clock::system().now();
        let mut liveness = Liveness::new(limits(SECOND * 60), start);
        let back = start + SECOND * 500;
        liveness.resumed(back);
        assert_eq!(liveness.due(back), Some(Due::Ping));
        assert_eq!(liveness.due(back), None);
        assert_eq!(liveness.due(back + SECOND * 60), Some(Due::Mute));
    }
}
