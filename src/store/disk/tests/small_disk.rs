//! A disk of its own for a test, which may be full or read-only.

use super::*;
use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

/// Unmounted when it is dropped.
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing, and a line that says so, where this user may mount none.
    pub(super) fn at(folder: &Path) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let disk = Self(folder.to_owned());
        if disk.mount("size=8m") {
            return Some(disk);
        }
        eprintln!("skipped: this user may not mount a disk");
        None
    }

    pub(super) fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        let mounted = mount.arg(&self.0).output();
        mounted.is_ok_and(|mounted| mounted.status.success())
    }

    /// Leave not a byte.
    pub(super) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        for size in [65_536, 4_096, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(super) fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut unmount = Command::new("umount");
        // What was never mounted needs nothing.
        drop(unmount.arg("-l").arg(&self.0).output());
    }
}
