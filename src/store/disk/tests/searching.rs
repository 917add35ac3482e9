//! Looking for events.

use super::*;

async fn filled() -> (Rig, DiskStore) {
    let rig = Rig::new(10);
    let store = rig.open();
    let mut commit = to(&[], 1..101);
    let mut offline = Event::new(Kind::DEVICE_OFFLINE, "off", at(200));
    offline.controller = "work".into();
    offline.site = "x7".into();
    offline.site_name = "Büro".into();
    offline.summary = "Kitchen is offline".into();
    offline.device = Some(Device {
        mac: Some(Mac::new([1, 2, 3, 4, 5, 6])),
        name: Some("Kitchen".into()),
        ..Device::default()
    });
    commit.events.push(BufferedEvent {
        seq: 101,
        event: Arc::new(offline),
    });
    commit.verdicts = (0..101_u8).map(|index| vec![index]).collect();
    store.commit(commit).await.unwrap();
    (rig, store)
}

#[tokio::test]
async fn every_condition_finds_what_it_describes() {
    let (_rig, store) = filled().await;
    let find = |query: JournalQuery| {
        let found = store.ask(|reader| reader.find(&query, 500)).unwrap();
        let found: Vec<_> = found.into_iter().map(|found| found.event).collect();
        seqs(&found)
    };
    let none = JournalQuery::default;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(find(none()).len(), 101);
    assert_eq!(find(none())[..2], [101, 100]);
    let oldest_first = JournalQuery {
        order: Order::OldestFirst,
        ..none()
    };
    assert_eq!(find(oldest_first)[..2], [1, 2]);
    assert_eq!(
        find(JournalQuery {
            since: Some(at(99)),
            until: Some(at(200)),
            ..none()
        }),
        [100, 99]
    );
    assert_eq!(
        find(JournalQuery {
            kinds: vec![Kind::DEVICE_OFFLINE],
            ..none()
        }),
        [101]
    );
    assert_eq!(
        find(JournalQuery {
            severity: Some(unifi_herald_plugin::Severity::Error),
            ..none()
        }),
        [101]
    );
    for client in [
        "phone-7",
        "PHONE-?",
        "AA:00:00:00:00:07",
        "aa:*:07",
        "iphone",
    ] {
        let found = find(JournalQuery {
            client: text(client),
            ..none()
        });
        assert!(
            found.contains(&7) && !found.contains(&101),
            "{client}: {found:?}"
        );
    }
    assert_eq!(
        find(JournalQuery {
            client: text("aa:00:00:00:00:07"),
            ..none()
        }),
        [57, 7]
    );
    for device in ["kitchen", "01:02:03:04:05:06", "01:02:*", "K*"] {
        assert_eq!(
            find(JournalQuery {
                device: text(device),
                ..none()
            }),
            [101],
            "{device}"
        );
    }
    for site in ["x7", "büro", "B?ro", "work/x7", "W*/büro"] {
        let found = find(JournalQuery {
            site: text(site),
            ..none()
        });
        assert_eq!(found, [101], "{site}");
    }
    assert_eq!(
        find(JournalQuery {
            controller: text("work"),
            ..none()
        }),
        [101]
    );
    assert_eq!(
        find(JournalQuery {
            controller: text("nowhere"),
            ..none()
        }),
        [0; 0]
    );
    assert_eq!(
        find(JournalQuery {
            text: text("is OFF"),
            ..none()
        }),
        [101]
    );
    let pattern = JournalQuery {
        text: text("is *line"),
        ..none()
    };
    assert_eq!(find(pattern), [0; 0]);
}

#[tokio::test]
async fn an_event_is_found_by_id_with_its_verdict_and_who_awaits_it() {
    let (_rig, store) = filled().await;
    let found = store.ask(|reader| reader.event("off")).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].event.seq, &found[0].verdict),
        (101, &Some(vec![100]))
    );
    store.commit(to(&[1], 102..103)).await.unwrap();
    let awaited = |seq| store.ask(|reader| reader.awaited_by(seq)).unwrap();
    assert_eq!(awaited(102), [Text::from("b")]);
    assert!(awaited(101).is_empty());
}

#[tokio::test]
async fn the_newest_of_a_site_come_oldest_first_and_those_of_others_do_not() {
    let (_rig, store) = filled().await;
    let stretch = |from, to| Stretch {
        from: at(from),
        to,
        kind: None,
    };
    let recent = |site: &str, from| seqs(&store.recent("work", site, &stretch(from, None), 10));
    assert_eq!(recent("x7", 0), [101]);
    assert!(recent("Büro", 0).is_empty(), "by its short name only");
    assert!(recent("*", 0).is_empty());
    assert!(recent("x7", 201).is_empty());
    let home = |stretch: Stretch, max| seqs(&store.recent("home", "default", &stretch, max));
    assert_eq!(home(stretch(98, None), 2), [99, 100]);
    assert_eq!(home(stretch(97, Some(at(99))), 10), [97, 98, 99]);
    let of_kind = |kind| Stretch {
        kind: Some(kind),
        ..stretch(97, Some(at(99)))
    };
    let [first, ..] = &*store.recent("home", "default", &stretch(97, None), 10) else {
        panic!("nothing is there");
    };
    assert_eq!(home(of_kind(first.kind), 2), [98, 99]);
    assert!(home(of_kind(Kind::WAN_UP), 10).is_empty());
}

/// A client that roams between two access points.
fn roam(seq: u64, from: &str, to: &str) -> BufferedEvent {
    let access_point = |name: &str| {
        let last = name.bytes().last().unwrap();
        Device {
            mac: Some(Mac::new([1, 2, 3, 4, 5, last])),
            name: Some(name.into()),
            ..Device::default()
        }
    };
    let place = |name| {
        Some(Place {
            device: Some(access_point(name)),
            ..Place::default()
        })
    };
    let mut event = Event::new(Kind::CLIENT_ROAMED, seq.to_string(), at(1));
    event.device = Some(access_point(to));
    (event.from, event.to) = (place(from), place(to));
    BufferedEvent {
        seq,
        event: Arc::new(event),
    }
}

#[tokio::test]
async fn a_roam_is_about_both_of_its_devices() {
    let rig = Rig::new(10);
    let store = rig.open();
    let mut commit = to(&[], 1..2);
    commit.events.push(roam(2, "ap-A", "ap-B"));
    commit.events.push(roam(3, "ap-B", "ap-C"));
    let mut bare = Event::clone(&roam(4, "ap-D", "ap-A"));
    bare.device = None;
    commit.events.push(BufferedEvent {
        seq: 4,
        event: Arc::new(bare),
    });
    store.commit(commit).await.unwrap();
    drop(store);
    let all_are_found = |reader: &Reader| {
        for (device, expected) in [
            ("ap-a", vec![4, 2]),
            ("AP-B", vec![3, 2]),
            ("ap-c", vec![3]),
            ("ap-*", vec![4, 3, 2]),
            ("01:02:03:04:05:42", vec![3, 2]),
            ("01:02:03:04:05:44", vec![4]),
            ("01:*:41", vec![4, 2]),
            ("ap-e", vec![]),
        ] {
            let query = JournalQuery {
                device: Some(device.to_owned()),
                ..JournalQuery::default()
            };
            let found = reader.find(&query, 500).unwrap();
            let found: Vec<_> = found.into_iter().map(|found| found.event).collect();
            assert_eq!(seqs(&found), expected, "{device}");
        }
    };
    all_are_found(&Reader::open(&rig.plan.dir).unwrap());

    // A store of the first version, which knew none of this; as it is, and as a new herald goes on with it.
    let connection = rusqlite::Connection::open(rig.plan.dir.join("herald.db")).unwrap();
    connection
        .execute_batch(
            "DELETE FROM search WHERE seq = 4;
             ALTER TABLE search DROP COLUMN from_mac; ALTER TABLE search DROP COLUMN from_name;
             ALTER TABLE search DROP COLUMN to_mac; ALTER TABLE search DROP COLUMN to_name;
             ALTER TABLE versions DROP COLUMN attempts; ALTER TABLE versions DROP COLUMN retried;
             DROP TABLE omitted;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(connection);
    let from_b = |reader: &Reader| {
        let query = JournalQuery {
            device: Some("ap-B".to_owned()),
            ..JournalQuery::default()
        };
        reader.find(&query, 500).unwrap().len()
    };
    assert_eq!(from_b(&Reader::open(&rig.plan.dir).unwrap()), 2);
    let store = rig.open();
    let mut commit = to(&[], 5..6);
    commit.events.push(roam(6, "ap-B", "ap-C"));
    store.commit(commit).await.unwrap();
    assert_eq!(store.read(from_b).unwrap(), 3);
}
