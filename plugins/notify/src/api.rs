//! Speaks HTTP with a service, keeps its secrets out of every error, and holds back when it said to.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};
use unifi_herald_plugin::http::{
    HeaderMap, HeaderName, HeaderValue, HttpOptions, Method, Request, StatusCode, TlsOptions, Uri,
    header, redirect, retry_after,
};
use unifi_herald_plugin::{
    BuildContext, BuildError, DeliveryError, HttpClient, Revealed, Secret, Timestamp,
};

/// The way to one service.
pub(crate) struct Api {
    context: BuildContext,
    http: HttpClient,
    headers: HeaderMap,
    secrets: Vec<String>,
    /// Before this the service takes nothing more: it said so.
    not_before: Option<Instant>,
    /// The body of a success decides whether it was one.
    heeds_bodies: bool,
}

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// No service is waited for longer than this before it is asked again, whatever it says.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

impl Api {
    pub(crate) fn new(context: &BuildContext, tls: TlsOptions) -> Result<Self, BuildError> {
        Ok(Self {
            context: context.clone(),
            http: context.http(&HttpOptions { tls })?,
            headers: HeaderMap::new(),
            secrets: Vec::new(),
            not_before: None,
            heeds_bodies: false,
        })
    }

    /// The same for a service that says in the body whether a success was one: a body that breaks off is no answer.
    /// Elsewhere it is one by its status, and the message is not to be sent again.
    pub(crate) fn heeding_bodies(self) -> Self {
        Self {
            heeds_bodies: true,
            ..self
        }
    }

    /// Read a secret, and hide it from errors from now on.
    pub(crate) fn reveal(&mut self, option: &str, secret: &Secret) -> Result<Revealed, BuildError> {
        let revealed = self.context.reveal(option, secret)?;
        self.hide(revealed.expose());
        Ok(revealed)
    }

    /// Read an address that is a secret, and hide it, its path and the end of that from errors from now on.
    pub(crate) fn reveal_base(
        &mut self,
        option: &str,
        secret: &Secret,
    ) -> Result<String, BuildError> {
        let revealed = self.reveal(option, secret)?;
        let url = base(option, revealed.expose())?;
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let key = path.rsplit('/').next().unwrap_or_default();
        // What is shorter is no key, and may be part of any word.
        for text in [url.as_str(), path, key] {
            if text.len() >= 8 {
                self.hide(text);
            }
        }
        Ok(url)
    }

    /// Hide `text` from errors from now on.
    pub(crate) fn hide(&mut self, text: &str) {
        if !text.is_empty() {
            self.secrets.push(text.to_owned());
            // The longest first: one may be part of another.
            self.secrets
                .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// Carry `authorization: Bearer …` in every request.
    pub(crate) fn bearer(&mut self, option: &str, token: &Revealed) -> Result<(), BuildError> {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| {
            let message = "it has a character that a header cannot carry, such as a line break";
            BuildError::new(option, message)
        })?;
        value.set_sensitive(true);
        self.headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }

    /// Wall-clock time.
    pub(crate) fn wall(&self) -> Timestamp {
        self.context.wall()
    }

    /// Send JSON by POST.
    pub(crate) async fn post(
        &self,
        url: &str,
        body: &impl Serialize,
    ) -> Result<Answer, DeliveryError> {
        let body = serde_json::to_vec(body).map_err(DeliveryError::never)?;
        self.send(Method::POST, url, body.into()).await
    }

    /// Send a request, with a body that is JSON unless it is empty. Any answer is a success here.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        body: Bytes,
    ) -> Result<Answer, DeliveryError> {
        let now = self.context.now();
        if let Some(wait) = self
            .not_before
            .and_then(|at| at.checked_duration_since(now))
            && !wait.is_zero()
        {
            return Err(DeliveryError::after(
                wait,
                "the service's rate limit is used up",
            ));
        }
        let uri: Uri = url
            .parse()
            .map_err(|_| DeliveryError::misconfigured("the address is not a URL"))?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        if !request.body().is_empty() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        let answer = if self.heeds_bodies {
            self.http.send(request).await
        } else {
            self.http.submit(request).await
        };
        let answer =
            answer.map_err(|error| DeliveryError::later(self.discreet(&error.to_string())))?;
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.into_body(),
        })
    }

    /// Send nothing for so long.
    pub(crate) fn hold(&mut self, wait: Duration) {
        self.not_before = self.context.now().checked_add(wait.min(LONGEST_WAIT));
    }

    /// What an answer means that is not a success, by the rules all sinks share.
    pub(crate) fn refusal(&self, answer: &Answer, wait: Option<Duration>) -> DeliveryError {
        let wait = wait.map(|wait| wait.min(LONGEST_WAIT));
        DeliveryError::from_status(answer.status, wait, self.said(answer))
    }

    /// The answer is about us and not about the event, whatever its status.
    pub(crate) fn misconfigured(&self, answer: &Answer) -> DeliveryError {
        DeliveryError::misconfigured(self.said(answer))
    }

    /// Status and the beginning of the answer, printable and without secrets; or what to do about a redirect.
    pub(crate) fn said(&self, answer: &Answer) -> String {
        let status = answer.status;
        let moved = StatusCode::from_u16(status).ok();
        let text = match moved.and_then(|status| redirect(status, &answer.headers)) {
            Some(advice) => self.discreet(&advice),
            None => self.excerpt(&answer.body),
        };
        if text.is_empty() {
            format!("answered {status}")
        } else {
            format!("answered {status}: {text}")
        }
    }

    fn excerpt(&self, body: &[u8]) -> String {
        // First the secrets, then the cut, which could leave half of one.
        let text = self.discreet(&String::from_utf8_lossy(&body[..body.len().min(4096)]));
        crate::text::line(&text).chars().take(200).collect()
    }

    fn discreet(&self, text: &str) -> String {
        let hide = |text: String, secret: &String| text.replace(secret, "***");
        self.secrets.iter().fold(text.to_owned(), hide)
    }
}

impl Answer {
    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON of this form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, without spaces around it.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default().trim()
    }

    /// `Retry-After`.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// A header that is a number.
    pub(crate) fn number(&self, name: &'static str) -> Option<f64> {
        let value = self.headers.get(HeaderName::from_static(name))?;
        value.to_str().ok()?.trim().parse().ok()
    }
}

/// A number of seconds as a service writes it; nothing sensible is nothing.
pub(crate) fn seconds(seconds: f64) -> Option<Duration> {
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(86_400.0)))
}

/// The address of a service without a slash at its end, checked.
pub(crate) fn base(option: &str, text: &str) -> Result<String, BuildError> {
    let text = text.trim().trim_end_matches('/');
    let wrong = |message: &str| BuildError::new(option, message);
    let uri: Uri = text
        .parse()
        .map_err(|_| wrong("not a URL; write something like \"https://example.org\""))?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(wrong("it must begin with https:// (or http://)"));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(wrong("it names no host"));
    }
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(wrong(
            "it has a user name before the host, which is not used here",
        ));
    }
    if uri.query().is_some() {
        return Err(wrong("it has a query; leave out what begins with `?`"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use unifi_herald_plugin::testing::TestContext;
    use unifi_herald_plugin::{Fault, Retry};

    fn api(context: &TestContext) -> Api {
        let build = context.build_context("x", Path::new(""));
        Api::new(&build, TlsOptions::default()).unwrap()
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn a_secret_is_hidden_before_the_text_is_cut() {
        let mut api = api(&TestContext::new());
        api.hide("hunter2");
        api.hide("hunter2-and-more");
        let body = format!("{}hunter2-and-more\r\nhunter2", "x".repeat(195));
        let said = api.refusal(&answer(400, &body), None).to_string();
        assert!(!said.contains("hunt"), "{said}");
        assert!(said.ends_with("***  "), "{said}");
    }

    #[tokio::test]
    async fn nothing_is_sent_while_the_service_wants_rest() {
        let context = TestContext::new();
        let mut api = api(&context);
        api.hold(Duration::from_secs(9));
        context.advance(Duration::from_secs(2));
        let error = api.post("https://h/", &1).await.unwrap_err();
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
        assert_eq!(error.fault(), Fault::Unavailable);
        context.advance(Duration::from_secs(7));
        api.post("https://h/", &1).await.unwrap();
        assert_eq!(context.http().take_requests().len(), 1);
    }

    #[test]
    fn a_redirect_says_what_to_do_about_it_without_secrets() {
        let mut api = api(&TestContext::new());
        api.hide("s3cr3t");
        let mut moved = answer(308, "<html>Permanent Redirect</html>");
        let to = HeaderValue::from_static("https://s3cr3t.example.org/hook/hunter2");
        moved.headers.insert(header::LOCATION, to);
        assert_eq!(
            api.said(&moved),
            "answered 308: herald follows no redirects, set the address to the one it leads to (https://***.example.org)"
        );
    }

    #[test]
    fn an_address_is_checked() {
        assert_eq!(base("url", " https://h/x/ ").unwrap(), "https://h/x");
        for wrong in [
            "",
            "ntfy.sh",
            "ftp://h",
            "https://",
            "https://a:b@h",
            "https://h/?q",
        ] {
            assert_eq!(base("url", wrong).unwrap_err().option(), "url", "{wrong}");
        }
        assert_eq!(seconds(0.5), Some(Duration::from_millis(500)));
        assert_eq!(seconds(1e300), Some(Duration::from_secs(86_400)));
        assert_eq!(seconds(-1.0).or(seconds(f64::NAN)), None);
    }
}
