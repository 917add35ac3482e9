//! A step of decoding by itself, for who measures it.

use super::Decoder;
use crate::unifi::item::Item;
use crate::unifi::subjects::Subjects;
use crate::unifi::summary::summary;
use serde_json::value::RawValue;
use unifi_herald_plugin::{Event, Text, Timestamp};

impl Decoder {
    /// Write the summary of one item of a frame as often as `times` says, and return the last. Nothing when it is no
    /// event. It is as [`Decoder::decode`] writes it, without the other steps, so that a measurement can tell them apart.
    pub fn summarize(&mut self, item: &str, times: u32) -> Option<Text> {
        let raw: &RawValue = serde_json::from_str(item).ok()?;
        let mut item = Item::default();
        item.take(raw, None).ok()?;
        let (key, entry) = self.key(&item, None);
        let (kind, _) = super::catalog::meaning(entry, &item);
        let mut event = Event::new(kind, "", Timestamp::from_millis(0));
        event.site_name = self.site.display.clone();
        event.key = key;
        let mut subjects = Subjects {
            names: &mut self.names,
            texts: &mut self.texts,
        };
        let details = subjects.fill(&mut event, &item);
        let mut last = None;
        for _ in 0..times {
            let (line, names) = (&mut self.line, &mut self.names);
            last = Some(summary(line, &event, &item, &details, names));
        }
        last
    }
}
