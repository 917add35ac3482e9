//! A real nats-server for the tests, and somebody who looks at what it has.

use async_nats::jetstream::{self, stream};
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A nats-server on loopback with JetStream. Dropping it kills it.
pub(crate) struct Server {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Open to everybody.
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// With these lines in its configuration.
    pub(crate) async fn with(config: &str) -> Self {
        let mut server = Self {
            child: None,
            folder: TempDir::new().unwrap(),
            port: free_port(),
        };
        server.restart(config).await;
        server
    }

    pub(crate) fn address(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Kill it if it runs, and start it anew on the same port, with what its streams had.
    pub(crate) async fn restart(&mut self, config: &str) {
        self.kill();
        let (port, folder) = (self.port, self.folder.path().display());
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{folder}/js\" }}\n{config}\n"
        );
        let path = self.folder.path().join("nats.conf");
        fs::write(&path, text).unwrap();
        let child = Command::new("/usr/sbin/nats-server")
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed by `make packages`");
        self.child = Some(child);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Connect as somebody who may do everything.
    pub(crate) async fn client(&self, login: Option<(&str, &str)>) -> async_nats::Client {
        let options = match login {
            Some((name, password)) => {
                async_nats::ConnectOptions::with_user_and_password(name.into(), password.into())
            }
            None => async_nats::ConnectOptions::new(),
        };
        options.connect(self.url()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free a moment ago, and not one of those that are given to who connects.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Make a stream for everything below `unifi`, or find it.
pub(crate) async fn stream(client: &async_nats::Client) -> stream::Stream {
    let config = stream::Config {
        name: "unifi".to_owned(),
        subjects: vec!["unifi.>".to_owned()],
        ..stream::Config::default()
    };
    let context = jetstream::new(client.clone());
    context.get_or_create_stream(config).await.unwrap()
}

/// What is in the stream from the message `first` on: subject, `Nats-Msg-Id`, and the event.
pub(crate) async fn stored(
    stream: &mut stream::Stream,
    first: u64,
) -> Vec<(String, String, Value)> {
    let last = stream.info().await.unwrap().state.last_sequence;
    let mut found = Vec::new();
    for sequence in first..=last {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let id = message.headers.get("Nats-Msg-Id").unwrap().to_string();
        let event = serde_json::from_slice(&message.payload).unwrap();
        found.push((message.subject.to_string(), id, event));
    }
    found
}

/// Wait until the server has read what this client sent; a flush only has it written.
pub(crate) async fn read(client: &async_nats::Client) {
    let inbox = client.new_inbox();
    let mut heard = client.subscribe(inbox.clone()).await.unwrap();
    client.publish(inbox, "".into()).await.unwrap();
    heard.next().await.unwrap();
}

/// Somebody who listens from now on.
pub(crate) async fn listener(client: &async_nats::Client, subject: &str) -> async_nats::Subscriber {
    let listener = client.subscribe(subject.to_owned()).await.unwrap();
    read(client).await;
    listener
}

/// What has come to somebody who listens, up to now.
pub(crate) async fn heard(
    client: &async_nats::Client,
    listener: &mut async_nats::Subscriber,
) -> Vec<Value> {
    // What the server got before this comes to the listener before it.
    client.publish("unifi.end", "0".into()).await.unwrap();
    let mut found = Vec::new();
    while let Some(message) = listener.next().await {
        if &*message.subject == "unifi.end" {
            break;
        }
        found.push(serde_json::from_slice(&message.payload).unwrap());
    }
    assert!(listener.next().now_or_never().is_none());
    found
}
