//! A bounded table by hardware address that forgets what was not touched for longest.

use foldhash::HashMap;
use unifi_herald_plugin::Mac;

#[derive(Debug)]
pub(super) struct Table<V> {
    entries: HashMap<Mac, Entry<V>>,
    capacity: usize,
    /// Counts touches, and so orders them.
    touches: u64,
    forgotten: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    touched: u64,
}

impl<V: Default> Table<V> {
    /// An empty table of at most `capacity` entries, which is at least 1.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::default(),
            capacity: capacity.max(1),
            touches: 0,
            forgotten: 0,
        }
    }

    pub(super) fn get(&mut self, mac: Mac) -> Option<&V> {
        let entry = self.entries.get_mut(&mac)?;
        self.touches += 1;
        entry.touched = self.touches;
        Some(&entry.value)
    }

    /// Change the entry of `mac`, which is made when there is none.
    pub(super) fn update(&mut self, mac: Mac, change: impl FnOnce(&mut V)) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&mac) {
            self.forget_oldest();
        }
        self.touches += 1;
        let entry = self.entries.entry(mac).or_insert_with(|| Entry {
            value: V::default(),
            touched: 0,
        });
        entry.touched = self.touches;
        change(&mut entry.value);
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = Mac> {
        self.entries.keys().copied()
    }

    pub(super) fn remove(&mut self, mac: Mac) {
        self.entries.remove(&mac);
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A sixteenth at once, so that a flood of addresses does not cost a walk over the table for each.
    fn forget_oldest(&mut self) {
        let mut touches: Vec<u64> = self.entries.values().map(|entry| entry.touched).collect();
        let share = (touches.len() / 16).min(touches.len().saturating_sub(1));
        let (_, oldest_kept, _) = touches.select_nth_unstable(share);
        let limit = *oldest_kept;
        let before = self.entries.len();
        self.entries.retain(|_, entry| entry.touched > limit);
        self.forgotten += (before - self.entries.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(number: u16) -> Mac {
        let [high, low] = number.to_be_bytes();
        Mac::new([2, 0, 0, 0, high, low])
    }

    #[test]
    fn the_oldest_touched_go_first() {
        let mut table: Table<u16> = Table::new(100);
        for number in 0..100 {
            table.update(mac(number), |value| *value = number);
        }
        assert_eq!(table.get(mac(0)), Some(&0));
        table.update(mac(100), |value| *value = 100);
        assert_eq!(table.get(mac(0)), Some(&0), "was touched");
        assert_eq!(table.get(mac(1)), None);
        assert_eq!(table.get(mac(99)), Some(&99));
        assert_eq!(table.get(mac(100)), Some(&100));
        assert_eq!(table.forgotten(), 7);
    }

    #[test]
    fn it_never_grows_beyond_its_capacity() {
        for capacity in [0, 1, 2, 17] {
            let mut table: Table<()> = Table::new(capacity);
            for number in 0..1000 {
                table.update(mac(number), |()| ());
                assert!(table.entries.len() <= capacity.max(1));
                assert!(table.get(mac(number)).is_some());
            }
        }
    }
}
