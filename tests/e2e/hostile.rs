//! Ten minutes with controllers, networks and destinations at their worst, compressed by the controllers' clock.
//!
//! What must arrive: every event that was given to a socket while that socket was well. What was made between the
//! moment at which something was done to the sockets and the moment at which all were open again may arrive or not, as
//! may what the wire swallowed. Whatever arrives does so once, in the order of `seq`, and every sink has the same; the one
//! exception are like events within two seconds, see `reckoning`.

mod acts;

use crate::support::eventually;
use crate::support::receiver::Receiver;
use crate::support::reckoning::missing_of;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::tail::Tail;
use acts::{Act, annoy};
use std::ops::Range;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;
use unifi_herald::config::ControllerKind;
use unifi_herald::demo::{Network, Pace, Simulator, SimulatorOptions};
use unifi_herald::host::Host;
use unifi_herald::status::ControllerStatus;
use unifi_herald::unifi::timing::Timing;
use unifi_herald_plugin::Timestamp;

/// The same schedule every time; any number will do.
const SEED: u64 = 2_026;
/// Controller time per real time.
const HASTE: f64 = 50.0;
const TEN_MINUTES: Duration = Duration::from_secs(600);
/// Events per second of real time, for each controller.
const RATE: f64 = 150.0;
/// Events per round and controller before something is done to the sockets.
const ROUND: u64 = 60;
/// Most memory the process may ever have used, the simulated controllers and their ledgers included.
const MEMORY: u64 = 384 << 20;
/// Logins that a controller may see: what any controller stands in ten minutes.
const LOGINS: u64 = 8;
/// Set in the process that does it.
const INSIDE: &str = "HERALD_HOSTILE_INSIDE";

#[test]
fn ten_hostile_minutes() {
    if std::env::var_os(INSIDE).is_some() {
        return hostile_minutes();
    }
    // In a process of its own, so that the memory measured is that of this host.
    let ended = Command::new(std::env::current_exe().unwrap())
        .args([
            "e2e::hostile::ten_hostile_minutes",
            "--exact",
            "--nocapture",
        ])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// One simulated controller, and what is known of it.
struct Peer {
    simulator: Simulator,
    /// As many as there are when all is well.
    sockets: usize,
    begun: Timestamp,
    /// Numbers of the events that may be missing.
    doubtful: Vec<Range<u64>>,
}

impl Peer {
    fn start(kind: ControllerKind, seed: u64) -> Self {
        let simulator = Simulator::start(SimulatorOptions {
            kind,
            seed,
            sites: vec![Network::House, Network::Office],
            time_scale: HASTE,
            // Twins are made on purpose, see `annoy`; a different event of the same kind, client and moment, reported
            // in the other way, could not be told from one.
            alert_share: 0.0,
            missing_id_share: 0.0,
            ..SimulatorOptions::default()
        })
        .unwrap();
        Self {
            sockets: if kind == ControllerKind::SelfHosted {
                3
            } else {
                2
            },
            begun: simulator.time(),
            doubtful: Vec::new(),
            simulator,
        }
    }

    fn made(&self) -> u64 {
        self.simulator.ledger().made()
    }

    /// Controller time since the start.
    fn elapsed(&self) -> Duration {
        let millis = self.simulator.time().as_millis() - self.begun.as_millis();
        Duration::from_millis(u64::try_from(millis).unwrap())
    }

    /// The events that must arrive, as sent.
    fn due(&self) -> Vec<String> {
        let doubtful = |number| self.doubtful.iter().any(|range| range.contains(&number));
        let entries = self.simulator.ledger().all().into_iter();
        entries
            .filter(|entry| entry.listeners > 0 && !doubtful(entry.number))
            .map(|entry| entry.raw.clone())
            .collect()
    }

    /// Let it live until `count` more events were made, then keep still.
    fn live(&self, count: u64) {
        let goal = self.made() + count;
        self.simulator.play(Pace::PerSecond(RATE));
        eventually("events are made", || self.made() >= goal);
        self.simulator.play(Pace::Still);
    }
}

/// Connections of the host that came to life, and whether all are up now.
fn up(status: &ControllerStatus) -> (u64, bool) {
    (
        status.counts().connects.load(Ordering::Relaxed),
        status.facts().connected(),
    )
}

/// Wait until every socket that was hit is replaced. Life goes on, since only data brings a connection to life.
fn recovered(peer: &Peer, status: &ControllerStatus, before: u64) {
    peer.simulator.play(Pace::PerSecond(RATE));
    eventually("every socket is open again", || {
        let (connects, connected) = up(status);
        connects >= before + peer.sockets as u64
            && connected
            && peer.simulator.stats().counts().sockets == peer.sockets
    });
    peer.simulator.play(Pace::Still);
}

/// Wait for what must arrive.
fn arrived(peer: &Peer, file: &mut Tail) {
    let due = peer.due();
    eventually("what must arrive is in the file", || {
        file.read();
        due.iter().all(|raw| file.has(raw))
    });
}

fn hostile_minutes() {
    let mut peers = [
        Peer::start(ControllerKind::UnifiOs, 1),
        Peer::start(ControllerKind::SelfHosted, 2),
    ];
    let (well, failing, hanging) = (Receiver::start(), Receiver::start(), Receiver::start());
    let rig = Rig::new(&config(&peers, &[&well, &failing, &hanging]));
    let host = rig.start_timed(Timing {
        ping: Duration::from_millis(500),
        silence: Duration::from_secs(6),
        retry: Duration::from_millis(50),
        steady: Duration::ZERO,
    });
    for (peer, (_, status)) in peers.iter().zip(&host.controllers()) {
        peer.simulator.play(Pace::PerSecond(RATE));
        recovered(peer, status, 0);
    }
    for peer in &mut peers {
        let until = peer.made();
        peer.doubtful.push(0..until);
    }

    let mut random = fastrand::Rng::with_seed(SEED);
    let mut file = Tail::of(rig.path("events.jsonl"));
    let mut schedule = Vec::new();
    let mut rounds = 0;
    while rounds < Act::ALL.len() || peers.iter().any(|peer| peer.elapsed() < TEN_MINUTES) {
        if schedule.is_empty() {
            schedule = Act::ALL.to_vec();
            random.shuffle(&mut schedule);
            // What takes seconds of real time, or one of the few logins there are, is done once.
            schedule.retain(|act| rounds == 0 || !act.is_dear());
        }
        let act = schedule.pop().unwrap();
        rounds += 1;

        failing.answer(&[500, 503, 429, 502, 500][..random.usize(1..5)]);
        hanging.hold(rounds % 3 == 1);
        for peer in &peers {
            annoy(&peer.simulator, &mut random);
            peer.live(ROUND);
        }
        for peer in &peers {
            arrived(peer, &mut file);
        }

        for (peer, (_, status)) in peers.iter_mut().zip(&host.controllers()) {
            let (from, (connects, _)) = (peer.made(), up(status));
            peer.simulator.play(Pace::PerSecond(RATE));
            if act.commit(&peer.simulator) {
                recovered(peer, status, connects);
            }
            peer.simulator.play(Pace::Still);
            let until = peer.made();
            peer.doubtful.push(from..until);
        }
    }
    hanging.hold(false);

    for peer in &peers {
        let counts = peer.simulator.stats().counts();
        assert!(
            counts.logins + counts.refused_logins <= LOGINS,
            "{counts:?}"
        );
    }
    conclude(host, &peers, file, &[&well, &failing, &hanging]);
}

fn config(peers: &[Peer], hooks: &[&Receiver]) -> String {
    let mut config = controller("os", &peers[0].simulator, r#"["*"]"#);
    config += &*controller("classic", &peers[1].simulator, r#"["*"]"#);
    config += ARCHIVE;
    for (number, hook) in hooks.iter().enumerate() {
        config += &*format!(
            r#"
[sinks.hook{number}]
plugin = "webhook"
retry = {{ min = "20ms", max = "200ms" }}
options = {{ url = "{url}", format = "json" }}
[chains.hook{number}]
steps = [{{ sink = "hook{number}" }}]
"#,
            url = hook.url()
        );
    }
    config
}

/// The reckoning.
fn conclude(host: Host, peers: &[Peer], mut file: Tail, hooks: &[&Receiver]) {
    for peer in peers {
        arrived(peer, &mut file);
    }
    eventually("the sinks have nothing pending", || {
        host.books().iter().all(|sink| sink.books.pending == 0)
    });
    for sink in host.books() {
        let books = sink.books;
        assert_eq!((books.lost, books.dead_lettered), (0, 0), "{sink:?}");
        assert!(books.duplicate > 0, "duplicates came and were told apart");
    }
    let bad: u64 = host
        .controllers()
        .iter()
        .map(|(_, status)| status.counts().bad.load(Ordering::Relaxed))
        .sum();
    assert!(bad > 0, "junk came and was counted");
    stop_clean(host);
    file.read();

    // Nothing is missing, and nothing is there twice, in whichever way it was told.
    let (mut due, mut missing) = (0, 0);
    for peer in peers {
        let ledger = peer.simulator.ledger();
        assert_eq!(ledger.forgotten(), 0);
        due += peer.due().len();
        missing += missing_of(&ledger, &file).len();
    }
    assert!(
        due > 2_000,
        "most of it must arrive: {due}; {missing} are missing"
    );
    file.assert_in_order();
    for hook in hooks {
        assert_eq!(
            hook.ids(),
            file.ids(),
            "every sink has the same, in the same order, once"
        );
    }
    if let Some(peak) = peak_memory() {
        assert!(peak < MEMORY, "{} MiB", peak >> 20);
    }
}

/// Most memory this process ever used, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}
