//! A real mosquitto for the tests, and somebody who looks at what it has.

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions, QoS};
use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A mosquitto on loopback that forgets everything when it ends. Dropping it kills it.
pub(super) struct Broker {
    child: Option<Child>,
    folder: TempDir,
    pub(super) port: u16,
}

impl Broker {
    /// Open to everybody.
    pub(super) async fn start() -> Self {
        Self::with("allow_anonymous true").await
    }

    /// With these lines in its configuration.
    pub(super) async fn with(config: &str) -> Self {
        let port = free_port();
        let mut broker = Self {
            child: None,
            folder: TempDir::new().unwrap(),
            port,
        };
        broker.restart(config).await;
        broker
    }

    pub(super) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub(super) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Kill it as a power cut would.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Kill it if it runs, and start it anew on the same port.
    pub(super) async fn restart(&mut self, config: &str) {
        self.kill();
        let path = self.folder.path().join("mosquitto.conf");
        let (port, user) = (self.port, "root");
        let config = config.replace("FOLDER", &self.folder.path().display().to_string());
        let text = format!(
            "listener {port} 127.0.0.1\npersistence false\nuser {user}\nlog_dest none\n{config}\n"
        );
        fs::write(&path, text).unwrap();
        let child = Command::new("/usr/sbin/mosquitto")
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed by `make packages`");
        self.child = Some(child);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Make the file `passwords` with one account.
    pub(super) fn account(&self, username: &str, password: &str) {
        let status = Command::new("mosquitto_passwd")
            .args(["-c", "-b"])
            .arg(self.folder.path().join("passwords"))
            .args([username, password])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

/// A port that was free a moment ago. Not one that the system gives to those who connect: who tries such a port again and
/// again is at last connected to himself.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A message as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) topic: String,
    pub(super) text: String,
    pub(super) retained: bool,
}

impl Seen {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// Subscribed to everything.
pub(super) struct Observer {
    client: AsyncClient,
    events: EventLoop,
    marks: u32,
}

const MARK: &str = "observer/mark";

impl Observer {
    pub(super) async fn start(broker: &Broker) -> Self {
        let id = format!("observer-{:08x}", fastrand::u32(..));
        let mut options = MqttOptions::new(id, ("127.0.0.1".to_owned(), broker.port));
        options.set_keep_alive(0);
        options.set_max_packet_size(Some(4 * 1024 * 1024));
        let (client, events) = AsyncClient::builder(options).capacity(16).build();
        client.try_subscribe("#", QoS::AtLeastOnce).unwrap();
        let mut observer = Self {
            client,
            events,
            marks: 0,
        };
        loop {
            let event = observer.events.poll().await.unwrap();
            if matches!(event, Event::Incoming(Incoming::SubAck(_))) {
                return observer;
            }
        }
    }

    /// Everything the broker keeps now.
    pub(super) async fn retained(broker: &Broker) -> BTreeMap<String, String> {
        let mut observer = Self::start(broker).await;
        let seen = observer.so_far().await.into_iter();
        let kept = seen.filter(|seen| seen.retained);
        kept.map(|seen| (seen.topic, seen.text)).collect()
    }

    /// Goes out with the next look.
    pub(super) fn say(&self, topic: &str, payload: &str, retain: bool) {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        let payload = payload.to_owned();
        self.client.try_publish(topic, payload, options).unwrap();
    }

    /// What has come since the last look: the broker is asked for a sign of its own and has sent everything before it.
    pub(super) async fn so_far(&mut self) -> Vec<Seen> {
        self.marks += 1;
        let mark = self.marks.to_string();
        self.say(MARK, &mark, false);
        let mut found = Vec::new();
        loop {
            let seen = self.next().await;
            if seen.topic == MARK && seen.text == mark {
                return found;
            }
            found.push(seen);
        }
    }

    /// Wait for a message on this topic.
    pub(super) async fn wait_for(&mut self, topic: &str) -> Seen {
        loop {
            let seen = self.next().await;
            if seen.topic == topic {
                return seen;
            }
        }
    }

    async fn next(&mut self) -> Seen {
        loop {
            if let Event::Incoming(Incoming::Publish(message)) = self.events.poll().await.unwrap() {
                return Seen {
                    topic: String::from_utf8(message.topic.to_vec()).unwrap(),
                    text: String::from_utf8(message.payload.to_vec()).unwrap(),
                    retained: message.retain,
                };
            }
        }
    }
}
