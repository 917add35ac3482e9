//! Connections for plugins: TCP, and TLS by the host's policy.

use crate::source::tls::Tls;
use rustls::pki_types::ServerName;
use std::any::Any;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use unifi_herald_plugin::async_trait;
use unifi_herald_plugin::connect::{ConnectError, Connection, Dial};

/// For name, address and handshake together.
const CONNECT: Duration = Duration::from_secs(10);

/// Opens connections, plain without a policy.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) tls: Option<Tls>,
}

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self, host: &str, port: u16) -> Result<Connection, ConnectError> {
        let failed =
            |why: &str| ConnectError::new(format!("cannot connect to {host}:{port}: {why}"));
        match tokio::time::timeout(CONNECT, self.open(host, port)).await {
            Err(_) => Err(failed("no answer in time")),
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => {
                let explained = self.tls.as_ref().and_then(|tls| tls.explain(&error));
                Err(failed(&explained.unwrap_or_else(|| error.to_string())))
            }
        }
    }

    fn tls(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        let tls = self.tls.as_ref()?;
        Some(tls.config())
    }

    fn explain(&self, error: &(dyn std::error::Error + 'static)) -> Option<String> {
        self.tls.as_ref()?.explain(error)
    }
}

impl Dialer {
    async fn open(&self, host: &str, port: u16) -> io::Result<Connection> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Connection::new(stream));
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = TlsConnector::from(tls.config())
            .connect(name, stream)
            .await?;
        Ok(Connection::new(stream))
    }
}
