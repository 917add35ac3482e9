//! Whether an event came before: by the memory of recent events, and for what repair fetches, by the journal.

use super::batch::{Batch, Way};
use super::handed::Handed;
use crate::store::{Hole, HoleChange, Store};
use crate::unifi::{Admission, Dedupe, EventSource, Report};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Event, Origin, Text};

/// How many recent events are remembered to recognise one that comes twice.
const REMEMBERED: usize = 65_536;

/// How far before a hole the reports of one thing may lie that are told again within it.
const TWINS: Duration = Duration::from_secs(2);

/// Recognises what came before.
#[derive(Debug)]
pub(super) struct Repeats {
    dedupe: Dedupe,
    handed: Handed,
    /// Those of the batch that the journal has: controller, site, id.
    known: HashSet<(Text, Text, Text)>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self {
            dedupe: Dedupe::new(REMEMBERED),
            handed: Handed::new(REMEMBERED),
            known: HashSet::new(),
        }
    }

    /// Which events of a batch are new, in their order; they are remembered. Only repair and what was handed over make
    /// questions to the journal.
    pub(super) fn admit(&mut self, batch: &Batch, store: &dyn Store) -> Vec<Admission> {
        self.ask(batch, store);
        let is_own = |(_, way): &&(Arc<Event>, Way)| *way != Way::Handed;
        let reports = batch
            .events
            .iter()
            .filter(is_own)
            .map(|(event, way)| Report {
                event,
                source: EventSource::of(event),
                early: *way == Way::SinksIfSure,
            });
        if !self.known.is_empty() {
            for report in reports.clone() {
                if self.known.contains(&key(report.event)) {
                    self.dedupe.remember(report.event, report.source);
                }
            }
        }
        let mut own = self.dedupe.admit(reports).into_iter();
        let admission = |entry: &(Arc<Event>, Way)| {
            if is_own(&entry) {
                // There is one for each.
                return own.next().unwrap_or(Admission::New);
            }
            self.admit_handed(&entry.0)
        };
        batch.events.iter().map(admission).collect()
    }

    /// What a controller told, or herald itself, is known in the journal or here. The other way round nothing is remembered:
    /// what comes from outside neither hides nor crowds out what is told here.
    fn admit_handed(&mut self, event: &Event) -> Admission {
        let known = self.known.contains(&key(event)) || self.dedupe.knows(event);
        if self.handed.admit(event) && !known {
            Admission::New
        } else {
            Admission::Duplicate
        }
    }

    fn ask(&mut self, batch: &Batch, store: &dyn Store) {
        self.known.clear();
        for change in &batch.holes {
            if let HoleChange::Open(hole) = change {
                self.remember(hole, store);
            }
        }
        let mut sites: Vec<(&Text, &Text, Vec<Text>)> = Vec::new();
        for (event, way) in &batch.events {
            if event.origin != Origin::Backfill && *way != Way::Handed {
                continue;
            }
            let site = sites.iter_mut().find(|(controller, site, _)| {
                **controller == event.controller && **site == event.site
            });
            match site {
                Some((_, _, ids)) => ids.push(event.id.clone()),
                None => sites.push((&event.controller, &event.site, vec![event.id.clone()])),
            }
        }
        for (controller, site, ids) in sites {
            let known = store.known(controller, site, &ids);
            let known = ids.into_iter().zip(known).filter(|(_, known)| *known);
            self.known
                .extend(known.map(|(id, _)| (controller.clone(), site.clone(), id)));
        }
    }

    /// What the journal has from the time of a hole may be told again by the history in another form.
    fn remember(&mut self, hole: &Hole, store: &dyn Store) {
        let since = hole.from - TWINS;
        for event in store.recent(&hole.controller, &hole.site, since, REMEMBERED / 2) {
            self.dedupe.remember(&event, EventSource::of(&event));
        }
    }
}

pub(super) fn key(event: &Event) -> (Text, Text, Text) {
    (
        event.controller.clone(),
        event.site.clone(),
        event.id.clone(),
    )
}
