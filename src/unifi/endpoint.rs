//! Which of the two APIs a controller has, and the paths of each.

use super::answer::Answer;
use crate::config::ControllerKind;
use std::fmt::Write as _;

/// The port UniFi OS Server listens on.
const OS_SERVER_PORT: u16 = 11443;

/// What one request without redirects tells about the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The controller is of this kind.
    Kind(ControllerKind),
    /// The answer fits neither kind: ask the next question.
    Unclear,
    /// The console is starting or being upgraded; that says nothing about its kind.
    NotReady,
}

/// The questions of the detection, in the order they are asked. The fallbacks are for reverse proxies that answer
/// `/` themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// `GET /`.
    Root,
    /// `GET /login`, a page of UniFi OS.
    OsLogin,
    /// `GET /manage/account/login`, a page of the classic application.
    ClassicLogin,
}

impl Question {
    /// Where to begin. `doubted` is set when the login path of the kind found before did not exist: then `/` has
    /// already told what it can.
    #[must_use]
    pub fn first(doubted: bool) -> Self {
        if doubted { Self::OsLogin } else { Self::Root }
    }

    /// The path to `GET`, without following redirects.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::OsLogin => "/login",
            Self::ClassicLogin => "/manage/account/login",
        }
    }

    /// What to ask after an unclear answer.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Root => Some(Self::OsLogin),
            Self::OsLogin => Some(Self::ClassicLogin),
            Self::ClassicLogin => None,
        }
    }

    /// Read an answer. Headers such as `X-CSRF-Token` are not looked at: consoles of UniFi OS 3.2 and later do
    /// not send them here.
    #[must_use]
    pub fn read(self, answer: &Answer) -> Evidence {
        let ok = (200..300).contains(&answer.status);
        match self {
            _ if answer.status >= 500 || answer.status == 429 => Evidence::NotReady,
            Self::Root | Self::OsLogin if ok => Evidence::Kind(ControllerKind::UnifiOs),
            Self::ClassicLogin if ok => Evidence::Kind(ControllerKind::SelfHosted),
            Self::Root if (300..400).contains(&answer.status) => {
                let to_manage = answer
                    .location()
                    .is_some_and(|to| path_of(to).split('/').nth(1) == Some("manage"));
                if to_manage {
                    Evidence::Kind(ControllerKind::SelfHosted)
                } else {
                    Evidence::Unclear
                }
            }
            _ => Evidence::Unclear,
        }
    }
}

/// The kind when no answer was clear: UniFi OS Server has a port of its own; any other port says nothing.
#[must_use]
pub fn kind_by_port(port: u16) -> Option<ControllerKind> {
    (port == OS_SERVER_PORT).then_some(ControllerKind::UnifiOs)
}

/// The path of a URL or of a path.
fn path_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => location,
    }
}

/// `POST` here to log in.
#[must_use]
pub fn login_path(kind: ControllerKind) -> &'static str {
    match kind {
        ControllerKind::UnifiOs => "/api/auth/login",
        ControllerKind::SelfHosted => "/api/login",
    }
}

/// `POST` here to log out.
#[must_use]
pub fn logout_path(kind: ControllerKind) -> &'static str {
    match kind {
        ControllerKind::UnifiOs => "/api/auth/logout",
        ControllerKind::SelfHosted => "/api/logout",
    }
}

/// What the paths of the Network application begin with.
#[must_use]
pub fn prefix(kind: ControllerKind) -> &'static str {
    match kind {
        ControllerKind::UnifiOs => "/proxy/network",
        ControllerKind::SelfHosted => "",
    }
}

/// The list of sites the account may see.
#[must_use]
pub fn sites_path(kind: ControllerKind) -> String {
    format!("{}/api/self/sites", prefix(kind))
}

/// A list of a site, such as `stat/device`.
#[must_use]
pub fn site_path(kind: ControllerKind, site: &str, list: &str) -> String {
    format!("{}/api/s/{}/{list}", prefix(kind), encode(site))
}

/// The socket of a site, with the query where there is one.
#[must_use]
pub fn socket_path(kind: ControllerKind, site: &str, query: &str) -> String {
    let path = format!("{}/wss/s/{}/events", prefix(kind), encode(site));
    let query = query.trim_start_matches('?');
    if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    }
}

/// Percent-encode a path segment: everything but the unreserved characters of RFC 3986, section 2.3.
#[must_use]
pub fn encode(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, header};

    fn answer(status: u16, location: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert(header::LOCATION, location.parse().unwrap());
        }
        Answer {
            status,
            headers,
            ..Answer::default()
        }
    }

    #[test]
    fn the_root_tells_the_kind() {
        use ControllerKind::{SelfHosted, UnifiOs};
        let table = [
            (200, None, Evidence::Kind(UnifiOs)),
            (302, Some("/manage"), Evidence::Kind(SelfHosted)),
            (
                302,
                Some("https://unifi.lan:8443/manage"),
                Evidence::Kind(SelfHosted),
            ),
            (
                302,
                Some("/manage/account/login?redirect=%2F"),
                Evidence::Kind(SelfHosted),
            ),
            (301, Some("https://unifi.lan/"), Evidence::Unclear),
            (302, Some("https://sso.example/manager"), Evidence::Unclear),
            (302, Some("https://sso.example"), Evidence::Unclear),
            (302, None, Evidence::Unclear),
            (401, None, Evidence::Unclear),
            (404, None, Evidence::Unclear),
            (502, None, Evidence::NotReady),
            (503, None, Evidence::NotReady),
            (429, None, Evidence::NotReady),
        ];
        for (status, location, expected) in table {
            assert_eq!(
                Question::Root.read(&answer(status, location)),
                expected,
                "{status} {location:?}"
            );
        }
    }

    #[test]
    fn the_fallbacks_are_asked_in_turn() {
        let mut question = Question::first(false);
        let mut asked = vec![question.path()];
        while let Some(next) = question.next() {
            assert_eq!(question.read(&answer(404, None)), Evidence::Unclear);
            question = next;
            asked.push(question.path());
        }
        assert_eq!(asked, ["/", "/login", "/manage/account/login"]);
        assert_eq!(
            Question::OsLogin.read(&answer(200, None)),
            Evidence::Kind(ControllerKind::UnifiOs)
        );
        assert_eq!(
            Question::ClassicLogin.read(&answer(200, None)),
            Evidence::Kind(ControllerKind::SelfHosted)
        );
        assert_eq!(
            Question::ClassicLogin.read(&answer(503, None)),
            Evidence::NotReady
        );
        assert_eq!(Question::first(true), Question::OsLogin);
    }

    #[test]
    fn only_the_port_of_unifi_os_server_is_a_hint() {
        assert_eq!(kind_by_port(11443), Some(ControllerKind::UnifiOs));
        assert_eq!(kind_by_port(8443), None);
        assert_eq!(kind_by_port(443), None);
    }

    #[test]
    fn paths_of_both_kinds() {
        use ControllerKind::{SelfHosted, UnifiOs};
        assert_eq!(
            socket_path(UnifiOs, "default", ""),
            "/proxy/network/wss/s/default/events"
        );
        assert_eq!(
            socket_path(SelfHosted, "super", "?clients=v2"),
            "/wss/s/super/events?clients=v2"
        );
        assert_eq!(
            site_path(UnifiOs, "a/b c", "stat/sta"),
            "/proxy/network/api/s/a%2Fb%20c/stat/sta"
        );
        assert_eq!(sites_path(SelfHosted), "/api/self/sites");
        assert_eq!(login_path(UnifiOs), "/api/auth/login");
        assert_eq!(login_path(SelfHosted), "/api/login");
        assert_eq!(logout_path(UnifiOs), "/api/auth/logout");
        assert_eq!(logout_path(SelfHosted), "/api/logout");
        assert_eq!(encode("ä?#%"), "%C3%A4%3F%23%25");
    }
}
