//! Under which names the server may be called, so that no page of somebody else can speak through a browser.
//!
//! A page may give its own name our address (DNS rebinding): then the `Host` of its requests is that name. And it may
//! send forms to us across origins: then their `Origin` is not ours.

use std::net::{IpAddr, SocketAddr};

/// The names the server answers to.
#[derive(Clone, Debug)]
pub(super) struct Names {
    listen: IpAddr,
    hosts: Vec<String>,
}

impl Names {
    /// Those of a server at `listen`, and `hosts` besides, in lower case.
    pub(super) fn new(listen: SocketAddr, hosts: Vec<String>) -> Self {
        Self {
            listen: listen.ip(),
            hosts,
        }
    }

    /// Whether `host`, a `Host` header, is one of them; the port does not matter, since it may be mapped.
    pub(super) fn admit(&self, host: &str) -> bool {
        let name = without_port(host);
        if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
            // An address cannot be rebound. Where all are listened on, any may be one of the machine.
            return address.is_loopback() || address == self.listen || self.listen.is_unspecified();
        }
        name.eq_ignore_ascii_case("localhost")
            || self
                .hosts
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
    }

    /// Whether a request that changes something may come from `origin`, an `Origin` header, to `host`.
    pub(super) fn same(host: &str, origin: &str) -> bool {
        let authority = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_answered() {
        let loopback = Names::new(
            "127.0.0.1:8480".parse().unwrap(),
            vec!["nas.lan".to_owned()],
        );
        for host in [
            "127.0.0.1:8480",
            "127.0.0.1",
            "localhost:8480",
            "LOCALHOST",
            "[::1]:8480",
            "nas.lan:80",
            "NAS.lan",
        ] {
            assert!(loopback.admit(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8480",
            "localhost.evil.example",
            "192.0.2.7:8480",
            "xnas.lan",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
        ] {
            assert!(!loopback.admit(host), "{host}");
        }
        let everywhere = Names::new("0.0.0.0:8480".parse().unwrap(), Vec::new());
        assert!(everywhere.admit("192.0.2.7:8480"));
        assert!(everywhere.admit("[2001:db8::1]"));
        assert!(!everywhere.admit("evil.example:8480"));
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        assert!(Names::same("localhost:8480", "http://localhost:8480"));
        assert!(Names::same("nas.lan", "https://NAS.lan"));
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:8481",
            "http://evil.example",
            "localhost:8480",
            "http://localhost:8480.evil.example",
        ] {
            assert!(!Names::same("localhost:8480", origin), "{origin}");
        }
    }
}
