//! The table `options` of an MQTT sink, and what it becomes once checked.

use crate::topic::Topics;
use serde::Deserialize;
use std::time::Duration;
use unifi_herald_plugin::http::{TlsOptions, Uri};
use unifi_herald_plugin::{BuildContext, BuildError, Connector, Mac, Revealed, Secret, Span};

/// The table `options` of an MQTT sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: String,
    username: Option<String>,
    password: Option<Secret>,
    client_id: Option<String>,
    prefix: Option<String>,
    qos: Option<u8>,
    discovery: Option<Discovery>,
    tls: Option<TlsOptions>,
}

/// The table `discovery`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Discovery {
    prefix: String,
    devices: bool,
    clients: Vec<String>,
    away_after: Span,
}

impl Default for Discovery {
    fn default() -> Self {
        Self {
            prefix: "homeassistant".to_owned(),
            devices: true,
            clients: Vec::new(),
            away_after: Span(Duration::from_secs(300)),
        }
    }
}

/// Everything the sink needs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) broker: Broker,
    pub(crate) topics: Topics,
    pub(crate) qos: u8,
    pub(crate) home_assistant: Option<HomeAssistant>,
}

/// How to reach the broker, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    pub(crate) connector: Connector,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) client_id: String,
    pub(crate) login: Option<(String, Revealed)>,
}

/// What Home Assistant shall find.
#[derive(Clone, Debug)]
pub(crate) struct HomeAssistant {
    pub(crate) prefix: String,
    pub(crate) devices: bool,
    pub(crate) watched: Watched,
    pub(crate) away_after: Duration,
}

/// Clients whose presence matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    macs: Vec<Mac>,
    /// In lower case.
    names: Vec<String>,
}

impl Watched {
    fn new(clients: &[String]) -> Self {
        let mut watched = Self::default();
        for client in clients {
            match client.parse() {
                Ok(mac) => watched.macs.push(mac),
                Err(_) => watched.names.push(client.to_lowercase()),
            }
        }
        watched
    }

    /// Whether a client with this address, or one of these names, is among them.
    pub(crate) fn has(&self, mac: Mac, names: [Option<&str>; 2]) -> bool {
        let named = |name: &str| self.names.contains(&name.to_lowercase());
        self.macs.contains(&mac) || names.into_iter().flatten().any(named)
    }
}

impl Config {
    /// Check everything and read the password.
    pub(crate) fn resolve(&self, context: &BuildContext) -> Result<Settings, BuildError> {
        let (tls, host, port) = self.address()?;
        if self.tls.is_some() && !tls {
            let message = "it is used only with a url that begins with mqtts://";
            return Err(BuildError::new("tls", message));
        }
        let policy = self.tls.clone().unwrap_or_default();
        let prefix = self.prefix.as_deref().unwrap_or("unifi-herald");
        let qos = self.qos.unwrap_or(1);
        if qos > 2 {
            return Err(BuildError::new("qos", "it is 0, 1 or 2"));
        }
        Ok(Settings {
            broker: Broker {
                connector: context.connector(tls.then_some(&policy))?,
                host,
                port,
                client_id: self.client_id(context)?,
                login: self.login(context)?,
            },
            topics: Topics::new(topic("prefix", prefix)?),
            qos,
            home_assistant: self
                .discovery
                .as_ref()
                .map(Discovery::resolve)
                .transpose()?,
        })
    }

    fn address(&self) -> Result<(bool, String, u16), BuildError> {
        let wrong = |message: &str| BuildError::new("url", message);
        let example = "write \"mqtt://host\" or \"mqtts://host:port\"";
        if self.url.contains('@') {
            return Err(wrong(
                "it has a user name before the host; use `username` and `password`",
            ));
        }
        let uri: Uri = self.url.trim().parse().map_err(|_| wrong(example))?;
        let (tls, port) = match uri.scheme_str() {
            Some("mqtt") => (false, 1883),
            Some("mqtts") => (true, 8883),
            _ => return Err(wrong(example)),
        };
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || uri.path().len() > 1 || uri.query().is_some() {
            return Err(wrong(example));
        }
        Ok((tls, host.to_owned(), uri.port_u16().unwrap_or(port)))
    }

    /// The configured one, else one that is free: two clients with one id throw each other out.
    fn client_id(&self, context: &BuildContext) -> Result<String, BuildError> {
        let Some(id) = &self.client_id else {
            let name = crate::topic::level(context.name());
            return Ok(format!("unifi-herald-{name}-{:08x}", fastrand::u32(..)));
        };
        if (1..=128).contains(&id.len()) && !id.chars().any(char::is_control) {
            return Ok(id.clone());
        }
        let message = "it has 1 to 128 bytes, without control characters";
        Err(BuildError::new("client_id", message))
    }

    fn login(&self, context: &BuildContext) -> Result<Option<(String, Revealed)>, BuildError> {
        match (&self.username, &self.password) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                let password = context.reveal("password", password)?;
                Ok(Some((username.clone(), password)))
            }
            (Some(_), None) => Err(BuildError::new("password", "`username` needs one")),
            (None, Some(_)) => Err(BuildError::new("username", "`password` needs one")),
        }
    }
}

impl Discovery {
    fn resolve(&self) -> Result<HomeAssistant, BuildError> {
        Ok(HomeAssistant {
            prefix: topic("discovery.prefix", &self.prefix)?.to_owned(),
            devices: self.devices,
            watched: Watched::new(&self.clients),
            away_after: self.away_after.0,
        })
    }
}

/// A prefix of topics: one or more levels, none of them odd.
fn topic<'a>(option: &str, text: &'a str) -> Result<&'a str, BuildError> {
    let fine = |level: &str| level == crate::topic::level(level);
    if text.split('/').all(fine) {
        return Ok(text);
    }
    let message = "it is the beginning of a topic, such as \"home/unifi\": without +, #, $, spaces, and a slash at either end";
    Err(BuildError::new(option, message))
}

#[cfg(test)]
mod tests;
