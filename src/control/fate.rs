//! What became of one event: what each chain and step did with it, and where each delivery is.

use super::tap::Shown;
use crate::chain::verdict::{self, ChainVerdict, Deed};
use crate::chain::{ChainShape, Shape};
use crate::store::{JournalEvent, KeptLetter, LetterFilter, Omission, Reader, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use unifi_herald_plugin::Text;

/// Most dead letters of one event that are looked at: one for each sink, and room.
const LETTERS: usize = 1000;

/// What became of one event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fate {
    /// The event.
    pub event: Box<RawValue>,
    /// What each chain did, in the order of the configuration of that time; empty when it was not recorded. Of what a
    /// script or filter made, only which sinks got it.
    pub chains: Vec<ChainFate>,
    /// Every sink that was given it, or does not get it any more.
    pub deliveries: Vec<Delivery>,
}

/// An event as it was committed, before any delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Routed {
    /// The event.
    pub event: Box<RawValue>,
    /// What each chain did; empty for what a script or filter made, which is told with the event before it.
    pub chains: Vec<ChainFate>,
}

/// What one chain did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainFate {
    /// Its name.
    pub chain: String,
    /// Whether its `when` was met.
    pub entered: bool,
    /// The steps the event came to.
    pub steps: Vec<StepFate>,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFate {
    /// `script storms`, `where …`, `filter x`, `alert y`, `digest z`, `sink archive`.
    pub step: String,
    /// How many steps before it put several events in the place of one.
    pub depth: usize,
    /// `kept`, `changed`, `dropped`, `replaced`, `dead_letter`, `given`, `had_it`, `journal_only`, `counted`,
    /// `collected`, `said` or `skipped`.
    pub did: String,
    /// Whether it failed, so that its `on_error` decided.
    pub failed: bool,
}

/// Where a delivery is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The sink.
    pub sink: String,
    /// `pending`, `settled` when it was delivered, `dead_letter`; or why it is not delivered any more: `too_old` for the sink,
    /// `merged` with the news of its end, `lost` for want of room, `dropped` when it was a dead letter.
    pub state: String,
    /// Why it is a dead letter.
    pub reason: Option<String>,
}

/// The fate of every event with this id; controllers and sites may have one each.
///
/// # Errors
/// When the store cannot be read.
pub fn fates(reader: &Reader, id: &str) -> Result<Vec<Fate>, StoreError> {
    let found = reader.event(id)?;
    let filter = LetterFilter {
        sink: None,
        id: Some(id.into()),
    };
    let letters = reader.dead_letters(&filter, 0, LETTERS)?;
    let fate = |event| fate(reader, event, &letters);
    found
        .into_iter()
        .filter_map(|event| fate(event).transpose())
        .collect()
}

/// An event that was just committed, with what its record says.
pub(super) fn routed(shown: &Shown) -> Option<Routed> {
    let record = Some(&shown.record).filter(|record| !verdict::is_of_made(record));
    let record = record.and_then(|record| verdict::read(record));
    let chains = record.map(|(_, chains)| name_chains(chains, &shown.shape));
    Some(Routed {
        event: RawValue::from_string(shown.event.to_json()).ok()?,
        chains: chains.unwrap_or_default(),
    })
}

fn fate(
    reader: &Reader,
    found: JournalEvent,
    letters: &[KeptLetter],
) -> Result<Option<Fate>, StoreError> {
    let JournalEvent { event, verdict } = found;
    let record = verdict.as_deref().and_then(verdict::read);
    let (chains, given) = match record {
        Some((key, chains)) => {
            let shape = shape(reader, key)?;
            let given = given(&chains, &shape);
            (name_chains(chains, &shape), given)
        }
        None => (Vec::new(), Vec::new()),
    };
    let awaited = reader.awaited_by(event.seq)?;
    let omitted = reader.omitted_by(event.seq)?;
    let letters = letters
        .iter()
        .filter(|letter| letter.event.seq == event.seq);
    let Ok(json) = RawValue::from_string(event.to_json()) else {
        return Ok(None);
    };
    Ok(Some(Fate {
        event: json,
        chains,
        deliveries: deliveries(given, &awaited, &omitted, letters),
    }))
}

/// The names of the chains at that time; none when the store does not have them.
fn shape(reader: &Reader, key: [u8; 4]) -> Result<Shape, StoreError> {
    let name = Shape::name_of(key);
    let kept = reader.state(Shape::SCOPE)?;
    let entry = kept.into_iter().find(|entry| *entry.key == *name);
    let shape = entry.and_then(|entry| serde_json::from_slice(&entry.value).ok());
    Ok(shape.unwrap_or_default())
}

/// What chains of this shape did, by name.
pub(crate) fn name_chains(chains: Vec<ChainVerdict>, shape: &Shape) -> Vec<ChainFate> {
    let named = chains.into_iter().enumerate().map(|(index, chain)| {
        let names = shape.0.get(index);
        let step = |position: usize| {
            let name = names.and_then(|names| names.steps.get(position).cloned());
            name.unwrap_or_else(|| format!("step {}", position + 1))
        };
        let steps = chain.steps.into_iter().map(|one| StepFate {
            step: step(one.position),
            depth: one.depth,
            did: one.deed.as_str().to_owned(),
            failed: one.failed,
        });
        ChainFate {
            chain: names.map_or_else(
                || format!("chain {}", index + 1),
                |names| names.name.clone(),
            ),
            entered: chain.entered,
            steps: steps.collect(),
        }
    });
    named.collect()
}

/// The sinks that were given the event itself.
fn given(chains: &[ChainVerdict], shape: &Shape) -> Vec<String> {
    let mut sinks = Vec::new();
    for (chain, ChainShape { steps, .. }) in chains.iter().zip(&shape.0) {
        let own = chain
            .steps
            .iter()
            .filter(|step| step.itself && step.deed == Deed::Given);
        let names = own.filter_map(|step| steps.get(step.position)?.strip_prefix("sink "));
        sinks.extend(names.map(str::to_owned));
    }
    sinks
}

fn deliveries<'a>(
    given: Vec<String>,
    awaited: &[Text],
    omitted: &[(Text, Omission)],
    letters: impl Iterator<Item = &'a KeptLetter>,
) -> Vec<Delivery> {
    let pending = awaited.iter().map(|sink| Delivery {
        sink: sink.to_string(),
        state: "pending".to_owned(),
        reason: None,
    });
    let dead = letters.map(|letter| Delivery {
        sink: letter.sink.to_string(),
        state: "dead_letter".to_owned(),
        reason: Some(letter.reason.clone()),
    });
    let mut all: Vec<Delivery> = pending.chain(dead).collect();
    // A sink that was given it again, or had it given up, is in one of these.
    let omitted = omitted.iter();
    let omitted = omitted.map(|(sink, why)| (sink.to_string(), why.as_str()));
    let settled = given.into_iter().map(|sink| (sink, "settled"));
    for (sink, state) in omitted.chain(settled) {
        if !all.iter().any(|delivery| delivery.sink == sink) {
            all.push(Delivery {
                sink,
                state: state.to_owned(),
                reason: None,
            });
        }
    }
    all
}
