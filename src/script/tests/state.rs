//! The functions by which a script remembers.

use super::*;
use crate::script::SharedMemory;
use crate::store::StateEntry;
use unifi_herald_plugin::Timestamp;

/// A script and its memory, under a clock that the test sets.
struct Rig {
    script: Script,
    memory: SharedMemory,
    now: Timestamp,
}

fn rig(text: &str) -> Rig {
    let memory = SharedMemory::new("script/test/c".into());
    let mut script = engine()
        .compile_text("test", text, &toml::Table::new())
        .unwrap_or_else(|error| panic!("{error}"));
    script.remember_in(memory.clone());
    Rig {
        script,
        memory,
        now: NOW,
    }
}

/// A filter that notes what `expression` gives.
fn noting(expression: &str) -> Rig {
    rig(&format!(
        "fn filter(event) {{ event.fields.x = {expression}; true }}"
    ))
}

impl Rig {
    fn run(&mut self) -> Result<Outcome, RunError> {
        let context = RunContext {
            now: self.now,
            ..cx()
        };
        self.script.run(&Arc::new(roam()), &context)
    }

    /// What the script notes now; `null` for nothing.
    fn noted(&mut self) -> serde_json::Value {
        match self.run() {
            Ok(Outcome::Keep(event)) => event.fields.get("x").cloned().unwrap_or_default(),
            other => panic!("{other:?}"),
        }
    }

    fn noted_at(&mut self, ms: i64) -> serde_json::Value {
        self.now = Timestamp::from_millis(NOW.as_millis() + ms);
        self.noted()
    }
}

#[test]
fn first_seen_is_true_once_per_key() {
    let mut rig = noting("first_seen(event.client.mac)");
    assert_eq!((rig.noted(), rig.noted()), (true.into(), false.into()));
    let mut rig = noting("[first_seen(7), first_seen(\"7\"), first_seen(8)]");
    assert_eq!(rig.noted(), serde_json::json!([true, false, true]));
}

#[test]
fn count_has_a_sliding_window_that_includes_this_call() {
    let mut rig = noting("count(event.client.mac, \"10s\")");
    for (at, count) in [
        (0, 1),
        (4000, 2),
        (9999, 3),
        (10_000, 3),
        (14_000, 3),
        (60_000, 1),
    ] {
        assert_eq!(rig.noted_at(at), count, "{at}");
    }
    // Of the past: what was before it, and not what came after.
    assert_eq!(rig.noted_at(5000), 3);
}

#[test]
fn throttle_is_true_at_most_once_per_window() {
    let mut rig = noting("throttle(\"x\", \"1m\")");
    for (at, passes) in [(0, true), (59_999, false), (60_000, true), (60_001, false)] {
        assert_eq!(rig.noted_at(at), passes, "{at}");
    }
}

#[test]
fn values_come_back_as_they_were_until_their_time_is_over() {
    for value in [
        "true",
        "7",
        "-1.5",
        "1.0",
        "\"a\\\"b\"",
        "[1, [\"x\"], #{a: 1}]",
        "#{a: #{b: [1.5]}}",
    ] {
        let mut rig = rig(&format!(
            "fn filter(event) {{ let before = get(\"k\"); set(\"k\", {value}); get(\"k\") == {value} && before in [(), {value}] }}"
        ));
        for _ in 0..2 {
            assert!(matches!(rig.run(), Ok(Outcome::Keep(_))), "{value}");
        }
    }
    let mut rig = noting("{ let v = get(\"k\"); if v == () { set(\"k\", 1, \"10s\") } v }");
    for (at, value) in [
        (0, None),
        (9999, Some(1)),
        (10_000, None),
        (10_001, Some(1)),
    ] {
        assert_eq!(
            rig.noted_at(at),
            value.map_or(serde_json::Value::Null, Into::into),
            "{at}"
        );
    }
    let mut rig = noting("{ set(\"k\", 1); set(\"k\", ()); get(\"k\") }");
    assert!(rig.noted().is_null());
}

#[test]
fn forget_forgets_everything_of_a_key() {
    let mut rig = rig(
        "fn filter(event) {
            let fresh = first_seen(\"k\") && count(\"k\", \"1h\") == 1 && throttle(\"k\", \"1h\") && get(\"k\") == ();
            set(\"k\", 1);
            forget(\"k\") && !forget(\"k\") && fresh
        }",
    );
    for _ in 0..2 {
        assert!(matches!(rig.run(), Ok(Outcome::Keep(_))));
    }
    assert!(rig.memory.lock().is_empty());
}

#[test]
fn a_run_that_fails_remembers_nothing() {
    for end in ["throw \"no\"", "()", "loop {}", "[1]"] {
        let mut rig = rig(&format!(
            "fn filter(event) {{ count(\"k\", \"1h\"); set(\"v\", 1); first_seen(\"s\"); {end} }}"
        ));
        rig.run().unwrap_err();
        assert!(rig.memory.lock().is_empty(), "{end}");
        let mut changes = Vec::new();
        rig.memory.lock().take_changes(&mut changes);
        assert_eq!(changes, []);
    }
}

#[test]
fn an_edited_script_finds_what_it_remembered() {
    let mut before = noting("count(\"k\", \"1h\")");
    assert_eq!((before.noted(), before.noted()), (1.into(), 2.into()));
    let mut changes = Vec::new();
    before.memory.lock().take_changes(&mut changes);
    let entries = changes.into_iter().map(|change| match change {
        crate::store::StateChange::Set {
            scope,
            key,
            value,
            expires,
        } => {
            assert_eq!(&*scope, "script/test/c");
            StateEntry {
                key,
                value,
                expires,
            }
        }
        other => panic!("{other:?}"),
    });
    let mut edited = noting("100 + count(\"k\", \"1h\")");
    assert_eq!(edited.memory.lock().load(entries.collect()), 0);
    assert_eq!(edited.noted(), 103);
}

#[test]
fn wrong_arguments_are_told() {
    let spans = "is text such as \"90s\", \"10m\" or \"7d\"";
    for (body, message) in [
        (
            "count(event.vpn.name, \"1m\")",
            "the key is `()`, an absent field: a key is text or a number".to_owned(),
        ),
        (
            "first_seen(true)",
            "a key is text or a number, not bool".to_owned(),
        ),
        ("count(\"k\", 10)", format!("a window {spans}")),
        ("count(\"k\", ())", format!("a window {spans}")),
        ("throttle(\"k\", \"0s\")", format!("a window {spans}")),
        ("set(\"k\", 1, \"soon\")", format!("a time to live {spans}")),
        ("set(\"k\", Fn(\"x\"))", "Fn has no form in JSON".to_owned()),
    ] {
        let error = wrong(body, &roam());
        assert_eq!(
            (error.kind, error.message),
            (RunErrorKind::Script, message),
            "{body}"
        );
        assert_eq!(error.line, Some(1));
    }
    for (body, message) in [
        (
            "let k = \"\"; k.pad(257, 'k'); get(k); first_seen(k)",
            "a key may have 256 bytes",
        ),
        (
            "let v = \"\"; v.pad(4095, 'v'); set(\"k\", v)",
            "a remembered value may have 4096 bytes as JSON",
        ),
        (
            "for i in 0..2000 { set(i, i) }",
            "one run may change what it remembers 1024 times",
        ),
        (
            "for i in 1..20 { count(\"k\", `${i}s`) }",
            "one key may have 8 windows",
        ),
    ] {
        let error = wrong(body, &roam());
        assert_eq!(
            (error.kind, error.message.as_str()),
            (RunErrorKind::Size, message),
            "{body}"
        );
    }
}
