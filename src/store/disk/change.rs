//! Changes which sinks there are while the store is open: after a reload of the configuration.

use super::shared::Lane;
use super::window::Window;
use super::writer::Writer;
use super::{share, sinks};
use crate::config::BufferPlan;
use crate::store::StoreError;
use unifi_herald_plugin::Text;

impl Writer {
    /// From now on these are the sinks; their numbers, in the order of `names`. See
    /// [`Store::set_sinks`](crate::store::Store::set_sinks).
    pub(super) fn set_sinks(
        &mut self,
        names: &[Text],
        buffer: &BufferPlan,
    ) -> Result<Vec<usize>, StoreError> {
        if self.held.is_some() {
            self.recover();
        }
        if self.held.is_some() {
            return Err(StoreError {
                message: "the store's disk takes nothing; try again when it does".to_owned(),
            });
        }
        let lanes = self.shared.lanes();
        let known = lanes.iter().map(|lane| lane.name.clone());
        let mut all: Vec<Text> = known.collect();
        let new = names.iter().filter(|name| !all.contains(name));
        let new: Vec<Text> = new.cloned().collect();
        all.extend(new.iter().cloned());
        let rows: Vec<_> = all
            .iter()
            .map(|name| (&**name, !names.contains(name)))
            .collect();
        let written = sinks::pen(&self.connection, &rows, self.clock.wall());
        let (pen, books) = written.map_err(|error| StoreError {
            message: format!("the store cannot change its sinks: {error}"),
        })?;
        (self.pen, self.books) = (pen, books);

        let bytes = share(buffer, names.len());
        self.max_held = bytes;
        for lane in &lanes {
            let gone = !names.contains(&lane.name);
            let mut window = lane.window();
            window.set_bounds(buffer.capacity, bytes);
            if lane.is_gone() && !gone {
                // Meanwhile the disk may have forgotten some of it.
                window.release();
                lane.filled.notify_one();
            }
            lane.set_gone(gone);
        }
        for name in new {
            let window = Window::new(buffer.capacity, bytes);
            self.shared.add_lane(Lane::new(name, window));
        }
        self.shared.books().clone_from(&self.books);
        let numbers = names.iter().map(|name| {
            // Every one of them is known by now.
            all.iter()
                .position(|known| known == name)
                .unwrap_or_default()
        });
        Ok(numbers.collect())
    }
}
