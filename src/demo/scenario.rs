//! Situations by name: what happens when, over half a minute to three, in addition to ordinary life.
//!
//! Each has something that is over before anybody need be told of it, something that lasts longer than people are used to
//! wait, and an end.

use super::networks::Network;
use super::story::{Link, Story};
use std::fmt;
use std::str::FromStr;

/// A situation the simulator can play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Ordinary life in a family home.
    #[default]
    House,
    /// Ordinary life in an office.
    Office,
    /// An access point fails and returns, then a switch with everything on it.
    ApOutage,
    /// The internet connection degrades, fails over to the backup, and returns.
    WanFailover,
    /// One phone cannot decide between two access points.
    RoamingStorm,
    /// The intrusion detection reports the same signature over and over, and a few others.
    ThreatBurst,
    /// The firmware of every access point is upgraded, one after another.
    Upgrade,
    /// Devices that nobody has seen before join.
    NewDevice,
}

/// One thing that a scenario makes happen. Devices and clients are given by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Lose(usize),
    Regain(usize),
    Restart(usize),
    UpgradeScheduled(usize),
    Upgraded(usize),
    Wan(usize, bool),
    FailedOver,
    PacketLoss,
    Roam(usize),
    Connect(usize),
    Threat {
        client: usize,
        signature: usize,
        blocked: bool,
    },
    FirewallBlock,
}

impl Scenario {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::House,
        Self::Office,
        Self::ApOutage,
        Self::WanFailover,
        Self::RoamingStorm,
        Self::ThreatBurst,
        Self::Upgrade,
        Self::NewDevice,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Office => "office",
            Self::ApOutage => "ap-outage",
            Self::WanFailover => "wan-failover",
            Self::RoamingStorm => "roaming-storm",
            Self::ThreatBurst => "threat-burst",
            Self::Upgrade => "upgrade",
            Self::NewDevice => "new-device",
        }
    }

    /// The network it plays on.
    #[must_use]
    pub fn network(self) -> Network {
        if self == Self::Office {
            Network::Office
        } else {
            Network::House
        }
    }

    /// What it makes happen on this site, in order of time: milliseconds after the start.
    pub(super) fn timeline(self, story: &Story) -> Vec<(u32, Act)> {
        let access_points: Vec<usize> = story.fleet.access_points().collect();
        let switch = story.fleet.switches().next().unwrap_or(0);
        let first_ap = access_points.first().copied().unwrap_or(0);
        let mut acts = Vec::new();
        match self {
            Self::House | Self::Office => {}
            Self::ApOutage => {
                acts.extend([
                    (3_000, Act::Lose(first_ap)),
                    (11_000, Act::Regain(first_ap)),
                    (15_000, Act::Lose(switch)),
                ]);
                acts.extend(
                    (0u32..)
                        .zip(story.below(switch))
                        .map(|(n, at)| (15_400 + 200 * n, Act::Lose(at))),
                );
                acts.push((180_000, Act::Regain(switch)));
                acts.extend(
                    (0u32..)
                        .zip(story.below(switch))
                        .map(|(n, at)| (182_000 + 400 * n, Act::Regain(at))),
                );
            }
            Self::WanFailover => acts.extend([
                (2_000, Act::PacketLoss),
                (4_000, Act::PacketLoss),
                (6_000, Act::Wan(0, false)),
                (7_000, Act::FailedOver),
                (12_000, Act::Wan(0, true)),
                (13_000, Act::Wan(0, false)),
                (13_500, Act::FailedOver),
                (90_000, Act::Wan(0, true)),
            ]),
            Self::RoamingStorm => acts.extend((0..24).map(|n| (2_000 + 1_100 * n, Act::Roam(0)))),
            Self::ThreatBurst => {
                let (inside, other) = (3, 4);
                acts.extend((0..40).map(|n| {
                    (
                        2_000 + 250 * n,
                        Act::Threat {
                            client: inside,
                            signature: 0,
                            blocked: true,
                        },
                    )
                }));
                let others = (0u32..5).zip(0usize..);
                acts.extend(others.map(|(n, at)| {
                    (
                        14_000 + 2_000 * n,
                        Act::Threat {
                            client: other,
                            signature: at,
                            blocked: at % 2 == 0,
                        },
                    )
                }));
                acts.extend((0..4).map(|n| (25_000 + 1_000 * n, Act::FirewallBlock)));
            }
            Self::Upgrade => {
                for (n, at) in (0u32..).zip(access_points) {
                    let start = 2_000 + n * 8_000;
                    acts.extend([
                        (start, Act::UpgradeScheduled(at)),
                        (start + 1_500, Act::Lose(at)),
                        (start + 6_000, Act::Restart(at)),
                        (start + 6_300, Act::Upgraded(at)),
                    ]);
                }
            }
            Self::NewDevice => {
                let strangers =
                    (0..story.fleet.clients.len()).filter(|&at| story.fleet.clients[at].stranger);
                acts.extend(
                    (0u32..)
                        .zip(strangers)
                        .map(|(n, at)| (4_000 + 12_000 * n, Act::Connect(at))),
                );
            }
        }
        acts.sort_by_key(|(at, _)| *at);
        acts
    }
}

impl Story {
    /// Make one thing of a scenario happen; what the controller says about it is added to `ready`.
    pub(super) fn act(&mut self, act: Act, now: i64) {
        match act {
            Act::Lose(device) => self.lose(device, now),
            Act::Regain(device) => self.regain(device, now),
            Act::Restart(device) => self.restarted(device, now),
            Act::UpgradeScheduled(device) => self.upgrade_scheduled(device, now),
            Act::Upgraded(device) => self.upgraded(device, now),
            Act::Wan(line, up) => self.wan(line, up, now),
            Act::FailedOver => self.failed_over(now),
            Act::PacketLoss => self.packet_loss(now),
            Act::Roam(client) if self.links[client] == Link::Away => self.connect(client, now),
            Act::Roam(client) => self.roam(client, now),
            Act::Connect(client) => self.connect(client, now),
            Act::Threat {
                client,
                signature,
                blocked,
            } => self.threat(client, signature, blocked, now),
            Act::FirewallBlock => self.firewall_block(now),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No scenario has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no scenario is called `{0}`; there are house, office, ap-outage, wan-failover, roaming-storm, threat-burst, upgrade, new-device"
)]
pub struct UnknownScenario(String);

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.as_str() == name)
            .ok_or_else(|| UnknownScenario(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ControllerKind;
    use crate::demo::twin::Directory;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    /// What a scenario makes happen, in order.
    fn acts(scenario: Scenario) -> Vec<(u32, Act)> {
        let kind = ControllerKind::UnifiOs;
        let fleets = vec![scenario.network().build(1, kind)];
        let directory = Arc::new(Directory::new(&fleets, kind));
        let fleet = fleets.into_iter().next().unwrap();
        scenario.timeline(&Story::new(fleet, directory, 1, 0))
    }

    #[test]
    fn every_story_has_an_end() {
        for scenario in Scenario::ALL {
            let (mut lost, mut lines) = (BTreeSet::new(), BTreeSet::new());
            for (_, act) in acts(scenario) {
                match act {
                    Act::Lose(device) => assert!(lost.insert(device)),
                    Act::Regain(device) | Act::Restart(device) => assert!(lost.remove(&device)),
                    Act::Wan(line, false) => assert!(lines.insert(line)),
                    Act::Wan(line, true) => assert!(lines.remove(&line)),
                    _ => {}
                }
            }
            assert!(lost.is_empty() && lines.is_empty(), "{scenario}");
        }
    }

    #[test]
    fn an_outage_lasts_longer_than_people_wait() {
        let longest = |scenario, begins: fn(&Act) -> bool| {
            let acts = acts(scenario);
            let begun = acts.iter().filter(|(_, act)| begins(act));
            let end = acts.last().unwrap().0;
            begun.map(|(at, _)| end - at).max().unwrap()
        };
        let switch = longest(Scenario::ApOutage, |act| matches!(act, Act::Lose(_)));
        assert!(switch > 150_000, "two minutes of patience: {switch}");
        let line = longest(Scenario::WanFailover, |act| {
            matches!(act, Act::Wan(_, false))
        });
        assert!(line > 60_000, "half a minute of patience: {line}");
    }
}
