//! The world is the same for the same seed, and what it says has the documented form.

use crate::clock::Clock;
use crate::config::ControllerKind;
use crate::demo::hub::{Hub, event_frame};
use crate::demo::{Entry, History, Ledger, Network, Scenario, SimulatorOptions};
use crate::unifi::{DecodeCounts, Decoder, Site};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Event, Kind, Timestamp};

const SITES: [Network; 2] = [Network::House, Network::Office];

/// A long life on both sites, without a wire.
fn live(change: impl FnOnce(&mut SimulatorOptions)) -> (Hub, Vec<Arc<Entry>>) {
    let clock = Clock::manual(Timestamp::from_millis(1_795_000_000_123));
    let mut options = SimulatorOptions {
        sites: SITES.to_vec(),
        clock: clock.clone(),
        ..SimulatorOptions::default()
    };
    change(&mut options);
    let hub = Hub::new(options);
    let mut entries = Vec::new();
    for step in 0..3_000 {
        clock.advance(Duration::from_millis(317));
        entries.extend(hub.emit(step % 2, 1));
    }
    (hub, entries)
}

fn text(entries: &[Arc<Entry>]) -> Vec<&str> {
    entries.iter().map(|entry| entry.raw.as_str()).collect()
}

/// The one event that the host makes of an item.
fn decode(kind: &str, item: &str) -> Arc<Event> {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut events = Vec::new();
    let carrier = if kind == "alert" {
        super::super::Carrier::Alert
    } else {
        super::super::Carrier::Events
    };
    let mut decoder = Decoder::new("home".into(), site);
    decoder.decode(
        &event_frame(carrier, &[item]),
        Timestamp::from_millis(0),
        &mut events,
    );
    assert_eq!(events.len(), 1, "{item}: {:?}", decoder.counts());
    events.remove(0)
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let (_, first) = live(|_| {});
    let (_, again) = live(|_| {});
    assert_eq!(text(&first), text(&again));
    let (_, other) = live(|options| options.seed = 2);
    assert_ne!(text(&first), text(&other));
}

#[test]
fn ids_are_24_hexadecimal_digits_and_do_not_repeat() {
    let (_, entries) = live(|_| {});
    let ids: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.id.as_deref())
        .collect();
    assert!(
        ids.len() > 2_000 && ids.len() < entries.len(),
        "some have none"
    );
    assert!(
        ids.iter()
            .all(|id| id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn items_have_the_documented_types() {
    let (_, entries) = live(|options| options.alert_share = 0.0);
    let mut keys = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.in_legacy()) {
        let item: Value = serde_json::from_str(&entry.raw).unwrap();
        keys.insert(entry.key.clone());
        for field in ["key", "msg", "subsystem", "site_id", "datetime"] {
            assert!(item[field].is_string(), "{field} of {item}");
        }
        assert!(item["is_negative"].is_boolean(), "{item}");
        for field in [
            "channel",
            "channel_from",
            "channel_to",
            "channelWidth",
            "radar_channel",
            "freq",
            "num",
            "minutes",
        ] {
            assert!(
                item.get(field).is_none_or(Value::is_string),
                "{field} of {item}"
            );
        }
        for field in ["duration", "bytes", "port", "vlan", "time"] {
            assert!(
                item.get(field).is_none_or(Value::is_i64),
                "{field} of {item}"
            );
        }
        let time = item["time"].as_i64().unwrap();
        let seconds = &Timestamp::from_millis(time).to_string()[..19];
        assert_eq!(item["datetime"].as_str().unwrap(), format!("{seconds}Z"));
        if entry.key.ends_with("_Disconnected") {
            assert_eq!(time % 1000, 0, "{item}");
        }
    }
    for key in [
        "EVT_WU_Connected",
        "EVT_WU_Disconnected",
        "EVT_WU_Roam",
        "EVT_WU_RoamRadio",
        "EVT_WG_Connected",
        "EVT_LU_Connected",
        "EVT_LU_Disconnected",
        "EVT_AP_Lost_Contact",
        "EVT_AP_Connected",
        "EVT_AP_ChannelChanged",
        "EVT_AP_Upgraded",
        "EVT_GW_WANTransition",
        "EVT_IPS_IpsAlert",
        "EVT_AD_Login",
        "EVT_AD_VoucherCreated",
        "EVT_HS_VoucherUsed",
        "EVT_SW_PoeDisconnect",
        "EVT_WC_Blocked",
        "EVT_NU_MeshLinkChanged",
    ] {
        assert!(keys.contains(key), "{key} never happened: {keys:?}");
    }
}

#[test]
fn a_client_roams_from_where_it_is() {
    let (_, entries) = live(|options| {
        options.alert_share = 0.0;
        options.sites = vec![Network::House];
    });
    let mut at = std::collections::BTreeMap::new();
    let mut checked = 0;
    for entry in &entries {
        let item: Value = serde_json::from_str(&entry.raw).unwrap();
        let text = |field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
        let Some(client) = text("user").or_else(|| text("guest")) else {
            continue;
        };
        match entry.key.as_str() {
            "EVT_WU_Connected" | "EVT_WG_Connected" => drop(at.insert(client, text("ap"))),
            "EVT_WU_Roam" | "EVT_WG_Roam" => {
                if let Some(known) = at.insert(client, text("ap_to")) {
                    checked += 1;
                    assert_eq!(known, text("ap_from"), "{item}");
                }
            }
            _ => {}
        }
    }
    assert!(checked > 100, "only {checked} roams of known clients");
}

#[test]
fn the_host_understands_every_item_and_its_twin_alike() {
    for kind in [ControllerKind::UnifiOs, ControllerKind::SelfHosted] {
        let (hub, entries) = live(|options| {
            options.kind = kind;
            options.alert_share = 0.0;
        });
        let ledger: &Ledger = &hub.ledger;
        let mut twins = 0;
        for entry in &entries {
            let frame = if entry.in_legacy() { "events" } else { "alert" };
            let told = decode(frame, &entry.raw);
            assert_eq!(
                told.kind == Kind::UNKNOWN,
                entry.key.starts_with("EVT_NU_"),
                "{}",
                entry.raw
            );
            assert_eq!(told.time, entry.time, "{}", entry.raw);
            let Some(twin) = ledger.system_log(entry) else {
                continue;
            };
            let logged = decode("alert", twin);
            assert_eq!(logged.kind, told.kind, "{twin}");
            assert_eq!(logged.time, told.time, "{twin}");
            let mac = |event: &Event| event.client.as_ref().and_then(|client| client.mac);
            if mac(&told).is_some() {
                assert_eq!(mac(&logged), mac(&told), "{twin}");
            }
            twins += 1;
        }
        assert!(twins > 2_000);
    }
}

#[test]
fn state_can_be_read_by_the_host() {
    let (hub, _) = live(|_| {});
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut decoder = Decoder::new("home".into(), site);
    let mut events = Vec::new();
    for _ in 0..200 {
        let frame = hub.world().stories[0].sync_frame(1_795_000_000_000);
        decoder.decode(&frame, Timestamp::from_millis(0), &mut events);
    }
    let expected = DecodeCounts::default();
    let counts = decoder.counts();
    assert_eq!(
        (counts.state_frames, counts.bad_frames),
        (200, expected.bad_frames)
    );
    assert!(events.is_empty());
}

#[test]
fn old_controllers_send_no_alerts() {
    let (_, entries) = live(|options| {
        options.history = History::LegacyOnly;
        options.alert_share = 1.0;
    });
    assert_eq!(entries.len(), 3_000);
    assert!(entries.iter().all(|entry| entry.in_legacy()));
}

#[test]
fn every_scenario_has_its_say() {
    let expected = [
        (Scenario::ApOutage, "EVT_SW_Lost_Contact"),
        (Scenario::WanFailover, "NETWORK_FAILED_OVER_TO_BACKUP_WAN_2"),
        (Scenario::RoamingStorm, "EVT_WU_Roam"),
        (Scenario::ThreatBurst, "EVT_IPS_IpsAlert"),
        (Scenario::Upgrade, "EVT_AP_UpgradeScheduled"),
        (Scenario::NewDevice, "EVT_WU_Connected"),
    ];
    for scenario in Scenario::ALL {
        assert_eq!(scenario.as_str().parse(), Ok(scenario));
        let hub = Hub::new(SimulatorOptions {
            scenario,
            alert_share: 0.0,
            ..SimulatorOptions::default()
        });
        let timeline = scenario.timeline(&hub.world().stories[0]);
        assert!(
            timeline.is_sorted_by_key(|(at, _)| *at)
                && timeline.iter().all(|(at, _)| *at <= 200_000)
        );
        let told = hub.act(0, timeline.iter().map(|(_, act)| *act));
        match expected.iter().find(|(name, _)| *name == scenario) {
            Some((_, key)) => assert!(
                told.iter().any(|entry| entry.key == *key),
                "{scenario}: no {key}"
            ),
            None => assert!(told.is_empty(), "{scenario} is ordinary life"),
        }
    }
    assert!("hurricane".parse::<Scenario>().is_err());
}

#[test]
fn the_controllers_time_can_run_faster() {
    let clock = Clock::manual(Timestamp::from_millis(1_795_000_000_000));
    let origin = Timestamp::from_millis(1_794_000_000_000);
    let options = SimulatorOptions {
        clock: clock.clone(),
        time_scale: 60.0,
        time_origin: Some(origin),
        ..SimulatorOptions::default()
    };
    let hub = Hub::new(options);
    assert_eq!(hub.event_time(), origin);
    clock.advance(Duration::from_secs(10));
    assert_eq!(hub.event_time().since(origin), Duration::from_secs(600));
}

#[test]
fn the_ledger_forgets_the_oldest() {
    let (hub, _) = live(|options| options.ledger_capacity = 100);
    let ledger = &hub.ledger;
    assert_eq!((ledger.made(), ledger.all().len()), (3_000, 200));
    assert_eq!(ledger.forgotten(), 2_800);
    let kept = ledger.entries("default");
    assert!(kept.is_sorted_by_key(|entry| entry.number) && kept[0].number > 2_000);
}
