//! From frame to line: single events at a steady rate, each timed from just before it is sent until its line is seen in
//! the file.

use crate::case::{Case, options, simulator};
use crate::process::{Herald, wait, wait_until};
use notify::{RecursiveMode, Watcher};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use unifi_herald::clock::Clock;
use unifi_herald::demo::Simulator;

const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(6);
/// Without a line for this long, none is to come.
const SETTLED: Duration = Duration::from_secs(2);
/// Events are sent together when they are due within this.
const TICK: Duration = Duration::from_millis(1);
/// Where the number of an event begins in its id, and where the id does in a line: `{"v":1,"id":"…`.
const ID_IN_LINE: usize = 13;
/// Different events; what they tell repeats after that.
const KINDS: usize = 256;

pub(crate) fn measure(case: &Case, rate: u64) -> String {
    let simulator = simulator(case.sync_share);
    let folder = tempfile::TempDir::new().unwrap();
    case.write(folder.path(), &simulator, None);
    let herald = Herald::connected(folder.path(), &simulator);
    let clock = Clock::system();
    wait(&clock, WARM_UP);
    let path = folder.path().join("0.jsonl");
    let seen = Arc::new(Mutex::new(Seen::new(&path)));
    let shared = Arc::clone(&seen);
    let mut watcher = notify::recommended_watcher(move |_event| {
        shared.lock().unwrap().look();
    })
    .unwrap();
    watcher
        .watch(folder.path(), RecursiveMode::NonRecursive)
        .unwrap();

    let frames = Frames::new(&simulator);
    let per_tick = rate / 1000;
    let ticks = (WARM_UP + MEASURED).as_millis() as u64;
    let mut sent = Vec::new();
    let (begun, mut cpu) = (clock.now(), (0.0, clock.now()));
    for tick in 0..ticks {
        wait_until(&clock, begun + TICK * u32::try_from(tick).unwrap());
        if tick == WARM_UP.as_millis() as u64 {
            cpu = (herald.cpu(), clock.now());
        }
        for _ in 0..per_tick {
            let frame = frames.numbered(sent.len() as u64);
            sent.push(clock.now());
            simulator.mischief().send_frame(&frames.site, &frame);
        }
    }
    let busy = (herald.cpu() - cpu.0) / clock.now().duration_since(cpu.1).as_secs_f64();
    // The script keeps some; the rest has come when nothing more does.
    let mut came = 0;
    loop {
        wait(&clock, SETTLED);
        seen.lock().unwrap().look();
        let now = seen.lock().unwrap().times.len();
        if now == came {
            break;
        }
        came = now;
    }
    herald.kill();
    simulator.stop();

    let seen = seen.lock().unwrap();
    let all = sent.len();
    assert!(came > all * 9 / 10, "{came} of {all} lines came");
    let warm = (WARM_UP.as_millis() as u64 * per_tick) as usize;
    let mut took: Vec<f64> = seen
        .times
        .iter()
        .filter(|(number, _)| *number >= warm)
        .map(|(number, at)| at.saturating_duration_since(sent[*number]).as_secs_f64() * 1e3)
        .collect();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    format!(
        "| {}, {rate} events/s | {:.2} | {:.2} | {:.1} | {:.0} % |",
        case.name(),
        at(0.5),
        at(0.99),
        at(1.0),
        busy * 100.0
    )
}

/// What was seen in the file so far.
struct Seen {
    path: std::path::PathBuf,
    file: Option<File>,
    rest: Vec<u8>,
    clock: Clock,
    times: Vec<(usize, Instant)>,
}

impl Seen {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            rest: Vec::new(),
            clock: Clock::system(),
            times: Vec::new(),
        }
    }

    fn look(&mut self) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return };
        file.read_to_end(&mut self.rest).unwrap();
        let now = self.clock.now();
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', &self.rest) {
            let id = &self.rest[begin + ID_IN_LINE..begin + ID_IN_LINE + 24];
            begin = end + 1;
            let text = std::str::from_utf8(id).unwrap_or_default();
            // Others are the host's own.
            if let Some(digits) = text.strip_prefix(PREFIX)
                && let Ok(number) = usize::from_str_radix(digits, 16)
            {
                self.times.push((number, now));
            }
        }
        self.rest.drain(..begin);
    }
}

/// The beginning of the ids.
const PREFIX: &str = "0123456789abcdef";

/// Ready frames of one event each, to be given a number.
struct Frames {
    site: String,
    /// What stands before and behind the id.
    parts: Vec<(String, String)>,
}

impl Frames {
    /// What happens in another house like that of `simulator`: the same names, and nothing in this one's history.
    fn new(simulator: &Simulator) -> Self {
        let site = (*simulator.sites().first().unwrap()).to_owned();
        let twin = Simulator::start(options(0.0)).unwrap();
        let mut parts = Vec::new();
        while parts.len() < KINDS {
            let events = twin.emit(&site, KINDS);
            for entry in events.iter().filter(|entry| entry.key.starts_with("EVT_")) {
                let frame = format!(
                    r#"{{"meta":{{"rc":"ok","message":"events"}},"data":[{}]}}"#,
                    entry.raw
                );
                let id = format!(r#""_id":"{}""#, entry.id.as_deref().unwrap_or_default());
                if let Some((before, behind)) = frame.split_once(&id) {
                    parts.push((format!("{before}\"_id\":\""), format!("\"{behind}")));
                }
            }
        }
        twin.stop();
        Self { site, parts }
    }

    fn numbered(&self, number: u64) -> String {
        let (before, behind) = &self.parts[number as usize % self.parts.len()];
        format!("{before}{PREFIX}{number:08x}{behind}")
    }
}
