//! What is behind a key of a frame: something of somebody or not.

/// What a text behind a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Nothing of anybody: what happened, when, to which model.
    Plain,
    /// Written for people, with names and addresses in it.
    Text,
    /// A name, which is then looked for in texts.
    Name,
    /// Anything.
    Unknown,
}

const PLAIN: &[&str] = &[
    "_id",
    "band",
    "category",
    "channel",
    "channel_from",
    "channel_to",
    "datetime",
    "event",
    "event_type",
    "key",
    "model",
    "model_name",
    "radio",
    "radio_from",
    "radio_to",
    "rc",
    "severity",
    "site_id",
    "state",
    "status",
    "subcategory",
    "subsystem",
    "target",
    "time",
    "timestamp",
    "type",
    "version",
    "version_from",
    "version_to",
];

const TEXTS: &[&str] = &[
    "message",
    "msg",
    "message_raw",
    "title",
    "title_raw",
    "description",
    "description_raw",
];

const NAMES: &[&str] = &[
    "admin",
    "admin_name",
    "alias",
    "ap_displayName",
    "ap_name",
    "desc",
    "device_name",
    "display_name",
    "displayName",
    "dev_name",
    "email",
    "essid",
    "gw_name",
    "host",
    "hostname",
    "name",
    "network",
    "network_name",
    "note",
    "serial",
    "site_name",
    "ssid",
    "sw_name",
    "user_name",
    "username",
];

pub(super) fn sort(key: &str) -> Sort {
    if PLAIN.contains(&key) {
        Sort::Plain
    } else if TEXTS.contains(&key) {
        Sort::Text
    } else if NAMES.contains(&key) || key.ends_with("_name") || key.ends_with("_displayName") {
        Sort::Name
    } else {
        Sort::Unknown
    }
}

/// Whether a text is one of a program's words, `EVT_WU_ROAM`, `2.4`, `12`, rather than anybody's name.
pub(super) fn is_constant(text: &str) -> bool {
    let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let number = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    let upper = text.contains('_') && text.chars().all(word);
    // A longer one may be a telephone, or the code of a voucher.
    upper || (text.len() <= 6 && text.chars().all(number))
}
