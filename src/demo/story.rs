//! What happens on a simulated site, one thing after another, without end: people come, roam and go, devices fail
//! and return, and each item follows from the state the earlier ones left.

use super::fleet::{Attach, Client, DeviceType, Fleet, channels};
use super::item::Item;
use super::rng::{Rng, hash};
use super::twin::Directory;
use std::collections::VecDeque;
use std::sync::Arc;

/// One site and its life.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) fleet: Fleet,
    /// Where each client is, in the order of `fleet.clients`.
    pub(super) links: Vec<Link>,
    /// Whether the controller's client list has it.
    pub(super) known: Vec<bool>,
    /// Whether each device answers, in the order of `fleet.devices`.
    pub(super) online: Vec<bool>,
    /// Whether each of the two internet connections works.
    pub(super) wan: [bool; 2],
    pub(super) directory: Arc<Directory>,
    pub(super) rng: Rng,
    /// Of what the sync frames are about: they come only where somebody listens, and must not change what happens.
    pub(super) chatter: Rng,
    /// Rendered and not yet told.
    pub(super) ready: VecDeque<Item>,
    later: Vec<(u64, Later)>,
    steps: u64,
    /// How much of the trouble happens: 1 is as much as a demo wants to show.
    trouble: f64,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Away,
    /// On this access point (by position), on its radio of this position, since (ms).
    Air {
        ap: usize,
        radio: usize,
        since: i64,
    },
    /// On its port since (ms).
    Port {
        since: i64,
    },
}

/// What an earlier happening will lead to, some steps on.
#[derive(Clone, Copy, Debug)]
enum Later {
    Regain(usize),
    Upgraded(usize),
    WanUp(usize),
    Unblock(usize),
    AuthorizationEnds(usize),
    Return(usize),
}

/// What is rolled from here on is trouble, or at least nothing ordinary.
const TROUBLE: usize = 905;

impl Story {
    pub(super) fn new(fleet: Fleet, directory: Arc<Directory>, seed: u64, now: i64) -> Self {
        let own = seed ^ hash(fleet.name);
        let rng = Rng::new(own ^ 0x57);
        let mut story = Self {
            links: vec![Link::Away; fleet.clients.len()],
            known: fleet
                .clients
                .iter()
                .map(|client| !client.stranger)
                .collect(),
            online: vec![true; fleet.devices.len()],
            wan: [true; 2],
            fleet,
            directory,
            rng,
            chatter: Rng::new(own ^ 0xc4),
            ready: VecDeque::new(),
            later: Vec::new(),
            steps: 0,
            trouble: 1.0,
        };
        for at in 0..story.links.len() {
            if story.known[at] && story.rng.chance(0.8) {
                let since = now - story.rng.range(60_000, 8 * 3_600_000);
                story.links[at] = story.place(at, None, since).unwrap_or(Link::Away);
            }
        }
        story
    }

    /// With this share of the trouble.
    pub(super) fn troubled(self, trouble: f64) -> Self {
        Self { trouble, ..self }
    }

    /// The next item. There is always one.
    pub(super) fn next(&mut self, now: i64) -> Item {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return item;
            }
            self.step(now);
        }
    }

    /// Let one thing happen. It adds to `ready` what the controller says about it, which may be nothing.
    fn step(&mut self, now: i64) {
        self.steps += 1;
        while let Some(at) = self.later.iter().position(|(due, _)| *due <= self.steps) {
            let (_, later) = self.later.swap_remove(at);
            self.follow_up(later, now);
        }
        let roll = self.rng.below(1000);
        if roll >= TROUBLE && self.trouble < 1.0 && !self.rng.chance(self.trouble) {
            return self.someone_moves(now);
        }
        match roll {
            0..780 => self.someone_moves(now),
            780..840 => self.someone_plugs(now),
            840..875 => {
                let admins = self.fleet.admins;
                let (name, ip) = self.rng.pick(admins).unwrap_or(("admin", "192.0.2.9"));
                let failed = self.rng.chance(0.15);
                self.login(name, ip, failed, now);
            }
            875..905 => self.channel_change(now),
            905..915 => self.outage(now),
            915..930 => self.port_trouble(now),
            930..955 => self.random_threat(now),
            955..965 => self.firewall_block(now),
            965..970 => self.random_upgrade(now),
            970..975 => self.wan_trouble(now),
            975..985 => self.vouchers(now),
            985..990 => self.block(now),
            _ => self.odds_and_ends(now),
        }
    }

    fn follow_up(&mut self, later: Later, now: i64) {
        match later {
            Later::Regain(device) => self.regain(device, now),
            Later::Upgraded(device) => self.upgraded(device, now),
            Later::WanUp(line) => self.wan(line, true, now),
            Later::Unblock(client) => self.unblocked(client, now),
            Later::AuthorizationEnds(client) => self.authorization_ended(client, now),
            Later::Return(client) => self.connect(client, now),
        }
    }

    fn after(&mut self, least: i64, most: i64, later: Later) {
        let due = self.steps + u64::try_from(self.rng.range(least, most)).unwrap_or(1);
        self.later.push((due, later));
    }

    /// A wireless client connects, roams or leaves.
    fn someone_moves(&mut self, now: i64) {
        let client = self.someone(|attach| matches!(attach, Attach::Air(..)));
        let Some(client) = client else { return };
        match (self.links[client], self.rng.below(100)) {
            (Link::Away, _) => {
                self.connect(client, now);
                if self.fleet.clients[client].guest && self.rng.chance(0.5) {
                    self.authorized(client, now);
                    self.after(40, 200, Later::AuthorizationEnds(client));
                }
            }
            (_, 0..45) => self.roam(client, now),
            (_, 45..60) => self.roam_radio(client, now),
            _ => self.disconnect(client, now),
        }
    }

    /// A wired client comes or goes.
    fn someone_plugs(&mut self, now: i64) {
        let client = self.someone(|attach| matches!(attach, Attach::Port(..)));
        let Some(client) = client else { return };
        match self.links[client] {
            Link::Away => self.connect(client, now),
            _ => self.disconnect(client, now),
        }
    }

    fn outage(&mut self, now: i64) {
        let candidates: Vec<usize> = (1..self.online.len())
            .filter(|&at| self.online[at])
            .collect();
        // A network with most of its devices gone would have nothing left to tell.
        if candidates.len() * 2 <= self.online.len() {
            return;
        }
        let access_points: Vec<usize> = candidates
            .into_iter()
            .filter(|&at| self.fleet.devices[at].kind == DeviceType::AccessPoint)
            .collect();
        if let Some(device) = self.rng.pick(&access_points) {
            self.lose(device, now);
            self.after(6, 40, Later::Regain(device));
        }
    }

    fn random_upgrade(&mut self, now: i64) {
        let online: Vec<usize> = self
            .fleet
            .access_points()
            .chain(self.fleet.switches())
            .filter(|&at| self.online[at])
            .collect();
        if let Some(device) = self.rng.pick(&online) {
            self.upgrade_scheduled(device, now);
            self.lose(device, now);
            self.after(8, 20, Later::Upgraded(device));
        }
    }

    fn wan_trouble(&mut self, now: i64) {
        if self.wan[0] && self.wan[1] {
            let line = self.rng.below(2);
            self.wan(line, false, now);
            self.after(5, 30, Later::WanUp(line));
        }
    }

    fn block(&mut self, now: i64) {
        let Some(client) = self.someone(|attach| matches!(attach, Attach::Air(..))) else {
            return;
        };
        self.blocked(client, now);
        self.after(20, 80, Later::Unblock(client));
    }

    /// The access point is gone: its clients turn up elsewhere, one after another.
    pub(super) fn strand(&mut self, device: usize) {
        for client in 0..self.links.len() {
            if matches!(self.links[client], Link::Air { ap, .. } if ap == device) {
                self.links[client] = Link::Away;
                self.after(1, 6, Later::Return(client));
            }
        }
    }

    /// A random client of the list that hangs on the network in this way.
    pub(super) fn someone(&mut self, wanted: impl Fn(Attach) -> bool) -> Option<usize> {
        let start = self.rng.below(self.links.len());
        let count = self.links.len();
        (0..count)
            .map(|step| (start + step) % count)
            .find(|&at| self.known[at] && wanted(self.fleet.clients[at].attach))
    }

    /// Where this client would connect now, anywhere but on `except`.
    pub(super) fn place(
        &mut self,
        client: usize,
        except: Option<usize>,
        since: i64,
    ) -> Option<Link> {
        match self.fleet.clients[client].attach {
            Attach::Port(switch, _) => self.online[switch].then_some(Link::Port { since }),
            Attach::Air(_, bands) => {
                let candidates: Vec<usize> = self
                    .fleet
                    .access_points()
                    .filter(|&at| self.online[at] && Some(at) != except)
                    .collect();
                let ap = self.rng.pick(&candidates)?;
                let radios = &self.fleet.devices[ap].radios;
                let usable: Vec<usize> = bands
                    .iter()
                    .filter_map(|band| radios.iter().position(|radio| radio.band == *band))
                    .collect();
                // Most clients take the best band they can get, some do not.
                let best = usable.first().copied()?;
                let radio = if self.rng.chance(0.25) {
                    self.rng.pick(&usable)?
                } else {
                    best
                };
                Some(Link::Air { ap, radio, since })
            }
        }
    }

    /// Another channel for a radio of an access point.
    pub(super) fn other_channel(&mut self, ap: usize, radio: usize) -> u16 {
        let now = self.fleet.devices[ap].radios[radio];
        let others: Vec<u16> = channels(now.band)
            .iter()
            .copied()
            .filter(|channel| *channel != now.channel)
            .collect();
        self.rng.pick(&others).unwrap_or(now.channel)
    }

    pub(super) fn client(&self, at: usize) -> &Client {
        &self.fleet.clients[at]
    }
}
