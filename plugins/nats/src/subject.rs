//! Subjects, whatever controllers and sites are called.

use unifi_herald_plugin::{Event, Kind};

/// Longest part made of a name, in characters.
const LONGEST: usize = 64;

/// `text` as one token of a subject: lower-case letters, digits, `_` and `-`.
pub(crate) fn token(text: &str) -> String {
    let safe = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '-' => c,
        _ => '_',
    };
    let token: String = text.chars().take(LONGEST).map(safe).collect();
    if token.is_empty() {
        "_".to_owned()
    } else {
        token
    }
}

/// `<prefix>.<controller>.<site>.<area>.<verb>`; what herald does not know has its key in place of a verb.
pub(crate) fn of(prefix: &str, event: &Event) -> String {
    let (controller, site) = (token(&event.controller), token(&event.site));
    let place = format!("{prefix}.{controller}.{site}");
    if event.kind == Kind::UNKNOWN {
        let key = token(event.key.as_deref().unwrap_or_default());
        return format!("{place}.unknown.{key}");
    }
    format!("{place}.{}", event.kind)
}

/// What an event is known by in a stream: ids are unique within controller and site.
pub(crate) fn message_id(event: &Event) -> String {
    format!("{}/{}/{}", event.controller, event.site, event.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::EventBuilder;

    #[test]
    fn hostile_names_stay_one_token() {
        assert_eq!(token("Anna's *.>\r\n Büro"), "anna_s_______b_ro");
        assert_eq!(token(""), "_");
        assert_eq!(token(&"x".repeat(1000)).len(), LONGEST);
    }

    #[test]
    fn a_subject_tells_where_and_what() {
        let event = EventBuilder::new(Kind::DEVICE_OFFLINE).site("HQ", "default", "Main");
        let event = event.id("5ee9").build();
        assert_eq!(of("unifi", &event), "unifi.hq.default.device.offline");
        assert_eq!(message_id(&event), "HQ/default/5ee9");
        let strange = EventBuilder::new(Kind::UNKNOWN).site("HQ", "default", "Main");
        let strange = strange.with(|event| event.key = Some("EVT_XX_New".into()));
        assert_eq!(
            of("unifi", &strange.build()),
            "unifi.hq.default.unknown.evt_xx_new"
        );
    }
}
