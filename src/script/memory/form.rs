//! A record as the bytes that the store keeps: a version, then fields that begin with a tag, in variable-length numbers.

use super::record::{Record, Stored};
use super::series::Series;
use super::{MAX_VALUE, MAX_WINDOWS};

const VERSION: u8 = 1;
const SEEN: u8 = b's';
const VALUE: u8 = b'v';
const COUNT: u8 = b'c';
const PASS: u8 = b't';

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut out = vec![VERSION];
    signed(&mut out, record.at);
    if record.seen {
        out.push(SEEN);
    }
    if let Some(value) = &record.value {
        out.push(VALUE);
        match value.expires {
            None => out.push(0),
            Some(expires) => {
                out.push(1);
                signed(&mut out, expires);
            }
        }
        unsigned(&mut out, value.json.len() as u64);
        out.extend_from_slice(value.json.as_bytes());
    }
    for (window, series) in &record.counts {
        out.push(COUNT);
        unsigned(&mut out, *window);
        unsigned(&mut out, series.len() as u64);
        let mut before = 0;
        for (time, calls) in series.moments() {
            signed(&mut out, time.wrapping_sub(before));
            unsigned(&mut out, calls);
            before = time;
        }
    }
    for (window, time) in &record.passes {
        out.push(PASS);
        unsigned(&mut out, *window);
        signed(&mut out, *time);
    }
    out
}

/// `None` when the bytes are not a record of this version.
pub(super) fn decode(bytes: &[u8]) -> Option<Record> {
    let mut rest = bytes;
    if take(&mut rest)? != VERSION {
        return None;
    }
    let mut record = Record::new(read_signed(&mut rest)?);
    while let Some(tag) = take(&mut rest) {
        match tag {
            SEEN => record.seen = true,
            VALUE => record.value = Some(read_value(&mut rest)?),
            COUNT => {
                let window = read_unsigned(&mut rest)?;
                let series = read_series(&mut rest)?;
                record.counts.push((window, series));
            }
            PASS => {
                let window = read_unsigned(&mut rest)?;
                record.passes.push((window, read_signed(&mut rest)?));
            }
            _ => return None,
        }
    }
    let few = record.counts.len() <= MAX_WINDOWS && record.passes.len() <= MAX_WINDOWS;
    few.then_some(record)
}

fn read_value(rest: &mut &[u8]) -> Option<Stored> {
    let expires = match take(rest)? {
        0 => None,
        1 => Some(read_signed(rest)?),
        _ => return None,
    };
    let len = usize::try_from(read_unsigned(rest)?).ok()?;
    if len > MAX_VALUE {
        return None;
    }
    let (json, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(Stored {
        json: str::from_utf8(json).ok()?.into(),
        expires,
    })
}

fn read_series(rest: &mut &[u8]) -> Option<Series> {
    let mut series = Series::default();
    let mut time = 0_i64;
    for _ in 0..read_unsigned(rest)? {
        time = time.wrapping_add(read_signed(rest)?);
        // It refuses more than it may hold, and what is out of order.
        if !series.append(time, read_unsigned(rest)?) {
            return None;
        }
    }
    (!series.is_empty()).then_some(series)
}

fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Small numbers of either sign are short.
fn signed(out: &mut Vec<u8>, number: i64) {
    unsigned(out, (number << 1 ^ number >> 63).cast_unsigned());
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    Some(*first)
}

fn read_unsigned(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read_signed(rest: &mut &[u8]) -> Option<i64> {
    let number = read_unsigned(rest)?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}
