//! Tells whether an event was seen before: by its id, or as the twin of one that came another way.

mod identity;
mod site;
mod waiting;

use site::Site;
use unifi_herald_plugin::{Event, Origin, Text};

/// Recognises events that come more than once, for each controller and site apart.
///
/// By id first. Else a controller that reports one thing in two ways is recognised: two events are twins when they
/// have the same kind, happened at most 2 s apart, agree on every subject that both name and share at least one, and
/// come from different sources. Each event has at most one twin. When in doubt there are two events, not one.
///
/// The pieces of a history should come oldest first: what the stream already brought is then recognised by id
/// before its neighbours are compared.
#[derive(Debug)]
pub struct Dedupe {
    capacity: usize,
    sites: Vec<(Text, Text, Site)>,
    /// Position of the site of the last event, which mostly is that of the next.
    last: usize,
}

/// The four ways in which a controller reports what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventSource {
    /// `events` frames of the socket.
    SocketEvents,
    /// `alert` frames of the socket.
    SocketAlert,
    /// The v2 system log.
    HistoryV2,
    /// `stat/event`.
    HistoryLegacy,
}

/// An event, as one of the ways brought it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'e> {
    /// The event.
    pub event: &'e Event,
    /// The way; without one only the id counts.
    pub source: Option<EventSource>,
    /// Whether it will be told again together with its neighbours, so that doubts may wait.
    pub early: bool,
}

impl<'e> From<(&'e Event, Option<EventSource>)> for Report<'e> {
    fn from((event, source): (&'e Event, Option<EventSource>)) -> Self {
        Self {
            event,
            source,
            early: false,
        }
    }
}

/// What is to be done with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It was not seen before.
    New,
    /// It was: nothing more should come of it than a count.
    Duplicate,
    /// It may be the twin of an event, or of that one's neighbour: this is decided when it is told again. Until then it
    /// was not there.
    Later,
}

impl EventSource {
    const COUNT: usize = 4;

    /// Where `event` came from; nothing for what herald made itself, which has no twins.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let legacy = event
            .key
            .as_deref()
            .is_some_and(|key| key.starts_with("EVT_"));
        match (event.origin, legacy) {
            (Origin::Stream, true) => Some(Self::SocketEvents),
            (Origin::Stream, false) => Some(Self::SocketAlert),
            (Origin::Backfill, true) => Some(Self::HistoryLegacy),
            (Origin::Backfill, false) => Some(Self::HistoryV2),
            (Origin::Derived, _) => None,
        }
    }

    /// A bit of its own, for sets.
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Dedupe {
    /// Remembers the newest `capacity` events of each controller and site, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            sites: Vec::new(),
            last: 0,
        }
    }

    /// Which of `events`, which came together, are new, in their order; all are remembered. Without a source only the id
    /// counts.
    ///
    /// Of several that may be twins those nearest in time are, whichever comes first: so events that come together
    /// should be asked about together.
    pub fn admit<'e, R: Into<Report<'e>>>(
        &mut self,
        reports: impl IntoIterator<Item = R>,
    ) -> Vec<Admission> {
        let mut sites: Vec<(usize, Vec<usize>, Vec<_>)> = Vec::new();
        let mut count = 0;
        for (place, report) in reports.into_iter().enumerate() {
            let report: Report<'_> = report.into();
            let site = self.site(&report.event.controller, &report.event.site);
            let at = sites.iter().position(|(known, ..)| *known == site);
            let at = at.unwrap_or_else(|| {
                sites.push((site, Vec::new(), Vec::new()));
                sites.len() - 1
            });
            sites[at].1.push(place);
            sites[at].2.push(report);
            count += 1;
        }
        let mut admissions = vec![Admission::New; count];
        for (site, places, events) in sites {
            let admitted = self.sites[site].2.admit(events, self.capacity);
            for (place, admission) in places.into_iter().zip(admitted) {
                admissions[place] = admission;
            }
        }
        admissions
    }

    /// Remember an event of an earlier run, which nobody is to be told is new. One that is known stays as it is.
    pub fn remember(&mut self, event: &Event, source: impl Into<Option<EventSource>>) {
        let site = self.site(&event.controller, &event.site);
        self.sites[site]
            .2
            .remember(event, source.into(), self.capacity);
    }

    /// Whether an event of this controller, site and id is remembered.
    #[must_use]
    pub fn knows(&self, event: &Event) -> bool {
        let mut sites = self.sites.iter();
        let site = sites.find(|(controller, site, _)| {
            same(controller, &event.controller) && same(site, &event.site)
        });
        site.is_some_and(|(_, _, site)| site.knows(&event.id))
    }

    /// Position of the memory of a site.
    fn site(&mut self, controller: &Text, site: &Text) -> usize {
        let is = |entry: &(Text, Text, Site)| same(&entry.0, controller) && same(&entry.1, site);
        if !self.sites.get(self.last).is_some_and(is) {
            self.last = self.sites.iter().position(is).unwrap_or_else(|| {
                let entry = (controller.clone(), site.clone(), Site::default());
                self.sites.push(entry);
                self.sites.len() - 1
            });
        }
        self.last
    }
}

/// Shared text is the same text; the rest is compared.
fn same(a: &Text, b: &Text) -> bool {
    std::ptr::eq(a.as_ptr(), b.as_ptr()) && a.len() == b.len() || a == b
}

#[cfg(test)]
mod tests;
