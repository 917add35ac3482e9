//! Where incidents and silences of the whole cluster are looked at and changed. Incidents are changed by whoever holds their
//! partition; others see what it showed last, and ask it.

use super::lease;
use super::names::Partition;
use super::shared::Shared;
use super::silences;
use crate::alert::{Incident, MAX_SILENCES, Silence};
use crate::clock::Clock;
use crate::desk::{Desk, DeskError, Elsewhere, unknown};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use unifi_herald_plugin::Text;

/// The desks of the partitions that are held, and the silences that all of them go by.
#[derive(Debug, Default)]
pub(super) struct Desks(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    held: BTreeMap<Partition, Desk>,
    silences: Vec<Silence>,
    /// Incidents of partitions that other workers hold.
    others: Vec<Incident>,
}

/// How long another worker may take to acknowledge an incident.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often is looked whether it has.
const GLANCE: Duration = Duration::from_millis(100);

impl Desks {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A partition is held, whose alerts are at `desk`.
    pub(super) fn open(&self, partition: &Partition, desk: Desk) {
        let mut inner = self.lock();
        desk.follow_silences(&inner.silences);
        inner.held.insert(partition.clone(), desk);
    }

    /// It is not any more.
    pub(super) fn close(&self, partition: &Partition) {
        self.lock().held.remove(partition);
    }

    fn held(&self) -> Vec<Desk> {
        self.lock().held.values().cloned().collect()
    }

    /// Incidents of the partitions that are held, as the others are told: as many as fit into `room` bytes.
    pub(super) fn shown(&self, room: usize) -> String {
        let mut json = "[".to_owned();
        for incident in self.held().iter().flat_map(Desk::incidents) {
            // Cannot fail: it has no map whose keys are not text.
            let text = serde_json::to_string(&incident).unwrap_or_default();
            if json.len() + text.len() + 2 > room {
                break;
            }
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&text);
        }
        json.push(']');
        json
    }

    /// These are what other workers showed.
    pub(super) fn follow_others(&self, shown: &[Vec<u8>]) {
        let incidents = shown.iter().filter_map(|json| {
            // One of another version of herald may be written in another way.
            serde_json::from_slice::<Vec<Incident>>(json).ok()
        });
        self.lock().others = incidents.flatten().collect();
    }

    /// Acknowledge an incident if its partition is held; whether it was.
    pub(super) async fn acknowledge(&self, incident: &str) -> Result<bool, DeskError> {
        for desk in self.held() {
            match desk.acknowledge(incident).await {
                Err(DeskError::Unknown { .. }) => {}
                done => return done.map(|()| true),
            }
        }
        Ok(false)
    }

    /// Whether somebody else holds this incident, and has it acknowledged.
    fn of_others(&self, incident: &str) -> Option<bool> {
        let inner = self.lock();
        let found = inner.others.iter().find(|other| &*other.id == incident);
        found.map(|found| found.acknowledged)
    }

    /// The silences of the cluster, as far as was seen.
    pub(super) fn silences(&self) -> Vec<Silence> {
        self.lock().silences.clone()
    }

    /// These are the silences of the cluster.
    pub(super) fn follow(&self, silences: Vec<Silence>) {
        let mut inner = self.lock();
        if inner.silences == silences {
            return;
        }
        for desk in inner.held.values() {
            desk.follow_silences(&silences);
        }
        inner.silences = silences;
    }
}

/// The desk of a herald of a cluster.
#[derive(Debug)]
pub(super) struct ClusterDesk {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    /// Whether it runs alerts at all.
    pub(super) processes: bool,
}

impl ClusterDesk {
    fn refuse_collectors(&self) -> Result<(), DeskError> {
        if self.processes {
            return Ok(());
        }
        let text = "this herald only collects: ask one that processes";
        Err(DeskError::Refused(text.to_owned()))
    }
}

#[async_trait]
impl Elsewhere for ClusterDesk {
    fn incidents(&self) -> Vec<Incident> {
        let desks = &self.shared.desks;
        let held = desks.held();
        let mut incidents: Vec<_> = held.iter().flat_map(Desk::incidents).collect();
        // One that has just come here may still be among those of another.
        let known: BTreeSet<Text> = incidents.iter().map(|own| own.id.clone()).collect();
        let others = desks.lock().others.clone().into_iter();
        incidents.extend(others.filter(|other| !known.contains(&other.id)));
        incidents.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        incidents
    }

    fn silences(&self) -> Vec<Silence> {
        let now = self.clock.wall();
        let mut silences = self.shared.desks.silences();
        silences.retain(|silence| now < silence.until);
        silences
    }

    async fn acknowledge(&self, incident: &str) -> Result<(), DeskError> {
        self.refuse_collectors()?;
        let desks = &self.shared.desks;
        if desks.acknowledge(incident).await? {
            return Ok(());
        }
        if desks.of_others(incident).is_none() {
            return Err(unknown("incident", incident));
        }
        let link = self.shared.link.get().ok_or(DeskError::NotKept)?;
        let asked = lease::ask_for(link, incident).await;
        asked.map_err(|trouble| DeskError::Refused(trouble.to_string()))?;
        let done = async {
            loop {
                match desks.of_others(incident) {
                    Some(false) => tokio::time::sleep(GLANCE).await,
                    Some(true) => return Ok(()),
                    // It has come here meanwhile, or is over.
                    None if desks.acknowledge(incident).await? => return Ok(()),
                    None => return Err(unknown("incident", incident)),
                }
            }
        };
        let done = tokio::time::timeout(PATIENCE, done).await;
        done.unwrap_or_else(|_| {
            let text = "the worker that holds the incident did not answer in time: ask once more";
            Err(DeskError::Refused(text.to_owned()))
        })
    }

    async fn silence(&self, silence: &Silence) -> Result<(), DeskError> {
        self.refuse_collectors()?;
        let mut all = self.silences();
        if all.len() >= MAX_SILENCES {
            let text = format!("there are {MAX_SILENCES} silences already");
            return Err(DeskError::Refused(text));
        }
        let link = self.shared.link.get().ok_or(DeskError::NotKept)?;
        let kept = silences::keep(link, silence).await;
        kept.map_err(|trouble| DeskError::Refused(trouble.to_string()))?;
        all.push(silence.clone());
        self.shared.desks.follow(all);
        Ok(())
    }

    async fn end_silence(&self, id: &str) -> Result<(), DeskError> {
        self.refuse_collectors()?;
        let mut all = self.silences();
        let before = all.len();
        all.retain(|silence| silence.id != id);
        if all.len() == before {
            return Err(unknown("silence", id));
        }
        let link = self.shared.link.get().ok_or(DeskError::NotKept)?;
        let ended = silences::end(link, id).await;
        ended.map_err(|trouble| DeskError::Refused(trouble.to_string()))?;
        self.shared.desks.follow(all);
        Ok(())
    }
}
