//! The writer on a real disk: full disks, moved files, torn lines, and rotation over restarts.

use super::*;
use crate::archive::{list, tests::read, tidy};
use crate::disk::RealDisk;
use crate::rotation::{Compression, Every, Policy};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::fs;
use std::sync::Mutex;
use std::time::Duration;
use unifi_herald_plugin::testing::{START, TestContext, batch, buffered};
use unifi_herald_plugin::{Fault, Retry, Zone};

/// Does what is next in its script, then what the real disk does.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<VecDeque<Act>>>);

#[derive(Clone, Copy)]
enum Act {
    /// Takes so many bytes of a write.
    Take(usize),
    FailWrite(io::ErrorKind),
    FailTruncate,
    FailSync,
}

impl Script {
    fn next(&self, mine: impl Fn(Act) -> bool) -> Option<Act> {
        let mut acts = self.0.lock().unwrap();
        acts.pop_front_if(|act| mine(*act))
    }

    fn play(&self, acts: &[Act]) {
        self.0.lock().unwrap().extend(acts);
    }
}

impl Disk for Script {
    fn write(&mut self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        match self.next(|act| matches!(act, Act::Take(_) | Act::FailWrite(_))) {
            Some(Act::Take(count)) => RealDisk.write(file, &bytes[..count.min(bytes.len())]),
            Some(Act::FailWrite(kind)) => Err(kind.into()),
            _ => RealDisk.write(file, bytes),
        }
    }

    fn truncate(&mut self, file: &File, len: u64) -> io::Result<()> {
        match self.next(|act| matches!(act, Act::FailTruncate)) {
            Some(_) => Err(io::Error::other("truncate failed")),
            None => RealDisk.truncate(file, len),
        }
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        match self.next(|act| matches!(act, Act::FailSync)) {
            Some(_) => Err(io::Error::other("sync failed")),
            None => RealDisk.sync(file),
        }
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    context: TestContext,
    script: Script,
    rotate: Option<Policy>,
    sync: Sync,
    zone: Zone,
}

impl Fixture {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            context: TestContext::new(),
            script: Script::default(),
            rotate: None,
            sync: Sync::None,
            zone: Zone::utc(),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("events.jsonl")
    }

    fn writer(&self) -> Writer {
        let settings = Settings {
            path: self.path(),
            rotate: self.rotate,
            sync: self.sync,
            mode: 0o640,
        };
        let context = self.context.build_context("archive", Path::new("/"));
        let context = context.in_zone(self.zone.clone());
        Writer::new(
            context,
            settings.into(),
            Box::new(self.script.clone()),
            Arc::default(),
        )
    }

    fn content(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }
}

fn lines(events: &[BufferedEvent]) -> String {
    events.iter().map(|event| event.to_json() + "\n").collect()
}

#[test]
fn a_full_disk_keeps_whole_lines_and_the_rest_follows() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let events = batch(4);
    let two_and_a_half = lines(&events[..2]).len() + 10;
    fixture.script.play(&[
        Act::Take(two_and_a_half),
        Act::FailWrite(io::ErrorKind::StorageFull),
    ]);
    let error = writer.deliver(&events).unwrap_err();
    assert_eq!((error.accepted(), error.retry()), (2, Retry::Later));
    assert_eq!(error.fault(), Fault::Unreachable);
    assert_eq!(fixture.content(), lines(&events[..2]));
    writer.deliver(&events[2..]).unwrap();
    assert_eq!(fixture.content(), lines(&events));
}

#[test]
fn a_torn_line_that_could_not_be_cut_is_cut_before_the_next() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let events = batch(3);
    let one_and_a_half = lines(&events[..1]).len() + 10;
    fixture.script.play(&[
        Act::Take(one_and_a_half),
        Act::FailWrite(io::ErrorKind::StorageFull),
        Act::FailTruncate,
    ]);
    assert_eq!(writer.deliver(&events).unwrap_err().accepted(), 1);
    assert!(!fixture.content().ends_with('\n'));
    fixture.script.play(&[Act::FailTruncate]);
    assert_eq!(writer.deliver(&events[1..]).unwrap_err().accepted(), 0);
    writer.deliver(&events[1..]).unwrap();
    assert_eq!(fixture.content(), lines(&events));
}

#[test]
fn a_torn_line_is_cut_even_when_the_file_is_moved_in_between() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let events = batch(2);
    fixture.script.play(&[
        Act::Take(lines(&events[..1]).len() + 10),
        Act::FailWrite(io::ErrorKind::StorageFull),
        Act::FailTruncate,
    ]);
    writer.deliver(&events).unwrap_err();
    let moved = fixture.folder.path().join("moved");
    fs::rename(fixture.path(), &moved).unwrap();
    writer.deliver(&events[1..]).unwrap();
    assert_eq!(fs::read_to_string(moved).unwrap(), lines(&events[..1]));
    assert_eq!(fixture.content(), lines(&events[1..]));
}

#[test]
fn a_batch_that_did_not_reach_the_disk_is_taken_back_whole() {
    let fixture = Fixture {
        sync: Sync::Batch,
        ..Fixture::new()
    };
    let mut writer = fixture.writer();
    let events = batch(3);
    writer.deliver(&events[..1]).unwrap();
    fixture.script.play(&[Act::FailSync]);
    assert_eq!(writer.deliver(&events[1..]).unwrap_err().accepted(), 0);
    assert_eq!(fixture.content(), lines(&events[..1]));
    writer.deliver(&events[1..]).unwrap();
    assert_eq!(fixture.content(), lines(&events));
}

#[test]
fn what_a_crash_tore_is_removed_and_what_it_did_not_is_kept() {
    let events = batch(2);
    let first = lines(&events[..1]);
    for (before, after) in [
        (first[..first.len() - 20].to_owned(), String::new()),
        (first.trim_end().to_owned(), first.clone()),
        (
            "somebody's notes".to_owned(),
            "somebody's notes\n".to_owned(),
        ),
    ] {
        let fixture = Fixture::new();
        fs::write(fixture.path(), before).unwrap();
        fixture.writer().deliver(&events[1..]).unwrap();
        assert_eq!(fixture.content(), after + &lines(&events[1..]));
    }
}

#[test]
fn a_file_that_was_moved_or_deleted_is_made_anew() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let events = batch(3);
    writer.deliver(&events[..1]).unwrap();
    let moved = fixture.folder.path().join("events.jsonl.1");
    fs::rename(fixture.path(), &moved).unwrap();
    writer.deliver(&events[1..2]).unwrap();
    assert_eq!(fs::read_to_string(moved).unwrap(), lines(&events[..1]));
    assert_eq!(fixture.content(), lines(&events[1..2]));
    fs::remove_file(fixture.path()).unwrap();
    writer.deliver(&events[2..]).unwrap();
    assert_eq!(fixture.content(), lines(&events[2..]));
}

#[test]
fn a_second_writer_waits_until_the_first_lets_go() {
    let fixture = Fixture::new();
    let (mut first, mut second) = (fixture.writer(), fixture.writer());
    let events = batch(2);
    first.deliver(&events[..1]).unwrap();
    let error = second.deliver(&events[1..]).unwrap_err();
    assert_eq!(error.retry(), Retry::Later);
    assert!(
        error
            .to_string()
            .ends_with("another sink or program has locked it"),
        "{error}"
    );
    drop(first);
    second.deliver(&events[1..]).unwrap();
    assert_eq!(fixture.content(), lines(&events));
}

#[test]
fn a_real_full_device_is_waited_for() {
    let mut fixture = Fixture::new();
    std::os::unix::fs::symlink("/dev/full", fixture.path()).unwrap();
    fixture.sync = Sync::Batch;
    let mut writer = fixture.writer();
    for _ in 0..2 {
        let error = writer.deliver(&batch(2)).unwrap_err();
        assert_eq!((error.accepted(), error.retry()), (0, Retry::Later));
        assert!(
            error.to_string().contains("No space left on device"),
            "{error}"
        );
    }
}

#[test]
fn a_new_day_begins_a_new_file_also_after_a_restart() {
    let policy = Policy {
        every: Some(Every::Day),
        ..Policy::default()
    };
    let fixture = Fixture {
        rotate: Some(policy),
        ..Fixture::new()
    };
    let events = batch(3);
    fixture.writer().deliver(&events[..1]).unwrap();
    let yesterday = UNIX_EPOCH + Duration::from_millis(START.as_millis() as u64 - 86_400_000);
    File::options()
        .append(true)
        .open(fixture.path())
        .unwrap()
        .set_modified(yesterday)
        .unwrap();
    let mut writer = fixture.writer();
    writer.deliver(&events[1..2]).unwrap();
    assert_eq!(fixture.content(), lines(&events[1..2]));
    fixture.context.advance(Duration::from_secs(86_400));
    writer.deliver(&events[2..]).unwrap();
    assert_eq!(fixture.content(), lines(&events[2..]));
    let aside = |number| {
        fixture
            .folder
            .path()
            .join(format!("events.jsonl.00000{number}"))
    };
    assert_eq!(fs::read_to_string(aside(1)).unwrap(), lines(&events[..1]));
    assert_eq!(fs::read_to_string(aside(2)).unwrap(), lines(&events[1..2]));
}

#[test]
fn the_day_is_that_of_the_zone() {
    let policy = Policy {
        every: Some(Every::Day),
        ..Policy::default()
    };
    // Events begin at 17:21 UTC; here midnight is at 18:00 UTC.
    let fixture = Fixture {
        rotate: Some(policy),
        zone: Zone::new(|_| 6 * 3600),
        ..Fixture::new()
    };
    let (events, mut writer) = (batch(3), fixture.writer());
    let deliver = |writer: &mut Writer, events: &[BufferedEvent]| {
        writer.deliver(events).unwrap();
        let name = File::options().append(true).open(fixture.path()).unwrap();
        let wall = Duration::from_millis(fixture.context.wall().as_millis() as u64);
        name.set_modified(UNIX_EPOCH + wall).unwrap();
    };
    deliver(&mut writer, &events[..1]);
    fixture.context.advance(Duration::from_secs(30 * 60));
    deliver(&mut writer, &events[1..2]);
    assert_eq!(fixture.content(), lines(&events[..2]));
    fixture.context.advance(Duration::from_secs(10 * 60));
    deliver(&mut writer, &events[2..]);
    assert_eq!(fixture.content(), lines(&events[2..]));
}

/// What happens to a writer in its life.
#[derive(Clone, Debug)]
enum Step {
    Deliver(u64),
    /// Takes so many bytes of the next write, then the disk is full once.
    Full(usize),
    Restart,
    Tidy,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_u64..8).prop_map(Step::Deliver),
        2 => (0_usize..9000).prop_map(Step::Full),
        1 => Just(Step::Restart),
        2 => Just(Step::Tidy),
        1 => (1_u64..7200).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_line_is_lost_doubled_torn_or_out_of_order(
        steps in steps(),
        keep in prop::option::of(1_usize..4),
        compress in prop::sample::select(&Compression::ALL),
    ) {
        let policy = Policy { size: Some(4096), every: Some(Every::Hour), keep, compress };
        let fixture = Fixture { rotate: Some(policy), ..Fixture::new() };
        let mut writer = fixture.writer();
        let mut next = 1;
        for step in steps {
            match step {
                Step::Deliver(count) => {
                    let events: Vec<_> = (next..next + count).map(buffered).collect();
                    let mut rest = &events[..];
                    while let Err(error) = writer.deliver(rest) {
                        prop_assert_eq!(error.retry(), Retry::Later);
                        rest = &rest[error.accepted()..];
                        prop_assert!(!rest.is_empty());
                    }
                    next += count;
                }
                Step::Full(bytes) => {
                    let full = [Act::Take(bytes), Act::FailWrite(io::ErrorKind::StorageFull)];
                    fixture.script.play(if bytes == 0 { &full[1..] } else { &full });
                }
                Step::Restart => writer = fixture.restart(writer),
                Step::Tidy => tidy(&fixture.path(), policy, &AtomicBool::new(false)).unwrap(),
                Step::Wait(seconds) => fixture.context.advance(Duration::from_secs(seconds)),
            }
        }
        tidy(&fixture.path(), policy, &AtomicBool::new(false)).unwrap();
        let mut asides = list(&fixture.path()).unwrap();
        asides.sort();
        if let Some(keep) = keep {
            prop_assert!(asides.len() <= keep);
        }
        let files = asides.into_iter().map(|aside| archive::beside(&fixture.path(), aside));
        let mut text: String = files.map(|file| read(&file)).collect();
        text += &fs::read_to_string(fixture.path()).unwrap_or_default();
        let ids: Vec<u64> = text
            .lines()
            .map(|line| serde_json::from_str::<BufferedEvent>(line).unwrap().seq)
            .collect();
        let first = if keep.is_some() { ids.first().copied().unwrap_or(1) } else { 1 };
        prop_assert_eq!(ids, (first..next).collect::<Vec<_>>());
    }
}

impl Fixture {
    /// The next writer of the same file, whose last write was at the fixture's time.
    fn restart(&self, writer: Writer) -> Writer {
        let written = writer.live.as_ref().map(|live| live.written);
        drop(writer);
        if let (Some(written), Ok(file)) = (written, File::options().append(true).open(self.path()))
        {
            let since = Duration::from_millis(written.as_millis() as u64);
            file.set_modified(UNIX_EPOCH + since).unwrap();
        }
        self.writer()
    }
}
