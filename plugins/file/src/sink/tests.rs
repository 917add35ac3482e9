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
}

impl Disk for SmallDisk {
    fn write(&mut self, mut file: &fs::File, bytes: &[u8]) -> io::Result<usize> {
        let mut faults = self.0.lock().unwrap();
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

fn batch_of(events: &[BufferedEvent]) -> Batch<'_> {
    Batch::new(events)
}
