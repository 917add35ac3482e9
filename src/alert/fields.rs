//! The fields that a template may name, so that a misspelt one is found before it is needed.

/// Everything that has a place in the JSON of an event; `fields` may have anything below it.
const EVENT: &[&str] = &[
    "v",
    "id",
    "time",
    "received",
    "controller",
    "site",
    "site_name",
    "origin",
    "kind",
    "key",
    "category",
    "severity",
    "level",
    "summary",
    "client.mac",
    "client.name",
    "client.hostname",
    "client.ip",
    "client.guest",
    "client.wired",
    "client.random_mac",
    "device.mac",
    "device.name",
    "device.model",
    "device.type",
    "device.uplink.mac",
    "device.uplink.name",
    "device.uplink.port",
    "from.device.mac",
    "from.device.name",
    "from.channel",
    "from.band",
    "to.device.mac",
    "to.device.name",
    "to.channel",
    "to.band",
    "count",
    "ssid",
    "port.number",
    "port.name",
    "wan.name",
    "wan.interface",
    "wan.isp",
    "network.name",
    "network.vlan",
    "admin.name",
    "admin.ip",
    "threat.signature",
    "threat.category",
    "threat.action",
    "threat.direction",
    "src.ip",
    "src.port",
    "src.mac",
    "src.name",
    "dst.ip",
    "dst.port",
    "dst.mac",
    "dst.name",
    "vpn.name",
    "vpn.type",
    "vpn.ip",
    "voucher.code",
    "voucher.count",
    "reason",
];

/// What a message may say of its incident.
const ALERT: &[&str] = &[
    "id",
    "name",
    "key",
    "state",
    "severity",
    "count",
    "since",
    "until",
    "duration_s",
    "events",
    "keys",
    "flapping",
];

/// Whether events may have a field at `path`, or fields below it.
pub(crate) fn check_event(path: &str) -> Result<(), String> {
    if path == "fields" || path.starts_with("fields.") {
        return Ok(());
    }
    if path == "raw" || path.starts_with("raw.") {
        return Err(
            "alerts do not keep `raw`; let a script put what is needed into `event.fields`"
                .to_owned(),
        );
    }
    check(path, EVENT, "no event has a field")
}

/// Whether incidents have a field at `path`.
pub(crate) fn check_alert(path: &str) -> Result<(), String> {
    check(path, ALERT, "no incident has a field")
}

fn check(path: &str, known: &[&'static str], complaint: &str) -> Result<(), String> {
    let leads = |known: &&str| {
        let rest = known.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if known.iter().any(leads) {
        return Ok(());
    }
    let near = crate::config::suggest::nearest(path, known.iter().copied());
    Err(match near {
        Some(near) => format!("{complaint} `{path}`; did you mean `{near}`?"),
        None => format!("{complaint} `{path}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    /// Every path of every kind's sample is known.
    #[test]
    fn every_field_that_events_have_is_known() {
        fn walk(path: &str, value: &serde_json::Value, wrong: &mut Vec<String>) {
            let parts = value.as_object().filter(|parts| !parts.is_empty());
            match parts {
                Some(parts) => {
                    for (key, value) in parts {
                        walk(&format!("{path}.{key}"), value, wrong);
                    }
                }
                None => wrong.extend(check_event(path.trim_start_matches('.')).err()),
            }
        }
        let mut wrong = Vec::new();
        for kind in Kind::ALL {
            let event = EventBuilder::new(*kind).build();
            let mut json = serde_json::to_value(&event).unwrap();
            for own in ["alert", "digest", "raw", "raw_truncated"] {
                json.as_object_mut().unwrap().remove(own);
            }
            if event.gap.is_some() {
                json.as_object_mut().unwrap().remove("from");
                json.as_object_mut().unwrap().remove("to");
            }
            walk("", &json, &mut wrong);
        }
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn a_misspelt_one_is_told() {
        assert_eq!(check_event("device"), Ok(()));
        assert_eq!(check_event("fields.anything.at.all"), Ok(()));
        let error = check_event("device.nmae").unwrap_err();
        assert!(error.contains("did you mean `device.name`?"), "{error}");
        assert!(check_event("raw.x").unwrap_err().contains("fields"));
        assert!(check_alert("durations").is_err());
        // A part of a word is no field.
        assert!(check_event("dev").is_err());
    }
}
