//! How servers are reached, and as whom: the options that sink and source share.

use async_nats::{ConnectOptions, ServerAddr};
use rustls::ClientConfig;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{BuildContext, BuildError, Connector, Revealed, Secret};

/// What is written about it.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) servers: Vec<String>,
    pub(crate) creds: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) token: Option<Secret>,
    pub(crate) tls: Option<TlsOptions>,
}

/// How to reach the servers, and as whom.
#[derive(Clone)]
pub(crate) struct Servers {
    addresses: Vec<ServerAddr>,
    account: Account,
    /// The host's policy, for servers that speak TLS.
    tls: Option<Arc<ClientConfig>>,
    /// Whether a connection in the clear is refused.
    only_tls: bool,
    /// Explains what went wrong with a certificate.
    pub(crate) connector: Connector,
    name: String,
}

#[derive(Clone)]
enum Account {
    None,
    /// What is in the file, which is read when the sink is made.
    Creds(String),
    Password(String, Revealed),
    Token(Revealed),
}

impl Access {
    /// Check everything and read the secrets.
    pub(crate) fn resolve(&self, context: &BuildContext) -> Result<Servers, BuildError> {
        let addresses = self.addresses()?;
        let connector = context.connector(Some(&self.tls.clone().unwrap_or_default()))?;
        let tls = connector
            .tls()
            .and_then(|tls| tls.downcast::<ClientConfig>().ok());
        if self.tls.is_some() && tls.is_none() {
            return Err(BuildError::new("tls", "this host lends no TLS for NATS"));
        }
        Ok(Servers {
            only_tls: self.tls.is_some(),
            addresses,
            account: self.account(context)?,
            tls,
            connector,
            name: format!("unifi-herald {}", context.name()),
        })
    }

    fn addresses(&self) -> Result<Vec<ServerAddr>, BuildError> {
        let wrong = |message: &str| BuildError::new("servers", message);
        let example = "write [\"nats://host\"] or [\"tls://host:4222\"]";
        if self.servers.is_empty() {
            return Err(wrong(example));
        }
        let addresses = self.servers.iter().map(|server| {
            if server.contains('@') {
                return Err(wrong(
                    "an address has an account before the host; use `creds`, `username` or `token`",
                ));
            }
            let address: ServerAddr = server.trim().parse().map_err(|_| wrong(example))?;
            let known = server.starts_with("nats://") || server.starts_with("tls://");
            let bare = matches!(address.as_url_str().splitn(4, '/').nth(3), None | Some(""));
            if known && bare && !address.host().is_empty() {
                Ok(address)
            } else {
                Err(wrong(example))
            }
        });
        addresses.collect()
    }

    fn account(&self, context: &BuildContext) -> Result<Account, BuildError> {
        match (&self.creds, &self.username, &self.password, &self.token) {
            (None, None, None, None) => Ok(Account::None),
            (Some(creds), None, None, None) => {
                let path = context.path(creds);
                let wrong = |why: &str| {
                    BuildError::new("creds", format!("cannot use {}: {why}", path.display()))
                };
                let text =
                    std::fs::read_to_string(&path).map_err(|error| wrong(&error.to_string()))?;
                // The library's error could show a part of the file.
                ConnectOptions::with_credentials(&text).map_err(|_| {
                    wrong("it has no JWT and seed, as `nsc generate creds` writes them")
                })?;
                Ok(Account::Creds(text))
            }
            (None, Some(username), Some(password), None) => {
                let password = context.reveal("password", password)?;
                Ok(Account::Password(username.clone(), password))
            }
            (None, None, None, Some(token)) => Ok(Account::Token(context.reveal("token", token)?)),
            (None, Some(_), None, None) => Err(BuildError::new("password", "`username` needs one")),
            (None, None, Some(_), None) => Err(BuildError::new("username", "`password` needs one")),
            _ => Err(BuildError::new(
                "",
                "there are several accounts; use one of `creds`, `username` with `password`, and `token`",
            )),
        }
    }
}

impl Servers {
    /// Where to connect.
    pub(crate) fn addresses(&self) -> &[ServerAddr] {
        &self.addresses
    }

    /// As whom and how to connect.
    pub(crate) fn options(&self) -> ConnectOptions {
        let options = match &self.account {
            Account::None => ConnectOptions::new(),
            // It was read once already; what cannot be read makes a connection that the server refuses.
            Account::Creds(text) => {
                ConnectOptions::with_credentials(text).unwrap_or_else(|_| ConnectOptions::new())
            }
            Account::Password(name, password) => {
                ConnectOptions::with_user_and_password(name.clone(), password.expose().to_owned())
            }
            Account::Token(token) => ConnectOptions::with_token(token.expose().to_owned()),
        };
        let options = options.require_tls(self.only_tls).name(&self.name);
        match &self.tls {
            Some(tls) => options.tls_client_config((**tls).clone()),
            None => options,
        }
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
