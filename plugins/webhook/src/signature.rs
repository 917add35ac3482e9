//! Standard Webhooks: who sent this, when, and that nobody changed it.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use unifi_herald_plugin::{BufferedEvent, BuildError, Timestamp};

/// Signs requests with a shared secret.
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    /// `whsec_` and base64, as the standard has it; any other text is taken as it is.
    pub(crate) fn new(secret: &str) -> Result<Self, BuildError> {
        let wrong = |message| BuildError::new("secret", message);
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD
                .decode(encoded.trim())
                .map_err(|_| wrong("what follows `whsec_` is not base64"))?,
            None => secret.as_bytes().to_vec(),
        };
        if key.is_empty() {
            return Err(wrong("it is empty"));
        }
        let mac = Hmac::new_from_slice(&key).map_err(|_| wrong("it cannot be used as a key"))?;
        Ok(Self(mac))
    }

    /// The value of `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(id.as_bytes());
        mac.update(format!(".{}.", at.as_secs()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The value of `webhook-id`: the event's id, or for a batch a hash of its ids; the same on every try.
pub(crate) fn webhook_id(events: &[BufferedEvent]) -> String {
    if let [event] = events
        && plain(&event.id)
    {
        return event.id.to_string();
    }
    let mut hash = Sha256::new();
    for event in events {
        hash.update(event.id.as_bytes());
        hash.update(b"\n");
    }
    let mut id = String::with_capacity(38);
    id.push_str("batch-");
    for byte in &hash.finalize()[..16] {
        // Writing to a string cannot fail.
        let written = write!(id, "{byte:02x}");
        debug_assert!(written.is_ok(), "{written:?}");
    }
    id
}

/// Whether a controller's id can stand in a header and, by the standard, has no dot.
fn plain(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::{EventBuilder, batch};

    #[test]
    fn signs_as_the_published_example_does() {
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_millis(1_614_265_330_999);
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_may_be_any_text() {
        let at = Timestamp::from_millis(5_000);
        let text = Signer::new("hunter2").unwrap().sign("a", at, b"x");
        let encoded = Signer::new("whsec_aHVudGVyMg==").unwrap();
        assert_eq!(text, encoded.sign("a", at, b"x"));
        let error = Signer::new("whsec_not base64").err().unwrap();
        assert_eq!(
            error.to_string(),
            "`secret`: what follows `whsec_` is not base64"
        );
        assert!(Signer::new("whsec_").is_err());
    }

    #[test]
    fn the_id_of_a_batch_depends_on_its_ids_and_never_has_a_dot() {
        let events = batch(3);
        assert_eq!(webhook_id(&events[..1]), "test-1");
        let both = webhook_id(&events[..2]);
        assert_eq!(both, webhook_id(&batch(2)));
        assert_ne!(both, webhook_id(&events));
        for id in ["a.b", "", "ü", "a\r\nx: y"] {
            let odd = [EventBuilder::new(Kind::WAN_UP).id(id).buffered(1)];
            assert!(plain(&webhook_id(&odd)), "{id:?}");
        }
    }
}
