//! Tells whether an event was seen before: by its id, or as the twin of one that came another way.

mod identity;
mod site;
mod waiting;

use super::sites::SUPER;
use site::Site;
use std::time::Duration;
use unifi_herald_plugin::{Event, Origin, Text};

/// How far apart two reports of one thing may be.
pub const WINDOW: Duration = Duration::from_secs(2);

/// Recognises events that come more than once, for each controller and site apart.
///
/// By id first. Else a controller that reports one thing in two ways is recognised: two events are twins when they
/// have the same kind, happened at most 2 s apart, agree on every subject that both name and share at least one, and
/// come from different sources. Each event has at most one twin. When in doubt there are two events, not one.
///
/// What is told of [`SUPER`], which belongs to no site, is told by the histories of sites as well: by id or as a twin it is
/// the same there.
///
/// The pieces of a history should come oldest first: what the stream already brought is then recognised by id
/// before its neighbours are compared.
#[derive(Debug)]
pub struct Dedupe {
    capacity: usize,
    sites: Vec<(Text, Text, Site)>,
    /// Position of the site of the last event, which mostly is that of the next.
    last: usize,
    /// Positions of what belongs to no site, of the controllers that tell of it.
    siteless: Vec<usize>,
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
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What came together of one site, each with its place among all.
struct Group<'e> {
    site: usize,
    reports: Vec<(usize, Report<'e>)>,
}

impl Group<'_> {
    fn of(site: usize) -> Self {
        let reports = Vec::new();
        Self { site, reports }
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
            siteless: Vec::new(),
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
        let mut groups: Vec<Group<'e>> = Vec::new();
        let mut count = 0;
        for report in reports {
            let report: Report<'_> = report.into();
            let site = self.site(&report.event.controller, &report.event.site);
            let at = groups.iter().position(|group| group.site == site);
            let at = at.unwrap_or_else(|| {
                groups.push(Group::of(site));
                groups.len() - 1
            });
            groups[at].reports.push((count, report));
            count += 1;
        }
        let mut admissions = vec![Admission::Duplicate; count];
        // What a site and no site tell together is the site's.
        groups.sort_by_key(|group| self.siteless.contains(&group.site));
        for Group { site, mut reports } in groups {
            reports.retain(|(_, report)| !self.is_told_elsewhere(site, report.event));
            let told = reports.iter().map(|(_, report)| *report);
            let admitted = self.sites[site].2.admit(told, self.capacity);
            for ((place, report), admission) in reports.into_iter().zip(admitted) {
                admissions[place] = admission;
                if admission == Admission::New && self.siteless.contains(&site) {
                    self.tell_sites(site, report);
                }
            }
        }
        admissions
    }

    /// Whether this very event is known to one of the controller's sites, if it belongs to none; else to what belongs to none.
    fn is_told_elsewhere(&self, site: usize, event: &Event) -> bool {
        if self.siteless.is_empty() || event.origin == Origin::Derived {
            return false;
        }
        if self.siteless.contains(&site) {
            let mut others = self.beside(site);
            return others.any(|at| self.sites[at].2.knows(&event.id));
        }
        let mut siteless = self.siteless.iter().map(|at| &self.sites[*at]);
        siteless.any(|(controller, _, memory)| {
            same(controller, &event.controller) && memory.knows(&event.id)
        })
    }

    /// The sites of the controller may tell it in another form.
    fn tell_sites(&mut self, site: usize, report: Report<'_>) {
        if report.event.origin == Origin::Derived {
            return;
        }
        let others: Vec<usize> = self.beside(site).collect();
        for at in others {
            let memory = &mut self.sites[at].2;
            memory.remember(report.event, report.source, self.capacity);
        }
    }

    /// Positions of the other sites of the same controller.
    fn beside(&self, site: usize) -> impl Iterator<Item = usize> {
        let controller = &self.sites[site].0;
        let is_beside = move |at: &usize| *at != site && same(&self.sites[*at].0, controller);
        (0..self.sites.len()).filter(is_beside)
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
                if &**site == SUPER {
                    self.siteless.push(self.sites.len());
                }
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
