//! The sink against a real mosquitto.

use super::*;
use broker::{Broker, Observer, Seen};
use serde_json::{Value, json};
use std::path::Path;
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use unifi_herald_plugin::testing::{
    Behaviour, EventBuilder, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{BufferedEvent, Fault, Kind, Retry};

mod broker;
mod presence;

const STATUS: &str = "unifi-herald/status";
const SITE: &str = "unifi-herald/home/default";
const DEVICE: &str = "f09fc2000002";
const DEVICE_CONFIG: &str = "homeassistant/device/unifi_herald_f09fc2000002/config";
const CLIENT: &str = "aabbcc000001";
const CLIENT_CONFIG: &str = "homeassistant/device/unifi_herald_client_aabbcc000001/config";

fn build(context: &TestContext, broker: &Broker, more: &Value) -> Mqtt {
    let mut options = json!({"url": broker.url()});
    let more = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(more);
    context.build(Path::new("."), options).unwrap()
}

fn event(kind: Kind) -> EventBuilder {
    EventBuilder::new(kind)
}

async fn deliver(sink: &mut Mqtt, events: &[BufferedEvent]) {
    sink.deliver(Batch::new(events)).await.unwrap();
}

fn topics(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| &*seen.topic).collect()
}

struct World {
    context: TestContext,
    broker: Broker,
    observer: Option<Observer>,
    options: Value,
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(build(&self.context, &self.broker, &self.options))
    }

    fn answer(&mut self, behaviour: Behaviour) {
        let config = match behaviour {
            Behaviour::Unavailable => {
                self.broker.kill();
                self.observer = None;
                return;
            }
            Behaviour::Refuse => "allow_anonymous false",
            _ if self.broker.is_running() && self.observer.is_some() => return,
            _ => "allow_anonymous true",
        };
        block_in_place(|| {
            Handle::current().block_on(async {
                self.broker.restart(config).await;
                self.observer = None;
                if behaviour == Behaviour::Accept {
                    self.observer = Some(Observer::start(&self.broker).await);
                }
            });
        });
    }

    fn arrived(&mut self) -> Vec<String> {
        let Some(observer) = &mut self.observer else {
            return Vec::new();
        };
        let seen = block_in_place(|| Handle::current().block_on(observer.so_far()));
        let events = seen.iter().filter(|seen| {
            let rest = seen.topic.strip_prefix("unifi-herald/home/default/event/");
            rest.is_some_and(|kind| kind.contains('.'))
        });
        events
            .map(|seen| seen.json()["id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        matches!(
            behaviour,
            Behaviour::Accept | Behaviour::Unavailable | Behaviour::Refuse
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_of_sinks() {
    for options in [json!({}), json!({"discovery": {}, "qos": 2})] {
        let broker = Broker::start().await;
        let observer = Some(Observer::start(&broker).await);
        assert_sink_contract(&mut World {
            context: TestContext::new(),
            broker,
            observer,
            options,
        })
        .await;
    }
}

#[tokio::test]
async fn events_pass_states_stay_and_the_last_will_is_seen() {
    let broker = Broker::start().await;
    let mut observer = Observer::start(&broker).await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({}));
    let events = [
        event(Kind::DEVICE_OFFLINE).buffered(1),
        event(Kind::CLIENT_ROAMED).buffered(2),
    ];
    deliver(&mut sink, &events).await;
    let seen = observer.so_far().await;
    assert_eq!(
        topics(&seen),
        [
            STATUS,
            &format!("{SITE}/state/device/{DEVICE}"),
            &format!("{SITE}/event/device.offline"),
            &format!("{SITE}/state/client/{CLIENT}"),
            &format!("{SITE}/event/client.roamed"),
        ]
    );
    assert_eq!(seen[2].json(), serde_json::to_value(&events[0]).unwrap());
    let kept = Observer::retained(&broker).await;
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(kept[STATUS], "online");
    let device: Value =
        serde_json::from_str(&kept[&format!("{SITE}/state/device/{DEVICE}")]).unwrap();
    assert_eq!(
        device,
        json!({
            "mac": "f0:9f:c2:00:00:02", "name": "Kitchen", "model": "U6-Lite", "type": "ap",
            "online": false, "since": "2026-11-22T17:21:13.440Z",
        })
    );
    let client: Value =
        serde_json::from_str(&kept[&format!("{SITE}/state/client/{CLIENT}")]).unwrap();
    assert_eq!(
        (&client["connected"], &client["device"]),
        (&json!(true), &json!("Kitchen"))
    );
    // Not a goodbye but a death.
    drop(sink);
    context.settled().await;
    assert_eq!(observer.wait_for(STATUS).await.text, "offline");
    assert_eq!(Observer::retained(&broker).await[STATUS], "offline");
}

#[tokio::test]
async fn a_goodbye_leaves_the_status_offline() {
    let broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({}));
    sink.wake(context.now()).await.unwrap();
    assert_eq!(Observer::retained(&broker).await[STATUS], "online");
    Box::new(sink).close().await.unwrap();
    context.settled().await;
    assert_eq!(Observer::retained(&broker).await[STATUS], "offline");
}

#[tokio::test]
async fn a_broker_that_is_killed_loses_nothing_and_gets_its_states_back() {
    let mut broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({"discovery": {}}));
    deliver(&mut sink, &[event(Kind::DEVICE_OFFLINE).buffered(1)]).await;
    let before = Observer::retained(&broker).await;
    assert!(before.contains_key(DEVICE_CONFIG));
    broker.kill();
    let next = [event(Kind::WAN_DOWN).buffered(2)];
    let error = sink.deliver(Batch::new(&next)).await.unwrap_err();
    assert_eq!((error.accepted(), error.retry()), (0, Retry::Later));
    assert_eq!(error.fault(), Fault::Unreachable);
    broker.restart("allow_anonymous true").await;
    let mut observer = Observer::start(&broker).await;
    sink.deliver(Batch::new(&next).with_attempt(2))
        .await
        .unwrap();
    observer.wait_for(&format!("{SITE}/event/wan.down")).await;
    assert_eq!(Observer::retained(&broker).await, before);
}

#[tokio::test]
async fn the_timer_connects_again_without_haste_and_says_it_once() {
    let mut broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({}));
    sink.wake(context.now()).await.unwrap();
    broker.kill();
    // Until the sink has noticed.
    while sink.is_up() {
        sink.link.as_mut().unwrap().news().await;
    }
    let mut told = 0;
    for _ in 0..20 {
        context.advance(TICK);
        told += usize::from(sink.wake(context.now()).await.is_err());
    }
    assert_eq!(told, 1);
    broker.restart("allow_anonymous true").await;
    while !sink.is_up() {
        context.advance(TICK);
        sink.wake(context.now()).await.unwrap();
    }
    assert_eq!(Observer::retained(&broker).await[STATUS], "online");
}

#[tokio::test]
async fn wrong_credentials_are_a_mistake_in_the_configuration() {
    let mut broker = Broker::start().await;
    broker.account("herald", "secret");
    let closed = "allow_anonymous false\npassword_file FOLDER/passwords";
    broker.restart(closed).await;
    let context = TestContext::new();
    let login = |password: &str| json!({"username": "herald", "password": password});
    let mut sink = build(&context, &broker, &login("wrong"));
    for error in [
        sink.deliver(Batch::new(&batch(1))).await.unwrap_err(),
        sink.check().await.unwrap_err(),
    ] {
        assert_eq!(error.fault(), Fault::Configuration, "{error}");
        assert!(!format!("{error:?}{sink:?}").contains("wrong"));
    }
    let mut sink = build(&context, &broker, &login("secret"));
    sink.check().await.unwrap();
    deliver(&mut sink, &batch(1)).await;
}

#[tokio::test]
async fn a_message_larger_than_the_broker_takes_is_blamed_alone() {
    let broker = Broker::with("allow_anonymous true\nmax_packet_size 3000").await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({}));
    let large = event(Kind::WAN_UP).summary(&"x".repeat(4000));
    let events = [
        event(Kind::WAN_UP).buffered(1),
        large.buffered(2),
        event(Kind::WAN_DOWN).buffered(3),
    ];
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(
        (error.accepted(), error.retry()),
        (1, Retry::Never),
        "{error}"
    );
    deliver(&mut sink, &events[2..]).await;
}

#[tokio::test]
async fn home_assistant_is_told_again_when_it_is_born() {
    let broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({"discovery": {}}));
    deliver(&mut sink, &[event(Kind::DEVICE_OFFLINE).buffered(1)]).await;
    let mut observer = Observer::start(&broker).await;
    let config = observer.wait_for(DEVICE_CONFIG).await.json();
    assert_eq!(config["dev"]["cns"], json!([["mac", "f0:9f:c2:00:00:02"]]));
    assert_eq!(config["avty"], json!([{"t": STATUS}]));
    assert_eq!(
        config["cmps"]["online"]["stat_t"],
        format!("{SITE}/state/device/{DEVICE}")
    );
    observer.so_far().await;
    observer.say("homeassistant/status", "online", false);
    assert_eq!(topics(&observer.so_far().await), ["homeassistant/status"]);
    // Everything is as it was until the birth has been heard and its delay is over.
    while sink.link.as_ref().unwrap().births() == 0 {
        sink.link.as_mut().unwrap().news().await;
    }
    sink.wake(context.now()).await.unwrap();
    assert_eq!(observer.so_far().await, []);
    context.advance(Duration::from_secs(3));
    sink.wake(context.now()).await.unwrap();
    let seen = observer.so_far().await;
    assert_eq!(seen[0].topic, DEVICE_CONFIG);
    assert_eq!(seen[0].json(), config);
}

#[tokio::test]
async fn an_event_entity_gets_what_it_expects_and_nothing_is_retained() {
    let broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({"discovery": {}}));
    let mut observer = Observer::start(&broker).await;
    deliver(&mut sink, &[event(Kind::DEVICE_UPGRADE_FAILED).buffered(1)]).await;
    let seen = observer.so_far().await;
    let find = |topic: &str| seen.iter().find(|seen| seen.topic == topic).unwrap().json();
    let config = find(DEVICE_CONFIG);
    let topic = config["cmps"]["event"]["stat_t"].as_str().unwrap();
    let told = find(topic);
    assert_eq!(told["event_type"], "upgrade_failed");
    let types = config["cmps"]["event"]["event_types"].as_array().unwrap();
    assert!(types.contains(&told["event_type"]));
    assert!(!Observer::retained(&broker).await.contains_key(topic));
}

#[tokio::test]
async fn what_is_gone_leaves_no_topic_behind() {
    let broker = Broker::start().await;
    let mut observer = Observer::start(&broker).await;
    // Somebody else's announcement is nobody's business.
    let foreign = r#"{"avty":[{"t":"zigbee/status"}]}"#;
    observer.say("homeassistant/device/other/config", foreign, true);
    observer.so_far().await;
    let context = TestContext::new();
    let watching = json!({"discovery": {"clients": ["aa:bb:cc:00:00:01"]}});
    let mut sink = build(&context, &broker, &watching);
    deliver(&mut sink, &[event(Kind::CLIENT_CONNECTED).buffered(1)]).await;
    let kept = Observer::retained(&broker).await;
    for topic in [DEVICE_CONFIG, CLIENT_CONFIG] {
        assert!(kept.contains_key(topic), "{topic}");
    }
    Box::new(sink).close().await.unwrap();
    let mut sink = build(&context, &broker, &json!({"discovery": {}}));
    sink.wake(context.now()).await.unwrap();
    let kept = Observer::retained(&broker).await;
    assert!(kept.contains_key(DEVICE_CONFIG));
    assert!(!kept.contains_key(CLIENT_CONFIG), "no longer watched");
    assert!(!kept.contains_key(&format!("{SITE}/state/client/{CLIENT}")));
    deliver(&mut sink, &[event(Kind::DEVICE_REMOVED).buffered(2)]).await;
    let kept = Observer::retained(&broker).await;
    let left: Vec<&str> = kept.keys().map(String::as_str).collect();
    assert_eq!(left, ["homeassistant/device/other/config", STATUS]);
}

#[tokio::test]
async fn names_of_strangers_are_topics_that_every_broker_takes() {
    let broker = Broker::start().await;
    let mut observer = Observer::start(&broker).await;
    let context = TestContext::new();
    let watched = json!({"discovery": {"clients": ["aa:bb:cc:00:00:01"]}});
    let mut sink = build(&context, &broker, &watched);
    let hostile = "a/+/#\0\u{1}\u{ffff}\u{1f600} {{ 1/0 }}\"";
    let events = [event(Kind::CLIENT_CONNECTED)
        .site(hostile, hostile, hostile)
        .client_name(hostile)
        .buffered(1)];
    deliver(&mut sink, &events).await;
    let level = "a_______\u{1f600}_{{_1_0_}}\"";
    let seen = observer
        .wait_for(&format!(
            "unifi-herald/{level}/{level}/event/client.connected"
        ))
        .await;
    assert_eq!(seen.json()["client"]["name"], hostile);
    assert!(sink.is_up());
}

#[tokio::test]
async fn an_obituary_of_an_earlier_life_is_corrected() {
    let broker = Broker::start().await;
    let mut observer = Observer::start(&broker).await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &json!({"discovery": {}}));
    sink.wake(context.now()).await.unwrap();
    observer.so_far().await;
    observer.say(STATUS, "offline", true);
    observer.so_far().await;
    while sink.link.as_ref().unwrap().obituaries() == 0 {
        sink.link.as_mut().unwrap().news().await;
    }
    sink.wake(context.now()).await.unwrap();
    assert_eq!(Observer::retained(&broker).await[STATUS], "online");
}
