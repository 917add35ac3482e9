//! What a commit carries besides events: remembered state, watermarks, and the holes that wait for repair.

use unifi_herald_plugin::{Text, Timestamp};

/// A change to what a script, an alert or a digest remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// Remember `value`, in place of what was there.
    Set {
        /// Whose memory it is: `script/storms/everything`.
        scope: Text,
        /// Name of the value within the scope.
        key: Text,
        /// The value, in the form of its owner.
        value: Vec<u8>,
        /// When it may be forgotten; `None` keeps it.
        expires: Option<Timestamp>,
    },
    /// Forget one value.
    Forget {
        /// Whose memory it is.
        scope: Text,
        /// Name of the value within the scope.
        key: Text,
    },
    /// Forget everything of a scope.
    Clear {
        /// Whose memory it is.
        scope: Text,
    },
}

/// A remembered value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// Its name within the scope.
    pub key: Text,
    /// The value, in the form of its owner.
    pub value: Vec<u8>,
    /// When it may be forgotten; `None` keeps it.
    pub expires: Option<Timestamp>,
}

/// How far a controller's site has come, by the controller's clock: what is older was committed, or is in a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Name of the controller.
    pub controller: Text,
    /// Short name of the site.
    pub site: Text,
    /// The moment.
    pub time: Timestamp,
}

/// A stretch of time whose events may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Chosen by whoever opens it; unique among the open ones.
    pub id: u64,
    /// Name of the controller.
    pub controller: Text,
    /// Short name of the site.
    pub site: Text,
    /// Its beginning, by the controller's clock.
    pub from: Timestamp,
    /// Its end; `None` while it is still growing.
    pub to: Option<Timestamp>,
    /// Why it is there: `start`, `reconnect`, `ring_overflow`.
    pub reason: Text,
}

/// A change to the open holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoleChange {
    /// A hole is there; one of the same id is replaced.
    Open(Hole),
    /// Part of it is filled.
    Shrink {
        /// Which.
        id: u64,
        /// Where it begins now.
        from: Timestamp,
        /// Where it ends now.
        to: Option<Timestamp>,
        /// Whether the history was asked for all of it: what is left is asked for once more, for what comes late.
        read: bool,
    },
    /// It is filled, or reported as a `herald.gap`.
    Close {
        /// Which.
        id: u64,
    },
}
