//! Meeting a controller for the first time: where it listens, what it is, and which certificate it shows.

use super::address::Address;
use super::detect;
use super::http::Client;
use super::shake::{Unshaken, shake};
use super::tls::Tls;
use crate::config::ControllerKind;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use unifi_herald_plugin::http::TlsOptions;

/// Where controllers listen: consoles, UniFi OS Server, self-hosted ones.
const PORTS: [u16; 3] = [443, 11443, 8443];
/// Longest wait for a connection, and again for the handshake.
const STEP: Duration = Duration::from_secs(5);

/// A controller that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// What `url` is to be.
    pub url: String,
    /// What it is.
    pub kind: ControllerKind,
    /// How it shows who it is.
    pub certificate: Certificate,
}

/// What a controller's certificate is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// This system's certificate authorities vouch for it.
    Valid,
    /// Nobody does: it is to be pinned, once somebody has compared its fingerprint.
    Unknown {
        /// SHA-256 of its DER in hex.
        fingerprint: String,
    },
}

/// Look for a controller at `address`: a URL, a name or an IP address, with or without a port. Nothing secret is sent.
///
/// # Errors
/// One sentence that names the fix.
pub async fn meet(address: &str) -> Result<Met, String> {
    let host = address.trim().trim_end_matches('/');
    let host = host.strip_prefix("https://").unwrap_or(host);
    if host.is_empty() || host.contains('/') {
        return Err(format!(
            "{address:?} is not the address of a controller: write its name or IP address, with :port if it is an unusual one"
        ));
    }
    let given = Address::parse(&format!("https://{host}")).map_err(|error| error.to_string())?;
    let has_port = given.url.ends_with(&format!(":{}", given.port));
    let ports = if has_port {
        vec![given.port]
    } else {
        PORTS.to_vec()
    };
    let mut last = String::new();
    for port in &ports {
        let url = match port {
            _ if has_port => given.url.clone(),
            443 => given.url.clone(),
            port => format!("{}:{port}", given.url),
        };
        match try_at(&url).await {
            Ok(met) => return Ok(met),
            Err(why) => last = why,
        }
    }
    let list: Vec<String> = ports.iter().map(u16::to_string).collect();
    Err(format!(
        "no controller answers at {host} on port {} ({last}): check the address, and that it can be reached from here",
        list.join(", ")
    ))
}

async fn try_at(url: &str) -> Result<Met, String> {
    let address = Address::parse(url).map_err(|error| error.to_string())?;
    let mut options = TlsOptions::default();
    let certificate = match greet(&address, &options).await {
        Ok(_) => Certificate::Valid,
        Err(Unshaken::NoTls(why)) => return Err(why),
        Err(Unshaken::Distrusted(_)) => {
            let anybody = TlsOptions {
                insecure: true,
                ..TlsOptions::default()
            };
            let fingerprint = greet(&address, &anybody)
                .await
                .map_err(Unshaken::sentence)?;
            options.pin_sha256 = Some(fingerprint.clone());
            Certificate::Unknown { fingerprint }
        }
    };
    let tls = Tls::new(&options, Path::new("")).map_err(|error| error.to_string())?;
    let client = Client::new(&address, &tls).map_err(|error| error.to_string())?;
    let kind = detect::kind(&client, &address, false)
        .await
        .map_err(|outcome| outcome.sentence())?;
    Ok(Met {
        url: url.to_owned(),
        kind,
        certificate,
    })
}

/// Connect, and shake hands under a policy.
async fn greet(address: &Address, options: &TlsOptions) -> Result<String, Unshaken> {
    let tls =
        Tls::new(options, Path::new("")).map_err(|error| Unshaken::NoTls(error.to_string()))?;
    let connecting = TcpStream::connect((address.host.as_str(), address.port));
    let stream = match timeout(STEP, connecting).await {
        Err(_elapsed) => return Err(Unshaken::NoTls("no answer in time".to_owned())),
        Ok(Err(error)) => return Err(Unshaken::NoTls(error.to_string())),
        Ok(Ok(stream)) => stream,
    };
    shake(address, &tls, stream, STEP).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{Simulator, SimulatorOptions};

    #[tokio::test]
    async fn a_controller_is_met_by_its_address_and_shows_its_certificate() {
        for kind in [ControllerKind::UnifiOs, ControllerKind::SelfHosted] {
            let simulator = Simulator::start(SimulatorOptions {
                kind,
                ..SimulatorOptions::default()
            })
            .unwrap();
            let met = meet(simulator.url().trim_start_matches("https://")).await;
            let expected = Met {
                url: simulator.url().to_owned(),
                kind,
                certificate: Certificate::Unknown {
                    fingerprint: simulator.fingerprint().to_owned(),
                },
            };
            assert_eq!(met, Ok(expected));
            assert_eq!(simulator.stats().counts().logins, 0);
        }
    }

    #[tokio::test]
    async fn what_is_no_controller_is_told_with_the_fix() {
        let nobody = meet("127.0.0.1:1").await.unwrap_err();
        assert!(
            nobody.contains("port 1 (") && nobody.contains("check the address"),
            "{nobody}"
        );
        for wrong in ["", "https://", "http://x/y", "a b"] {
            assert!(meet(wrong).await.is_err(), "{wrong}");
        }
    }
}
