//! `[host]` and `store.jetstream`: a cluster is described when it is used, and only then.

use super::Check;
use crate::config::file::{JetstreamTable, TlsTable};
use crate::config::read::Flaw;
use crate::config::tree::Path;
use crate::config::{HostRole, JetstreamPlan, StoreMode};
use async_nats::{ConnectOptions, ServerAddr};
use std::path::Path as FilePath;
use std::time::Duration;
use unifi_herald_plugin::Span;
use unifi_herald_plugin::http::TlsOptions;

/// What the connection of a collector is made of.
const PLUGIN: &str = "nats";

impl Check<'_> {
    pub(super) fn jetstream(&mut self) -> Option<JetstreamPlan> {
        let file = &self.reading.file;
        let role = file.host.role;
        let used = file.store.mode == StoreMode::Jetstream;
        let path = Path::of(&["store", "jetstream"]);
        let Some(table) = &file.store.jetstream else {
            if used {
                let help = "write jetstream = { servers = [\"nats://host\"] } into [store]";
                self.missing(path, help);
            }
            if !used && role != HostRole::All {
                self.only_in_a_cluster(Path::of(&["host", "role"]));
            }
            return None;
        };
        if !used {
            self.only_in_a_cluster(path);
            return None;
        }
        if !self.registry.sinks().any(|(sink, _)| sink == PLUGIN) {
            let flaw = Flaw::value(
                Path::of(&["store", "mode"]),
                "this herald is built without the plugin `nats`",
            );
            self.flaw(flaw.help("begin with unifi_herald::builtin()".to_owned()));
        }
        Some(self.cluster(&path, table, role))
    }

    fn only_in_a_cluster(&mut self, path: Path) {
        let flaw = Flaw::value(path, "it does nothing without store.mode = \"jetstream\"");
        self.flaw(flaw.help("set the mode in [store], or leave this out".to_owned()));
    }

    fn cluster(&mut self, path: &Path, table: &JetstreamTable, role: HostRole) -> JetstreamPlan {
        if table.servers.is_empty() {
            let help = "write servers = [\"nats://host\"]";
            self.missing(path.join("servers"), help);
        }
        for (index, server) in table.servers.iter().enumerate() {
            if let Some(help) = wrong_with(server) {
                let path = path.join("servers").join(index.to_string());
                self.flaw(Flaw::value(path, "not the address of a NATS server").help(help));
            }
        }
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if table.stream.is_empty() || table.stream.len() > 64 || !table.stream.chars().all(named) {
            let flaw = Flaw::value(path.join("stream"), "not a name of a stream");
            self.flaw(flaw.help("a name has letters, digits, `-` and `_`".to_owned()));
        }
        if ![1, 3, 5].contains(&table.replicas) {
            let flaw = Flaw::value(path.join("replicas"), "expected 1, 3 or 5");
            self.flaw(flaw.help("3 outlive the loss of one server".to_owned()));
        }
        if table.max_age.is_some_and(|age| age.0.is_zero()) {
            self.flaw(Flaw::value(
                path.join("max_age"),
                "expected more than \"0s\"",
            ));
        }
        if table.max_bytes.is_some_and(|bytes| bytes.0 < 1 << 20) {
            self.flaw(Flaw::value(
                path.join("max_bytes"),
                "expected at least \"1MiB\"",
            ));
        }
        let creds = table.creds.as_ref().map(|creds| self.path(creds));
        if let Some(why) = creds.as_deref().and_then(unreadable) {
            self.flaw(Flaw::value(path.join("creds"), why));
        }
        JetstreamPlan {
            role,
            servers: table.servers.clone(),
            creds,
            tls: table.tls.as_ref().map(|tls| self.trust(tls)),
            stream: table.stream.clone(),
            replicas: table.replicas,
            max_bytes: table.max_bytes.map(|bytes| bytes.0),
        }
    }

    /// The age at which a sink that is content with `own` gives an event up. It is the lane that does it, not the stream,
    /// which could not say what it dropped.
    pub(super) fn max_age(&self, own: Option<Span>) -> Option<Duration> {
        let store = &self.reading.file.store;
        let cluster = store.jetstream.as_ref().and_then(|table| table.max_age);
        let cluster = cluster.filter(|_| store.mode == StoreMode::Jetstream);
        own.into_iter().chain(cluster).map(|span| span.0).min()
    }

    fn trust(&mut self, table: &TlsTable) -> TlsOptions {
        let tls = TlsOptions {
            pin_sha256: table.pin_sha256.clone(),
            ca_file: table.ca_file.as_ref().map(|file| self.path(file)),
            insecure: table.insecure,
        };
        let path = Path::of(&["store", "jetstream", "tls"]);
        if let Err(error) = crate::source::tls::Tls::new(&tls, &self.reading.base) {
            self.flaw(Flaw::value(path, error.to_string()));
        } else if tls.insecure && tls.pin_sha256.is_none() {
            self.warnings.push(
                "`store.jetstream.tls.insecure`: anybody in between can read everything".to_owned(),
            );
        }
        tls
    }
}

fn wrong_with(server: &str) -> Option<String> {
    if server.contains('@') {
        return Some("leave the account out and use `creds`".to_owned());
    }
    let address: Option<ServerAddr> = server.parse().ok();
    let scheme = server.starts_with("nats://") || server.starts_with("tls://");
    let host = address.is_some_and(|address| !address.host().is_empty());
    (!scheme || !host).then(|| "write \"nats://host\" or \"tls://host:4222\"".to_owned())
}

/// What is wrong with a file of credentials, without a word of what is in it.
fn unreadable(creds: &FilePath) -> Option<String> {
    match std::fs::read_to_string(creds) {
        Err(error) => Some(format!("cannot read {}: {error}", creds.display())),
        Ok(text) => ConnectOptions::with_credentials(&text).err().map(|_| {
            format!(
                "{} has no JWT and seed, as `nsc generate creds` writes them",
                creds.display()
            )
        }),
    }
}
