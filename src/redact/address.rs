//! MAC and IP addresses in texts, and what stands for them.

use super::{Salt, fixed};
use regex::{Captures, Regex};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Finds addresses.
#[derive(Debug)]
pub(super) struct Addresses {
    mac: Regex,
    bare: Regex,
    ip: Regex,
}

impl Addresses {
    pub(super) fn new() -> Self {
        Self {
            mac: fixed(r"(?i)\b([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})\b"),
            // Serial numbers are MAC addresses without their colons.
            bare: fixed(r"(?i)\b([0-9a-f]{12})\b"),
            ip: fixed(r"(?i)(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})"),
        }
    }

    pub(super) fn is_none_in(&self, text: &str) -> bool {
        !self.mac.is_match(text) && !self.bare.is_match(text) && text.parse::<IpAddr>().is_err()
    }

    /// The text with other addresses: the vendor's part of a MAC address stays, and whether an IP address is private.
    pub(super) fn replace(&self, salt: &Salt, text: &str) -> String {
        let text = self
            .mac
            .replace_all(text, |found: &Captures<'_>| mac(salt, &found[1]));
        let text = self
            .bare
            .replace_all(&text, |found: &Captures<'_>| mac(salt, &found[1]));
        let text = self
            .ip
            .replace_all(&text, |found: &Captures<'_>| ip(salt, &found[0]));
        text.into_owned()
    }
}

/// Written like the original: with its separators and in its case.
fn mac(salt: &Salt, text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let number = salt.number("mac", &digits.to_ascii_lowercase());
    let mut own = format!("{:06x}", number >> 40);
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        own.make_ascii_uppercase();
    }
    let mut own = own.chars();
    let mut seen = 0;
    let replaced = text.chars().map(|c| {
        if !c.is_ascii_hexdigit() {
            return c;
        }
        seen += 1;
        // Twelve digits, of which the first six are the vendor's.
        if seen > 6 { own.next().unwrap_or(c) } else { c }
    });
    replaced.collect()
}

fn ip(salt: &Salt, text: &str) -> String {
    let Ok(address) = text.parse::<IpAddr>() else {
        return text.to_owned();
    };
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
        return text.to_owned();
    }
    let [_, a, b, c, d, e, f, g] = salt.number("ip", &address.to_string()).to_be_bytes();
    match address {
        IpAddr::V4(known) if known.is_broadcast() => text.to_owned(),
        IpAddr::V4(known) if known.is_private() => Ipv4Addr::new(10, a, b, c).to_string(),
        // For benchmarks between networks (RFC 2544): it belongs to nobody.
        IpAddr::V4(_) => Ipv4Addr::new(198, 18 | (a & 1), b, c).to_string(),
        IpAddr::V6(known) => {
            let head = if known.segments()[0] & 0xffc0 == 0xfe80 {
                [0xfe80, 0, 0, 0]
            } else {
                [0x2001, 0xdb8, u16::from(a), 0]
            };
            let tail = [
                u16::from_be_bytes([b, c]),
                u16::from_be_bytes([d, e]),
                u16::from(f),
                u16::from(g),
            ];
            Ipv6Addr::new(
                head[0], head[1], head[2], head[3], tail[0], tail[1], tail[2], tail[3],
            )
            .to_string()
        }
    }
}
