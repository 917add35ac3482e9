//! How often somebody may guess: refusals are counted for each address, and forgiven slowly.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Refusals in a row after which an address has to wait.
const BURST: u32 = 10;

/// After this time one refusal is forgiven.
const FORGIVE: Duration = Duration::from_secs(6);

/// Most addresses that are remembered; the one with the fewest refusals makes room.
const MAX_PEERS: usize = 1024;

/// The refusals of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(BTreeMap<IpAddr, Refusals>);

#[derive(Clone, Copy, Debug)]
struct Refusals {
    count: u32,
    /// Up to when they have been forgiven.
    since: Instant,
}

impl Attempts {
    /// Whether `peer` may try; else how long it has to wait.
    pub(super) fn may(&mut self, peer: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(refusals) = self.0.get_mut(&network(peer)) else {
            return Ok(());
        };
        refusals.forgive(now);
        if refusals.count < BURST {
            return Ok(());
        }
        let next = refusals.since + FORGIVE;
        Err(next.saturating_duration_since(now))
    }

    /// Note that `peer` was refused.
    pub(super) fn refused(&mut self, peer: IpAddr, now: Instant) {
        let peer = network(peer);
        if !self.0.contains_key(&peer) && self.0.len() >= MAX_PEERS {
            self.make_room(now);
        }
        let refusals = self.0.entry(peer).or_insert(Refusals {
            count: 0,
            since: now,
        });
        refusals.forgive(now);
        refusals.count += 1;
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, refusals| {
            refusals.forgive(now);
            refusals.count > 0
        });
        if self.0.len() >= MAX_PEERS {
            let least = self.0.iter().min_by_key(|(_, refusals)| refusals.count);
            if let Some(peer) = least.map(|(peer, _)| *peer) {
                self.0.remove(&peer);
            }
        }
    }
}

impl Refusals {
    fn forgive(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs() / FORGIVE.as_secs();
        let forgiven = u32::try_from(passed).unwrap_or(u32::MAX).min(self.count);
        self.count -= forgiven;
        self.since = if self.count == 0 {
            now
        } else {
            self.since + FORGIVE * forgiven
        };
    }
}

/// Whoever has one address of an IPv6 network has them all.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn refuse(attempts: &mut Attempts, peer: &str, times: u32, now: Instant) {
        for _ in 0..times {
            attempts.refused(peer.parse().unwrap(), now);
        }
    }

    #[test]
    fn a_guesser_waits_and_others_do_not() {
        let now = Clock::system().now();
        let mut attempts = Attempts::default();
        let (guesser, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        refuse(&mut attempts, "192.0.2.1", BURST - 1, now);
        assert_eq!(attempts.may(guesser, now), Ok(()));
        refuse(&mut attempts, "192.0.2.1", 1, now);
        assert_eq!(attempts.may(guesser, now), Err(FORGIVE));
        assert_eq!(attempts.may(other, now), Ok(()));
        let later = now + FORGIVE;
        assert_eq!(attempts.may(guesser, later), Ok(()));
        refuse(&mut attempts, "192.0.2.1", 1, later);
        assert_eq!(attempts.may(guesser, later), Err(FORGIVE));
        assert_eq!(attempts.may(guesser, later + FORGIVE * 20), Ok(()));
    }

    #[test]
    fn a_network_of_version_6_is_one_guesser() {
        let now = Clock::system().now();
        let mut attempts = Attempts::default();
        for host in 0..BURST {
            refuse(&mut attempts, &format!("2001:db8::{host:x}"), 1, now);
        }
        let may = |attempts: &mut Attempts, peer: &str| attempts.may(peer.parse().unwrap(), now);
        assert!(may(&mut attempts, "2001:db8::ffff").is_err());
        assert!(may(&mut attempts, "2001:db8:0:1::1").is_ok());
        refuse(&mut attempts, "::ffff:192.0.2.1", BURST, now);
        assert!(may(&mut attempts, "192.0.2.1").is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_worst_stay() {
        let now = Clock::system().now();
        let mut attempts = Attempts::default();
        refuse(&mut attempts, "192.0.2.1", BURST, now);
        for number in 0..5000u32 {
            let peer = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
            refuse(&mut attempts, &peer, 1, now);
        }
        assert!(attempts.0.len() <= MAX_PEERS);
        assert!(attempts.may("192.0.2.1".parse().unwrap(), now).is_err());
    }
}
