//! The table `options` of an `email` sink, and what it becomes once checked.

use super::mail::Letterhead;
use super::smtp::{Server, Way};
use crate::writer::Texts;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use serde::Deserialize;
use std::net::IpAddr;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{BuildContext, BuildError, Secret};

/// The table `options` of an `email` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    host: String,
    port: Option<u16>,
    encryption: Option<Encryption>,
    username: Option<String>,
    password: Option<Secret>,
    from: String,
    to: Vec<String>,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encryption {
    /// Plain at first, then by `STARTTLS`, which must be there (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
    None,
}

impl Config {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            title: self.title.as_ref(),
            body: self.body.as_ref(),
            link: self.link.as_ref(),
        }
    }

    pub(super) fn letterhead(&self) -> Result<Letterhead, BuildError> {
        let to: Vec<Mailbox> = self
            .to
            .iter()
            .enumerate()
            .map(|(index, to)| mailbox(&format!("to.{index}"), to))
            .collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(BuildError::new("to", "it names nobody"));
        }
        Ok(Letterhead::new(mailbox("from", &self.from)?, to))
    }

    /// Read the password and the certificates.
    pub(super) fn server(&self, context: &BuildContext) -> Result<Server, BuildError> {
        let host = self.host.trim();
        if host.is_empty() || host.contains([':', '/', ' ']) && host.parse::<IpAddr>().is_err() {
            let message = "not a host name; write something like \"mail.example.org\", and the port into `port`";
            return Err(BuildError::new("host", message));
        }
        let loopback = is_loopback(host);
        let encryption = match self.encryption {
            Some(encryption) => encryption,
            None if loopback => Encryption::None,
            None => Encryption::StartTls,
        };
        let credentials = self.credentials(context)?;
        if credentials.is_some() && encryption == Encryption::None && !loopback {
            let message = "the password would travel in the clear; use \"starttls\" or \"tls\"";
            return Err(BuildError::new("encryption", message));
        }
        let (port, way) = match encryption {
            Encryption::StartTls => (587, Way::StartTls),
            Encryption::Tls => (465, Way::Tls),
            Encryption::None => (25, Way::Plain),
        };
        let base = context.path(std::path::Path::new(""));
        Server::new(
            host,
            self.port.unwrap_or(port),
            way,
            credentials,
            &self.tls,
            &base,
        )
    }

    fn credentials(&self, context: &BuildContext) -> Result<Option<Credentials>, BuildError> {
        match (&self.username, &self.password) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                let password = context.reveal("password", password)?;
                let password = password.expose().to_owned();
                Ok(Some(Credentials::new(username.clone(), password)))
            }
            (Some(_), None) => Err(BuildError::new("password", "`username` needs one")),
            (None, Some(_)) => Err(BuildError::new("username", "`password` needs one")),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn mailbox(option: &str, text: &str) -> Result<Mailbox, BuildError> {
    text.parse().map_err(|_| {
        let message =
            "not a mail address; write \"anna@example.org\" or \"Anna <anna@example.org>\"";
        BuildError::new(option, message)
    })
}
