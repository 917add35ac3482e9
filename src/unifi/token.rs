//! What a session token tells about itself: the claims of a JSON web token (RFC 7519), read and never verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// Longest token looked into, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// The claims herald uses. The controller checks its own tokens; they only tell us when to log in again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Sent back as `X-CSRF-Token`.
    pub csrf: Option<String>,
    /// When it was issued, in seconds since 1970 by the controller's clock.
    pub issued: Option<i64>,
    /// When it expires, likewise.
    pub expires: Option<i64>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "csrfToken")]
    csrf: Option<Value>,
    iat: Option<Value>,
    exp: Option<Value>,
}

impl Claims {
    /// The claims of `token`; `None` when it is not a JSON web token.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let mut parts = token.split('.');
        let (_header, payload, _signature, None) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next())
        else {
            return None;
        };
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let payload: Payload = serde_json::from_slice(&bytes).ok()?;
        Some(Self {
            csrf: payload
                .csrf
                .as_ref()
                .and_then(Value::as_str)
                .map(str::to_owned),
            issued: payload.iat.as_ref().and_then(seconds),
            expires: payload.exp.as_ref().and_then(seconds),
        })
    }

    /// How long the token lives, in seconds, by the controller's clock alone where it says when it was issued;
    /// `now` is our clock, in seconds since 1970.
    #[must_use]
    pub fn lifetime(&self, now: i64) -> Option<u64> {
        let from = self.issued.unwrap_or(now);
        Some(u64::try_from(self.expires?.saturating_sub(from)).unwrap_or(0))
    }
}

/// Numbers may come as integers, as fractions, or as text.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, and a bound follows"
)]
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn the_claims_of_a_captured_token() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjc3JmVG9rZW4iOiI3MDM5ZDAyZi05ODFhLTRhMWQtODIwMC0wZWYzZTI3N2EzNTMiLCJpYXQiOjE2Mjc0MjM5ODEsImV4cCI6NDc4MzE4Mzk4MX0.6ONbG1xcxfpEcXhZmXdU459LO_0YV589vfHoeaFG89U";
        let claims = Claims::read(token).unwrap();
        assert_eq!(
            claims.csrf.as_deref(),
            Some("7039d02f-981a-4a1d-8200-0ef3e277a353")
        );
        assert_eq!(
            (claims.issued, claims.expires),
            (Some(1_627_423_981), Some(4_783_183_981))
        );
        assert_eq!(claims.lifetime(0), Some(3_155_760_000));
    }

    #[test]
    fn tolerant_of_types_and_of_a_wrong_clock() {
        let claims = Claims::read(&token(r#"{"iat":"1000","exp":8200.0,"csrfToken":7}"#)).unwrap();
        assert_eq!(
            claims,
            Claims {
                csrf: None,
                issued: Some(1000),
                expires: Some(8200)
            }
        );
        assert_eq!(
            claims.lifetime(9_999_999),
            Some(7200),
            "our clock does not matter"
        );
        let no_iat = Claims::read(&token(r#"{"exp":8200}"#)).unwrap();
        assert_eq!(
            (no_iat.lifetime(1000), no_iat.lifetime(9000)),
            (Some(7200), Some(0))
        );
        assert_eq!(Claims::read(&token("{}")).unwrap().lifetime(0), None);
    }

    #[test]
    fn what_is_not_a_token_is_none() {
        for text in [
            "",
            "abc",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "e30.W10.x",
            &"a.".repeat(20_000),
        ] {
            assert_eq!(Claims::read(text), None, "{text:.20}");
        }
        let extreme = Claims::read(&token(&format!(
            r#"{{"iat":{},"exp":{}}}"#,
            i64::MIN,
            i64::MAX
        )))
        .unwrap();
        assert!(extreme.lifetime(0).is_some());
    }
}
