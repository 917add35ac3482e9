//! Reads a growing file of events, each line once.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use unifi_herald_plugin::BufferedEvent;

/// What was read of the file up to now.
pub struct Tail {
    path: PathBuf,
    offset: u64,
    /// In how many events an item was written, as received.
    raws: HashMap<String, usize>,
    known: HashSet<String>,
    ids: Vec<String>,
    seqs: Vec<u64>,
}

impl Tail {
    pub fn of(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            raws: HashMap::new(),
            known: HashSet::new(),
            ids: Vec::new(),
            seqs: Vec::new(),
        }
    }

    /// Read the whole lines that came.
    ///
    /// # Panics
    /// When one is torn.
    pub fn read(&mut self) {
        let mut text = String::new();
        let Ok(mut file) = File::open(&self.path) else {
            return;
        };
        file.seek(SeekFrom::Start(self.offset)).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        text.push_str(std::str::from_utf8(&bytes[..whole]).unwrap());
        self.offset += whole as u64;
        for line in text.lines() {
            let event: BufferedEvent =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            // What was in flight when herald was killed comes again.
            let again = !self.known.insert(event.id.to_string());
            if let Some(raw) = event.raw.as_ref().filter(|_| !again) {
                *self.raws.entry(raw.as_str().to_owned()).or_default() += 1;
            }
            self.ids.push(event.id.to_string());
            self.seqs.push(event.seq);
        }
    }

    pub fn has(&self, raw: &str) -> bool {
        self.raws.contains_key(raw)
    }

    /// How many events were written that are this item.
    pub fn times(&self, raw: &str) -> usize {
        self.raws.get(raw).copied().unwrap_or(0)
    }

    /// The ids of all events, in the order of the file.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub fn assert_in_order(&self) {
        assert!(self.seqs.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
