//! Notices when a configuration changes, or a file that it names: for `herald run --watch`.

use crate::config::{Locator, files, fingerprint, folders};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// An editor and a deployment write several files: they are taken as one change when nothing more comes for this long,
const QUIET: Duration = Duration::from_millis(200);
/// but no change waits longer than so many times that.
const PATIENCE: u32 = 10;

/// Watches the folders of everything that a configuration is made of; files are replaced more often than written to.
pub(super) struct Watcher {
    locator: Locator,
    bell: Arc<Notify>,
    files: Arc<Mutex<BTreeSet<PathBuf>>>,
    folders: BTreeSet<PathBuf>,
    seen: [u8; 32],
    system: Option<RecommendedWatcher>,
}

impl Watcher {
    /// Of the configuration at this place, as it is now.
    pub(super) fn new(locator: Locator) -> Self {
        let bell = Arc::new(Notify::new());
        let now = files(&locator);
        let seen = fingerprint(&now);
        let files = Arc::new(Mutex::new(now));
        let (ring, meant) = (Arc::clone(&bell), Arc::clone(&files));
        let heard = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_meant(&event, &meant)) {
                ring.notify_one();
            }
        };
        let system = notify::recommended_watcher(heard)
            .inspect_err(|error| tracing::error!(%error, "cannot watch the configuration"));
        let mut watcher = Self {
            locator,
            bell,
            files,
            folders: BTreeSet::new(),
            seen,
            system: system.ok(),
        };
        watcher.look_around();
        watcher
    }

    /// Resolves when something is different from the last time.
    pub(super) async fn changed(&mut self) {
        loop {
            self.bell.notified().await;
            for _ in 0..PATIENCE {
                let more = tokio::time::timeout(QUIET, self.bell.notified());
                if more.await.is_err() {
                    break;
                }
            }
            self.look_around();
            let now = files(&self.locator);
            let seen = fingerprint(&now);
            *self.files.lock().unwrap_or_else(PoisonError::into_inner) = now;
            if std::mem::replace(&mut self.seen, seen) != seen {
                return;
            }
        }
    }

    /// Watch the folders that there are now.
    fn look_around(&mut self) {
        let Some(system) = &mut self.system else {
            return;
        };
        let folders = folders(&self.locator);
        for folder in folders.difference(&self.folders) {
            if let Err(error) = system.watch(folder, RecursiveMode::NonRecursive) {
                tracing::error!(folder = %folder.display(), %error, "cannot watch a folder of the configuration");
            }
        }
        for folder in self.folders.difference(&folders) {
            // It may be gone.
            drop(system.unwatch(folder));
        }
        self.folders = folders;
    }
}

/// Whether an event may be about the configuration: herald itself writes much, and reads what it watches.
fn is_meant(event: &Event, files: &Mutex<BTreeSet<PathBuf>>) -> bool {
    let written = AccessKind::Close(AccessMode::Write);
    if matches!(event.kind, EventKind::Access(access) if access != written) {
        return false;
    }
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    event.need_rescan()
        || event
            .paths
            .iter()
            .any(|path| files.contains(path) || is_script(path) || is_mount(path))
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "rhai")
}

/// Kubernetes swaps the link `..data` when it changes what is mounted; the files themselves are links that stay.
fn is_mount(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b"..")
}
