//! Connections for plugins that speak something else than HTTP, without naming the TLS library behind them.

use async_trait::async_trait;
use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Opens connections by TCP, with or without TLS, by the host's policy.
#[derive(Clone)]
pub struct Connector(Arc<dyn Dial>);

/// What a host provides behind a [`Connector`].
#[async_trait]
pub trait Dial: Send + Sync + 'static {
    /// Open a connection to a host, by name or address without brackets, within a time that the host bounds. With TLS
    /// the handshake is over and the certificate accepted.
    async fn dial(&self, host: &str, port: u16) -> Result<Connection, ConnectError>;

    /// See [`Connector::tls`].
    fn tls(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    /// See [`Connector::explain`].
    fn explain(&self, error: &(dyn std::error::Error + 'static)) -> Option<String> {
        let _ = error;
        None
    }
}

/// Any stream of bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static> Stream for T {}

/// An open connection. Small writes go out at once (`TCP_NODELAY`): buffer what belongs together.
pub struct Connection(Box<dyn Stream>);

/// No connection came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectError {
    message: String,
}

impl Connector {
    /// For hosts and test kits.
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self(dial)
    }

    /// Open a connection.
    ///
    /// # Errors
    /// When the name is unknown, nobody answers, or the certificate is refused; the message says which and how to
    /// trust it.
    pub async fn connect(&self, host: &str, port: u16) -> Result<Connection, ConnectError> {
        self.0.dial(host, port).await
    }

    /// The TLS policy in the form of the library behind it, for a protocol whose own library opens the connections:
    /// herald's is a `rustls::ClientConfig` of rustls 0.23. `None` where there is none.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.tls()
    }

    /// When `error`, met with [`Connector::tls`], is about a certificate: what is wrong with it and how to trust it.
    #[must_use]
    pub fn explain(&self, error: &(dyn std::error::Error + 'static)) -> Option<String> {
        self.0.explain(error)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connection {
    /// For hosts and test kits.
    pub fn new(stream: impl Stream) -> Self {
        Self(Box::new(stream))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}

impl ConnectError {
    /// `message` says what failed, with the address and without secrets.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConnectError {}
