//! What a herald of a cluster runs itself: one chain that gives everything to the outbox, a lane to the stream, and the
//! lanes of the sinks where it works for them.

use crate::config::{
    Action, BatchPlan, ChainPlan, JetstreamPlan, OnError, Plan, PluginPlan, RetryPlan, SinkPlan,
    StepPlan, When,
};
use std::time::Duration;
use toml::{Table, Value};

/// Name of the way to the stream, as the status shows it; no sink can be called so.
pub(crate) const OUTBOX: &str = "jetstream-outbox";

/// The plan of what runs here: `plan` is everybody's, and its chains run where a partition is held.
pub(crate) fn front(plan: &Plan, cluster: &JetstreamPlan) -> Plan {
    let mut front = plan.clone();
    if !cluster.role.collects() {
        front.controllers.clear();
    }
    if !cluster.role.processes() {
        front.sinks.clear();
    }
    front.scripts.clear();
    front.filters.clear();
    front.alerts.clear();
    front.digests.clear();
    let outbox = front.sinks.len();
    front.sinks.push(lane(cluster));
    front.chains = vec![ChainPlan {
        name: OUTBOX.into(),
        when: When::default(),
        steps: vec![StepPlan {
            when: When::default(),
            action: Action::Sink(outbox),
        }],
    }];
    front
}

/// The lane that publishes: the built-in sink with the cluster's options.
fn lane(cluster: &JetstreamPlan) -> SinkPlan {
    let mut options = Table::new();
    let servers = cluster.servers.iter().cloned().map(Value::String);
    options.insert("servers".to_owned(), Value::Array(servers.collect()));
    options.insert("prefix".to_owned(), "herald".into());
    if let Some(creds) = &cluster.creds {
        options.insert("creds".to_owned(), creds.display().to_string().into());
    }
    if let Some(tls) = &cluster.tls {
        let mut table = Table::new();
        if let Some(pin) = &tls.pin_sha256 {
            table.insert("pin_sha256".to_owned(), pin.clone().into());
        }
        if let Some(file) = &tls.ca_file {
            table.insert("ca_file".to_owned(), file.display().to_string().into());
        }
        table.insert("insecure".to_owned(), tls.insecure.into());
        options.insert("tls".to_owned(), table.into());
    }
    SinkPlan {
        name: OUTBOX.into(),
        plugin: PluginPlan {
            plugin: "nats".to_owned(),
            options,
            on_error: OnError::Keep,
        },
        batch: BatchPlan {
            max: 512,
            wait: Duration::ZERO,
        },
        retry: RetryPlan {
            min: Duration::from_millis(500),
            max: Duration::from_secs(5),
            give_up_after: None,
        },
        timeout: Duration::from_secs(30),
        raw: true,
        max_age: None,
        coalesce: false,
    }
}
