//! A small disk of its own for a store, which may be full.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Unmounted when it is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// With room for so many mebibytes. Nothing, and a line that says so, where this user may mount none.
    #[expect(
        clippy::print_stderr,
        reason = "whoever runs the tests is told what they do not show"
    )]
    pub fn at(folder: PathBuf, mebibytes: usize) -> Option<Self> {
        fs::create_dir(&folder).unwrap();
        let disk = Self(folder);
        if disk.mount(&format!("size={mebibytes}m")) {
            return Some(disk);
        }
        eprintln!("skipped: this user may not mount a disk");
        None
    }

    /// Mount it, or again with other options; whether that was allowed.
    pub fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        let mounted = mount.arg(&self.0).output();
        mounted.is_ok_and(|mounted| mounted.status.success())
    }

    /// Leave not a byte.
    pub fn fill(&self) {
        let mut ballast = File::options();
        let ballast = ballast.create(true).append(true);
        let mut ballast = ballast.open(self.0.join("ballast")).unwrap();
        for size in [65_536, 4_096, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A herald that a failed test left behind may still be using it; what was never mounted needs nothing.
        drop(Command::new("umount").arg("-l").arg(&self.0).output());
    }
}
