//! Scripts as steps: errors, bypass, counts.

use super::*;
use crate::config::OnError;
use std::sync::OnceLock;
use std::time::Duration;
use tracing::Dispatch;

fn step(text: &str, on_error: OnError) -> ScriptStep {
    ScriptStep::new(
        engine()
            .compile_text("test", text, &toml::Table::new())
            .unwrap(),
        on_error,
    )
}

#[test]
fn an_error_does_what_the_configuration_says_with_the_unchanged_event() {
    let text = "fn filter(event) { event.summary = \"x\"; throw \"no\" }";
    let event = Arc::new(bare());
    match step(text, OnError::Keep).apply(&event, &cx()) {
        StepOutcome::Keep(kept) => assert!(Arc::ptr_eq(&kept, &event)),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        step(text, OnError::Drop).apply(&event, &cx()),
        StepOutcome::Drop
    );
    let mut step = step(text, OnError::DeadLetter);
    let reason = "script `test`: expression:1:41: no".to_owned();
    assert_eq!(step.apply(&event, &cx()), StepOutcome::DeadLetter(reason));
    assert_eq!(
        step.counts(),
        ScriptCounts {
            runs: 1,
            errors: 1,
            bypassed: 0
        }
    );
}

#[test]
fn results_pass_through() {
    let event = Arc::new(bare());
    assert_eq!(
        step("fn filter(event) { true }", OnError::Drop).apply(&event, &cx()),
        StepOutcome::Keep(Arc::clone(&event))
    );
    assert_eq!(
        step("fn filter(event) { false }", OnError::Keep).apply(&event, &cx()),
        StepOutcome::Drop
    );
    let outcome = step(
        "fn filter(event) { [event, event.derive()] }",
        OnError::Keep,
    )
    .apply(&event, &cx());
    assert!(matches!(outcome, StepOutcome::Many(events) if events.len() == 2));
}

#[test]
fn a_script_that_keeps_hitting_a_limit_is_bypassed_and_tried_again() {
    let mut step = step(
        "fn filter(event) { if event.level == 5 { loop {} } false }",
        OnError::Keep,
    );
    let (bad, mut good) = (Arc::new(bare()), bare());
    good.severity = unifi_herald_plugin::Severity::Info;
    let good = Arc::new(good);
    let start = cx();
    for _ in 0..LIMITS_IN_A_ROW {
        assert_eq!(step.health(), None);
        assert_eq!(
            step.apply(&bad, &start),
            StepOutcome::Keep(Arc::clone(&bad))
        );
    }
    assert_eq!(step.health().unwrap().error.kind, RunErrorKind::Operations);
    let watch = step.watch();
    assert_eq!(watch.trouble().as_ref(), step.health());
    // Bypassed: even an event it would drop passes.
    assert_eq!(
        step.apply(&good, &start),
        StepOutcome::Keep(Arc::clone(&good))
    );
    assert_eq!(
        step.counts(),
        ScriptCounts {
            runs: 20,
            errors: 20,
            bypassed: 1
        }
    );
    // Tried again, in vain, then with success.
    let later = RunContext {
        instant: start.instant + REST,
        ..start
    };
    step.apply(&bad, &later);
    assert_eq!(
        step.counts(),
        ScriptCounts {
            runs: 21,
            errors: 21,
            bypassed: 1
        }
    );
    assert_eq!(
        step.apply(&good, &later),
        StepOutcome::Keep(Arc::clone(&good))
    );
    let later = RunContext {
        instant: later.instant + REST,
        ..start
    };
    assert_eq!(step.apply(&good, &later), StepOutcome::Drop);
    assert_eq!(step.health(), None);
    assert_eq!(watch.trouble(), None);
}

#[test]
fn ordinary_errors_bypass_nothing() {
    let mut step = step("fn filter(event) { throw 1 }", OnError::Drop);
    let event = Arc::new(bare());
    for _ in 0..3 * LIMITS_IN_A_ROW {
        assert_eq!(step.apply(&event, &cx()), StepOutcome::Drop);
    }
    assert_eq!(step.health(), None);
    assert_eq!(step.counts().bypassed, 0);
}

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// While there is one subscriber only, a place in the code that logs asks but that of the thread which comes to it first,
/// for all threads and for good; so there is always another one.
fn never_alone() {
    static OTHER: OnceLock<Dispatch> = OnceLock::new();
    let other = || tracing_subscriber::fmt().with_writer(std::io::sink);
    OTHER.get_or_init(|| Dispatch::new(other().finish()));
}

fn logged(body: impl FnOnce()) -> Vec<String> {
    never_alone();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    tracing::subscriber::with_default(subscriber, body);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn errors_are_logged_once_a_minute() {
    let lines = logged(|| {
        let mut step = step("fn filter(event) { throw \"no\" }", OnError::Drop);
        let event = Arc::new(bare());
        let start = cx();
        for seconds in [0, 1, 59, 60, 61] {
            step.apply(
                &event,
                &RunContext {
                    instant: start.instant + Duration::from_secs(seconds),
                    ..start
                },
            );
        }
    });
    assert_eq!(
        lines,
        [
            "WARN script failed script=\"test\" error=expression:1:20: no unlogged=0",
            "WARN script failed script=\"test\" error=expression:1:20: no unlogged=2",
        ]
    );
}

#[test]
fn what_a_script_logs_is_bounded_and_clean() {
    let lines = logged(|| {
        let text = r#"fn filter(event) { log("a\nb"); print(1); debug("c"); log(event.to.channel); for i in 0..99 { log("more") } true }"#;
        step(text, OnError::Drop).apply(&Arc::new(roam()), &cx());
    });
    assert_eq!(
        &lines[..4],
        [
            "INFO script wrote script=\"test\" text=\"a b\" suppressed=0",
            "INFO script wrote script=\"test\" text=\"1\" suppressed=0",
            "INFO script wrote script=\"test\" text=\"\\\"c\\\"\" suppressed=0",
            "INFO script wrote script=\"test\" text=\"44\" suppressed=0",
        ]
    );
    assert_eq!(lines.len(), 20);
}

/// One script for each limit.
const AT_ITS_LIMIT: [&str; 7] = [
    "loop {}",
    "filter(event)",
    "let x = \"x\"; loop { x += x; }",
    "let x = []; loop { x.push(1); }",
    "let x = #{}; for i in 0..600 { x.set(`k${i}`, i); } true",
    "matches(event.summary, \"(\\\\w{1,1000}){1000}\")",
    "for i in 0..2000 { set(i, i) } true",
];

#[test]
fn every_limit_follows_the_configuration_and_degrades_the_script() {
    for body in AT_ITS_LIMIT {
        for on_error in [OnError::Keep, OnError::Drop, OnError::DeadLetter] {
            let mut step = step(&format!("fn filter(event) {{\n{body} }}"), on_error);
            let event = Arc::new(roam());
            for _ in 0..=LIMITS_IN_A_ROW {
                match (on_error, step.apply(&event, &cx())) {
                    (OnError::Keep, StepOutcome::Keep(kept)) => assert!(Arc::ptr_eq(&kept, &event)),
                    (OnError::Drop, StepOutcome::Drop) => {}
                    (OnError::DeadLetter, StepOutcome::DeadLetter(reason)) => {
                        assert!(reason.starts_with("script `test`: "), "{reason}");
                    }
                    (_, outcome) => panic!("{body}: {outcome:?}"),
                }
            }
            let trouble = step
                .health()
                .unwrap_or_else(|| panic!("{body} is not degraded"));
            assert!(trouble.error.kind.is_limit(), "{body}: {trouble:?}");
            assert!(trouble.error.line.is_some() && trouble.error.column.is_some());
            assert_eq!(step.counts().bypassed, 1);
        }
    }
}
