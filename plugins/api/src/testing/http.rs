//! HTTP without a network: requests are recorded, answers are scripted.

use crate::http::{HttpError, HttpTransport, Request, Response, StatusCode};
use crate::{HttpClient, async_trait};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A destination that remembers what was sent and answers from a queue, then with [`always`](Self::always).
///
/// Every request yields once before it is recorded and once before it is answered, so that a test can cancel before
/// the request left, and between its arrival and the answer. A copy speaks of the same destination.
#[derive(Clone, Default)]
pub struct TestHttp(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    otherwise: Option<Answer>,
    exchanges: Vec<(Request<Bytes>, Option<StatusCode>)>,
}

#[derive(Clone)]
enum Answer {
    Respond(Response<Bytes>),
    Fail(HttpError),
}

impl TestHttp {
    /// Answer the next request that has no answer yet with this status and text.
    pub fn answer(&self, status: u16, body: &str) {
        self.answer_with(respond(status, body));
    }

    /// Answer the next request that has no answer yet with this.
    pub fn answer_with(&self, response: Response<Bytes>) {
        self.script().answers.push_back(Answer::Respond(response));
    }

    /// Give no answer to the next request that has none yet.
    pub fn fail(&self, message: &str) {
        let error = HttpError::new(message);
        self.script().answers.push_back(Answer::Fail(error));
    }

    /// Drop the queue, and answer everything from now on with this status.
    pub fn always(&self, status: u16) {
        let mut script = self.script();
        script.answers.clear();
        script.otherwise = Some(Answer::Respond(respond(status, "")));
    }

    /// Every request since the last call of this or [`take_exchanges`](Self::take_exchanges), oldest first.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request<Bytes>> {
        let exchanges = self.take_exchanges().into_iter();
        exchanges.map(|(request, _)| request).collect()
    }

    /// Every request since the last call, oldest first, and how it was answered; `None` when it was not.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<(Request<Bytes>, Option<StatusCode>)> {
        std::mem::take(&mut self.script().exchanges)
    }

    /// A client that speaks to this destination.
    #[must_use]
    pub fn client(&self) -> HttpClient {
        HttpClient::new(Arc::new(self.clone()))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn respond(status: u16, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

#[async_trait]
impl HttpTransport for TestHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        tokio::task::yield_now().await;
        let answer = {
            let mut script = self.script();
            let queued = script.answers.pop_front();
            let answer = queued
                .or_else(|| script.otherwise.clone())
                .unwrap_or_else(|| Answer::Respond(respond(200, "")));
            let status = match &answer {
                Answer::Respond(response) => Some(response.status()),
                Answer::Fail(_) => None,
            };
            script.exchanges.push((request, status));
            answer
        };
        tokio::task::yield_now().await;
        match answer {
            Answer::Respond(response) => Ok(response),
            Answer::Fail(error) => Err(error),
        }
    }
}

impl fmt::Debug for TestHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let script = self.script();
        f.debug_struct("TestHttp")
            .field("exchanges", &script.exchanges.len())
            .field("answers", &script.answers.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_in_order_and_requests_are_kept() {
        let http = TestHttp::default();
        http.answer(503, "busy");
        http.fail("connection refused");
        let client = http.client();
        let post = |body: &'static str| {
            Request::post("https://example.org/")
                .body(Bytes::from_static(body.as_bytes()))
                .unwrap()
        };
        assert_eq!(client.send(post("a")).await.unwrap().status(), 503);
        assert!(client.send(post("b")).await.is_err());
        assert_eq!(client.send(post("c")).await.unwrap().status(), 200);
        let bodies = http.take_requests().into_iter().map(|r| r.into_body());
        assert_eq!(bodies.collect::<Vec<_>>(), ["a", "b", "c"]);
        http.always(500);
        assert_eq!(client.send(post("d")).await.unwrap().status(), 500);
        assert_eq!(http.take_requests().len(), 1);
    }
}
