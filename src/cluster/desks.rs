//! Where incidents of the partitions that this herald holds are looked at and changed, and silences of the whole cluster.

use super::names::Partition;
use super::shared::Shared;
use super::silences;
use crate::alert::{Incident, MAX_SILENCES, Silence};
use crate::clock::Clock;
use crate::desk::{Desk, DeskError, Elsewhere, unknown};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The desks of the partitions that are held, and the silences that all of them go by.
#[derive(Debug, Default)]
pub(super) struct Desks(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    held: BTreeMap<Partition, Desk>,
    silences: Vec<Silence>,
}

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
        let desks = self.shared.desks.held();
        let mut incidents: Vec<_> = desks.iter().flat_map(Desk::incidents).collect();
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
        for desk in self.shared.desks.held() {
            match desk.acknowledge(incident).await {
                Err(DeskError::Unknown { .. }) => {}
                done => return done,
            }
        }
        Err(unknown("incident", incident))
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
