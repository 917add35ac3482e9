//! Where a controller is: host and port out of its URL.

use crate::config::is_loopback;
use http::Uri;
use http::uri::Scheme;
use rustls::pki_types::ServerName;

/// A controller's address.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// `https://host[:port]`, or `http://` for a controller on this machine.
    pub(super) url: String,
    /// Whether the way there is encrypted.
    pub(super) encrypted: bool,
    /// Name or IP address, without brackets.
    pub(super) host: String,
    /// TCP port.
    pub(super) port: u16,
    /// The host as TLS wants it.
    pub(super) name: ServerName<'static>,
}

/// The URL of a controller cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the address of a controller: write url = \"https://host\" or \"https://host:port\""
)]
pub(super) struct InvalidAddress(String);

impl Address {
    /// Read `https://host[:port]`, or `http://` where the host is this machine: a password must not cross a network in
    /// clear text.
    pub(super) fn parse(url: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(url.chars().take(200).collect());
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let authority = uri.authority().ok_or_else(invalid)?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let spared = uri.scheme() == Some(&Scheme::HTTP) && is_loopback(&host);
        if !encrypted && !spared {
            return Err(invalid());
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| invalid())?;
        Ok(Self {
            url: format!(
                "{}://{}",
                uri.scheme_str().unwrap_or_default(),
                authority.as_str()
            ),
            port: authority
                .port_u16()
                .unwrap_or(if encrypted { 443 } else { 80 }),
            encrypted,
            host,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ip_addresses() {
        let read = |url| Address::parse(url).map(|address| (address.host, address.port));
        assert_eq!(read("https://unifi.lan"), Ok(("unifi.lan".to_owned(), 443)));
        assert_eq!(
            read("https://192.0.2.1:8443"),
            Ok(("192.0.2.1".to_owned(), 8443))
        );
        assert_eq!(
            read("https://[2001:db8::1]:11443"),
            Ok(("2001:db8::1".to_owned(), 11443))
        );
        assert_eq!(
            read("http://127.0.0.1:8080"),
            Ok(("127.0.0.1".to_owned(), 8080))
        );
        assert_eq!(
            Address::parse("http://localhost").map(|address| (address.url, address.port)),
            Ok(("http://localhost".to_owned(), 80))
        );
        assert_eq!(
            Address::parse("https://unifi.lan/").unwrap().url,
            "https://unifi.lan"
        );
        for wrong in [
            "",
            "unifi.lan",
            "http://unifi.lan",
            "ws://127.0.0.1",
            "https://",
            "https://a b",
            "https://-/",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
