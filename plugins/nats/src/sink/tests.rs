//! The sink against a real nats-server.

use super::*;
use crate::tests::between::Between;
use crate::tests::server::{Server, heard, listener, stored, stream};
use serde_json::{Value, json};
use std::path::Path;
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use unifi_herald_plugin::testing::{
    Behaviour, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{BufferedEvent, Fault, Retry};

fn build(server: &Server, more: &Value) -> Nats {
    let mut options = json!({"servers": [server.url()]});
    let more = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(more);
    TestContext::new().build(Path::new("."), options).unwrap()
}

async fn deliver(sink: &mut Nats, events: &[BufferedEvent]) -> Result<(), DeliveryError> {
    sink.deliver(Batch::new(events)).await
}

fn ids(events: &[BufferedEvent]) -> Vec<String> {
    events.iter().map(|event| event.id.to_string()).collect()
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(work))
}

struct World {
    server: Server,
    options: Value,
    /// How much of the stream was looked at.
    seen: u64,
    /// With JetStream nobody listens: the stream is looked at.
    listener: Option<(async_nats::Client, async_nats::Subscriber)>,
    behaviour: Behaviour,
}

const CLOSED: &str = "authorization { user: somebody, password: else }";

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(build(&self.server, &self.options))
    }

    fn answer(&mut self, behaviour: Behaviour) {
        if behaviour == self.behaviour {
            return;
        }
        self.behaviour = behaviour;
        self.listener = None;
        blocking(async {
            match behaviour {
                Behaviour::Unavailable => self.server.kill(),
                Behaviour::Refuse => self.server.restart(CLOSED).await,
                _ => {
                    self.server.restart("").await;
                    self.listen().await;
                }
            }
        });
    }

    fn arrived(&mut self) -> Vec<String> {
        if self.behaviour != Behaviour::Accept {
            return Vec::new();
        }
        let events: Vec<Value> = blocking(async {
            if let Some((client, listener)) = &mut self.listener {
                return heard(client, listener).await;
            }
            let mut stream = stream(&self.server.client(None).await).await;
            let new = stored(&mut stream, self.seen + 1).await;
            self.seen += new.len() as u64;
            new.into_iter().map(|(_, _, event)| event).collect()
        });
        let id = |event: &Value| event["id"].as_str().unwrap().to_owned();
        events.iter().map(id).collect()
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        use Behaviour::{Accept, Refuse, Unavailable};
        matches!(behaviour, Accept | Unavailable | Refuse)
    }
}

impl World {
    async fn new(options: Value) -> Self {
        let mut world = Self {
            server: Server::start().await,
            options,
            seen: 0,
            listener: None,
            behaviour: Behaviour::Accept,
        };
        world.listen().await;
        world
    }

    async fn listen(&mut self) {
        let client = self.server.client(None).await;
        if self.options["jetstream"] == json!(false) {
            let listener = listener(&client, "unifi.>").await;
            self.listener = Some((client, listener));
        } else {
            stream(&client).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_of_sinks() {
    for options in [json!({}), json!({"jetstream": false})] {
        assert_sink_contract(&mut World::new(options).await).await;
    }
}

#[tokio::test]
async fn a_stream_keeps_each_event_once_and_outlives_its_server() {
    let mut server = Server::start().await;
    stream(&server.client(None).await).await;
    let mut sink = build(&server, &json!({}));
    sink.check().await.unwrap();
    let events = batch(3);
    deliver(&mut sink, &events).await.unwrap();
    server.restart("").await;
    // The first may find that the connection broke.
    let again = deliver(&mut sink, &events).await;
    if again.is_err() {
        deliver(&mut sink, &events).await.unwrap();
    }
    let found = stored(&mut stream(&server.client(None).await).await, 1).await;
    assert_eq!(found.len(), 3);
    let (subject, id, event) = &found[0];
    assert!(subject.starts_with("unifi.home.default."), "{subject}");
    assert_eq!(*id, format!("home/default/{}", events[0].id));
    assert_eq!(event["id"], json!(events[0].id));
}

#[tokio::test]
async fn a_subject_without_a_stream_is_named() {
    let server = Server::start().await;
    let mut sink = build(&server, &json!({"prefix": "home.unifi"}));
    let error = deliver(&mut sink, &batch(1)).await.unwrap_err();
    assert_eq!(
        (error.retry(), error.fault()),
        (Retry::Later, Fault::Unavailable)
    );
    let said = error.to_string();
    assert!(
        said.starts_with("no stream takes home.unifi.home.default."),
        "{said}"
    );
    let error = sink.check().await.unwrap_err();
    assert_eq!(error.fault(), Fault::Configuration);
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_permission_are_configuration() {
    let server = Server::with(
        "authorization { users: [ { user: all, password: pw },
           { user: reader, password: topsecret, permissions: { publish: [\"_INBOX.>\"] } } ] }",
    )
    .await;
    stream(&server.client(Some(("all", "pw"))).await).await;
    for jetstream in [true, false] {
        let login = |password: &str| json!({"username": "reader", "password": password, "jetstream": jetstream});
        for (password, part) in [
            ("wrong", "refused the account"),
            ("topsecret", "does not permit it"),
        ] {
            let mut sink = build(&server, &login(password));
            let error = deliver(&mut sink, &batch(1)).await.unwrap_err();
            assert_eq!(error.fault(), Fault::Configuration, "{error}");
            assert!(error.to_string().contains(part), "{error}");
            let shown = format!("{error} {sink:?}");
            assert!(
                !shown.contains("topsecret") && !shown.contains("wrong"),
                "{shown}"
            );
        }
    }
    let mut sink = build(&server, &json!({"username": "all", "password": "pw"}));
    deliver(&mut sink, &batch(1)).await.unwrap();
}

#[tokio::test]
async fn who_listens_hears_events_in_their_order() {
    let server = Server::with("authorization { token: letmein }").await;
    let options = json!({"token": "letmein", "jetstream": false});
    let mut sink = build(&server, &options);
    let client = async_nats::ConnectOptions::with_token("letmein".into());
    let client = client.connect(server.url()).await.unwrap();
    let mut listener = listener(&client, "unifi.home.>").await;
    let events = batch(600);
    deliver(&mut sink, &events).await.unwrap();
    let mut everything = client.subscribe("unifi.>").await.unwrap();
    assert_eq!(heard(&client, &mut everything).await, Vec::<Value>::new());
    let mut found = Vec::new();
    for _ in &events {
        let message = futures_util::StreamExt::next(&mut listener).await.unwrap();
        let event: Value = serde_json::from_slice(&message.payload).unwrap();
        found.push(event["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(found, ids(&events));
}

#[tokio::test]
async fn nothing_is_acknowledged_that_the_server_has_not_read() {
    let server = Server::start().await;
    let mut between = Between::before(&server).await;
    let options = json!({"jetstream": false, "servers": [between.url()]});
    let mut sink = build(&server, &options);
    let first = batch(1);
    tokio::select! {
        done = deliver(&mut sink, &first) => done.unwrap(),
        () = between.pass() => {}
    }
    let client = server.client(None).await;
    let mut listener = listener(&client, "unifi.>").await;
    let events = batch(3);
    let mut sending = std::pin::pin!(deliver(&mut sink, &events));
    // The connection is alive, and something comes from the server's side again and again.
    for _ in 0..8 {
        tokio::select! {
            biased;
            done = &mut sending => panic!("{done:?} before the server has read anything"),
            () = between.ask() => {}
        }
    }
    tokio::select! {
        done = sending => done.unwrap(),
        () = between.pass() => {}
    }
    assert_eq!(heard(&client, &mut listener).await.len(), 3);
}

#[tokio::test]
async fn who_may_publish_events_and_nothing_else_sends_them() {
    let users = "users: [ { user: few, password: pw, permissions: { publish: [\"unifi.>\"] } },
        { user: all, password: pw } ]";
    let server = Server::with(&format!("authorization {{ {users} }}")).await;
    let client = server.client(Some(("all", "pw"))).await;
    let mut listener = listener(&client, "unifi.>").await;
    let options = json!({"jetstream": false, "username": "few", "password": "pw"});
    let mut sink = build(&server, &options);
    sink.check().await.unwrap();
    for _ in 0..2 {
        deliver(&mut sink, &batch(3)).await.unwrap();
        assert_eq!(heard(&client, &mut listener).await.len(), 3);
    }
}

#[tokio::test]
async fn no_event_is_to_blame_for_a_stream_that_is_full() {
    let server = Server::start().await;
    let context = async_nats::jetstream::new(server.client(None).await);
    let config = async_nats::jetstream::stream::Config {
        name: "unifi".to_owned(),
        subjects: vec!["unifi.>".to_owned()],
        discard: async_nats::jetstream::stream::DiscardPolicy::New,
        max_bytes: 2000,
        ..async_nats::jetstream::stream::Config::default()
    };
    context.create_stream(config).await.unwrap();
    let mut sink = build(&server, &json!({}));
    let events = batch(10);
    let error = deliver(&mut sink, &events).await.unwrap_err();
    assert_eq!(
        (error.retry(), error.fault()),
        (Retry::Later, Fault::Unreachable)
    );
    assert!(error.accepted() > 0 && error.accepted() < events.len());
    assert!(error.to_string().starts_with("the stream has no room"));
}
