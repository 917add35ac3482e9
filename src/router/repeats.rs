//! Whether an event came before: by the memory of recent events, and for what repair fetches, by the journal.

use super::batch::{Batch, Way};
use super::handed::Handed;
use super::neighbours::Neighbours;
use crate::store::{Hole, HoleChange, Store, Stretch};
use crate::unifi::dedupe::WINDOW;
use crate::unifi::sites::SUPER;
use crate::unifi::{Admission, Dedupe, EventSource, Report};
use std::collections::HashSet;
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Event, Origin, Text};

/// How many recent events are remembered to recognise one that comes twice.
const REMEMBERED: usize = 65_536;

/// How many events of the journal are remembered for one batch, or for a hole: so many that the batch itself still finds
/// them.
const FROM_JOURNAL: usize = REMEMBERED / 2;

/// How many of the last before a hole are remembered for what the stream tells next.
const BEFORE_STREAM: usize = REMEMBERED / 16;

/// So many events of the journal for each stretch are few enough to be read with what lies between the stretches.
const FEW: usize = 8;

/// Recognises what came before.
#[derive(Debug)]
pub(super) struct Repeats {
    dedupe: Dedupe,
    handed: Handed,
    /// Those of the batch that the journal has: controller, site, id.
    known: HashSet<(Text, Text, Text)>,
    neighbours: Neighbours,
    /// How many events were remembered, at most.
    remembered: u64,
    /// The controllers and sites of earlier runs.
    places: Vec<(Text, Text)>,
}

impl Repeats {
    /// Of a host that has heard these controllers and sites before.
    pub(super) fn new(places: Vec<(Text, Text)>) -> Self {
        Self {
            places,
            dedupe: Dedupe::new(REMEMBERED),
            handed: Handed::new(REMEMBERED),
            known: HashSet::new(),
            neighbours: Neighbours::default(),
            remembered: 0,
        }
    }

    /// Which events of a batch are new, in their order; they are remembered. Only repair and what was handed over make
    /// questions to the journal.
    pub(super) fn admit(&mut self, batch: &Batch, store: &dyn Store) -> Vec<Admission> {
        self.ask(batch, store);
        if !self.known.is_empty() {
            for (event, _) in batch.events.iter().filter(|(_, way)| *way != Way::Handed) {
                if self.known.contains(&key(event)) {
                    self.dedupe.remember(event, EventSource::of(event));
                }
            }
        }
        let mut admissions = vec![None; batch.events.len()];
        self.look_around(batch, store, &mut admissions);
        self.admit_those(batch, &mut admissions, |_| true);
        let entries = batch.events.iter().zip(admissions);
        let admission = |((event, way), admission): (&(Arc<Event>, Way), Option<Admission>)| {
            match admission {
                Some(admission) => admission,
                None if *way == Way::Handed => self.admit_handed(event),
                // There is one for each that was not handed over.
                None => Admission::New,
            }
        };
        entries.map(admission).collect()
    }

    /// Admit those of the batch that `are_meant` and were not yet, together.
    fn admit_those(
        &mut self,
        batch: &Batch,
        admissions: &mut [Option<Admission>],
        are_meant: impl Fn(&Event) -> bool,
    ) {
        let entries = batch.events.iter().enumerate();
        let meant = entries.filter(|(place, (event, way))| {
            *way != Way::Handed && admissions[*place].is_none() && are_meant(event)
        });
        let meant: Vec<_> = meant.collect();
        let reports = meant.iter().map(|(_, (event, way))| Report {
            event,
            source: EventSource::of(event),
            early: *way == Way::SinksIfSure,
        });
        let admitted = self.dedupe.admit(reports);
        self.remembered += meant.len() as u64;
        for ((place, _), admission) in meant.into_iter().zip(admitted) {
            admissions[place] = Some(admission);
        }
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
            let mut known = store.known(controller, site, &ids);
            for other in self.told_by(controller, site) {
                let more = store.known(controller, other, &ids);
                known = known
                    .iter()
                    .zip(more)
                    .map(|(one, more)| *one || more)
                    .collect();
            }
            let known = ids.into_iter().zip(known).filter(|(_, known)| *known);
            self.known
                .extend(known.map(|(id, _)| (controller.clone(), site.clone(), id)));
        }
    }

    /// Who else may have told what this site tells: what belongs to no site is told by one as well.
    fn told_by(&self, controller: &Text, site: &Text) -> Vec<&Text> {
        let of_no_site = |site: &str| site == SUPER;
        let places = self
            .places
            .iter()
            .filter(|(known, other)| known == controller && of_no_site(other) != of_no_site(site));
        places.map(|(_, other)| other).collect()
    }

    /// The stream may tell the last things before a hole once more, in another form.
    fn remember(&mut self, hole: &Hole, store: &dyn Store) {
        let stretch = Stretch {
            from: hole.from - WINDOW,
            to: None,
            kind: None,
        };
        let events = store.recent(&hole.controller, &hole.site, &stretch, BEFORE_STREAM);
        self.recall(&events);
    }

    /// What a history tells and nobody knows, the journal may have in another form, from an earlier run or from longer ago
    /// than is remembered: what lies around it there is remembered first. In a storm that is more than is remembered at once:
    /// then those that were looked around are admitted before the others are.
    fn look_around(
        &mut self,
        batch: &Batch,
        store: &dyn Store,
        admissions: &mut [Option<Admission>],
    ) {
        let is_news = |(event, way): &&(Arc<Event>, Way)| {
            event.origin == Origin::Backfill
                && matches!(way, Way::Sinks | Way::SinksIfSure)
                && !self.known.contains(&key(event))
                && !self.dedupe.knows(event)
        };
        let news = batch.events.iter().filter(is_news);
        let mut news: Vec<&Event> = news.map(|(event, _)| &**event).collect();
        news.sort_by(|a, b| (about(a), a.time).cmp(&(about(b), b.time)));
        let lasting = (REMEMBERED - FROM_JOURNAL).saturating_sub(batch.events.len()) as u64;
        let (mut room, mut looked) = (FROM_JOURNAL, HashSet::new());
        for alike in news.chunk_by(|a, b| about(a) == about(b)) {
            let times = alike.iter().map(|event| event.time);
            let counts = (self.remembered, lasting);
            let stretches = self.neighbours.unread(alike[0], times, counts);
            let site = (&*alike[0].controller, &*alike[0].site);
            let events = recent_of(&stretches, site, FROM_JOURNAL, store);
            if events.len() > room {
                self.admit_those(batch, admissions, |event| looked.contains(&about(event)));
                looked.clear();
                room = FROM_JOURNAL;
            }
            self.recall(&events);
            room -= events.len();
            looked.insert(about(alike[0]));
            if events.len() == FROM_JOURNAL {
                self.neighbours.forget();
            }
        }
    }

    /// Remember these of the journal.
    fn recall(&mut self, events: &[BufferedEvent]) {
        for event in events {
            self.dedupe.remember(event, EventSource::of(event));
        }
        self.remembered += events.len() as u64;
    }
}

/// What the journal has in these stretches of one kind, at most `max`. Where there is little between them one look is enough.
fn recent_of(
    stretches: &[Stretch],
    (controller, site): (&str, &str),
    max: usize,
    store: &dyn Store,
) -> Vec<BufferedEvent> {
    if let [first, .., last] = stretches {
        let whole = Stretch {
            to: last.to,
            ..*first
        };
        let few = max.min(stretches.len() * FEW);
        let events = store.recent(controller, site, &whole, few);
        if events.len() < few {
            return events;
        }
    }
    let mut events = Vec::new();
    for stretch in stretches {
        let room = max - events.len();
        if room > 0 {
            events.extend(store.recent(controller, site, stretch, room));
        }
    }
    events
}

/// What the twins of an event have in common with it, besides the time.
fn about(event: &Event) -> (&str, &str, &str) {
    (&event.controller, &event.site, event.kind.as_str())
}

pub(super) fn key(event: &Event) -> (Text, Text, Text) {
    (
        event.controller.clone(),
        event.site.clone(),
        event.id.clone(),
    )
}
