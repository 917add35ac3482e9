//! What a script costs: conditions, every function, what it remembers, and what a limit stops.

use crate::{NOW, roam};
use divan::{Bencher, counter::ItemsCount};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::config::OnError;
use unifi_herald::script::{
    Engine, EngineOptions, Limits, Memory, MemoryLimits, RunContext, ScriptStep,
};
use unifi_herald_plugin::{Event, Timestamp};

/// The one moment of every run.
fn context() -> RunContext<'static> {
    RunContext {
        now: NOW,
        instant: Clock::system().now(),
        salt: "bench/0",
    }
}

fn engine() -> Engine {
    Engine::new(EngineOptions {
        scripts_dir: None,
        zone: jiff::tz::TimeZone::UTC,
        clock: Clock::system(),
        limits: Limits::default(),
    })
}

pub(crate) fn condition(source: &str) -> ScriptStep {
    ScriptStep::new(engine().compile_where(source).unwrap(), OnError::Drop)
}

#[divan::bench(args = [
    "true",
    r#"event.kind == "client.roamed" && event.to.channel > 36"#,
    r#"event.client.name.contains("iPhone")"#,
    r#"glob(event.device.name, "Kit*")"#,
    r#"matches(event.summary, "roamed from (Attic|Cellar)")"#,
    r#"in_hours("22:00-07:00")"#,
    "is_private_mac(event.client.mac)",
    "now() - 1 > 0",
    "event.raw.channel_to == \"44\"",
])]
fn script(bencher: Bencher, source: &str) {
    let mut step = condition(source);
    let event = roam();
    let context = context();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| step.apply(black_box(&event), &context));
}

/// What a script costs that a limit stops, which twenty events running may meet before it is bypassed: to be under 5 ms.
#[divan::bench(args = [
    "loop {}",
    "loop { event.client.name }",
    "for i in 0..1000000 { `${i}`; } true",
    "let all = [3, 1, 2]; loop { all.sort(); }",
    "let long = \"\"; long.pad(60000, 'x'); loop { long.contains(\"y\"); }",
    "deep(0)",
    "let text = \"x\"; loop { text += text; }",
    "let array = []; loop { array.push(1); }",
    "let map = #{}; for i in 0..1000000 { map[`k${i}`] = i; } true",
    r#"matches(event.summary, "(\\w{1,1000}){1000}")"#,
    r#"for i in 0..1000 { matches("x", `(\\w{1,9}x){${i}}`); } true"#,
])]
fn limit(bencher: Bencher, body: &str) {
    let text = format!("fn deep(n) {{ 1 + deep(n + 1) }} fn filter(event) {{ {body} }}");
    let mut script = engine()
        .compile_text("bench", &text, &toml::Table::new())
        .unwrap();
    let event = roam();
    let context = context();
    bencher.bench_local(|| {
        assert!(
            script
                .run(black_box(&event), &context)
                .unwrap_err()
                .kind
                .is_limit()
        );
    });
}

/// A script in a file, with what stands outside of its functions and without.
#[divan::bench(args = ["", "const LEAST = 36; "])]
fn script_file(bencher: Bencher, outside: &str) {
    let text = format!(
        r#"{outside}fn filter(event) {{ event.kind == "client.roamed" && event.to.channel > 36 }}"#
    );
    let mut script = engine()
        .compile_text("bench", &text, &toml::Table::new())
        .unwrap();
    let event = roam();
    let context = context();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| script.run(black_box(&event), &context));
}

/// What only a script in a file is likely to do.
#[divan::bench(args = [
    "event.fields.room = \"attic\"",
    "event.summary = \"moved\"",
    "event.redact(\"client.name\")",
    "event.derive()",
    "log(\"moved\")",
    "event.to_string()",
])]
fn script_statement(bencher: Bencher, statement: &str) {
    let text = format!("fn filter(event) {{ {statement}; true }}");
    let mut script = engine()
        .compile_text("bench", &text, &toml::Table::new())
        .unwrap();
    let event = roam();
    let context = context();
    assert!(script.run(&event, &context).is_ok());
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| script.run(black_box(&event), &context));
}

/// A script that remembers, over a thousand keys.
#[divan::bench(args = [
    "first_seen(event.client.mac)",
    "count(event.client.mac, \"10m\") > 0",
    "throttle(event.client.mac, \"10m\")",
    "get(event.client.mac) == ()",
    "set(event.client.mac, 1) == ()",
    "set(event.client.mac, 1, \"10m\") == ()",
    "forget(event.client.mac)",
])]
fn remembering(bencher: Bencher, source: &str) {
    let mut step = condition(source);
    let events: Vec<_> = (0..1000_u16).map(client).collect();
    let context = context();
    let mut next = (0..events.len()).cycle();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let event = &events[next.next().unwrap_or_default()];
        step.apply(black_box(event), &context)
    });
}

/// A roam of one of many clients.
fn client(number: u16) -> Arc<Event> {
    let mut event = (*roam()).clone();
    let [high, low] = number.to_be_bytes();
    let client = event.client.as_mut().unwrap();
    client.mac = Some(unifi_herald_plugin::Mac::new([2, 0, 0, 0, high, low]));
    Arc::new(event)
}

/// The memory alone, without a script around it.
#[divan::bench(args = [1, 8, 500])]
fn count_alone(bencher: Bencher, calls_in_window: i64) {
    let mut memory = Memory::new("bench".into(), MemoryLimits::default());
    let window = Duration::from_secs(600);
    let step = 600_000 / calls_in_window;
    let mut now = NOW.as_millis();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        now += step;
        let count = memory.count("02:00:75:04:b4:37", window, Timestamp::from_millis(now));
        memory.end_run(true);
        count
    });
}
