//! HTTP answers in the dress of the two kinds of controller.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// An answer with a whole body.
pub(super) type Reply = Response<Full<Bytes>>;

const JSON: &str = "application/json;charset=UTF-8";

pub(super) fn json(status: u16, body: impl Into<String>) -> Reply {
    with_type(status, JSON, body.into())
}

pub(super) fn html(status: u16, body: &str) -> Reply {
    with_type(status, "text/html; charset=utf-8", body.to_owned())
}

pub(super) fn text(status: u16, body: &str) -> Reply {
    with_type(status, "text/plain; charset=utf-8", body.to_owned())
}

/// `{"meta":{"rc":"ok"},"data":[…]}`, the items being JSON already.
pub(super) fn data<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Reply {
    json(
        200,
        format!(
            r#"{{"meta":{{"rc":"ok"}},"data":{}}}"#,
            super::json::array(items)
        ),
    )
}

/// `{"meta":{"rc":"error","msg":"api.err.…"},"data":[]}`.
pub(super) fn error(status: u16, message: &str) -> Reply {
    json(
        status,
        format!(r#"{{"meta":{{"rc":"error","msg":"{message}"}},"data":[]}}"#),
    )
}

/// The errors of UniFi OS itself: `{"code":…,"message":…,"level":"debug"}`.
pub(super) fn os_error(status: u16, code: &str, message: &str) -> Reply {
    json(
        status,
        format!(r#"{{"code":"{code}","message":"{message}","level":"debug"}}"#),
    )
}

/// `reply` with one more header.
pub(super) fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply
            .headers_mut()
            .append(HeaderName::from_static(name), value);
    }
    reply
}

fn with_type(status: u16, kind: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// The page at `/` of UniFi OS.
pub(super) const LOGIN_PAGE: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>UniFi OS</title></head><body><div id=\"root\"></div></body></html>";

/// What a reverse proxy says while nobody is behind it.
pub(super) const BAD_GATEWAY: &str = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>";
