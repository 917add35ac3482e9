//! Which keys hold secrets, so that no diagnostic and no listing shows them.

use super::suggest::nearest;
use std::ops::Range;

const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "cookie",
    "apikey",
    "api_key",
    "authorization",
    "auth",
    "totp",
    "headers",
];
const SUFFIXES: &[&str] = &["_key", "_pass", "_pwd", "_auth"];
const WHOLE: &[&str] = &["pass", "pwd"];

/// Whether what stands behind `key` is to be treated as a secret.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    PARTS.iter().any(|part| key.contains(part))
        || SUFFIXES.iter().any(|suffix| key.ends_with(suffix))
        || WHOLE.contains(&key.as_str())
}

/// Whether `key` is a secret's key or a slip of the pen for one.
pub(crate) fn may_be_secret(key: &str) -> bool {
    is_secret(key) || nearest(&key.to_ascii_lowercase(), PARTS.iter().copied()).is_some()
}

/// The keys inside a secret's table that say where it is and not what it is.
pub(crate) fn is_place(key: &str) -> bool {
    matches!(key, "env" | "file" | "credential")
}

/// Where the account stands in the URLs of `text`: between `//` and `@`.
pub(crate) fn userinfo(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let end = rest
            .find(|c: char| c == '"' || c == '\'' || c == '/' || c.is_whitespace())
            .unwrap_or(rest.len());
        if let Some(length) = rest[..end].rfind('@') {
            found.push(start..start + length);
        }
    }
    found
}

/// Where the URLs of `text` have a path or a query, which services like to put a key into.
pub(crate) fn url_paths(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let end = rest
            .find(|c: char| c == '"' || c == '\'' || c.is_whitespace())
            .unwrap_or(rest.len());
        if let Some(path) = rest[..end].find(['/', '?']) {
            found.push(start + path..start + end);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_keys_of_secrets_and_their_misspellings() {
        for key in [
            "password",
            "api_key",
            "X-Api-Key",
            "Authorization",
            "smtp_pass",
            "totp",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["username", "pin_sha256", "key", "url", "pattern", "path"] {
            assert!(!is_secret(key), "{key}");
        }
        assert!(may_be_secret("pasword"));
        assert!(!may_be_secret("timout"));
    }

    #[test]
    fn finds_accounts_in_urls() {
        let text = r#"url = "https://anna:pw@192.0.2.1/x@y" # http://b"#;
        let found = userinfo(text);
        assert_eq!(found.len(), 1);
        assert_eq!(&text[found[0].clone()], "anna:pw");
    }

    #[test]
    fn finds_the_paths_of_urls() {
        let text = r#"url = "https://a/key" 'http://b' https://c?k=1 x"#;
        let found = url_paths(text).into_iter().map(|range| &text[range]);
        assert_eq!(found.collect::<Vec<_>>(), ["/key", "?k=1"]);
    }
}
