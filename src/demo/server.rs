//! The front door: TLS, HTTP, and which part of the simulator answers what.

use super::auth::{Attempt, Caller, Verdict};
use super::hub::Hub;
use super::mischief::{Booting, LoginTrouble};
use super::reply::{self, Reply};
use super::rest::Question;
use super::socket;
use crate::config::ControllerKind;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{COOKIE, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

const LARGEST_BODY: usize = 1 << 20;
const PREFIX: &str = "/proxy/network";

/// Accept connections until the simulator stops.
pub(super) async fn serve(hub: Arc<Hub>, listener: TcpListener, tls: TlsAcceptor) {
    loop {
        let accepted = tokio::select! {
            () = hub.tasks.stopping() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if !*hub.mischief.unplugged().borrow() => {
                hub.tasks
                    .spawn(connection(Arc::clone(&hub), tls.clone(), stream));
            }
            Ok(_) => {}
            // Out of descriptors: others will be closed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn connection(hub: Arc<Hub>, tls: TlsAcceptor, stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let (stop, mut unplugged) = (hub.tasks.stop_token(), hub.mischief.unplugged());
    let served = async {
        let stream = if hub.options.plain {
            Either::Right(stream)
        } else {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            Either::Left(stream)
        };
        let service = service_fn(|request| {
            let hub = Arc::clone(&hub);
            async move { Ok::<_, Infallible>(respond(hub, request).await) }
        });
        let http = hyper::server::conn::http1::Builder::new();
        http.serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await
            .ok();
    };
    tokio::select! {
        () = stop.cancelled() => {}
        _ = unplugged.wait_for(|unplugged| *unplugged) => {}
        () = served => {}
    }
}

async fn respond(hub: Arc<Hub>, request: Request<Incoming>) -> Reply {
    hub.stats.request(request.uri().path());
    let date = http_date(hub.event_time().as_secs());
    let reply = route(&hub, request).await;
    reply::with(reply, "date", &date)
}

async fn route(hub: &Arc<Hub>, request: Request<Incoming>) -> Reply {
    match hub.mischief.settings().booting {
        Some(Booting::Unavailable) => return reply::text(503, "Service Unavailable"),
        Some(Booting::BadGateway) => return reply::html(502, reply::BAD_GATEWAY),
        None => {}
    }
    let kind = hub.options.kind;
    let path = request.uri().path().to_owned();
    match (kind, request.method(), path.as_str()) {
        (ControllerKind::UnifiOs, &Method::GET, "/") => {
            return with_anonymous(hub, reply::html(200, reply::LOGIN_PAGE));
        }
        (ControllerKind::SelfHosted, &Method::GET, "/") => {
            return reply::with(reply::text(302, ""), "location", "/manage");
        }
        (ControllerKind::UnifiOs, &Method::POST, "/api/auth/login")
        | (ControllerKind::SelfHosted, &Method::POST, "/api/login") => {
            return login(hub, request).await;
        }
        (ControllerKind::UnifiOs, &Method::POST, "/api/auth/logout")
        | (ControllerKind::SelfHosted, &Method::POST, "/api/logout")
        | (ControllerKind::SelfHosted, &Method::GET, "/logout") => {
            return logout(hub, request.headers());
        }
        _ => {}
    }
    let inner = match kind {
        ControllerKind::UnifiOs => path.strip_prefix(PREFIX),
        ControllerKind::SelfHosted => Some(path.as_str()),
    };
    let Some(inner) = inner else {
        return reply::json(404, r#"{"error":{"code":404,"message":"Not Found"}}"#);
    };
    let caller = caller(hub, request.headers());
    if let Some(site) = inner
        .strip_prefix("/wss/s/")
        .and_then(|rest| rest.strip_suffix("/events"))
    {
        return socket::handshake(hub, request, site, &caller);
    }
    let csrf = match caller {
        Caller::Session { csrf, updated_csrf } => Some((csrf, updated_csrf)),
        Caller::ApiKey if kind == ControllerKind::UnifiOs => None,
        Caller::Mixed => return forbidden(),
        Caller::ApiKey | Caller::Stale | Caller::Nobody => return unauthorized(hub),
    };
    if let Some((token, _)) = &csrf {
        let sent = request
            .headers()
            .get("x-csrf-token")
            .and_then(|value| value.to_str().ok());
        if !matches!(*request.method(), Method::GET | Method::HEAD) && sent != Some(token) {
            return tell_csrf(forbidden(), csrf);
        }
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return reply::text(413, "Payload Too Large");
    };
    let body = body.to_bytes();
    let query = parts.uri.query().unwrap_or_default();
    let reply = hub.answer(&Question {
        method: &parts.method,
        path: inner,
        query,
        body: &body,
    });
    tell_csrf(reply, csrf)
}

/// Hand over the CSRF token that takes the place of the old one.
fn tell_csrf(reply: Reply, csrf: Option<(String, Option<String>)>) -> Reply {
    match csrf {
        Some((_, Some(updated))) => reply::with(reply, "x-updated-csrf-token", &updated),
        _ => reply,
    }
}

async fn login(hub: &Hub, request: Request<Incoming>) -> Reply {
    let os = hub.options.kind == ControllerKind::UnifiOs;
    let Ok(body) = Limited::new(request.into_body(), LARGEST_BODY)
        .collect()
        .await
    else {
        return reply::text(413, "Payload Too Large");
    };
    let reply = match hub.mischief.take_login() {
        Some(LoginTrouble::Throttled(retry_after)) => {
            let reply = locked(os);
            match retry_after {
                Some(seconds) => reply::with(reply, "retry-after", &seconds.to_string()),
                None => reply,
            }
        }
        Some(LoginTrouble::Refused) => refused(os),
        Some(LoginTrouble::SecondFactor) => code_wanted(os),
        Some(LoginTrouble::WebPage) => reply::html(200, reply::LOGIN_PAGE),
        None => {
            let Some(attempt) = Attempt::parse(&body.to_bytes()) else {
                return reply::error(400, "api.err.InvalidPayload");
            };
            match hub
                .door
                .login(&attempt, hub.options.clock.now(), hub.options.clock.wall())
            {
                Verdict::Welcome { token, csrf } => {
                    hub.stats.update(|counts| counts.logins += 1);
                    return if os {
                        welcome_os(hub, &token, &csrf)
                    } else {
                        welcome_classic(&token, &csrf, attempt.strict)
                    };
                }
                Verdict::Refused => refused(os),
                Verdict::CodeWanted => code_wanted(os),
                Verdict::Locked => locked(os),
            }
        }
    };
    hub.stats.update(|counts| counts.refused_logins += 1);
    reply
}

fn welcome_os(hub: &Hub, token: &str, csrf: &str) -> Reply {
    let mut user = super::json::Object::new();
    let id = super::rng::uuid(hub.options.seed, 7);
    user.text("unique_id", &id)
        .text("first_name", "Herald")
        .text("last_name", "")
        .text("full_name", "Herald");
    user.text("email", "")
        .text("status", "ACTIVE")
        .text("username", &hub.options.username)
        .bool("local_account_exist", true);
    user.text("sso_account", "")
        .raw("groups", "[]")
        .raw("extras", "{}");
    user.raw("roles", r#"[{"unique_id":"902141fe-7a30-4391-8578-8a796b9604fe","name":"Viewer","system_role":true,"system_key":"viewer","level":4}]"#);
    user.raw("permissions", r#"{"network.management":["readonly"]}"#)
        .raw("scopes", r#"["view:controller:network"]"#);
    user.bool("cloud_access_granted", false)
        .text("id", &id)
        .bool("isOwner", false)
        .bool("isSuperAdmin", false);
    let cookie = format!("TOKEN={token}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned");
    let reply = reply::with(reply::json(200, user.finish()), "set-cookie", &cookie);
    let reply = reply::with(reply, "x-csrf-token", csrf);
    reply::with(
        reply,
        "access-control-expose-headers",
        "X-Csrf-Token, X-Token-Expire-Time, X-Updated-Csrf-Token",
    )
}

fn welcome_classic(token: &str, csrf: &str, strict: bool) -> Reply {
    let none: [&str; 0] = [];
    let reply = reply::with(
        reply::data(none),
        "set-cookie",
        &format!("unifises={token}; Path=/; Secure; HttpOnly"),
    );
    if strict {
        reply::with(
            reply,
            "set-cookie",
            &format!("csrf_token={csrf}; Path=/; Secure"),
        )
    } else {
        reply
    }
}

fn refused(os: bool) -> Reply {
    if os {
        reply::os_error(
            403,
            "AUTHENTICATION_FAILED_INVALID_CREDENTIALS",
            "Invalid username or password",
        )
    } else {
        reply::error(400, "api.err.Invalid")
    }
}

fn locked(os: bool) -> Reply {
    if os {
        reply::os_error(
            429,
            "AUTHENTICATION_FAILED_LIMIT_REACHED",
            "You've reached the login attempt limit",
        )
    } else {
        reply::error(429, "api.err.LoginLimitReached")
    }
}

fn code_wanted(os: bool) -> Reply {
    if os {
        let body = r#"{"data":{"mfaCookie":"UBIC_2FA=abc123def456","authenticators":[{"type":"totp"}]},"code":"MFA_AUTH_REQUIRED","meta":{"msg":"","rc":"ok"}}"#;
        reply::json(499, body)
    } else {
        let body = r#"{"meta":{"rc":"error","msg":"api.err.Ubic2faTokenRequired"},"data":[{"default_mfa":"totp","mfa_cookie":"UBIC_2FA=abc123def456","authenticators":[{"type":"totp"}]}]}"#;
        reply::json(400, body)
    }
}

fn logout(hub: &Hub, headers: &HeaderMap) -> Reply {
    if let Some(token) = session_token(hub.options.kind, headers) {
        hub.door.logout(token);
        hub.stats.update(|counts| counts.logouts += 1);
    }
    let none: [&str; 0] = [];
    match hub.options.kind {
        ControllerKind::UnifiOs => reply::json(200, r#"{"success":true}"#),
        ControllerKind::SelfHosted => reply::data(none),
    }
}

pub(super) fn unauthorized(hub: &Hub) -> Reply {
    match hub.options.kind {
        ControllerKind::UnifiOs => with_anonymous(
            hub,
            reply::json(401, r#"{"error":{"code":401,"message":"Unauthorized"}}"#),
        ),
        ControllerKind::SelfHosted => reply::error(401, "api.err.LoginRequired"),
    }
}

pub(super) fn forbidden() -> Reply {
    reply::json(403, r#"{"error":{"code":403,"message":"Forbidden"}}"#)
}

/// UniFi OS sets a token even for those it does not know. A client that keeps it over its own is logged out.
fn with_anonymous(hub: &Hub, reply: Reply) -> Reply {
    let token = hub.door.anonymous(hub.options.clock.wall());
    reply::with(
        reply,
        "set-cookie",
        &format!("TOKEN={token}; Path=/; HttpOnly; Secure; SameSite=Strict"),
    )
}

fn caller(hub: &Hub, headers: &HeaderMap) -> Caller {
    let api_key = headers
        .get("x-api-key")
        .and_then(|value| value.to_str().ok());
    hub.door.caller(
        session_token(hub.options.kind, headers),
        api_key,
        hub.options.clock.wall(),
    )
}

fn session_token(kind: ControllerKind, headers: &HeaderMap) -> Option<&str> {
    let name = match kind {
        ControllerKind::UnifiOs => "TOKEN",
        ControllerKind::SelfHosted => "unifises",
    };
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(seconds: i64) -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let timestamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    printer
        .timestamp_to_rfc9110_string(&timestamp)
        .unwrap_or_default()
}
