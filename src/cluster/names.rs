//! Names in the cluster: streams, subjects, consumers, keys. A partition is a controller and a site.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fmt::Write as _;
use unifi_herald_plugin::Kind;

/// A controller and a site, as the tokens of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition {
    controller: String,
    site: String,
}

/// Where everything of one cluster is.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    stream: String,
}

/// What stands between the parts of a partition's name: in no token, and in every name allowed.
const BETWEEN: char = '=';

impl Partition {
    /// The partition of an event or of a sink's share, by its subject.
    pub(crate) fn of_subject(subject: &str) -> Option<Self> {
        let tokens: Vec<&str> = subject.split('.').collect();
        match *tokens {
            ["herald", controller, site, _, _] => Some(Self {
                controller: controller.to_owned(),
                site: site.to_owned(),
            }),
            ["herald", "out", _, partition] => Self::of_name(partition),
            _ => None,
        }
    }

    /// The partition called `controller=site`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let (controller, site) = name.split_once(BETWEEN)?;
        Some(Self {
            controller: controller.to_owned(),
            site: site.to_owned(),
        })
    }

    /// The subjects of its events.
    pub(crate) fn events(&self) -> String {
        format!("herald.{}.{}.*.*", self.controller, self.site)
    }

    /// The subject of an event that herald makes of it.
    pub(crate) fn subject_of(&self, kind: Kind) -> String {
        format!("herald.{}.{}.{kind}", self.controller, self.site)
    }

    /// Its controller, as far as a subject can tell.
    pub(crate) fn controller(&self) -> &str {
        &self.controller
    }

    /// Its site.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// The subject of a sink's share of it.
    pub(crate) fn share(&self, sink: &str) -> String {
        format!("herald.out.{sink}.{self}")
    }

    /// The subject of what a sink will not take of it.
    pub(crate) fn dead(&self, sink: &str) -> String {
        format!("herald.dead.{sink}.{self}")
    }

    /// Name of the consumer that runs its chains.
    pub(crate) fn chain_consumer(&self) -> String {
        format!("chain={self}")
    }

    /// Name of the consumer that feeds a sink.
    pub(crate) fn sink_consumer(&self, sink: &str) -> String {
        format!("sink={sink}={self}")
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BETWEEN}{}", self.controller, self.site)
    }
}

impl Names {
    pub(crate) fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
        }
    }

    /// The stream of events.
    pub(crate) fn events(&self) -> &str {
        &self.stream
    }

    /// The stream of shares and dead letters.
    pub(crate) fn shares(&self) -> String {
        format!("{}_out", self.stream)
    }

    /// The bucket of what scripts, alerts and digests remember.
    pub(crate) fn state(&self) -> String {
        format!("{}_state", self.stream)
    }

    /// The stream behind that bucket.
    pub(crate) fn state_stream(&self) -> String {
        format!("KV_{}", self.state())
    }

    /// The subject of a silence; of all with `*`. No partition is called so.
    pub(crate) fn silence(&self, id: &str) -> String {
        format!("$KV.{}.silence.{id}", self.state())
    }

    /// The bucket of leases and of those who may hold them.
    pub(crate) fn leases(&self) -> String {
        format!("{}_leases", self.stream)
    }

    /// The subject of a partition's head, which says what its last batch changed.
    pub(crate) fn head(&self, partition: &Partition) -> String {
        format!("{}.head", self.memory(partition))
    }

    /// The subject of one part of a head that is too large for one message. They are written before it: in another place
    /// than those of the one before, and of every other owner, who may have lost the partition and not know it yet.
    pub(crate) fn head_part(
        &self,
        partition: &Partition,
        owner: &str,
        place: usize,
        part: usize,
    ) -> String {
        let parts = self.head_parts(partition, owner);
        format!("{}{place}.{part}", parts.trim_end_matches('>'))
    }

    /// The subjects of all parts that an owner writes.
    pub(crate) fn head_parts(&self, partition: &Partition, owner: &str) -> String {
        let owner = owner.replace('/', "-");
        format!("{}.part.{owner}.>", self.memory(partition))
    }

    /// The subject of one remembered value.
    pub(crate) fn value(&self, partition: &Partition, scope: &str, key: &str) -> String {
        let mut hash = Sha256::new();
        hash.update((scope.len() as u64).to_le_bytes());
        hash.update(scope);
        hash.update(key);
        let mut subject = format!("{}.value.", self.memory(partition));
        for byte in &hash.finalize()[..16] {
            // Writing to a string cannot fail.
            let _infallible = write!(subject, "{byte:02x}");
        }
        subject
    }

    /// The beginning of the subjects of all that a partition remembers.
    pub(crate) fn memory(&self, partition: &Partition) -> String {
        format!("$KV.{}.{partition}", self.state())
    }

    /// The stream behind that bucket.
    pub(crate) fn lease_stream(&self) -> String {
        format!("KV_{}", self.leases())
    }

    /// The subject by which whoever holds an incident is asked to acknowledge it.
    pub(crate) fn asked(&self, incident: &str) -> String {
        format!("$KV.{}.asked.{incident}", self.leases())
    }

    /// The subject of a partition's lease.
    pub(crate) fn lease(&self, partition: &Partition) -> String {
        format!("$KV.{}.lease.{partition}", self.leases())
    }

    /// The subject of a worker's sign of life.
    pub(crate) fn worker(&self, worker: &str) -> String {
        format!("$KV.{}.worker.{worker}", self.leases())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_found_in_its_subjects() {
        let home = Partition::of_subject("herald.home.default.device.offline").unwrap();
        assert_eq!(home.to_string(), "home=default");
        assert_eq!(Partition::of_name("home=default"), Some(home.clone()));
        assert_eq!(
            Partition::of_subject(&home.share("ops")),
            Some(home.clone())
        );
        assert_eq!(Partition::of_subject(&home.dead("ops")), None);
        // The number of tokens tells a controller called `out` from a share.
        let out = Partition::of_subject("herald.out.default.device.offline").unwrap();
        assert_eq!(out.events(), "herald.out.default.*.*");
    }

    #[test]
    fn values_of_different_scopes_and_keys_have_different_subjects() {
        let names = Names::new("herald");
        let partition = Partition::of_name("a=b").unwrap();
        let one = names.value(&partition, "ab", "c");
        assert!(one.starts_with("$KV.herald_state.a=b.value."), "{one}");
        assert_ne!(one, names.value(&partition, "a", "bc"));
        assert_eq!(one, names.value(&partition, "ab", "c"));
    }
}
