//! Reading a slice of a history, page by page from the newest to the oldest.

use super::{Collector, Repair};
use crate::source::account::Failure;
use crate::source::http::LIST;
use crate::unifi::answer::{Answer, Verdict};
use crate::unifi::gap::{History, Slice};
use crate::unifi::history::{
    Page, SYSTEM_LOG_PAGE, hours_back, legacy_body, legacy_path, system_log_body, system_log_path,
};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Event, Timestamp};

/// Items decoded in one go before the socket has its turn.
const TURN: usize = 32;
/// Most pages of one slice; what has more is no history of a network.
const MAX_PAGES: usize = 4_000;
/// How often in a row a page may be the one before until the controller knows no pages: once it is pushed back by as many
/// new items as a page has.
const MAX_AGAIN: u32 = 2;
/// The end of time, as far as a question is concerned.
const SOON: Duration = Duration::from_secs(60);

/// A slice could not be fetched.
#[derive(Debug)]
pub(super) enum Stop {
    /// A shorter one will be.
    Narrower,
    /// Perhaps it can later, or after the time that the controller named.
    Later(Option<Duration>, String),
    /// The answer was no page of a history.
    Odd(History),
    /// The controller does not have this history, or does not give it.
    Gone(History, String),
}

/// What a page brought.
struct Turned {
    items: usize,
    oldest: Option<Timestamp>,
    /// The page is the one before.
    again: bool,
    total: Option<u64>,
}

impl Repair {
    /// Bring what the histories have of `slice`.
    pub(super) async fn fetch(&self, slice: &Slice, collector: &mut Collector) -> Result<(), Stop> {
        if slice.histories.system_log {
            self.system_log(slice, collector).await?;
        }
        if slice.histories.legacy {
            self.legacy(slice, collector).await?;
        }
        Ok(())
    }

    async fn system_log(&self, slice: &Slice, collector: &mut Collector) -> Result<(), Stop> {
        let mut last = String::new();
        let (mut seen, mut again) = (0, 0);
        for page in 0..MAX_PAGES {
            let body = system_log_body(slice.from, slice.until, page, SYSTEM_LOG_PAGE);
            let answer = self.ask(History::SystemLog, &body).await?;
            let turned = self
                .turn(History::SystemLog, &answer, &mut last, slice, collector)
                .await?;
            again = if turned.again { again + 1 } else { 0 };
            let stuck = again == MAX_AGAIN;
            let parts = turned.total.filter(|_| page == 0).map(Collector::parts);
            let parts = parts.unwrap_or_default();
            if (parts > 1 || stuck) && self.state.lock().repairs.narrow(slice, parts) {
                return Err(Stop::Narrower);
            }
            seen += turned.items as u64;
            let complete = turned.total.is_some_and(|total| seen >= total);
            if turned.items == 0 || stuck || complete {
                return Ok(());
            }
        }
        Err(Stop::Odd(History::SystemLog))
    }

    async fn legacy(&self, slice: &Slice, collector: &mut Collector) -> Result<(), Stop> {
        let hours = hours_back(slice.from, self.now().wall);
        let mut last = String::new();
        let (mut start, mut again) = (0, 0);
        for _ in 0..MAX_PAGES {
            let answer = self
                .ask(History::Legacy, &legacy_body(hours, start))
                .await?;
            let turned = self
                .turn(History::Legacy, &answer, &mut last, slice, collector)
                .await?;
            start += turned.items;
            again = if turned.again { again + 1 } else { 0 };
            let beyond = turned.oldest.is_some_and(|oldest| oldest < slice.from);
            if turned.items == 0 || again == MAX_AGAIN || beyond {
                return Ok(());
            }
        }
        Err(Stop::Odd(History::Legacy))
    }

    /// The time of the newest item of a history since `since`, if there is any.
    pub(super) async fn newest(
        &self,
        history: History,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, Stop> {
        let now = self.now().wall;
        let body = match history {
            History::SystemLog => system_log_body(since, now + SOON, 0, 1),
            History::Legacy => legacy_body(hours_back(since, now), 0),
        };
        let answer = self.ask(history, &body).await?;
        let page = Page::read(&answer.body).map_err(|_| Stop::Odd(history))?;
        let received = self.link.clock.wall();
        let decoder = &mut self.state.lock().decoder;
        let newest = page.items.first();
        let newest = newest.and_then(|item| decoder.history_item(item.get(), received));
        Ok(newest.map(|event| event.time))
    }

    async fn ask(&self, history: History, body: &serde_json::Value) -> Result<Answer, Stop> {
        let path = |kind| match history {
            History::SystemLog => system_log_path(kind, &self.site.name),
            History::Legacy => legacy_path(kind, &self.site.name),
        };
        let answer = self.account.post(path, body, LIST).await;
        answer.map_err(|failure| {
            let why = failure.sentence("the history");
            match failure {
                Failure::Verdict(
                    Verdict::NotFound | Verdict::NoPermission | Verdict::Refused(_),
                ) => Stop::Gone(history, why),
                Failure::Verdict(Verdict::TooMany { retry_after }) => Stop::Later(retry_after, why),
                Failure::Verdict(Verdict::LoginRequired | Verdict::Starting | Verdict::Fine)
                | Failure::Unreachable(_) => Stop::Later(None, why),
            }
        })
    }

    /// Decode a page; what is in the slice goes to the collector. `last` is the first item of the page before.
    async fn turn(
        &self,
        history: History,
        answer: &Answer,
        last: &mut String,
        slice: &Slice,
        collector: &mut Collector,
    ) -> Result<Turned, Stop> {
        let page = Page::read(&answer.body).map_err(|_| Stop::Odd(history))?;
        let first = page.items.first().map_or("", |item| item.get());
        let mut turned = Turned {
            items: page.items.len(),
            oldest: None,
            again: !first.is_empty() && first == last,
            total: page.total,
        };
        if turned.again {
            return Ok(turned);
        }
        first.clone_into(last);
        let add = match history {
            History::SystemLog => Collector::add_first,
            History::Legacy if slice.histories.system_log => Collector::add_second,
            History::Legacy => Collector::add,
        };
        for items in page.items.chunks(TURN) {
            self.decode(items, slice, &mut turned.oldest, |event| {
                add(collector, event);
            });
            tokio::task::yield_now().await;
        }
        Ok(turned)
    }

    fn decode(
        &self,
        items: &[&RawValue],
        slice: &Slice,
        oldest: &mut Option<Timestamp>,
        mut add: impl FnMut(Arc<Event>),
    ) {
        let received = self.link.clock.wall();
        let decoder = &mut self.state.lock().decoder;
        for item in items {
            let Some(event) = decoder.history_item(item.get(), received) else {
                continue;
            };
            *oldest = Some(oldest.map_or(event.time, |oldest| oldest.min(event.time)));
            if (slice.from..=slice.until).contains(&event.time) {
                add(event);
            }
        }
    }
}
