//! What an item means in the end: the table's word, and what the item itself says about it.

use super::Entry;
use crate::unifi::item::Item;
use crate::unifi::value::Value;
use unifi_herald_plugin::{Kind, Severity};

/// Kind and severity of an item.
///
/// The rule for severities: the table's, else the kind's own. An intrusion alert of the old form has the severity
/// of the alert (1 is critical, 2 error, 3 warning). In the system log the controller's word may raise, and never
/// lower, threats, notices and unknown events; every other kind weighs the same whichever way it came.
pub(in crate::unifi) fn meaning(entry: Option<&Entry>, item: &Item<'_>) -> (Kind, Severity) {
    let Some(entry) = entry else {
        let severity = Kind::UNKNOWN.default_severity();
        return (Kind::UNKNOWN, raised(severity, item));
    };
    match entry.kind {
        Kind::WAN_TRANSITION => {
            let kind = transition(item);
            (kind, kind.default_severity())
        }
        Kind::THREAT_DETECTED | Kind::THREAT_BLOCKED if item.alert_signature.is_some() => {
            let kind = if was_blocked(item) {
                Kind::THREAT_BLOCKED
            } else {
                entry.kind
            };
            let severity = match item.alert_severity.and_then(Value::int) {
                Some(1) => Severity::Critical,
                Some(2) => Severity::Error,
                Some(3) => Severity::Warning,
                _ => kind.default_severity(),
            };
            (kind, severity)
        }
        kind @ (Kind::THREAT_DETECTED
        | Kind::THREAT_BLOCKED
        | Kind::THREAT_HONEYPOT
        | Kind::SYSTEM_NOTICE) => (kind, raised(entry.severity, item)),
        kind => (kind, entry.severity),
    }
}

fn raised(severity: Severity, item: &Item<'_>) -> Severity {
    let said = match item.severity.and_then(Value::text).as_deref() {
        Some("VERY_HIGH") => Severity::Critical,
        Some("HIGH") => Severity::Error,
        Some("WARNING" | "MEDIUM") => Severity::Warning,
        _ => Severity::Debug,
    };
    severity.max(said)
}

fn transition(item: &Item<'_>) -> Kind {
    let state = item.state.and_then(Value::text).unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|word| state.eq_ignore_ascii_case(word));
    if is(&["active", "up", "online", "connected"]) {
        Kind::WAN_UP
    } else if is(&["inactive", "down", "offline", "disconnected", "failed"]) {
        Kind::WAN_DOWN
    } else {
        Kind::WAN_TRANSITION
    }
}

fn was_blocked(item: &Item<'_>) -> bool {
    let action = item.alert_action.and_then(Value::text).unwrap_or_default();
    ["blocked", "drop", "dropped", "reject", "rejected"]
        .iter()
        .any(|word| action.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unifi::catalog;

    fn meaning_of(json: &str) -> (Kind, Severity) {
        let item = Item::of(serde_json::from_str(json).unwrap(), None).unwrap();
        let key = item.key.and_then(Value::text).unwrap_or_default();
        meaning(catalog::system(&key), &item)
    }

    #[test]
    fn a_transition_whose_state_is_known_is_up_or_down() {
        let with = |state: &str| {
            meaning_of(&format!(
                r#"{{"key":"EVT_GW_WANTransition","state":"{state}"}}"#
            ))
        };
        assert_eq!(with("active"), (Kind::WAN_UP, Severity::Notice));
        assert_eq!(with("Inactive"), (Kind::WAN_DOWN, Severity::Critical));
        assert_eq!(with("failover"), (Kind::WAN_TRANSITION, Severity::Warning));
    }

    #[test]
    fn intrusion_alerts_bring_their_severity_and_what_was_done() {
        let with = |action: &str, severity: &str| {
            meaning_of(&format!(
                r#"{{"key":"EVT_IPS_IpsAlert","inner_alert_signature":"x","inner_alert_action":"{action}","inner_alert_severity":{severity}}}"#
            ))
        };
        assert_eq!(
            with("allowed", "1"),
            (Kind::THREAT_DETECTED, Severity::Critical)
        );
        assert_eq!(
            with("allowed", "\"2\""),
            (Kind::THREAT_DETECTED, Severity::Error)
        );
        assert_eq!(
            with("blocked", "3"),
            (Kind::THREAT_BLOCKED, Severity::Warning)
        );
        assert_eq!(
            with("drop", "null"),
            (Kind::THREAT_BLOCKED, Severity::Warning)
        );
    }

    #[test]
    fn the_system_log_raises_threats_and_notices_only() {
        let with = |key: &str, severity: &str| {
            meaning_of(&format!(r#"{{"key":"{key}","severity":"{severity}"}}"#)).1
        };
        assert_eq!(with("THREAT_BLOCKED_V3", "VERY_HIGH"), Severity::Critical);
        assert_eq!(with("THREAT_BLOCKED_V3", "LOW"), Severity::Warning);
        assert_eq!(with("NEVER_SEEN", "HIGH"), Severity::Error);
        assert_eq!(with("ADMIN_ACCESS", "MEDIUM"), Severity::Notice);
        assert_eq!(with("CLIENT_ROAMED_2", "VERY_HIGH"), Severity::Info);
    }
}
