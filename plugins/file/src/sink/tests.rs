//! The file sink against the contract of sinks.

use super::*;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use unifi_herald_plugin::testing::{
    Behaviour, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{BufferedEvent, Fault};

/// A disk with room for so many bytes more than it has been given.
#[derive(Clone, Default)]
struct SmallDisk(Arc<Mutex<Faults>>);

#[derive(Default)]
struct Faults {
    /// Whole lines it still takes, and then half a line; without end when `None`.
    lines: Option<usize>,
    refuses: bool,
    writes: usize,
}

impl Disk for SmallDisk {
    fn write(&mut self, mut file: &fs::File, bytes: &[u8]) -> io::Result<usize> {
        let mut faults = self.0.lock().unwrap();
        faults.writes += 1;
        if faults.refuses {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        let Some(lines) = faults.lines else {
            return io::Write::write(&mut file, bytes);
        };
        let ends = bytes
            .split_inclusive(|b| *b == b'\n')
            .take(lines)
            .map(<[u8]>::len);
        let room = if lines == 0 {
            0
        } else {
            (ends.sum::<usize>() + 10).min(bytes.len())
        };
        faults.lines = Some(0);
        match room {
            0 => Err(io::ErrorKind::StorageFull.into()),
            room => io::Write::write(&mut file, &bytes[..room]),
        }
    }
}

struct World {
    context: TestContext,
    path: PathBuf,
    disk: SmallDisk,
    seen: usize,
}

impl World {
    fn new(folder: &Path) -> Self {
        Self {
            context: TestContext::new(),
            path: folder.join("events.jsonl"),
            disk: SmallDisk::default(),
            seen: 0,
        }
    }

    fn sink(&self) -> File {
        let context = self.context.build_context("archive", Path::new("/"));
        let config: Config = serde_json::from_value(json!({"path": self.path})).unwrap();
        let disk = self.disk.clone();
        let settings = config.resolve(&context).unwrap();
        File::new(settings, &context, move || Box::new(disk.clone()))
    }

    fn takes(&self, lines: Option<usize>) {
        self.disk.0.lock().unwrap().lines = lines;
    }
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(self.sink())
    }

    fn answer(&mut self, behaviour: Behaviour) {
        self.takes(match behaviour {
            Behaviour::AcceptSome(lines) => Some(lines),
            Behaviour::Unavailable => Some(0),
            _ => None,
        });
        self.disk.0.lock().unwrap().refuses = behaviour == Behaviour::Refuse;
    }

    fn arrived(&mut self) -> Vec<String> {
        let content = fs::read(&self.path).unwrap_or_default();
        let new = content[self.seen..].split_inclusive(|b| *b == b'\n');
        let ids = new.map(|line| match serde_json::from_slice::<BufferedEvent>(line) {
            Ok(event) if line.ends_with(b"\n") => event.id.to_string(),
            _ => String::from_utf8_lossy(line).into_owned(),
        });
        let ids = ids.collect();
        self.seen = content.len();
        ids
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        behaviour != Behaviour::RefuseEvent
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    let folder = tempfile::tempdir().unwrap();
    assert_sink_contract(&mut World::new(folder.path())).await;
}

#[tokio::test]
async fn a_check_leaves_no_trace_and_finds_a_missing_folder() {
    let folder = tempfile::tempdir().unwrap();
    World::new(folder.path()).sink().check().await.unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut missing = World::new(&folder.path().join("missing")).sink();
    let error = missing.check().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("missing/events.jsonl: No such file"),
        "{error}"
    );
    missing.deliver(batch_of(&batch(1))).await.unwrap_err();
    fs::create_dir(folder.path().join("missing")).unwrap();
    missing.deliver(batch_of(&batch(1))).await.unwrap();
}

#[tokio::test]
async fn a_folder_in_its_place_is_the_configurations_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path());
    world.path = folder.path().to_owned();
    let error = world.sink().deliver(batch_of(&batch(1))).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Configuration);
}

#[tokio::test]
async fn a_batch_is_one_write_of_event_lines() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let events = batch(100);
    world.sink().deliver(batch_of(&events)).await.unwrap();
    let lines: String = events.iter().map(|e| e.to_json() + "\n").collect();
    assert_eq!(fs::read_to_string(&world.path).unwrap(), lines);
    assert_eq!(world.disk.0.lock().unwrap().writes, 1);
}

#[tokio::test]
async fn a_cancelled_delivery_writes_nothing_twice() {
    for polls in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(folder.path());
        let mut sink = world.sink();
        let events = batch(5);
        let mut delivered = false;
        {
            let mut delivery = std::pin::pin!(sink.deliver(batch_of(&events[..4])));
            for _ in 0..polls {
                delivered = std::future::poll_fn(|cx| {
                    std::task::Poll::Ready(delivery.as_mut().poll(cx).is_ready())
                })
                .await;
                if delivered {
                    break;
                }
            }
        }
        if delivered {
            sink.deliver(batch_of(&events[4..])).await.unwrap();
        } else {
            // The head alone first, as the lane does after a failure, then the rest together with what is new.
            sink.deliver(batch_of(&events[..1])).await.unwrap();
            sink.deliver(batch_of(&events[1..])).await.unwrap();
        }
        let ids = events.iter().map(|event| event.id.to_string());
        assert_eq!(
            world.arrived(),
            ids.collect::<Vec<_>>(),
            "after {polls} polls"
        );
    }
}

#[tokio::test]
async fn files_are_rotated_and_compressed_beside_the_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let context = TestContext::new();
    let rotate = json!({"size": "4KiB", "keep": 2, "compress": "gzip"});
    let options = json!({"path": "events.jsonl", "rotate": rotate});
    let mut sink: File = context.build(folder.path(), options).unwrap();
    for event in &batch(40) {
        sink.deliver(batch_of(std::slice::from_ref(event)))
            .await
            .unwrap();
    }
    context.settled().await;
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let [live, older, newer] = &names[..] else {
        panic!("{names:?}")
    };
    assert_eq!(live, "events.jsonl");
    let mut ids = Vec::new();
    for name in [older, newer, live] {
        let text = archive::tests::read(&folder.path().join(name));
        let events = text
            .lines()
            .map(|line| serde_json::from_str::<BufferedEvent>(line).unwrap());
        ids.extend(events.map(|event| event.seq));
    }
    assert_eq!(ids, (ids[0]..=40).collect::<Vec<_>>());
    assert!(older.to_str().unwrap().ends_with(".gz") && newer.to_str().unwrap().ends_with(".gz"));
}

fn batch_of(events: &[BufferedEvent]) -> Batch<'_> {
    Batch::new(events)
}
