//! Reads what the sink writes, by the letter of the RFCs and of the CEF guide: what tests compare with.

use std::collections::BTreeMap;

/// A message of RFC 5424.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) facility: u8,
    pub(crate) severity: u8,
    pub(crate) time: String,
    pub(crate) hostname: String,
    pub(crate) app_name: String,
    pub(crate) msgid: String,
    pub(crate) data: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// RFC 5424, section 6.
pub(crate) fn read_message(text: &str) -> Result<Message, String> {
    let wrong = |what: &str| format!("{what}: {text:?}");
    if text.chars().any(char::is_control) {
        return Err(wrong("a control character"));
    }
    let rest = text.strip_prefix('<').ok_or_else(|| wrong("no priority"))?;
    let (priority, rest) = rest.split_once(">1 ").ok_or_else(|| wrong("no version"))?;
    let priority: u8 = priority.parse().map_err(|_| wrong("priority"))?;
    let mut fields = rest.splitn(6, ' ');
    let mut field = |longest: usize| {
        let field = fields.next().filter(|field| {
            (1..=longest).contains(&field.len()) && field.bytes().all(|b| b.is_ascii_graphic())
        });
        field.map(str::to_owned).ok_or_else(|| wrong("field"))
    };
    let (time, hostname, app_name) = (field(24)?, field(255)?, field(48)?);
    let (_procid, msgid) = (field(128)?, field(32)?);
    let rest = fields.next().ok_or_else(|| wrong("no structured data"))?;
    let (data, body) = match rest.strip_prefix("- ") {
        Some(body) => (BTreeMap::new(), body),
        None => read_data(rest).ok_or_else(|| wrong("structured data"))?,
    };
    Ok(Message {
        facility: priority / 8,
        severity: priority % 8,
        time,
        hostname,
        app_name,
        msgid,
        data,
        body: body.to_owned(),
    })
}

/// One element of structured data, and what follows it.
fn read_data(text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut values = BTreeMap::new();
    let mut rest = text.strip_prefix("[unifi-herald@32473")?;
    loop {
        if let Some(body) = rest.strip_prefix("] ") {
            return Some((values, body));
        }
        let (name, after) = rest.strip_prefix(' ')?.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(chars.next()?.1),
                (_, ']') => return None,
                (_, c) => value.push(c),
            }
        };
        values.insert(name.to_owned(), value);
        rest = &after[end + 1..];
    }
}

/// The whole messages of a stream by octet counting (RFC 6587, section 3.4.1), and how many bytes they took.
pub(crate) fn read_frames(bytes: &[u8]) -> Result<(Vec<String>, usize), String> {
    let mut messages = Vec::new();
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(space) = rest.iter().position(|byte| *byte == b' ') else {
            return Ok((messages, at));
        };
        let count = std::str::from_utf8(&rest[..space]).ok();
        let count: usize = count
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| format!("torn: {}", String::from_utf8_lossy(rest)))?;
        let Some(message) = rest.get(space + 1..space + 1 + count) else {
            return Ok((messages, at));
        };
        messages.push(String::from_utf8_lossy(message).into_owned());
        at += space + 1 + count;
    }
}

/// A CEF message.
#[derive(Debug)]
pub(crate) struct Cef {
    /// Vendor, product, version, class, name, severity.
    pub(crate) header: Vec<String>,
    extension: BTreeMap<String, String>,
}

impl Cef {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.extension.get(key).map(String::as_str)
    }
}

/// Implementing ArcSight Common Event Format, chapters "Header" and "Extension".
pub(crate) fn read_cef(text: &str) -> Result<Cef, String> {
    let rest = text.strip_prefix("CEF:0|").ok_or("no CEF")?;
    let mut header = vec![String::new()];
    let mut chars = rest.char_indices();
    let start = loop {
        let (at, c) = chars.next().ok_or("the header does not end")?;
        match c {
            '|' if header.len() == 6 => break at + 1,
            '|' => header.push(String::new()),
            '\\' => match chars.next() {
                Some((_, c @ ('|' | '\\'))) => header[..].last_mut().unwrap().push(c),
                other => return Err(format!("escape {other:?} in the header")),
            },
            c => header[..].last_mut().unwrap().push(c),
        }
    };
    Ok(Cef {
        header,
        extension: read_extension(&rest[start..])?,
    })
}

/// A key is what stands between a space and an equals sign that is not escaped; a value is what stands between keys.
fn read_extension(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '=' => {
                let (value, key) = match current.rsplit_once(' ') {
                    Some((value, key)) => (value.to_owned(), key.to_owned()),
                    None => (String::new(), current.clone()),
                };
                if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
                    return Err(format!("`{key}` is no key"));
                }
                if let Some((_, open)) = pairs.last_mut() {
                    *open = value;
                }
                pairs.push((key, String::new()));
                current.clear();
            }
            '\\' => current.push(match chars.next() {
                Some(c @ ('=' | '\\')) => c,
                Some('n') => '\n',
                Some('r') => '\r',
                other => return Err(format!("escape {other:?} in the extension")),
            }),
            c => current.push(c),
        }
    }
    if let Some((_, open)) = pairs.last_mut() {
        *open = current;
    }
    Ok(pairs.into_iter().collect())
}
