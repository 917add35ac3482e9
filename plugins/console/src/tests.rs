//! The console sink against its contract, and its promises about torn lines and closed pipes.

use super::*;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use unifi_herald_plugin::testing::{
    Behaviour, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{BufferedEvent, Fault, Retry};

/// A terminal that takes a number of bytes and then fails.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    shown: Vec<u8>,
    /// Whole lines it still takes, and then half a line; without end when `None`.
    lines: Option<usize>,
    error: Option<io::ErrorKind>,
    writes: usize,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap();
        state.writes += 1;
        let Some(lines) = state.lines else {
            state.shown.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        let mut ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n');
        let room = match lines.checked_sub(1).map(|last| ends.nth(last)) {
            None => 0,
            Some(None) => bytes.len(),
            Some(Some((end, _))) => (end + 10).min(bytes.len()),
        };
        if room == 0 {
            return Err(state.error.unwrap_or(io::ErrorKind::StorageFull).into());
        }
        state.lines = Some(0);
        state.shown.extend_from_slice(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn console(&self, context: &TestContext) -> Console {
        let screen = self.clone();
        let build = context.build_context("screen", Path::new("."));
        Console::with_output(&build, move |context| {
            Output::new(context, Format::Json, Box::new(screen.clone()))
        })
    }

    fn takes(&self, lines: Option<usize>, error: io::ErrorKind) {
        let mut state = self.0.lock().unwrap();
        state.lines = lines;
        state.error = Some(error);
    }

    fn shown(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().shown.clone()).unwrap()
    }
}

struct World {
    context: TestContext,
    screen: Screen,
    seen: usize,
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(self.screen.console(&self.context))
    }

    fn answer(&mut self, behaviour: Behaviour) {
        let (lines, error) = match behaviour {
            Behaviour::AcceptSome(lines) => (Some(lines), io::ErrorKind::StorageFull),
            Behaviour::Unavailable => (Some(0), io::ErrorKind::StorageFull),
            Behaviour::Refuse => (Some(0), io::ErrorKind::BrokenPipe),
            _ => (None, io::ErrorKind::Other),
        };
        self.screen.takes(lines, error);
    }

    fn arrived(&mut self) -> Vec<String> {
        let shown = self.screen.shown();
        // A line that is still being written is no line yet.
        let whole = shown.rfind('\n').map_or(0, |end| end + 1);
        let new = shown[self.seen.min(whole)..whole].lines().map(|line| {
            serde_json::from_str::<BufferedEvent>(line)
                .map_or_else(|_| line.to_owned(), |event| event.id.to_string())
        });
        let ids = new.collect();
        self.seen = whole;
        ids
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        behaviour != Behaviour::RefuseEvent
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    let mut world = World {
        context: TestContext::new(),
        screen: Screen::default(),
        seen: 0,
    };
    assert_sink_contract(&mut world).await;
}

#[tokio::test]
async fn a_batch_is_one_write_of_event_lines() {
    let screen = Screen::default();
    let mut console = screen.console(&TestContext::new());
    let events = batch(3);
    console.deliver(Batch::new(&events)).await.unwrap();
    let lines: Vec<String> = events.iter().map(|e| e.to_json() + "\n").collect();
    assert_eq!(screen.shown(), lines.concat());
    assert_eq!(screen.0.lock().unwrap().writes, 1);
}

#[tokio::test]
async fn a_torn_line_is_finished_even_when_its_event_does_not_come_again() {
    let screen = Screen::default();
    let mut console = screen.console(&TestContext::new());
    let events = batch(3);
    screen.takes(Some(1), io::ErrorKind::StorageFull);
    let error = console.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!((error.accepted(), error.retry()), (1, Retry::Later));
    assert!(!screen.shown().ends_with('\n'));
    screen.takes(None, io::ErrorKind::Other);
    console.deliver(Batch::new(&events[2..])).await.unwrap();
    let lines: Vec<String> = events.iter().map(|e| e.to_json() + "\n").collect();
    assert_eq!(screen.shown(), lines.concat());
}

#[tokio::test]
async fn a_closed_pipe_parks_the_sink_for_good() {
    let screen = Screen::default();
    let mut console = screen.console(&TestContext::new());
    screen.takes(Some(0), io::ErrorKind::BrokenPipe);
    let error = console.deliver(Batch::new(&batch(3))).await.unwrap_err();
    assert_eq!((error.fault(), error.retry()), (Fault::Gone, Retry::Later));
    assert_eq!(
        error.to_string(),
        "standard output is closed: nobody reads it any more"
    );
}

#[test]
fn options_have_defaults_and_no_strangers() {
    let context = TestContext::new();
    let build = |options| context.build::<Console>(Path::new("."), options);
    assert!(build(serde_json::json!({})).is_ok());
    assert!(build(serde_json::json!({"format": "json", "color": "never", "time": "utc"})).is_ok());
    let error = build(serde_json::json!({"colour": "auto"})).unwrap_err();
    assert!(
        error.message().contains("unknown field `colour`"),
        "{error}"
    );
}
