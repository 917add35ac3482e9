//! Changing events.

use super::*;
use serde_json::json;

#[test]
fn an_unchanged_event_is_the_very_same() {
    let event = Arc::new(roam());
    for body in [
        "true",
        "event",
        "event.client.name.contains(\"x\"); event.raw.nested.list.len(); event.fields.keys(); true",
        "event.summary.split(\" \"); event.severity = \"info\"; event.raw.nested.list.len(); true",
        "event.fields.x.len(); true",
    ] {
        match run_with(&engine(), &format!("fn filter(event) {{ {body} }}"), &event) {
            Ok(Outcome::Keep(kept)) => assert!(Arc::ptr_eq(&kept, &event), "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn a_change_leaves_the_original_alone() {
    let event = Arc::new(roam());
    let outcome = run_with(
        &engine(),
        "fn filter(event) { event.summary = \"new\"; event.fields.a = 1; true }",
        &event,
    );
    let Ok(Outcome::Keep(kept)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(&*kept.summary, "new");
    assert_eq!(*event, roam());
    // Dropping or failing afterwards changes nothing either.
    run_with(
        &engine(),
        "fn filter(event) { event.summary = \"new\"; throw \"no\" }",
        &event,
    )
    .unwrap_err();
    assert_eq!(*event, roam());
}

#[test]
fn summary_severity_and_fields_can_be_set() {
    let event = changed(
        r#"event.summary += " again";
           event.severity = "critical";
           event.fields.count = 3;
           event.fields.ratio = 0.5;
           event.fields["odd name"] = 'c';
           event.fields.tags = ["a", #{ deep: true }];
           event.fields.who = event.client.name;
           event.fields.gone = 1;
           event.fields.gone = ();
           event.fields.count += 1;
           event.fields.kind = "mine";
           event.fields.radio = event.raw.nested;
           event.fields.place = event.to"#,
        &roam(),
    );
    assert_eq!(
        &*event.summary,
        "Anna's iPhone roamed from Attic to Kitchen again"
    );
    assert_eq!(event.severity.as_str(), "critical");
    assert_eq!(
        serde_json::Value::Object(event.fields),
        json!({"count": 4, "ratio": 0.5, "odd name": "c", "tags": ["a", {"deep": true}], "who": "Anna's iPhone", "kind": "mine",
            "radio": {"list": [10, {"deep": "x"}, 30], "empty": {}},
            "place": {"device": {"mac": "02:00:00:00:00:03", "name": "Kitchen"}, "channel": 44, "band": "5"}})
    );
}

#[test]
fn nested_fields_come_into_being() {
    for (body, expected) in [
        ("event.fields.a.b = 2", json!({"a": {"b": 2}})),
        (
            "event.fields.a.b.c.d = 2",
            json!({"a": {"b": {"c": {"d": 2}}}}),
        ),
        (
            "event.fields.client.name = 2",
            json!({"client": {"name": 2}}),
        ),
        (
            "event.fields.a = #{ b: 1 }; event.fields.a.c = 2; event.fields.a.b = 3",
            json!({"a": {"b": 3, "c": 2}}),
        ),
        (
            "event.fields.a = [1, 2]; event.fields.a[1] = 5; event.fields.a.push(6)",
            json!({"a": [1, 5, 6]}),
        ),
        (
            "event.fields = #{ x: 1 }; event.fields.y = 2",
            json!({"x": 1, "y": 2}),
        ),
        ("event.fields.x = 1; event.fields = ()", json!({})),
        ("let f = event.fields; f.x = 1", json!({"x": 1})),
    ] {
        assert_eq!(
            serde_json::Value::Object(changed(body, &bare()).fields),
            expected,
            "{body}"
        );
    }
}

#[test]
fn what_a_function_changes_its_caller_sees() {
    let text = "fn tag(e) { e.fields.tagged = true; e.severity = \"error\" } fn filter(event) { tag(event); true }";
    let Ok(Outcome::Keep(event)) = run(text, &bare()) else {
        panic!()
    };
    assert_eq!(
        serde_json::Value::Object(event.fields.clone()),
        json!({"tagged": true})
    );
    assert_eq!(event.severity.as_str(), "error");
}

#[test]
fn anything_else_is_refused() {
    let only = "cannot be changed: a script may set `event.summary`, `event.severity` and what is under `event.fields`";
    for (body, message) in [
        ("event.kind = \"wan.up\"", format!("`kind` {only}")),
        ("event.id = \"2\"", format!("`id` {only}")),
        ("event.client.name = \"x\"", format!("`name` {only}")),
        ("event.to.device.name = \"x\"", format!("`name` {only}")),
        ("event.client = #{}", format!("`client` {only}")),
        ("event.client = ()", format!("`client` {only}")),
        ("event.vpn.name = \"x\"", format!("`vpn` {only}")),
        ("event.vpn.name.first = \"x\"", format!("`vpn` {only}")),
        ("event.raw.rssi = 1", format!("`rssi` {only}")),
        ("event.raw = ()", format!("`raw` {only}")),
        ("event.nonsense = 1", format!("`nonsense` {only}")),
        ("event[\"kind\"] = \"wan.up\"", format!("`kind` {only}")),
        (
            "event.client.name.trim(); event.client.name.make_upper()",
            format!("`name` {only}"),
        ),
        (
            "event.summary = 1",
            "`event.summary` must be text".to_owned(),
        ),
        (
            "event.severity = 3",
            "`event.severity` must be text".to_owned(),
        ),
        (
            "event.severity = \"bad\"",
            "`bad` is not a severity (debug, info, notice, warning, error, critical)".to_owned(),
        ),
        (
            "event.fields = 1",
            "`event.fields` must be a map".to_owned(),
        ),
        (
            "event.fields.f = |x| x",
            "Fn has no form in JSON".to_owned(),
        ),
        (
            "event.fields.f = 0.0 / 0.0",
            "NaN has no form in JSON".to_owned(),
        ),
    ] {
        let error = wrong(body, &roam());
        assert_eq!(
            (error.kind, error.message),
            (RunErrorKind::Script, message),
            "{body}"
        );
        assert_eq!(error.line, Some(1), "{body}");
    }
}

#[test]
fn fields_are_bounded_in_size_and_depth() {
    let error = wrong(
        "let x = \"\"; x.pad(60000, 'x'); event.fields.a = x; event.fields.b = x",
        &bare(),
    );
    assert_eq!(error.kind, RunErrorKind::Size);
    assert_eq!(error.message, "`event.fields` may have 65536 bytes as JSON");
    let error = wrong(
        "let x = 1; for i in 0..20 { x = [x] } event.fields.a = x",
        &bare(),
    );
    assert_eq!(error.message, "the value nests deeper than 16");
    // As much as fits, whatever was there before.
    let event = changed(
        "let x = \"\"; x.pad(60000, 'x'); event.fields.a = x; event.fields.a = \"y\" + x",
        &bare(),
    );
    assert_eq!(event.fields["a"].as_str().unwrap().len(), 60001);
}

#[test]
fn redaction_takes_fields_raw_and_summary() {
    let event = changed(
        r#"event.redact("client.name", "client.hostname"); event.redact(["from", "client.mac"])"#,
        &roam(),
    );
    let client = event.client.unwrap();
    assert_eq!(
        (client.name, client.hostname, client.mac),
        (None, None, None)
    );
    assert_eq!(event.from, None);
    assert_eq!(event.raw, None);
    assert_eq!(
        &*event.summary,
        "[redacted] roamed from [redacted] to Kitchen"
    );
    let error = wrong(r#"event.redact("client.nmae")"#, &roam());
    assert_eq!(
        error.message,
        "`client.nmae` is not a field that can be redacted"
    );
    let error = wrong(r#"event.client.redact("name")"#, &roam());
    assert_eq!(
        error.message,
        "`redact` belongs to the event, not to a part of it"
    );
    assert_eq!(
        wrong("event.redact([1])", &roam()).message,
        "`redact` takes names of fields, such as \"client.name\""
    );
    // A part of `raw` that a variable still holds is gone as well.
    assert!(matches!(
        run(
            "fn filter(event) { let n = event.raw.nested; event.redact(\"raw\"); n.list == () }",
            &roam()
        ),
        Ok(Outcome::Keep(_))
    ));
}
