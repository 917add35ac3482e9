//! Sees what a plugin's requests are answered, for whoever tries a plugin out.

use bytes::Bytes;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use unifi_herald_plugin::http::{HttpError, HttpTransport, Request, Response, StatusCode};
use unifi_herald_plugin::{HttpClient, async_trait, push_plain};

/// Most exchanges that are remembered.
const MOST: usize = 50;
/// Most characters of an answer that are.
const EXCERPT: usize = 200;
/// What is shorter may be part of anything.
const SHORTEST_SECRET: usize = 6;

/// Remembers what was asked and answered. A copy remembers the same.
#[derive(Clone, Debug, Default)]
pub struct Witness(Arc<Mutex<Vec<Exchange>>>);

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// `POST https://example.org`: without path and query, where services put keys.
    pub asked: String,
    /// Status, and the beginning of the text without what was sent as a secret; or why no answer came.
    pub answered: Result<(StatusCode, String), String>,
}

impl Witness {
    /// What was seen since the last call, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `client` under the eyes of this witness.
    pub(super) fn of(&self, client: HttpClient) -> HttpClient {
        HttpClient::new(Arc::new(Watched {
            client,
            witness: self.clone(),
        }))
    }

    fn note(&self, exchange: Exchange) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MOST {
            seen.push(exchange);
        }
    }
}

/// A client that tells what it does.
struct Watched {
    client: HttpClient,
    witness: Witness,
}

#[async_trait]
impl HttpTransport for Watched {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let asked = Asked::by(&request);
        self.saw(asked, self.client.send(request).await)
    }

    async fn submit(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let asked = Asked::by(&request);
        self.saw(asked, self.client.submit(request).await)
    }
}

impl Watched {
    fn saw(
        &self,
        asked: Asked,
        answer: Result<Response<Bytes>, HttpError>,
    ) -> Result<Response<Bytes>, HttpError> {
        self.witness.note(Exchange {
            asked: asked.place,
            answered: match &answer {
                Ok(answer) => Ok((answer.status(), excerpt(answer.body(), &asked.secrets))),
                Err(error) => Err(error.to_string()),
            },
        });
        answer
    }
}

/// What is kept of a request until its answer comes.
struct Asked {
    place: String,
    secrets: Vec<String>,
}

impl Asked {
    fn by(request: &Request<Bytes>) -> Self {
        Self {
            place: place(request),
            secrets: secrets(request),
        }
    }
}

fn place(request: &Request<Bytes>) -> String {
    let (method, uri) = (request.method(), request.uri());
    let mut place = format!("{method} {}://", uri.scheme_str().unwrap_or("http"));
    if let (Some(host), port) = (uri.host(), uri.port()) {
        place.push_str(host);
        if let Some(port) = port {
            _ = write!(place, ":{port}");
        }
    }
    place
}

/// What in a request may be a secret: the values of its headers, its path and query, and their parts.
fn secrets(request: &Request<Bytes>) -> Vec<String> {
    let headers = request.headers().values();
    let headers = headers.filter_map(|value| value.to_str().ok());
    let path = request.uri().path_and_query();
    let path = path.map_or("", |path| path.as_str());
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(['/', '?', '&', '=', ' ', ';', ',']);
        std::iter::once(text)
            .chain(parts)
            .map(str::to_owned)
            .collect()
    };
    let mut secrets: Vec<String> = headers.chain([path]).flat_map(words).collect();
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    // The longest first: one may be part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// The beginning of an answer, fit for a terminal and without `secrets`.
fn excerpt(body: &[u8], secrets: &[String]) -> String {
    let mut text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]).into_owned();
    for secret in secrets {
        text = text.replace(secret, "***");
    }
    let head: String = text.trim().chars().take(EXCERPT).collect();
    let mut plain = Vec::new();
    push_plain(&head, &mut plain);
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::TestHttp;

    #[tokio::test]
    async fn what_is_answered_is_told_without_what_was_secret() {
        let http = TestHttp::default();
        let witness = Witness::default();
        let client = witness.of(http.client());
        http.answer(
            401,
            "no\u{1b}[2J: Bearer hunter2 at /hook/s3cr3t-s3cr3t?k=hunter2",
        );
        http.fail("no route to host");
        let request = || {
            Request::post("https://example.org:8443/hook/s3cr3t-s3cr3t?k=hunter2")
                .header("authorization", "Bearer hunter2")
                .body(Bytes::new())
                .unwrap()
        };
        client.send(request()).await.unwrap();
        client.send(request()).await.unwrap_err();
        let seen = witness.take();
        assert_eq!(seen[0].asked, "POST https://example.org:8443");
        let (status, text) = seen[0].answered.clone().unwrap();
        assert_eq!(
            (status.as_u16(), text.as_str()),
            (401, "no\u{fffd}[2J: *** at ***")
        );
        assert_eq!(seen[1].answered, Err("no route to host".to_owned()));
        assert_eq!(witness.take(), []);
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let http = TestHttp::default();
        let witness = Witness::default();
        let client = witness.of(http.client());
        for _ in 0..MOST + 5 {
            http.answer(200, &"x".repeat(10_000));
            let request = Request::get("http://a/b").body(Bytes::new());
            client.send(request.unwrap()).await.unwrap();
        }
        let seen = witness.take();
        assert_eq!(seen.len(), MOST);
        let (_, text) = seen[0].answered.clone().unwrap();
        assert_eq!(text.len(), EXCERPT);
    }
}
