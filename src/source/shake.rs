//! The first handshake with a controller: which certificate it shows, and whether it is trusted.

use super::address::Address;
use super::tls::{Tls, fingerprint};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Why there is no handshake.
pub(super) enum Unshaken {
    /// The certificate is not trusted: a sentence that names the fix.
    Distrusted(String),
    /// There is no TLS, or no answer in time.
    NoTls(String),
}

impl Unshaken {
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Distrusted(sentence) | Self::NoTls(sentence) => sentence,
        }
    }
}

/// Shake hands over `stream` under the policy of `tls`, within `limit`: the fingerprint of the certificate.
pub(super) async fn shake(
    address: &Address,
    tls: &Tls,
    stream: TcpStream,
    limit: Duration,
) -> Result<String, Unshaken> {
    let shaken = TlsConnector::from(tls.config()).connect(address.name.clone(), stream);
    let stream = match timeout(limit, shaken).await {
        Err(_elapsed) => return Err(Unshaken::NoTls("no answer in time".to_owned())),
        Ok(Err(error)) => {
            return Err(match tls.explain(&error) {
                Some(sentence) => Unshaken::Distrusted(sentence),
                None => Unshaken::NoTls(error.to_string()),
            });
        }
        Ok(Ok(stream)) => stream,
    };
    let (_, session) = stream.get_ref();
    let leaf = session.peer_certificates().and_then(<[_]>::first);
    Ok(leaf.map(|leaf| fingerprint(leaf)).unwrap_or_default())
}
