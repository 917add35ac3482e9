//! HTTP for plugins, without naming the library behind it.

mod answer;

use crate::DeliveryError;
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use answer::{redirect, retry_after};
pub use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};

/// The largest answer that is read, in bytes; what comes after is cut off.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Sends requests. It never follows a redirect, since that could carry a secret to another place.
#[derive(Clone)]
pub struct HttpClient(Arc<dyn HttpTransport>);

/// What a host provides behind an [`HttpClient`].
#[async_trait]
pub trait HttpTransport: Send + Sync + 'static {
    /// Send one request and read the whole answer, at most [`MAX_ANSWER`] bytes of it. There is no timeout:
    /// the lane has one. An answer that is not a success is judged by its status: its body is what of it comes in a
    /// short time, and may be cut off.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError>;

    /// Send one request whose answer is its status, a success too: its body is what of it comes in a short time, and
    /// may be cut off.
    async fn submit(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.send(request).await
    }
}

/// How a client is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpOptions {
    /// Whom to trust.
    pub tls: TlsOptions,
}

/// Whom to trust: the system's certificate authorities unless told otherwise.
///
/// In the configuration: `tls = { pin_sha256 = "9f86d0…" }`, `{ ca_file = "ca.pem" }` or `{ insecure = true }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsOptions {
    /// SHA-256 of the server certificate's DER, in hex; colons are allowed. Nothing else is then checked.
    pub pin_sha256: Option<String>,
    /// A PEM file with further certificate authorities, or the certificate itself; relative to the configuration file.
    pub ca_file: Option<PathBuf>,
    /// Trust anybody. Warns at every start.
    pub insecure: bool,
}

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    message: String,
}

impl HttpError {
    /// `message` says what failed, without secrets and without the address's path and query.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HttpError {}

impl HttpClient {
    /// For hosts and test kits.
    pub fn new(transport: Arc<dyn HttpTransport>) -> Self {
        Self(transport)
    }

    /// Send one request and read the whole answer, for whom the body of a success matters. The body of another answer
    /// may be cut off.
    ///
    /// # Errors
    /// When no answer came, or a success broke off.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.0.send(request).await
    }

    /// Send one request whose status is the answer. The body is what of it comes in a short time, and may be cut off:
    /// once the head of a success has arrived, the request was taken, and is not to be repeated.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn submit(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.0.submit(request).await
    }

    /// [Submit](Self::submit) one request; an answer other than 2xx is an error by the rules of
    /// [`DeliveryError::from_status`].
    ///
    /// # Errors
    /// When no answer came, or not a success. The start of the answer's text is in the message.
    pub async fn deliver(&self, request: Request<Bytes>) -> Result<Response<Bytes>, DeliveryError> {
        let response = self.submit(request).await.map_err(DeliveryError::later)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(DeliveryError::from_status(
            status.as_u16(),
            retry_after(response.headers()),
            answer::said(&response),
        ))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}
