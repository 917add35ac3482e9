//! What is done to the host: things that hit the sockets, and things that come with the events.

use crate::support::LIMIT;
use std::time::Duration;
use unifi_herald::demo::{Booting, ConnectTrouble, Drip, Ending, Expiry, Junk, Simulator};

/// Something that is done to a controller's sockets, with all that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The sockets end in this way.
    End(Ending),
    /// They end, and the next handshakes go wrong in this way.
    Trouble(ConnectTrouble),
    /// They end, and the session has expired.
    Expire(Expiry),
    /// They end, and everything is answered like this for a while.
    Boot(Booting),
    /// The controller is unplugged for a while.
    Unplug,
    /// They stay, and carry nothing any more.
    Freeze,
    /// They are well, and some events get lost on the wire.
    Swallow,
}

impl Act {
    pub const ALL: [Self; 17] = [
        Self::End(Ending::Cut),
        Self::End(Ending::Abort),
        Self::End(Ending::Close(1000)),
        Self::End(Ending::Close(1001)),
        Self::End(Ending::Close(1011)),
        Self::End(Ending::Close(4000)),
        Self::Trouble(ConnectTrouble::WebPage),
        Self::Trouble(ConnectTrouble::Status(502)),
        Self::Trouble(ConnectTrouble::Status(503)),
        Self::Trouble(ConnectTrouble::TooMany(1)),
        Self::Trouble(ConnectTrouble::CloseAtOnce(1000)),
        Self::Expire(Expiry::Unauthorized),
        Self::Expire(Expiry::Stale),
        Self::Boot(Booting::Unavailable),
        Self::Unplug,
        Self::Freeze,
        Self::Swallow,
    ];

    /// Whether it takes seconds, or a login.
    pub fn is_dear(self) -> bool {
        matches!(
            self,
            Self::Expire(_)
                | Self::Freeze
                | Self::Trouble(ConnectTrouble::TooMany(_) | ConnectTrouble::CloseAtOnce(_))
        )
    }

    /// Do it; whether the sockets will have to be replaced.
    pub fn commit(self, simulator: &Simulator) -> bool {
        let mischief = simulator.mischief();
        let refused = simulator.stats().counts().refused_connects;
        match self {
            Self::End(ending) => mischief.end_sockets(ending),
            Self::Trouble(trouble) => {
                mischief.next_connects(trouble, 2);
                mischief.end_sockets(Ending::Abort);
            }
            Self::Expire(expiry) => {
                mischief.expire_sessions(expiry);
                mischief.end_sockets(Ending::Cut);
            }
            Self::Boot(booting) => {
                mischief.booting(Some(booting));
                mischief.end_sockets(Ending::Abort);
                let tried = |counts: &unifi_herald::demo::Counts| {
                    counts.requests.values().sum::<u64>() > 0 && counts.sockets == 0
                };
                assert!(simulator.stats().wait(LIMIT, tried), "{refused}");
                mischief.booting(None);
            }
            Self::Unplug => {
                mischief.unplug(true);
                assert!(simulator.stats().wait(LIMIT, |counts| counts.sockets == 0));
                mischief.unplug(false);
            }
            Self::Freeze => mischief.freeze_sockets(),
            Self::Swallow => {
                mischief.swallow(20);
                let goal = simulator.ledger().made() + 40;
                crate::support::eventually("events are swallowed", || {
                    simulator.ledger().made() >= goal
                });
                return false;
            }
        }
        true
    }
}

/// What comes with the events of the next round: the events themselves must not mind.
pub fn annoy(simulator: &Simulator, random: &mut fastrand::Rng) {
    let mischief = simulator.mischief();
    mischief.duplicate_every(random.u64(2..9));
    mischief.twin_every(random.u64(2..9));
    mischief.items_per_frame(random.usize(1..20));
    mischief.drip(random.bool().then(|| Drip {
        bytes: random.usize(100..2_000),
        pause: Duration::from_micros(200),
    }));
    let junk = [
        Junk::NotJson,
        Junk::Truncated,
        Junk::WrongTypes,
        Junk::WrongItems,
        Junk::NoData,
        Junk::Pong,
        Junk::Empty,
        Junk::Deep(1_000),
        Junk::UnknownKind,
        Junk::HugeSync(2 << 20),
    ];
    for site in simulator.sites() {
        for _ in 0..3 {
            let junk = &junk[random.usize(..junk.len())];
            // Dripping, it would take longer than the silence that a reader stands.
            if matches!(junk, Junk::HugeSync(_)) {
                mischief.drip(None);
            }
            mischief.inject(site, junk);
        }
        simulator.sync(site);
    }
}
