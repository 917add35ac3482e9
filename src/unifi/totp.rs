//! Time-based one-time passwords (RFC 6238) for accounts with a second factor.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use std::fmt;
use unifi_herald_plugin::Timestamp;

/// Length of a time step, in seconds.
const STEP: i64 = 30;
/// Longest secret accepted, in characters.
const MAX_SECRET: usize = 1024;

/// The shared secret of a second factor. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Vec<u8>);

/// The text is not a secret in base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a base32 secret: use the letters A to Z and digits 2 to 7 shown when the second factor was set up"
)]
pub struct InvalidSecret;

impl TotpSecret {
    /// Read base32 (RFC 4648), as authenticator set-up pages show it: any case, spaces, dashes and padding allowed.
    ///
    /// # Errors
    /// When anything else is in it, or nothing.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        if text.len() > MAX_SECRET {
            return Err(InvalidSecret);
        }
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
        for byte in text.trim_end_matches(['=', ' ', '\n']).bytes() {
            let digit = match byte.to_ascii_uppercase() {
                b' ' | b'-' => continue,
                letter @ b'A'..=b'Z' => letter - b'A',
                digit @ b'2'..=b'7' => digit - b'2' + 26,
                _ => return Err(InvalidSecret),
            };
            bits = (bits << 5) | u32::from(digit);
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push(((bits >> held) & 0xff) as u8);
            }
        }
        if bytes.is_empty() {
            Err(InvalidSecret)
        } else {
            Ok(Self(bytes))
        }
    }

    /// The six digits for a time step.
    #[must_use]
    pub fn code(&self, step: Step) -> String {
        let number = self.truncated(step);
        format!("{:06}", number % 1_000_000)
    }

    /// RFC 4226, section 5.3.
    fn truncated(&self, step: Step) -> u32 {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else {
            // HMAC takes keys of every length.
            return 0;
        };
        mac.update(&step.0.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 0x0f);
        let four = [
            digest[offset],
            digest[offset + 1],
            digest[offset + 2],
            digest[offset + 3],
        ];
        u32::from_be_bytes(four) & 0x7fff_ffff
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A time step. A code is good once: the next login needs a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(i64);

impl Step {
    /// The step that holds `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(now.as_secs().div_euclid(STEP))
    }

    /// When the next step begins.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp::from_millis((self.0 + 1) * STEP * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc() {
        // RFC 6238, appendix B, the SHA-1 rows; the secret is "12345678901234567890".
        let secret = TotpSecret::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let table = [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ];
        for (seconds, eight_digits) in table {
            let step = Step::at(Timestamp::from_millis(seconds * 1000));
            assert_eq!(
                secret.truncated(step) % 100_000_000,
                eight_digits,
                "{seconds}"
            );
            assert_eq!(
                secret.code(step),
                format!("{:06}", eight_digits % 1_000_000)
            );
        }
    }

    #[test]
    fn secrets_as_people_copy_them() {
        let plain = TotpSecret::parse("JBSWY3DPEHPK3PXP").unwrap();
        for text in [
            "jbsw y3dp ehpk 3pxp",
            "JBSWY3DP-EHPK3PXP",
            "JBSWY3DPEHPK3PXP====\n",
        ] {
            assert_eq!(TotpSecret::parse(text).unwrap(), plain, "{text}");
        }
        assert_eq!(plain.0, b"Hello!\xDE\xAD\xBE\xEF");
        for text in ["", "=", "A", "JBSWY3DP1", "hunter2!", &"A".repeat(2000)] {
            assert_eq!(TotpSecret::parse(text), Err(InvalidSecret), "{text}");
        }
        assert_eq!(format!("{plain:?}"), "***");
    }

    #[test]
    fn a_step_ends_when_the_next_begins() {
        let step = Step::at(Timestamp::from_millis(59_999));
        assert_eq!(step.end(), Timestamp::from_millis(60_000));
        assert_eq!(Step::at(step.end()), Step(2));
    }
}
