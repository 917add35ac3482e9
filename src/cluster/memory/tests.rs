//! Memories of partitions in a real bucket: who may write, and what who comes after finds.

use super::*;
use crate::config::{HostRole, JetstreamPlan};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A nats-server for one test.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = std::iter::repeat_with(|| fastrand::u16(10_000..30_000));
        let mut port = port.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let port = port.next().unwrap();
        let child = Command::new("/usr/sbin/nats-server")
            .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    /// A connection to a cluster that is prepared.
    async fn link(&self) -> Link {
        let plan = JetstreamPlan {
            role: HostRole::Process,
            servers: vec![format!("nats://127.0.0.1:{}", self.port)],
            creds: None,
            tls: None,
            stream: "herald".to_owned(),
            replicas: 1,
            max_bytes: None,
        };
        let link = Link::open(&plan, Path::new("/")).await.unwrap();
        link.prepare(true).await.unwrap();
        link
    }
}

fn set(key: &str, value: &[u8]) -> StateChange {
    StateChange::Set {
        scope: "script/a/b".into(),
        key: key.into(),
        value: value.to_vec(),
        expires: None,
    }
}

fn partition() -> Partition {
    Partition::of_name("hq=a").unwrap()
}

/// What is remembered, by key.
fn remembered(memory: &Memory) -> Vec<(String, usize, Option<u8>)> {
    let entries = memory.entries("script/a/b").into_iter();
    let mut found: Vec<_> = entries
        .map(|entry| {
            (
                entry.key.to_string(),
                entry.value.len(),
                entry.value.first().copied(),
            )
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn who_lost_a_partition_writes_nothing_any_more() {
    let server = Server::start();
    let (link, place) = (server.link().await, partition());
    let mut first = Memory::take(&link, &place, "one/1").await.unwrap();
    first.write(5, &[set("x", b"1")]).await.unwrap();
    let mut second = Memory::take(&link, &place, "two/2").await.unwrap();
    assert_eq!(second.seq(), 5);
    let late = first.write(6, &[set("x", b"2"), set("y", b"2")]).await;
    assert!(matches!(late, Err(WriteError::Lost)), "{late:?}");
    second.write(6, &[set("x", b"3")]).await.unwrap();
    assert_eq!(remembered(&second), [("x".to_owned(), 1, Some(b'3'))]);
    // Nothing of the refused batch is found by who comes after either.
    let third = Memory::take(&link, &place, "three/3").await.unwrap();
    assert_eq!((third.seq(), remembered(&third)), (6, remembered(&second)));
}

#[tokio::test]
async fn values_that_come_late_from_a_batch_before_change_nothing() {
    let server = Server::start();
    let (link, place) = (server.link().await, partition());
    let mut first = Memory::take(&link, &place, "one/1").await.unwrap();
    first
        .write(1, &[set("x", b"1"), set("z", b"1")])
        .await
        .unwrap();
    // The head of its last batch is written, and it stands still before it writes the values.
    let forget = StateChange::Forget {
        scope: "script/a/b".into(),
        key: "z".into(),
    };
    let changes = [set("x", b"2"), set("y", b"2"), forget];
    first.write_head(2, &changes).await.unwrap();
    let mut second = Memory::take(&link, &place, "two/2").await.unwrap();
    let both = [
        ("x".to_owned(), 1, Some(b'2')),
        ("y".to_owned(), 1, Some(b'2')),
    ];
    assert_eq!((second.seq(), remembered(&second)), (2, both.to_vec()));
    second
        .write(3, &[set("x", b"3"), set("z", b"3")])
        .await
        .unwrap();
    first.write_values(2, &changes).await.unwrap();
    let third = Memory::take(&link, &place, "three/3").await.unwrap();
    let newest = [
        ("x".to_owned(), 1, Some(b'3')),
        ("y".to_owned(), 1, Some(b'2')),
        ("z".to_owned(), 1, Some(b'3')),
    ];
    assert_eq!(remembered(&third), newest);
}

#[tokio::test]
async fn a_batch_that_no_message_can_hold_is_whole_or_not_there() {
    let server = Server::start();
    let (link, place) = (server.link().await, partition());
    let mut first = Memory::take(&link, &place, "one/1").await.unwrap();
    let large = |first: u8| -> Vec<StateChange> {
        let value = [vec![first], vec![7; 200_000]].concat();
        (0..10).map(|key| set(&key.to_string(), &value)).collect()
    };
    first.write(1, &large(b'a')).await.unwrap();
    // Its head is written and none of its values; then parts of another, which it was killed before it could name.
    first.write_head(2, &large(b'b')).await.unwrap();
    let second = Memory::take(&link, &place, "two/2").await.unwrap();
    let all = |first: u8| -> Vec<_> {
        (0..10)
            .map(|key: usize| (key.to_string(), 200_001, Some(first)))
            .collect()
    };
    assert_eq!((second.seq(), remembered(&second)), (2, all(b'b')));
    let late = first.write_head(3, &large(b'c')).await;
    assert!(matches!(late, Err(WriteError::Lost)), "{late:?}");
    let third = Memory::take(&link, &place, "three/3").await.unwrap();
    assert_eq!((third.seq(), remembered(&third)), (2, all(b'b')));
}

#[tokio::test]
async fn what_is_forgotten_stays_forgotten() {
    let server = Server::start();
    let (link, place) = (server.link().await, partition());
    let mut first = Memory::take(&link, &place, "one/1").await.unwrap();
    first
        .write(1, &[set("x", b"1"), set("y", b"1")])
        .await
        .unwrap();
    let scope: Text = "script/a/b".into();
    let forget = StateChange::Forget {
        scope: scope.clone(),
        key: "x".into(),
    };
    first.write(2, &[forget, set("z", b"2")]).await.unwrap();
    first
        .write_head(3, &[StateChange::Clear { scope }])
        .await
        .unwrap();
    let second = Memory::take(&link, &place, "two/2").await.unwrap();
    assert_eq!((second.seq(), remembered(&second)), (3, Vec::new()));
    assert_eq!(second.scopes("script/"), Vec::<Text>::new());
}
