//! Tests of the control socket, over real sockets.

use super::protocol::{Answer, MAX_REQUEST, Request, Watch};
use super::*;
use crate::buffer::Limits;
use crate::clock::Clock;
use crate::config::{BufferPlan, WhenFull};
use crate::host::Reloader;
use crate::intake::ring;
use crate::measure::Measures;
use crate::roster::Roster;
use crate::status::{ControllerStatus, LaneStatus};
use crate::store::MemoryStore;
use crate::tasks::Tasks;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use unifi_herald_plugin::Kind;
use unifi_herald_plugin::testing::EventBuilder;

/// A served socket in a folder of its own.
struct Rig {
    folder: TempDir,
    runtime: Runtime,
    tasks: Tasks,
    tap: Tap,
}

fn board(tap: Tap) -> Board {
    let buffer = BufferPlan {
        capacity: 10,
        when_full: WhenFull::Wait,
        max_wait: Duration::from_secs(1),
        max_bytes: 1 << 20,
    };
    let store = MemoryStore::new(&["ops".into()], &buffer, Clock::system());
    Board {
        store: Arc::new(store),
        roster: Roster::testing(
            vec![("home".into(), ControllerStatus::default())],
            vec![("ops".into(), LaneStatus::default())],
        ),
        tap,
        reloader: Reloader::to_nobody(),
        orders: tokio::sync::mpsc::channel(1).0,
        desk: crate::desk::Desk::default(),
        clock: Clock::system(),
        measures: Arc::new(Measures::new(&Clock::system())),
        ring: ring(Limits::new(&buffer, 2), Clock::system()).0,
    }
}

impl Rig {
    fn new() -> Self {
        let rig = Self {
            folder: TempDir::new().unwrap(),
            runtime: Runtime::new().unwrap(),
            tasks: Tasks::new(),
            tap: Tap::default(),
        };
        rig.serve().unwrap();
        rig
    }

    fn serve(&self) -> Result<(), SocketError> {
        let _inside = self.runtime.enter();
        let server = Server::bind(
            &self.path(),
            Arc::new(board(self.tap.clone())),
            self.tasks.clone(),
        )?;
        drop(self.tasks.spawn(server.serve()));
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("herald.sock")
    }

    /// What the host says to these bytes.
    fn say(&self, bytes: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.path()).unwrap();
        // The host may have heard enough before the end.
        drop(stream.write_all(bytes));
        let mut text = String::new();
        drop(stream.read_to_string(&mut text));
        text
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_question_is_answered() {
    let rig = Rig::new();
    let mut client = Client::ask(&rig.path(), &Request::Status {}).unwrap();
    let Answer::Status(status) = client.answer().unwrap() else {
        panic!("not a status");
    };
    assert_eq!(status.process, std::process::id());
    assert_eq!(status.controllers[0].name, "home");
    assert_eq!(
        (&*status.sinks[0].name, &*status.sinks[0].state),
        ("ops", "ok")
    );
    assert!(matches!(client.answer(), Ok(Answer::Done(0))));
}

#[test]
fn only_its_user_may_come_near_the_socket() {
    let rig = Rig::new();
    assert_eq!(mode(&rig.path()), 0o600);
    assert_eq!(mode(rig.path().parent().unwrap()), 0o700);
    let left: Vec<_> = fs::read_dir(rig.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["herald.sock"]);
}

#[test]
fn a_living_host_keeps_its_socket() {
    let rig = Rig::new();
    assert!(matches!(rig.serve(), Err(SocketError::Taken(path)) if path == rig.path()));
    assert!(rig.say(b"{\"do\":\"status\"}\n").contains("\"home\""));
}

#[test]
fn a_dead_hosts_socket_is_taken_over() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data").join("herald.sock");
    fs::create_dir(path.parent().unwrap()).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    assert!(matches!(
        Client::ask(&path, &Request::Status {}),
        Err(ClientError::NotRunning(_))
    ));
    let rig = Rig {
        folder,
        runtime: Runtime::new().unwrap(),
        tasks: Tasks::new(),
        tap: Tap::default(),
    };
    rig.serve().unwrap();
    assert!(Client::ask(&path, &Request::Status {}).is_ok());
}

#[test]
fn the_file_goes_with_the_host() {
    let rig = Rig::new();
    rig.tasks.stop();
    rig.runtime.block_on(rig.tasks.ended());
    assert!(!rig.path().exists());
}

#[test]
fn nonsense_is_told_and_costs_nothing() {
    let rig = Rig::new();
    for nonsense in [
        "\n",
        "{}\n",
        "{\"do\":\"dance\"}\n",
        "{\"do\":\"status\",\"x\":1}\n",
        "[[[[",
    ] {
        let stream = UnixStream::connect(rig.path()).unwrap();
        (&stream).write_all(nonsense.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        (&stream).read_to_string(&mut text).unwrap();
        assert!(text.starts_with("{\"failed\":\""), "{nonsense}: {text}");
    }
    let long = rig.say(&vec![b'x'; MAX_REQUEST + 1]);
    assert!(long.is_empty() || long.contains("too long"), "{long}");
    assert!(rig.say(b"{\"do\":\"status\"}\n").contains("\"home\""));
}

#[test]
fn so_many_at_a_time_and_no_more() {
    let rig = Rig::new();
    let silent: Vec<_> = (0..server::MAX_CONNECTIONS)
        .map(|_| UnixStream::connect(rig.path()).unwrap())
        .collect();
    assert!(rig.say(b"").contains("too many"));
    drop(silent);
}

#[test]
fn a_watcher_is_told_how_many_events_it_missed() {
    let rig = Rig::new();
    let watch = Watch {
        kinds: vec!["client.roamed".into()],
        condition: Some("event.summary != \"dull\"".into()),
        ..Watch::default()
    };
    assert!(!rig.tap.is_watched());
    let mut client = Client::ask(&rig.path(), &Request::Tail { watch }).unwrap();
    assert!(matches!(client.answer(), Ok(Answer::Watching {})));
    assert!(rig.tap.is_watched());
    let event = |seq, summary: &str, kind| {
        let event = EventBuilder::new(kind).summary(summary);
        Shown {
            event: event.buffered(seq),
            record: Arc::default(),
            shape: Arc::default(),
        }
    };
    const MANY: u64 = 20_000;
    let all = (1..=MANY).map(|seq| event(seq, "Anna roamed", Kind::CLIENT_ROAMED));
    rig.tap.show(all.collect());
    let mut told = 0;
    let mut skipped = 0;
    while told < MANY {
        match client.answer().unwrap() {
            Answer::Event(_) => told += 1,
            Answer::Skipped(count) => {
                told += count;
                skipped += count;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(told == MANY && skipped > 0, "{skipped} of {told}");

    rig.tap.show(vec![
        event(MANY + 1, "no", Kind::WAN_UP),
        event(MANY + 2, "dull", Kind::CLIENT_ROAMED),
        event(MANY + 3, "wanted", Kind::CLIENT_ROAMED),
    ]);
    let Ok(Answer::Event(json)) = client.answer() else {
        panic!("no event");
    };
    assert!(json.get().contains("\"wanted\""), "{json}");
    drop(client);
    // A watcher that left is noticed without another event.
    let clock = Clock::system();
    let deadline = clock.now() + Duration::from_secs(60);
    while rig.tap.is_watched() {
        assert!(clock.now() < deadline, "still watched");
        std::thread::yield_now();
    }
}

#[test]
fn a_condition_that_is_none_is_refused() {
    let rig = Rig::new();
    let watch = Watch {
        condition: Some("event.".into()),
        ..Watch::default()
    };
    let mut client = Client::ask(&rig.path(), &Request::Tail { watch }).unwrap();
    let refusal = client.answer().unwrap_err().to_string();
    assert!(refusal.starts_with("--where: "), "{refusal}");
}
