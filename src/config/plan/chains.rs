//! What will run: chains, their steps, and which events enter them.

use unifi_herald_plugin::{Kind, Severity, Text};

/// One chain.
#[derive(Clone, Debug)]
pub struct ChainPlan {
    /// Its name in the configuration.
    pub name: Text,
    /// Which events enter it.
    pub when: When,
    /// What happens to them, in order.
    pub steps: Vec<StepPlan>,
}

/// One step of a chain.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// Which events it looks at; the others pass it by.
    pub when: When,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Runs the script of this name.
    Script(Text),
    /// Evaluates this expression; false drops.
    Where(String),
    /// Runs the filter of this name.
    Filter(Text),
    /// Lets the alert at this position of [`super::Plan::alerts`] count it.
    Alert(usize),
    /// Lets the digest at this position of [`super::Plan::digests`] collect it.
    Digest(usize),
    /// Gives the event to the sink at this position of [`super::Plan::sinks`], and lets it go on.
    Sink(usize),
}

/// A condition on events. Patterns take `*` and `?` and ignore case; `None` admits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Controller names.
    pub controllers: Option<Vec<String>>,
    /// Short or display names, optionally `controller/site`.
    pub sites: Option<Vec<String>>,
    /// The kinds admitted, with the patterns already expanded.
    pub kinds: Option<Vec<Kind>>,
    /// MAC addresses, names or host names of clients.
    pub clients: Option<Vec<String>>,
    /// MAC addresses or names of devices.
    pub devices: Option<Vec<String>>,
    /// Names of wireless networks.
    pub ssids: Option<Vec<String>>,
    /// The mildest severity admitted.
    pub min_severity: Option<Severity>,
}
