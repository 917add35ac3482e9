//! The names of chains and steps, by which the record of an event's way is understood later.

use crate::config::{Action, Plan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names of all chains and their steps, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape(pub Vec<ChainShape>);

/// Names of one chain and its steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainShape {
    /// The chain's name.
    pub name: String,
    /// `script storms`, `where …`, `filter x`, `alert y`, `digest z`, `sink archive`.
    pub steps: Vec<String>,
}

impl Shape {
    /// Where shapes are kept in a store.
    pub const SCOPE: &'static str = "chains";

    /// Of the chains in `plan`.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let step = |action: &Action| match action {
            Action::Script(name) => format!("script {name}"),
            Action::Where(source) => format!("where {source}"),
            Action::Filter(name) => format!("filter {name}"),
            Action::Alert(index) => {
                let alert = plan.alerts.get(*index);
                format!("alert {}", alert.map_or("", |alert| &*alert.name))
            }
            Action::Digest(index) => {
                let digest = plan.digests.get(*index);
                format!("digest {}", digest.map_or("", |digest| &*digest.name))
            }
            Action::Sink(index) => {
                let sink = plan.sinks.get(*index);
                format!("sink {}", sink.map_or("", |sink| &*sink.name))
            }
        };
        let chains = plan.chains.iter().map(|chain| ChainShape {
            name: chain.name.to_string(),
            steps: chain.steps.iter().map(|one| step(&one.action)).collect(),
        });
        Self(chains.collect())
    }

    /// Its short name, by which records refer to it.
    #[must_use]
    pub fn key(&self) -> [u8; 4] {
        let digest = Sha256::digest(self.to_json());
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// As text, to be kept.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Cannot fail: it is lists of text.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The key as a store has it.
    #[must_use]
    pub fn name_of(key: [u8; 4]) -> String {
        format!("{:08x}", u32::from_be_bytes(key))
    }
}
