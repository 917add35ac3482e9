//! The three calls that fail on a full or broken disk, so that tests can make them fail.

use std::fs::File;
use std::io::{self, Write};

/// The real calls; tests override some.
pub(crate) trait Disk: Send {
    /// One `write(2)`.
    fn write(&mut self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    /// Cut the file off.
    fn truncate(&mut self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    /// Wait until what was written would survive a power cut.
    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The machine's disk.
pub(crate) struct RealDisk;

impl Disk for RealDisk {}
