//! The cookies of one session with one controller: every name is kept, since the names change between versions.

use std::fmt;
use unifi_herald_plugin::Timestamp;

/// Most cookies kept; further new names are ignored.
const MAX_COOKIES: usize = 50;
/// Longest name and value together, in bytes; a longer cookie is ignored.
const MAX_COOKIE: usize = 16 * 1024;

/// Name and value of each cookie. Paths and domains are not looked at: there is one host, and every cookie of a
/// controller is for all of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Jar(Vec<(String, String)>);

impl Jar {
    /// Take in one `Set-Cookie` header. `Max-Age=0` or a date of expiry before `now` removes the cookie; attributes
    /// it does not know, such as `Partitioned`, are passed over.
    pub fn set(&mut self, set_cookie: &str, now: Timestamp) {
        let mut parts = set_cookie.split(';');
        let Some((name, value)) = parts.next().and_then(pair) else {
            return;
        };
        if name.len() + value.len() > MAX_COOKIE || !sendable(name) || !sendable(value) {
            return;
        }
        let (mut max_age, mut expires) = (None, None);
        for attribute in parts {
            let (key, text) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "max-age" => max_age = text.trim().parse::<i64>().ok().or(max_age),
                "expires" => expires = date(text).or(expires),
                _ => {}
            }
        }
        let gone = match (max_age, expires) {
            (Some(seconds), _) => seconds <= 0,
            (None, Some(at)) => at <= now,
            (None, None) => false,
        };
        self.0.retain(|(kept, _)| !gone || kept != name);
        if gone {
            return;
        }
        if let Some((_, kept)) = self.0.iter_mut().find(|(kept, _)| kept == name) {
            value.clone_into(kept);
        } else if self.0.len() < MAX_COOKIES {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Take in every `Set-Cookie` of an answer; what is not printable ASCII is passed over.
    pub fn absorb(&mut self, headers: &http::HeaderMap, now: Timestamp) {
        for header in headers.get_all(http::header::SET_COOKIE) {
            if let Ok(text) = header.to_str() {
                self.set(text, now);
            }
        }
    }

    /// The value of the `Cookie` header; `None` when there is no cookie.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of one cookie.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(kept, _)| kept == name)
            .map(|(_, value)| value.as_str())
    }

    /// The values, in the order they came.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, value)| value.as_str())
    }

    /// Whether there is no cookie.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Jar {
    /// Names only: the values are the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name, value.trim()))
}

/// Whether the text can go back in a header without changing the header's meaning.
fn sendable(text: &str) -> bool {
    text.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b';')
}

/// A cookie's date, in today's form or Netscape's with dashes.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace('-', " ");
    let zoned = jiff::fmt::rfc2822::parse(&text).ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, header};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn jar(lines: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for line in lines {
            jar.set(line, NOW);
        }
        jar
    }

    #[test]
    fn any_name_and_any_attribute_is_kept() {
        let jar = jar(&[
            "TOKEN=eyJ.a.b; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
            "UOS_TOKEN=new=with=equals; partitioned",
            "unifises=abc",
        ]);
        assert_eq!(
            jar.header().unwrap(),
            "TOKEN=eyJ.a.b; UOS_TOKEN=new=with=equals; unifises=abc"
        );
    }

    #[test]
    fn several_headers_of_one_answer_and_replacement() {
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, "a=1; Path=/".parse().unwrap());
        headers.append(header::SET_COOKIE, "b=2".parse().unwrap());
        headers.append(header::SET_COOKIE, "a=3".parse().unwrap());
        let mut jar = Jar::default();
        jar.absorb(&headers, NOW);
        assert_eq!(jar.header().unwrap(), "a=3; b=2");
        assert_eq!(jar.get("b"), Some("2"));
        assert_eq!(Jar::default().header(), None);
    }

    #[test]
    fn expiry_removes() {
        let table = [
            ("a=; Max-Age=0", false),
            (
                "a=x; Max-Age=-1; Expires=Fri, 31 Dec 2100 23:59:59 GMT",
                false,
            ),
            (
                "a=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                true,
            ),
            ("a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false),
            ("a=x; expires=Thu, 01-Jan-1970 00:00:00 GMT", false),
            ("a=x; Expires=Fri, 31 Dec 2100 23:59:59 GMT", true),
            ("a=x; Expires=soon", true),
            ("a=x; Max-Age=abc", true),
        ];
        for (line, kept) in table {
            let jar = jar(&["a=old", "b=1", line]);
            assert_eq!(jar.get("a").is_some(), kept, "{line}");
            assert_eq!(jar.get("b"), Some("1"));
        }
    }

    #[test]
    fn hostile_cookies_are_bounded() {
        let mut jar = jar(&["", "=x", "novalue", "a=\u{7f}", "b=x\r\nX: y", "ä=1"]);
        assert!(jar.is_empty());
        jar.set(&format!("big={}", "x".repeat(MAX_COOKIE)), NOW);
        assert!(jar.is_empty());
        for n in 0..1000 {
            jar.set(&format!("c{n}=1"), NOW);
        }
        assert_eq!(jar.values().count(), MAX_COOKIES);
    }

    #[test]
    fn the_values_never_print() {
        assert_eq!(format!("{:?}", jar(&["TOKEN=secret"])), r#"["TOKEN"]"#);
    }
}
