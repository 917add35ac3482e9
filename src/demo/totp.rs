//! Checks time-based one-time passwords (RFC 6238: HMAC-SHA-1, six digits, 30 seconds).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const STEP_S: i64 = 30;

/// Whether `code` is right at `seconds` since 1970, one step early or late allowed. `secret` is Base32.
pub(super) fn verify(secret: &str, code: &str, seconds: i64) -> bool {
    let Some(key) = base32(secret) else {
        return false;
    };
    (-1..=1).any(|drift| {
        at(&key, seconds.div_euclid(STEP_S) + drift).is_some_and(|right| right == code)
    })
}

fn at(key: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0x0f);
    let word: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!(
        "{:06}",
        (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000
    ))
}

/// RFC 4648 without padding; case and spaces do not matter.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count) = (0u32, 0);
    let mut bytes = Vec::new();
    for c in text.bytes().filter(|c| !matches!(c, b' ' | b'=' | b'-')) {
        let value = match c.to_ascii_uppercase() {
            c @ b'A'..=b'Z' => c - b'A',
            c @ b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B, in Base32.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn agrees_with_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert!(verify(SECRET, code, seconds), "{code} at {seconds}");
            assert!(verify(SECRET, code, seconds + 30), "one step late");
            assert!(!verify(SECRET, code, seconds + 90), "three steps late");
        }
        assert!(!verify(SECRET, "000000", 59));
        assert!(!verify("not base32!", "287082", 59));
    }
}
