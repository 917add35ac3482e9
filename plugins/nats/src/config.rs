//! The table `options` of a NATS sink, and what it becomes once checked.

use crate::access::{Access, Servers};
use serde::Deserialize;
use std::path::PathBuf;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{BuildContext, BuildError, Secret};

/// The table `options` of a NATS sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    servers: Vec<String>,
    creds: Option<PathBuf>,
    username: Option<String>,
    password: Option<Secret>,
    token: Option<Secret>,
    tls: Option<TlsOptions>,
    prefix: Option<String>,
    jetstream: Option<bool>,
}

/// Everything the sink needs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) servers: Servers,
    pub(crate) prefix: String,
    pub(crate) jetstream: bool,
}

impl Config {
    /// Check everything and read the secrets.
    pub(crate) fn resolve(self, context: &BuildContext) -> Result<Settings, BuildError> {
        let prefix = self.prefix.unwrap_or_else(|| "unifi".to_owned());
        let access = Access {
            servers: self.servers,
            creds: self.creds,
            username: self.username,
            password: self.password,
            token: self.token,
            tls: self.tls,
        };
        let servers = access.resolve(context)?;
        let fine = |token: &str| token == crate::subject::token(token);
        if !prefix.split('.').all(fine) {
            let message = "it is the beginning of a subject, such as \"unifi\" or \"home.unifi\": lower-case letters, digits, - and _";
            return Err(BuildError::new("prefix", message));
        }
        Ok(Settings {
            servers,
            prefix,
            jetstream: self.jetstream.unwrap_or(true),
        })
    }
}

#[cfg(test)]
mod tests;
