//! Reading events.

use super::*;

#[test]
fn every_field_is_read_by_its_json_name() {
    let event = roam();
    for expression in [
        r#"event.v == 1 && event.id == "5ee9f7ca""#,
        r#"event.time == "2026-06-05T21:29:58.440Z" && event.time_ms == 1780694998440"#,
        r#"event.received == "2026-06-05T21:30:00.000Z" && event.received_ms == now()"#,
        r#"event.time < event.received"#,
        r#"event.controller == "home" && event.site == "default" && event.site_name == "Home""#,
        r#"event.origin == "stream" && event.kind == "client.roamed" && event.key == "EVT_WU_Roam""#,
        r#"event.category == "client" && event.severity == "info" && event.level == 1"#,
        r#"event.summary.starts_with("Anna")"#,
        r#"event.client.mac == "02:00:00:00:00:01" && event.client.name == "Anna's iPhone""#,
        r#"event.client.hostname == "iphone" && event.client.random_mac && !event.client.guest && !event.client.wired"#,
        r#"event.device.name == "Kitchen" && event.device.model == "U6-Lite" && event.device.type == "ap""#,
        r#"event.device.uplink.name == "SW-Core" && event.device.uplink.port == 7"#,
        r#"event.from.channel == 36 && event.from.band == "5" && event.from.device.name == "Attic""#,
        r#"event.to.channel > 36 && event.to.device.mac == "02:00:00:00:00:03""#,
        r#"event.ssid == "Home""#,
        r#"event["kind"] == "client.roamed" && event["client"]["name"] == "Anna's iPhone""#,
        r#"event.to.device == event.to.device && event.to.device != event.from.device"#,
    ] {
        assert!(passes(expression, &event), "{expression}");
    }
}

#[test]
fn every_subject_is_read_by_its_json_names() {
    let json = r#"{"id":"1","time":"2026-06-05T21:30:00.000Z","kind":"threat.detected",
        "client":{"ip":"192.0.2.17"},
        "port":{"number":5,"name":"Desk"},"wan":{"name":"WAN2","interface":"eth8","isp":"Acme"},
        "network":{"name":"IoT","vlan":30},"admin":{"name":"anna","ip":"192.0.2.1"},
        "threat":{"signature":"ET","category":"Trojan","action":"blocked","direction":"incoming"},
        "src":{"ip":"203.0.113.9","port":4444,"mac":"aa:bb:cc:00:00:01","name":"Cam"},
        "dst":{"ip":"192.0.2.5","port":22,"mac":"aa:bb:cc:00:00:02","name":"NAS"},
        "alert":{"id":"i","name":"ap_down","key":"k","state":"firing","severity":"critical","count":2,
            "since":"2026-06-05T21:00:00.000Z","duration_s":1800,"title":"T","body":"B","events":["a","b"]},
        "digest":{"name":"daily","counts":{"device.offline":2},"top":[{"what":"client","name":"Cam","count":9}]},
        "vpn":{"name":"bob","type":"wireguard","ip":"198.51.100.1"},"voucher":{"code":"12345","count":3},
        "reason":"because","fields":{"a":{"b":[1,2.5,"x",null,true]}},"raw_truncated":true}"#;
    let buffered: unifi_herald_plugin::BufferedEvent = serde_json::from_str(json).unwrap();
    for expression in [
        r#"event.client.ip == "192.0.2.17""#,
        r#"event.port.number == 5 && event.port.name == "Desk""#,
        r#"event.wan.name == "WAN2" && event.wan.interface == "eth8" && event.wan.isp == "Acme""#,
        r#"event.network.name == "IoT" && event.network.vlan == 30"#,
        r#"event.admin.name == "anna" && event.admin.ip == "192.0.2.1""#,
        r#"event.threat.signature == "ET" && event.threat.category == "Trojan""#,
        r#"event.threat.action == "blocked" && event.threat.direction == "incoming""#,
        r#"event.src.ip == "203.0.113.9" && event.src.port == 4444 && event.src.name == "Cam""#,
        r#"event.dst.ip == "192.0.2.5" && event.dst.port == 22 && event.dst.mac == "aa:bb:cc:00:00:02""#,
        r#"event.vpn.name == "bob" && event.vpn.type == "wireguard" && event.vpn.ip == "198.51.100.1""#,
        r#"event.voucher.code == "12345" && event.voucher.count == 3"#,
        r#"event.alert.name == "ap_down" && event.alert.state == "firing" && event.alert.severity == "critical""#,
        r#"event.alert.count == 2 && event.alert.duration_s == 1800 && event.alert.until == () && event.alert.events[1] == "b""#,
        r#"event.alert.since == "2026-06-05T21:00:00.000Z" && event.alert.title + event.alert.body == "TB""#,
        r#"event.digest.name == "daily" && event.digest.counts["device.offline"] == 2 && event.digest.top[0].count == 9"#,
        r#"event.reason == "because" && event.raw_truncated && event.raw == ()"#,
        r#"event.fields.a.b[1] == 2.5 && event.fields.a.b.len() == 5 && event.fields.a.b[3] == ()"#,
        r#""a" in event.fields && !("b" in event.fields) && event.fields.keys() == ["a"] && event.fields.len() == 1"#,
    ] {
        assert!(passes(expression, &buffered.event), "{expression}");
    }
}

#[test]
fn a_gap_has_moments_for_ends() {
    let mut event = bare();
    event.gap = Some(Box::new(unifi_herald_plugin::Gap {
        from: NOW,
        to: NOW,
        count: Some(3),
    }));
    assert!(passes(
        r#"event.from == "2026-06-05T21:30:00.000Z" && event.from == event.to && event.count == 3"#,
        &event
    ));
    assert!(passes("event.count == ()", &bare()));
}

/// The names above are those of the event's JSON: nothing that is written cannot be read.
#[test]
fn nothing_in_the_json_is_left_out() {
    let event = Arc::new(roam());
    let json = serde_json::to_value(&*event).unwrap();
    for (key, value) in json.as_object().unwrap() {
        let mut script = engine()
            .compile_where(&format!("event.{key} != ()"))
            .unwrap();
        assert_eq!(
            script.run(&event, &cx()),
            Ok(Outcome::Keep(Arc::clone(&event))),
            "{key}"
        );
        let Some(object) = value.as_object().filter(|_| key != "raw") else {
            continue;
        };
        for inner in object.keys() {
            let mut script = engine()
                .compile_where(&format!("event.{key}.{inner} != ()"))
                .unwrap();
            assert_eq!(
                script.run(&event, &cx()),
                Ok(Outcome::Keep(Arc::clone(&event))),
                "{key}.{inner}"
            );
        }
    }
}

#[test]
fn raw_is_read_in_place() {
    let event = roam();
    for expression in [
        r#"event.raw.key == "EVT_WU_Roam" && event.raw.radio == "na" && event.raw.rssi < -70"#,
        r#"event.raw.load == 1.5 && event.raw.flag && event.raw.none == () && event.raw.missing == ()"#,
        r#"event.raw.big > 1.8e19"#,
        r#"event.raw.nested.list[0] == 10 && event.raw.nested.list[1].deep == "x" && event.raw.nested.list[-1] == 30"#,
        r#"event.raw.nested.list[3] == () && event.raw.nested.list[-4] == () && event.raw.nested.list.len() == 3"#,
        r#"event.raw.nested.keys() == ["list", "empty"] && event.raw.nested.empty.len() == 0"#,
        r#"event.raw["rssi"] == -71 && "radio" in event.raw"#,
        r#"event.raw.nested.missing.deeper == ()"#,
    ] {
        assert!(passes(expression, &event), "{expression}");
    }
    let mut sum = event.clone();
    sum.raw = Raw::parse(r#"{"list":[1,2,39]}"#).ok();
    let text = "fn filter(event) { let sum = 0; for x in event.raw.list { sum += x; } sum == 42 }";
    assert!(matches!(run(text, &sum), Ok(Outcome::Keep(_))));
}

#[test]
fn an_absent_field_is_unit_at_any_depth_and_comparing_it_is_false() {
    let event = bare();
    for absent in [
        "event.to",
        "event.to.channel",
        "event.client.name.len.anything",
        "event.fields.a.b.c",
        "event.raw.radio",
        "event.raw.a[0].b",
        "event.no_such_field.at_all",
        r#"event["x"]["y"]"#,
    ] {
        for (template, expected) in [
            ("@ == ()", true),
            ("@ != ()", false),
            ("@ == 36", false),
            ("@ == \"x\"", false),
            ("@ == true", false),
            ("@ == 1.5", false),
            ("@ > 36", false),
            ("@ < 36", false),
            ("@ >= 36", false),
            ("@ <= 36", false),
            ("36 < @", false),
            ("36 > @", false),
            ("36 == @", false),
            ("@ < \"x\"", false),
            ("\"x\" < @", false),
            ("@ > 1.5", false),
            ("1.5 >= @", false),
            ("@ != 36", true),
            ("!@", true),
            ("@.contains(\"lab\")", false),
            ("!@.contains(\"lab\")", true),
            ("@.starts_with(\"lab\")", false),
            ("@.ends_with(\"lab\")", false),
            ("@.to_lower() == \"lab\"", false),
            ("\"lab\" in @", false),
            ("@.len() > 0", false),
            ("matches(@, \"lab\")", false),
            ("glob(@, \"*\")", false),
            ("is_private_mac(@)", false),
            ("@ in [1, 2]", false),
            ("@ ?? 36 == 36", true),
            ("@", false),
        ] {
            let expression = template.replace('@', absent);
            assert_eq!(passes(&expression, &event), expected, "{expression}");
        }
    }
}

#[test]
fn the_event_in_a_text_is_its_summary() {
    assert_eq!(
        &*changed(r#"event.summary = `${event}!`"#, &roam()).summary,
        "Anna's iPhone roamed from Attic to Kitchen!"
    );
    assert_eq!(
        &*changed(
            r#"event.summary = `${event.to.channel} ${event.port} ${event.wan.name}`"#,
            &roam()
        )
        .summary,
        "44  "
    );
}

#[test]
fn no_field_has_a_name_that_cannot_be_written() {
    for name in names::Property::ALL {
        assert!(passes(
            &format!("event?.{0} == event.{0}", name.as_str()),
            &bare()
        ));
    }
    // Elsewhere the word is the language's.
    let text = "fn filter(event) { let n = 0; do { n += 1; } until n > 2; n == 3 }";
    assert!(matches!(run(text, &roam()), Ok(Outcome::Keep(_))));
    assert!(engine().compile_where("until == 1").is_err());
}

#[test]
fn params_are_read_in_every_function_and_cannot_be_changed() {
    let params: toml::Table =
        toml::from_str("limit = 8\nwindow = \"10m\"\nnames = [\"a\", \"b\"]\n[more]\ndeep = true")
            .unwrap();
    for expression in [
        "deepest(8)",
        "middle(8)",
        "params.more.deep",
        "\"b\" in params.names && params.names.len() == 2",
        "params.window == \"10m\"",
        "params.missing == () && params.missing.deeper == ()",
        "params[\"limit\"] == 8",
        "\"limit\" in params && !(\"missing\" in params)",
        "params.keys() == [\"limit\", \"more\", \"names\", \"window\"]",
    ] {
        let text = format!(
            "fn deepest(x) {{ x == params.limit && params.more.deep }}
             fn middle(x) {{ deepest(x) && [8].all(|y| y == params.limit) }}
             fn filter(event) {{ {expression} }}"
        );
        let mut script = engine().compile_text("test", &text, &params).unwrap();
        assert!(
            matches!(script.run(&Arc::new(bare()), &cx()), Ok(Outcome::Keep(_))),
            "{expression}"
        );
    }
    for body in [
        "params.limit = 9",
        "params.other = 9",
        "params.names.push(\"c\")",
    ] {
        let script = engine().compile_text(
            "test",
            &format!("fn filter(event) {{ {body}; true }}"),
            &params,
        );
        let refused = match script {
            Err(error) => error.message,
            Ok(mut script) => script.run(&Arc::new(bare()), &cx()).unwrap_err().message,
        };
        assert!(
            refused.contains("param") || refused.contains("constant"),
            "{body}: {refused}"
        );
    }
}

#[test]
fn functions_of_the_host() {
    let event = roam();
    for (expression, expected) in [
        (r#"matches(event.client.name, "^Anna.*Phone$")"#, true),
        (r#"event.client.name.matches("(?i)IPHONE")"#, true),
        (r#"matches(event.client.name, "^iPhone")"#, false),
        (r#"glob(event.device.name, "kit*")"#, true),
        (r#"glob(event.device.name, "kit?")"#, false),
        (r#"is_private_mac(event.client.mac)"#, true),
        (
            r#"is_private_mac("00:11:22:33:44:55") || is_private_mac("nonsense")"#,
            false,
        ),
        (r#"in_hours("22:00-07:00")"#, true),
        (r#"in_hours("Mon-Fri 08:00-18:00")"#, false),
        (r#"now() == 1780695000000"#, true),
        (
            r#"event.kind in ["client.roamed", "client.connected"]"#,
            true,
        ),
        (
            r#"event.summary.len() > 3 && event.client.name.to_upper() == "ANNA'S IPHONE""#,
            true,
        ),
    ] {
        assert_eq!(passes(expression, &event), expected, "{expression}");
    }
    let error = wrong("in_hours(\"22-07\")", &event);
    assert_eq!(
        error.message,
        "`22-07` is not a time such as \"22:00-07:00\" or \"Mon-Fri 08:00-18:00\""
    );
    assert_eq!((error.line, error.column), (Some(1), Some(20)));
}
