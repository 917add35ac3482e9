//! Hardware addresses.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A MAC address; written in lower case with colons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    /// The address with these six bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The six bytes, in the order they are written.
    #[must_use]
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// Whether the address was made up by the device itself (the locally administered bit), as phones
    /// do for privacy; such an address names a visit, not a device.
    #[must_use]
    pub const fn is_random(self) -> bool {
        self.0[0] & 0b10 != 0
    }

    /// The text of [`fmt::Display`] as bytes on the stack, for writers that avoid `fmt`.
    #[must_use]
    pub fn to_text(self) -> [u8; 17] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut out = [b':'; 17];
        for (index, byte) in self.0.iter().enumerate() {
            out[index * 3] = HEX[usize::from(byte >> 4)];
            out[index * 3 + 1] = HEX[usize::from(byte & 15)];
        }
        out
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text();
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidMac;

impl fmt::Display for InvalidMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a MAC address like aa:bb:cc:00:00:01")
    }
}

impl std::error::Error for InvalidMac {}

impl FromStr for Mac {
    type Err = InvalidMac;

    /// Accepts colons, dashes or no separator, in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.as_bytes();
        let step = match text.len() {
            17 if text
                .iter()
                .skip(2)
                .step_by(3)
                .all(|byte| matches!(byte, b':' | b'-')) =>
            {
                3
            }
            12 => 2,
            _ => return Err(InvalidMac),
        };
        let mut bytes = [0; 6];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let high = hex(text[index * step])?;
            let low = hex(text[index * step + 1])?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

fn hex(byte: u8) -> Result<u8, InvalidMac> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(InvalidMac),
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_usual_form() {
        for text in ["AA:bb:cc:00:00:01", "aa-bb-cc-00-00-01", "aabbcc000001"] {
            assert_eq!(
                text.parse::<Mac>().unwrap().to_string(),
                "aa:bb:cc:00:00:01"
            );
        }
        for text in [
            "",
            "vpn:anna",
            "aa:bb:cc:00:00",
            "aa:bb:cc:00:00:0g",
            "aa:bbcc:00:00:01é",
            "aaxbbxccx00x00x01",
        ] {
            assert_eq!(text.parse::<Mac>(), Err(InvalidMac), "{text}");
        }
    }

    #[test]
    fn knows_random_addresses() {
        assert!("02:00:00:00:00:01".parse::<Mac>().unwrap().is_random());
        assert!(!"00:11:22:00:00:01".parse::<Mac>().unwrap().is_random());
    }
}
