//! What came and is no event: it is counted as lost and told, once for each batch, with the beginning of the first.

use super::names::Partition;
use crate::own_event::{Scope, gap_event};
use async_nats::jetstream::message::{Info, Message};
use unifi_herald_plugin::{Event, Gap, Timestamp};

/// Bytes of a message that are shown.
const SHOWN: usize = 256;

/// The reason of the `herald.gap`.
const REASON: &str = "unreadable";

/// Messages of a partition that are no events.
#[derive(Debug, Default)]
pub(super) struct Garbage {
    count: u64,
    span: Option<(Timestamp, Timestamp)>,
    first: Option<Sample>,
}

#[derive(Debug)]
struct Sample {
    subject: String,
    error: String,
    beginning: String,
}

impl Garbage {
    /// One more, which was published at `time`.
    pub(super) fn add(&mut self, message: &Message, time: Timestamp, error: &serde_json::Error) {
        self.note(&message.subject, &message.payload, time, error);
    }

    fn note(&mut self, subject: &str, payload: &[u8], time: Timestamp, error: &serde_json::Error) {
        self.count += 1;
        let (from, to) = self.span.unwrap_or((time, time));
        self.span = Some((from.min(time), to.max(time)));
        self.first.get_or_insert_with(|| {
            let shown = &payload[..payload.len().min(SHOWN)];
            Sample {
                subject: subject.to_owned(),
                error: error.to_string(),
                beginning: String::from_utf8_lossy(shown).into_owned(),
            }
        });
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The event that tells of them; made again of the same messages it has the same id.
    pub(super) fn told(self, partition: &Partition, now: Timestamp) -> Option<Event> {
        let (from, to) = self.span?;
        let first = self.first?;
        let gap = Gap {
            from,
            to,
            count: Some(self.count),
        };
        let summary = match self.count {
            1 => "A message in the cluster is no event and was lost".to_owned(),
            count => format!("{count} messages in the cluster are no events and were lost"),
        };
        let mut event = gap_event(&scope(partition), gap, REASON, summary, now);
        let sample = [
            ("subject", first.subject),
            ("error", first.error),
            ("beginning", first.beginning),
        ];
        for (name, text) in sample {
            event.fields.insert(name.to_owned(), text.into());
        }
        Some(event)
    }
}

/// The event that tells that what waited in the stream is lost, since there is another of its name since `made`.
pub(super) fn made_anew(partition: &Partition, made: i64, now: Timestamp) -> Event {
    let since = Timestamp::from_millis(made);
    let gap = Gap {
        from: since,
        to: since,
        count: None,
    };
    let summary = "The stream of events was made anew, what waited in it is lost".to_owned();
    gap_event(&scope(partition), gap, "stream_made_anew", summary, now)
}

fn scope(partition: &Partition) -> Scope {
    Scope {
        controller: partition.controller().into(),
        site: partition.site().into(),
        site_name: partition.site().into(),
    }
}

/// When a message was published.
pub(super) fn time_of(info: &Info<'_>) -> Timestamp {
    let millis = info.published.unix_timestamp_nanos() / 1_000_000;
    Timestamp::from_millis(i64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_no_events_are_told_together_with_the_beginning_of_the_first() {
        let partition = Partition::of_name("hq=a").unwrap();
        let mut garbage = Garbage::default();
        assert!(
            Garbage::default()
                .told(&partition, Timestamp::from_millis(1))
                .is_none()
        );
        let error = serde_json::from_str::<u8>("x").unwrap_err();
        let long = [&[b'a'; SHOWN - 1][..], "äö".as_bytes()].concat();
        garbage.note("herald.hq.a.x.y", &long, Timestamp::from_millis(5), &error);
        garbage.note("herald.hq.a.x.z", b"", Timestamp::from_millis(3), &error);
        assert_eq!(garbage.count(), 2);
        let event = garbage.told(&partition, Timestamp::from_millis(9)).unwrap();
        assert_eq!((&*event.controller, &*event.site), ("hq", "a"));
        let gap = event.gap.as_deref().unwrap();
        assert_eq!(
            (gap.count, gap.from.as_millis(), gap.to.as_millis()),
            (Some(2), 3, 5)
        );
        assert_eq!(event.fields["subject"], "herald.hq.a.x.y");
        let beginning = event.fields["beginning"].as_str().unwrap();
        assert_eq!(beginning.chars().count(), SHOWN);
    }
}
