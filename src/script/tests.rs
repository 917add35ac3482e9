//! What scripts may and may not do: shared pieces.

mod breaking;
mod docs;
mod importing;
mod limits;
mod reading;
mod results;
mod state;
mod stepping;
mod writing;

use super::*;
use crate::clock::Clock;
use crate::config::ScriptPlan;
use jiff::tz::TimeZone;
use unifi_herald_plugin::{Band, Client, Device, Kind, Mac, Place, Raw, Timestamp, Uplink};

/// 2026-06-05T21:30:00Z, a Friday, 23:30 in Berlin.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_780_695_000_000);

pub(super) fn options() -> EngineOptions {
    EngineOptions {
        scripts_dir: None,
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        clock: Clock::system(),
        // Tests say what is refused, not how fast the machine is.
        limits: Limits {
            time: std::time::Duration::from_secs(3600),
            ..Limits::default()
        },
    }
}

pub(super) fn engine() -> Engine {
    Engine::new(options())
}

pub(super) fn cx() -> RunContext<'static> {
    RunContext {
        now: NOW,
        instant: Clock::system().now(),
        salt: "everything/0",
    }
}

pub(super) fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

/// A client that roamed from Attic (channel 36) to Kitchen (channel 44).
pub(super) fn roam() -> Event {
    let mut event = Event::new(
        Kind::CLIENT_ROAMED,
        "5ee9f7ca",
        "2026-06-05T21:29:58.440Z".parse().unwrap(),
    );
    event.received = NOW;
    event.controller = "home".into();
    event.site = "default".into();
    event.site_name = "Home".into();
    event.key = Some("EVT_WU_Roam".into());
    event.summary = "Anna's iPhone roamed from Attic to Kitchen".into();
    event.client = Some(Client {
        mac: Some(mac(1)),
        name: Some("Anna's iPhone".into()),
        hostname: Some("iphone".into()),
        random_mac: true,
        ..Client::default()
    });
    let device = |last, name: &str| Device {
        mac: Some(mac(last)),
        name: Some(name.into()),
        ..Device::default()
    };
    event.device = Some(Device {
        model: Some("U6-Lite".into()),
        kind: Some("ap".into()),
        uplink: Some(Box::new(Uplink {
            name: Some("SW-Core".into()),
            port: Some(7),
            mac: None,
        })),
        ..device(3, "Kitchen")
    });
    event.from = Some(Place {
        device: Some(device(2, "Attic")),
        channel: Some(36),
        band: Some(Band::Ghz5),
    });
    event.to = Some(Place {
        device: Some(device(3, "Kitchen")),
        channel: Some(44),
        band: Some(Band::Ghz5),
    });
    event.ssid = Some("Home".into());
    event.raw = Raw::parse(
        r#"{"key":"EVT_WU_Roam","radio":"na","rssi":-71,"load":1.5,"flag":true,"none":null,"big":18446744073709551615,
           "nested":{"list":[10,{"deep":"x"},30],"empty":{}}}"#,
    )
    .ok();
    event
}

/// An event with nothing in it.
pub(super) fn bare() -> Event {
    Event::new(Kind::WAN_DOWN, "1", Timestamp::from_millis(0))
}

pub(super) fn run_with(
    engine: &Engine,
    text: &str,
    event: &Arc<Event>,
) -> Result<Outcome, RunError> {
    let mut script = engine
        .compile_text("test", text, &toml::Table::new())
        .unwrap_or_else(|error| panic!("{error}"));
    script.run(event, &cx())
}

/// Run a whole script for `event`.
pub(super) fn run(text: &str, event: &Event) -> Result<Outcome, RunError> {
    run_with(&engine(), text, &Arc::new(event.clone()))
}

/// The event after `body` of a filter that ends with `true`.
pub(super) fn changed(body: &str, event: &Event) -> Event {
    match run(&format!("fn filter(event) {{ {body}; true }}"), event) {
        Ok(Outcome::Keep(event)) => (*event).clone(),
        other => panic!("{body}: {other:?}"),
    }
}

/// What is wrong with `body` of a filter.
pub(super) fn wrong(body: &str, event: &Event) -> RunError {
    match run(&format!("fn filter(event) {{ {body}; true }}"), event) {
        Err(error) => error,
        Ok(outcome) => panic!("{body}: {outcome:?}"),
    }
}

/// Whether `expression` lets `event` pass.
pub(super) fn passes(expression: &str, event: &Event) -> bool {
    let mut script = engine()
        .compile_where(expression)
        .unwrap_or_else(|error| panic!("{expression}: {error}"));
    match script.run(&Arc::new(event.clone()), &cx()) {
        Ok(Outcome::Keep(_)) => true,
        Ok(Outcome::Drop) => false,
        other => panic!("{expression}: {other:?}"),
    }
}
