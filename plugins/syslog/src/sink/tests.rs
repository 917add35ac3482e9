//! The sink against collectors on loopback: the contract, dead connections, and a real rsyslogd.

use super::*;
use crate::reader::{read_frames, read_message};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use unifi_herald_plugin::testing::{
    Behaviour, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{BufferedEvent, Fault};

mod real;

fn build(context: &TestContext, url: &str, more: &Value) -> Syslog {
    let mut options = json!({"url": url, "hostname": "h"});
    let more = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(more);
    context.build(Path::new("."), options).unwrap()
}

/// A collector on a stream. Everything about it is done by the test, in its own time.
struct Collector {
    listener: Option<TcpListener>,
    address: std::net::SocketAddr,
    connections: Vec<(TcpStream, Vec<u8>)>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut collector = Self {
            listener: None,
            address,
            connections: Vec::new(),
        };
        collector.listen(listener);
        collector
    }

    fn listen(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        self.listener = Some(listener);
    }

    fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Listen no more, and hang up.
    fn stop(&mut self) {
        self.listener = None;
        self.connections.clear();
    }

    /// Take what is there: new connections, and their bytes.
    fn look(&mut self) {
        if let Some(listener) = &self.listener {
            while let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(true).unwrap();
                self.connections.push((stream, Vec::new()));
            }
        }
        for (stream, bytes) in &mut self.connections {
            let mut piece = [0; 4096];
            loop {
                match stream.read(&mut piece) {
                    Ok(0) => break,
                    Ok(count) => bytes.extend_from_slice(&piece[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => break,
                }
            }
        }
    }

    /// The messages that are whole by now, over all connections in their order.
    fn messages(&mut self) -> Vec<String> {
        self.look();
        let mut found = Vec::new();
        for (_, bytes) in &mut self.connections {
            let (messages, used) = read_frames(bytes).unwrap_or_else(|torn| (vec![torn], 0));
            found.extend(messages);
            bytes.drain(..used);
        }
        found
    }

    fn ids(&mut self) -> Vec<String> {
        self.messages().iter().map(|text| id(text)).collect()
    }

    /// Wait until so many messages have come.
    async fn wait_for(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.extend(self.ids());
            tokio::task::yield_now().await;
        }
        ids
    }

    /// Wait until the sink has a connection that was accepted here.
    async fn wait_for_connections(&mut self, count: usize) {
        while self.connections.len() < count {
            self.look();
            tokio::task::yield_now().await;
        }
    }
}

/// The event's id, or the text itself when it is no message.
fn id(text: &str) -> String {
    match read_message(text) {
        Ok(message) => message.data["id"].clone(),
        Err(_) => text.to_owned(),
    }
}

fn ids(events: &[BufferedEvent]) -> Vec<String> {
    events.iter().map(|event| event.id.to_string()).collect()
}

struct World {
    context: TestContext,
    collector: Collector,
    options: Value,
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(build(&self.context, &self.collector.url(), &self.options))
    }

    fn answer(&mut self, behaviour: Behaviour) {
        match behaviour {
            Behaviour::Unavailable => self.collector.stop(),
            _ if self.collector.listener.is_none() => {
                let listener = TcpListener::bind(self.collector.address).unwrap();
                self.collector.listen(listener);
            }
            _ => {}
        }
    }

    fn arrived(&mut self) -> Vec<String> {
        self.collector.ids()
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        matches!(behaviour, Behaviour::Accept | Behaviour::Unavailable)
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks_on_a_stream() {
    for options in [json!({}), json!({"format": "cef"})] {
        let context = TestContext::new();
        // Nobody here hangs up on a sink that says goodbye: its patience has to end.
        let time = context.clone();
        let ticking = async move {
            loop {
                time.advance(Duration::from_millis(100));
                tokio::task::yield_now().await;
            }
        };
        context
            .build_context("time", Path::new(""))
            .spawn("time", ticking);
        assert_sink_contract(&mut World {
            context,
            collector: Collector::start(),
            options,
        })
        .await;
    }
}

struct Datagram {
    context: TestContext,
    socket: UdpSocket,
}

#[async_trait]
impl SinkWorld for Datagram {
    async fn build(&mut self) -> Box<dyn Sink> {
        let url = format!("udp://{}", self.socket.local_addr().unwrap());
        Box::new(build(&self.context, &url, &json!({})))
    }

    fn answer(&mut self, _behaviour: Behaviour) {}

    fn arrived(&mut self) -> Vec<String> {
        let mut buffer = vec![0; 65_536];
        let mut found = Vec::new();
        while let Ok(length) = self.socket.recv(&mut buffer) {
            found.push(id(std::str::from_utf8(&buffer[..length]).unwrap()));
        }
        found
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks_by_datagrams() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let context = TestContext::new();
    assert_sink_contract(&mut Datagram { context, socket }).await;
}

#[tokio::test]
async fn a_refused_datagram_is_noticed_and_the_way_is_looked_up_again() {
    let context = TestContext::new();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut sink = build(&context, &format!("udp://{address}"), &json!({}));
    drop(socket);
    // The refusal of one datagram comes back with a later one.
    let error = loop {
        if let Err(error) = sink.deliver(Batch::new(&batch(1))).await {
            break error;
        }
    };
    assert_eq!(error.fault(), Fault::Unreachable);
    let socket = UdpSocket::bind(address).unwrap();
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).unwrap();
    assert_eq!(
        id(std::str::from_utf8(&buffer[..length]).unwrap()),
        "test-1"
    );
}

#[tokio::test]
async fn what_a_dead_connection_swallowed_is_written_once_more() {
    let context = TestContext::new();
    let mut collector = Collector::start();
    let mut sink = build(&context, &collector.url(), &json!({}));
    let events = batch(4);
    sink.deliver(Batch::new(&events[..1])).await.unwrap();
    assert_eq!(collector.wait_for(1).await, ["test-1"]);
    // The collector dies when its kernel has taken the second event and nobody has read it.
    sink.deliver(Batch::new(&events[1..2])).await.unwrap();
    collector.connections.clear();
    context.advance(Duration::from_secs(5));
    sink.wake(sink.wake_at().unwrap()).await.unwrap();
    sink.deliver(Batch::new(&events[2..3])).await.unwrap();
    let arrived = collector.wait_for(3).await;
    assert_eq!(arrived, ["test-1", "test-2", "test-3"]);
    // Twice is enough: a collector that hangs up after every event would get the same ones for ever.
    collector.connections.clear();
    sink.deliver(Batch::new(&events[3..])).await.unwrap();
    let arrived = collector.wait_for(2).await;
    assert_eq!(arrived, ["test-3", "test-4"]);
}

#[tokio::test]
async fn a_connection_that_lives_on_makes_sure_and_nothing_is_repeated() {
    let context = TestContext::new();
    let mut collector = Collector::start();
    let mut sink = build(&context, &collector.url(), &json!({}));
    let events = batch(2);
    sink.deliver(Batch::new(&events[..1])).await.unwrap();
    collector.wait_for(1).await;
    context.advance(Duration::from_secs(5));
    sink.wake(context.now()).await.unwrap();
    assert_eq!(sink.wake_at(), None);
    // An idle connection that is closed later is simply opened again.
    collector.connections.clear();
    sink.deliver(Batch::new(&events[1..])).await.unwrap();
    assert_eq!(collector.wait_for(1).await, ["test-2"]);
}

#[tokio::test]
async fn a_collector_that_is_away_is_looked_for_without_haste() {
    let context = TestContext::new();
    let mut collector = Collector::start();
    let mut sink = build(&context, &collector.url(), &json!({}));
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    collector.wait_for_connections(1).await;
    collector.stop();
    let at = sink.wake_at().unwrap();
    let error = sink.wake(at).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unreachable);
    assert!(sink.wake_at().unwrap() >= at + Duration::from_secs(60));
    let listener = TcpListener::bind(collector.address).unwrap();
    collector.listen(listener);
    sink.wake(sink.wake_at().unwrap()).await.unwrap();
    assert_eq!(collector.wait_for(1).await, ["test-1"]);
}

#[tokio::test]
async fn a_message_once_begun_is_finished_though_its_delivery_was_cancelled() {
    let context = TestContext::new();
    let mut collector = Collector::start();
    // More than the buffers of a connection hold, which nobody reads yet.
    let large: Vec<_> = batch(16)
        .into_iter()
        .map(|mut event| {
            std::sync::Arc::make_mut(&mut event.event).summary = "x".repeat(900_000).into();
            event
        })
        .collect();
    let mut sink = build(&context, &collector.url(), &json!({"max_size": "1MiB"}));
    {
        let delivery = sink.deliver(Batch::new(&large));
        tokio::pin!(delivery);
        let ticks = async {
            for _ in 0..2000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            result = &mut delivery => panic!("nobody read it: {result:?}"),
            () = ticks => {}
        }
    }
    let (delivered, arrived) = tokio::join!(
        sink.deliver(Batch::new(&large).with_attempt(2)),
        collector.wait_for(32)
    );
    delivered.unwrap();
    let twice = [ids(&large), ids(&large)].concat();
    assert_eq!(arrived, twice);
}

#[tokio::test]
async fn closing_waits_until_the_peer_has_read_everything() {
    let context = TestContext::new();
    let mut collector = Collector::start();
    let mut sink = build(&context, &collector.url(), &json!({"framing": "lines"}));
    sink.deliver(Batch::new(&batch(2))).await.unwrap();
    collector.wait_for_connections(1).await;
    let (mut stream, before) = collector.connections.remove(0);
    stream.set_nonblocking(false).unwrap();
    let mut text = String::from_utf8(before).unwrap();
    let close = Box::new(sink).close();
    tokio::pin!(close);
    let waiting =
        std::future::poll_fn(|cx| std::task::Poll::Ready(close.as_mut().poll(cx).is_pending()));
    assert!(waiting.await, "it waits for the peer");
    stream.read_to_string(&mut text).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    close.await.unwrap();
    assert_eq!(
        text.lines().map(id).collect::<Vec<_>>(),
        ["test-1", "test-2"]
    );
}

#[tokio::test]
async fn a_check_connects_and_says_nothing() {
    let context = TestContext::new();
    let mut collector = Collector::start();
    let mut sink = build(&context, &collector.url(), &json!({}));
    sink.check().await.unwrap();
    collector.wait_for_connections(1).await;
    // What a collector says is ignored.
    collector.connections[0].0.write_all(b"hello").unwrap();
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    assert_eq!(collector.wait_for(1).await, ["test-1"]);
    collector.stop();
    let mut sink = build(&context, &collector.url(), &json!({}));
    assert_eq!(sink.check().await.unwrap_err().fault(), Fault::Unreachable);
}
