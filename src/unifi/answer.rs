//! An HTTP answer of a controller and what it says, in the several forms controllers use to say it.

use bytes::Bytes;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// An answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// All headers; `Set-Cookie` may come several times.
    pub headers: HeaderMap,
    /// The body, already bounded in size.
    pub body: Bytes,
}

/// What an answer to a REST request means for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The body is what was asked for.
    Fine,
    /// The session is gone: log in and ask again.
    LoginRequired,
    /// The account may not see this.
    NoPermission,
    /// This controller does not have it.
    NotFound,
    /// The application is starting, stopping or being upgraded: ask later, without a new login.
    Starting,
    /// Asked too often.
    TooMany {
        /// How long the controller wants to be left alone, where it said so.
        retry_after: Option<Duration>,
    },
    /// Anything else, with what the controller said.
    Refused(String),
}

/// The ways of saying "no": classic `meta`, UniFi OS `code`, v2 `errorCode`, old `errors`, new `error`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Complaint {
    meta: Option<Meta>,
    code: Option<Value>,
    message: Option<Value>,
    errors: Option<Value>,
    error: Option<Value>,
    #[serde(rename = "errorCode")]
    error_code: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    rc: Option<Value>,
    msg: Option<Value>,
}

/// What an answer complains about; empty when it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// A word for programs: `api.err.Invalid`, `AUTHENTICATION_FAILED`.
    pub(super) code: String,
    /// A sentence for people, when there was one.
    pub(super) message: String,
}

impl Answer {
    /// What the answer to a REST request means.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let said = self.said();
        match self.status {
            429 => {
                return Verdict::TooMany {
                    retry_after: self.retry_after(),
                };
            }
            500.. => return Verdict::Starting,
            _ => {}
        }
        if said.is("LoginRequired") || self.status == 401 {
            return Verdict::LoginRequired;
        }
        if said.is("NoPermission") || self.status == 403 {
            return Verdict::NoPermission;
        }
        if said.is("NotFound") || self.status == 404 {
            return Verdict::NotFound;
        }
        if !(200..300).contains(&self.status) || !said.code.is_empty() {
            return Verdict::Refused(said.text(self.status));
        }
        if self.looks_like_json() {
            Verdict::Fine
        } else {
            Verdict::Starting
        }
    }

    /// `Retry-After`, where there is one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        unifi_herald_plugin::http::retry_after(&self.headers)
    }

    /// Where a redirect points, without anything behind the host's path that could be a secret.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        let location = self.headers.get(header::LOCATION)?.to_str().ok()?;
        location.split(['?', '#']).next()
    }

    /// Whether the body starts like a JSON document; a booting console sends pages and plain text.
    #[must_use]
    pub fn looks_like_json(&self) -> bool {
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        matches!(first, Some(b'{' | b'['))
    }

    pub(super) fn said(&self) -> Said {
        let Ok(complaint) = serde_json::from_slice::<Complaint>(&self.body) else {
            return Said::default();
        };
        complaint.said()
    }
}

impl Complaint {
    fn said(self) -> Said {
        if let Some(meta) = &self.meta {
            let rc = text(meta.rc.as_ref());
            if rc.is_empty() || rc == "ok" {
                return Said::default();
            }
            let code = text(meta.msg.as_ref());
            return Said {
                code: if code.is_empty() { rc } else { code },
                message: text(self.message.as_ref()),
            };
        }
        let message = text(self.message.as_ref());
        if let Some(error) = self.error.as_ref().filter(|error| error.is_object()) {
            return Said {
                code: text(error.get("code")),
                message: text(error.get("message")),
            };
        }
        if self.error_code.is_some() || message.starts_with("api.err.") {
            return Said {
                code: message.clone(),
                message,
            };
        }
        let code = text(self.code.as_ref());
        if !code.is_empty() {
            return Said { code, message };
        }
        // The user object of a successful login has neither `code` nor `errors`.
        let first = self.errors.as_ref().and_then(|errors| errors.get(0));
        let message = text(first);
        Said {
            code: message.clone(),
            message,
        }
    }
}

impl Said {
    /// Whether the complaint is `api.err.<name>`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.code
            .strip_prefix("api.err.")
            .is_some_and(|rest| rest == name)
    }

    /// Whether the complaint's code has `part` in it, whatever the case.
    pub(super) fn has(&self, part: &str) -> bool {
        self.code.to_ascii_uppercase().contains(part)
    }

    /// The complaint for people.
    pub(super) fn text(&self, status: u16) -> String {
        match (self.code.is_empty(), self.message.is_empty()) {
            (true, true) => format!("HTTP {status}"),
            (false, false) if self.code != self.message => {
                format!("HTTP {status}, {}: {}", self.code, self.message)
            }
            (false, _) => format!("HTTP {status}, {}", self.code),
            (true, false) => format!("HTTP {status}, {}", self.message),
        }
    }
}

/// A value as short, printable text; controllers are not trusted to be brief.
fn text(value: Option<&Value>) -> String {
    let long = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return String::new(),
    };
    long.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn each_way_of_saying_no_is_understood() {
        use Verdict::{Fine, LoginRequired, NoPermission, NotFound, Refused, Starting};
        let table = [
            (200, r#"{"meta":{"rc":"ok"},"data":[]}"#, Fine),
            (200, r#"[{"id":"x"}]"#, Fine),
            (200, r#"{"data":[],"page_number":0}"#, Fine),
            (
                200,
                r#"{"meta":{"rc":"error","msg":"api.err.LoginRequired"},"data":[]}"#,
                LoginRequired,
            ),
            (
                401,
                r#"{"meta":{"rc":"error","msg":"api.err.LoginRequired"},"data":[]}"#,
                LoginRequired,
            ),
            (401, "Unauthorized", LoginRequired),
            (
                401,
                r#"{"error":{"code":401,"message":"Unauthorized"}}"#,
                LoginRequired,
            ),
            (
                200,
                r#"{"errorCode":1,"message":"api.err.LoginRequired"}"#,
                LoginRequired,
            ),
            (
                200,
                r#"{"meta":{"rc":"error","msg":"api.err.NoPermission"},"data":[]}"#,
                NoPermission,
            ),
            (403, "", NoPermission),
            (
                404,
                r#"{"meta":{"rc":"error","msg":"api.err.NotFound"},"data":[]}"#,
                NotFound,
            ),
            (404, "<html>", NotFound),
            (
                400,
                r#"{"meta":{"rc":"error","msg":"api.err.InvalidObject"},"data":[]}"#,
                Refused("HTTP 400, api.err.InvalidObject".into()),
            ),
            (
                400,
                r#"{"code":"X","message":"no"}"#,
                Refused("HTTP 400, X: no".into()),
            ),
            (302, "", Refused("HTTP 302".into())),
            (200, "<!doctype html>", Starting),
            (200, "", Starting),
            (502, "<html>", Starting),
            (503, "", Starting),
        ];
        for (status, body, expected) in table {
            assert_eq!(answer(status, body).verdict(), expected, "{status} {body}");
        }
    }

    #[test]
    fn asking_too_often_carries_the_wait() {
        let mut answer = answer(429, "");
        assert_eq!(answer.verdict(), Verdict::TooMany { retry_after: None });
        answer
            .headers
            .insert(header::RETRY_AFTER, "90".parse().unwrap());
        assert_eq!(
            answer.verdict(),
            Verdict::TooMany {
                retry_after: Some(Duration::from_secs(90))
            }
        );
    }

    #[test]
    fn what_a_controller_says_is_short_and_printable() {
        let body = format!(r#"{{"code":"A\nB","message":"{}"}}"#, "x".repeat(5000));
        let said = Answer {
            status: 400,
            body: body.into(),
            ..Answer::default()
        }
        .said();
        assert_eq!(said.code, "A B");
        assert_eq!(said.message.len(), 200);
    }

    #[test]
    fn a_redirect_is_shown_without_its_query() {
        let mut answer = answer(302, "");
        answer.headers.insert(
            header::LOCATION,
            "https://h/login?token=secret".parse().unwrap(),
        );
        assert_eq!(answer.location(), Some("https://h/login"));
    }
}
