//! HTTP to a controller: no redirects, no proxy, no cookies of its own, answers bounded in size and time.

use super::address::Address;
use super::tls::Tls;
use crate::unifi::answer::Answer;
use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::error::Error as _;
use std::time::Duration;

/// Largest answer to a question with a short answer.
pub(super) const SMALL: usize = 1024 * 1024;
/// Largest list of devices or clients.
pub(super) const LIST: usize = 64 * 1024 * 1024;

const CONNECT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer.
const PIECE: Duration = Duration::from_secs(30);
/// For a whole answer.
const WHOLE: Duration = Duration::from_secs(120);

/// Sends requests to one controller. Cookies are given with each request, so that a client for an API key can
/// never carry those of a session.
#[derive(Clone, Debug)]
pub(super) struct Client {
    inner: reqwest::Client,
    address: Address,
    tls: Tls,
}

/// No answer came; the sentence says why and names the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreachable(pub(super) String);

impl Client {
    /// A client for one controller.
    pub(super) fn new(address: &Address, tls: &Tls) -> Result<Self, Unreachable> {
        let inner = builder(tls)
            .no_proxy()
            .read_timeout(PIECE)
            .timeout(WHOLE)
            .build()
            .map_err(|error| Unreachable(format!("HTTP cannot be set up: {error}")))?;
        Ok(Self {
            inner,
            address: address.clone(),
            tls: tls.clone(),
        })
    }

    /// Ask for `path` with these headers; at most `limit` bytes are read.
    pub(super) async fn get(
        &self,
        path: &str,
        headers: HeaderMap,
        limit: usize,
    ) -> Result<Answer, Unreachable> {
        self.send(Method::GET, path, headers, None, limit).await
    }

    /// Send `body` to `path` with these headers; at most `limit` bytes of the answer are read.
    pub(super) async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: &serde_json::Value,
        limit: usize,
    ) -> Result<Answer, Unreachable> {
        self.send(Method::POST, path, headers, Some(body), limit)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<&serde_json::Value>,
        limit: usize,
    ) -> Result<Answer, Unreachable> {
        let mut request = self
            .inner
            .request(method, format!("{}{path}", self.address.url))
            .headers(headers);
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let mut body = BytesMut::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error))?
        {
            if body.len() + piece.len() > limit {
                return Err(Unreachable(format!(
                    "{} sent an answer of more than {limit} bytes: check url",
                    self.address.url
                )));
            }
            body.extend_from_slice(&piece);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer {
            status: response.status().as_u16(),
            headers,
            body: body.freeze(),
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Unreachable {
        if let Some(about) = self.tls.explain(error) {
            return Unreachable(about);
        }
        Unreachable(cannot_reach(&self.address, &why(error)))
    }
}

/// What every client of herald has in common: the policy of `tls`, and no redirects.
pub(crate) fn builder(tls: &Tls) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured((*tls.config()).clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .user_agent(concat!("unifi-herald/", env!("CARGO_PKG_VERSION")))
}

/// The sentence for a controller that does not answer.
pub(super) fn cannot_reach(address: &Address, why: &str) -> String {
    format!(
        "cannot reach {}: {why}; check url, and that the controller is running and can be reached from here",
        address.url
    )
}

/// The innermost cause of an error, without URLs: the outer layers only say that something failed.
pub(crate) fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let Some(mut cause) = error.source() else {
        // `Display` would show the URL with its query.
        return if error.is_builder() {
            "the address cannot be used".to_owned()
        } else {
            "the exchange broke off".to_owned()
        };
    };
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A header whose value is not shown in logs.
pub(super) fn secret(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}
