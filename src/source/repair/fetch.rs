//! Reading a slice of a history, page by page from the newest to the oldest.

use super::{Collector, Memory, Repair};
use crate::source::account::Failure;
use crate::source::http::LIST;
use crate::unifi::answer::{Answer, Verdict};
use crate::unifi::gap::{History, Slice};
use crate::unifi::history::pages::{Pages, Promises, Turn};
use crate::unifi::history::walk::{Ask, CHUNK, ItemRead, Marks, PageRead, Walk};
use crate::unifi::history::{
    LEGACY_PAGE, Page, SYSTEM_LOG_PAGE, hours_back, legacy_body, legacy_path, system_log_body,
    system_log_path,
};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Event, Timestamp};

/// Most pages of one slice; what has more is no history of a network.
const MAX_PAGES: usize = 4_000;
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

impl Repair {
    /// Bring what the histories have of `slice`; in `memory` is what the slices before taught of the way through them.
    pub(super) async fn fetch(
        &self,
        slice: &Slice,
        memory: &mut Memory,
        collector: &mut Collector,
    ) -> Result<(), Stop> {
        if slice.histories.system_log {
            self.system_log(slice, &mut memory.promises, collector)
                .await?;
        }
        if slice.histories.legacy {
            memory.marks = self.legacy(slice, &memory.marks, collector).await?;
        }
        Ok(())
    }

    async fn system_log(
        &self,
        slice: &Slice,
        promises: &mut Promises,
        collector: &mut Collector,
    ) -> Result<(), Stop> {
        let (mut last, mut pages) = (String::new(), Pages::default());
        for page in 0..MAX_PAGES {
            let body = system_log_body(slice.from, slice.until, page, SYSTEM_LOG_PAGE);
            let answer = self.ask(History::SystemLog, &body).await?;
            let (read, total) = self
                .turn(History::SystemLog, &answer, &mut last, slice, collector)
                .await?;
            let turn = pages.turn(read.items, read.again, total);
            let parts = match total.filter(|_| page == 0) {
                Some(total) => parts(total, promises),
                None => 1,
            };
            if (parts > 1 || turn == Turn::Stuck) && self.state.lock().repairs.narrow(slice, parts)
            {
                return Err(Stop::Narrower);
            }
            if turn != Turn::More {
                return Ok(());
            }
        }
        Err(Stop::Odd(History::SystemLog))
    }

    async fn legacy(
        &self,
        slice: &Slice,
        marks: &Marks,
        collector: &mut Collector,
    ) -> Result<Marks, Stop> {
        let hours = hours_back(slice.from, self.now().wall);
        let mut last = String::new();
        let mut walk = Walk::new(slice, Collector::MAX_EVENTS, marks);
        for _ in 0..MAX_PAGES {
            match walk.next() {
                None => return Ok(walk.into_marks()),
                Some(Ask::Item(place)) => {
                    let body = legacy_body(hours, place, 1);
                    let answer = self.ask(History::Legacy, &body).await?;
                    walk.item(self.item(&answer)?);
                }
                Some(Ask::Page(place)) => {
                    let body = legacy_body(hours, place, LEGACY_PAGE);
                    let answer = self.ask(History::Legacy, &body).await?;
                    let (read, _) = self
                        .turn(History::Legacy, &answer, &mut last, slice, collector)
                        .await?;
                    if let Some(cut) = walk.page(&read) {
                        collector.leave_out_from(cut);
                    }
                }
            }
        }
        Err(Stop::Odd(History::Legacy))
    }

    /// Read the answer to a question for a single item of `stat/event`.
    fn item(&self, answer: &Answer) -> Result<ItemRead, Stop> {
        let page = Page::read(&answer.body).map_err(|_| Stop::Odd(History::Legacy))?;
        let item = match page.items.as_slice() {
            [] => return Ok(ItemRead::None),
            [item] => item,
            _ => return Ok(ItemRead::Odd),
        };
        let received = self.link.clock.wall();
        let decoder = &mut self.state.lock().decoder;
        let event = decoder.history_item(item.get(), received);
        Ok(event.map_or(ItemRead::Odd, |event| ItemRead::Of(event.time)))
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
            History::Legacy => legacy_body(hours_back(since, now), 0, LEGACY_PAGE),
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

    /// Decode a page; what is in the slice goes to the collector. `last` is the first item of the page before. Beside the
    /// page, how many items there are on all pages, where it was told.
    async fn turn(
        &self,
        history: History,
        answer: &Answer,
        last: &mut String,
        slice: &Slice,
        collector: &mut Collector,
    ) -> Result<(PageRead, Option<u64>), Stop> {
        let page = Page::read(&answer.body).map_err(|_| Stop::Odd(history))?;
        let first = page.items.first().map_or("", |item| item.get());
        let mut read = PageRead {
            items: page.items.len(),
            oldest: Vec::new(),
            again: !first.is_empty() && first == last,
        };
        if read.again {
            return Ok((read, page.total));
        }
        first.clone_into(last);
        let add = match history {
            History::SystemLog => Collector::add_first,
            History::Legacy if slice.histories.system_log => Collector::add_second,
            History::Legacy => Collector::add,
        };
        // After each of them the socket has its turn.
        for items in page.items.chunks(CHUNK) {
            let oldest = self.decode(items, slice, |event| add(collector, event));
            read.oldest.push(oldest);
            tokio::task::yield_now().await;
        }
        Ok((read, page.total))
    }

    /// Decode some items; `add` takes what is in the slice. The time of the oldest, in the slice or not.
    fn decode(
        &self,
        items: &[&RawValue],
        slice: &Slice,
        mut add: impl FnMut(Arc<Event>),
    ) -> Option<Timestamp> {
        let received = self.link.clock.wall();
        let decoder = &mut self.state.lock().decoder;
        let mut oldest: Option<Timestamp> = None;
        for item in items {
            let Some(event) = decoder.history_item(item.get(), received) else {
                continue;
            };
            oldest = Some(oldest.map_or(event.time, |oldest| oldest.min(event.time)));
            if (slice.from..=slice.until).contains(&event.time) {
                add(event);
            }
        }
        oldest
    }
}

/// In how many parts a slice is to be read that is said to have so many items.
fn parts(total: u64, promises: &mut Promises) -> u32 {
    let parts = Collector::parts(total);
    if parts <= 1 {
        promises.kept();
        return 1;
    }
    if promises.believe(total) { parts } else { 1 }
}
