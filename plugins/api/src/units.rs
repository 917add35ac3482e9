//! Durations and sizes as people write them: `"90s"`, `"64MiB"`.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as written in the configuration: `"250ms"`, `"90s"`, `"10m"`, `"2h"`, `"7d"`, `"1w"`, and sums
/// like `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A number of bytes as written in the configuration: `"512B"`, `"64KiB"`, `"32MiB"`, `"1GiB"`, and the decimal
/// `"64kB"`, `"32MB"`, `"1GB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The text is not a length of time or a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUnit(&'static str);

impl fmt::Display for InvalidUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidUnit {}

const NOT_A_SPAN: InvalidUnit = InvalidUnit("expected a time such as \"90s\", \"10m\" or \"7d\"");
const NOT_A_SIZE: InvalidUnit = InvalidUnit("expected a size such as \"64MiB\"");

impl FromStr for Span {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(NOT_A_SPAN);
        }
        while !rest.is_empty() {
            let (number, unit, tail) = split(rest).ok_or(NOT_A_SPAN)?;
            let ms: u64 = match unit {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                _ => return Err(NOT_A_SPAN),
            };
            let part = number
                .checked_mul(ms)
                .map(Duration::from_millis)
                .ok_or(NOT_A_SPAN)?;
            total = total.checked_add(part).ok_or(NOT_A_SPAN)?;
            rest = tail.trim_start();
        }
        // A hundred years: beyond it, adding the span to a moment could overflow.
        if total > Duration::from_secs(100 * 366 * 86_400) {
            return Err(NOT_A_SPAN);
        }
        Ok(Self(total))
    }
}

impl FromStr for Size {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit, tail) = split(text.trim()).ok_or(NOT_A_SIZE)?;
        let factor: u64 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => return Err(NOT_A_SIZE),
        };
        if !tail.is_empty() {
            return Err(NOT_A_SIZE);
        }
        number.checked_mul(factor).map(Self).ok_or(NOT_A_SIZE)
    }
}

/// A whole number, the letters after it, and the rest.
fn split(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start();
    let end = unit
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(unit.len());
    Some((number, &unit[..end], &unit[end..]))
}

impl fmt::Display for Span {
    /// The largest unit that divides it: `90s`, `10m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let units = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1000, "s"),
        ];
        match units
            .into_iter()
            .find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit))
        {
            Some((unit, name)) => write!(f, "{}{name}", ms / unit),
            None if ms == 0 => f.write_str("0s"),
            None => write!(f, "{ms}ms"),
        }
    }
}

impl fmt::Display for Size {
    /// The largest binary unit that divides it: `32MiB`, `1000B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (1 << 40, "TiB"),
            (1 << 30, "GiB"),
            (1 << 20, "MiB"),
            (1 << 10, "KiB"),
        ];
        match units
            .into_iter()
            .find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit))
        {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader::new("a time such as \"90s\", \"10m\" or \"7d\""))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader::new("a size such as \"64MiB\""))
    }
}

/// Reads text and says for any other type what would be right.
struct Reader<T> {
    expected: &'static str,
    read: PhantomData<T>,
}

impl<T> Reader<T> {
    fn new(expected: &'static str) -> Self {
        Self {
            expected,
            read: PhantomData,
        }
    }
}

impl<T: FromStr<Err = InvalidUnit>> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        for (text, ms) in [
            ("0s", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(ms))), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "1.5h",
            "5 parsecs",
            "99999999999999999999s",
            "999999w",
        ] {
            assert_eq!(text.parse::<Span>(), Err(NOT_A_SPAN), "{text}");
        }
    }

    #[test]
    fn writes_times_as_people_would() {
        for text in ["0s", "250ms", "90s", "10m", "7d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn writes_sizes_in_the_largest_unit_that_divides_them() {
        for text in ["0B", "1000B", "64KiB", "32MiB", "1GiB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("512B", 512),
            ("64MiB", 64 << 20),
            ("1 GiB", 1 << 30),
            ("2MB", 2_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "64", "64M", "64mib", "1GiB1", "99999999999TiB"] {
            assert_eq!(text.parse::<Size>(), Err(NOT_A_SIZE), "{text}");
        }
    }
}
