//! Templates: what they see, how they escape, how they fail.

use super::*;
use serde_json::Value as Json;
use unifi_herald_plugin::Kind;
use unifi_herald_plugin::testing::{EventBuilder, batch};

fn json(source: &str, events: &[BufferedEvent]) -> Result<Json, String> {
    let template = Template::new(source.to_owned(), "application/json").unwrap();
    let body = template.render(events).map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&body).unwrap())
}

fn nasty() -> [BufferedEvent; 1] {
    let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
        .summary("\"}, {\"admin\": true, \"x\": \"\\\n\u{1b}</script>")
        .client_name("O\"Brien")
        .field("n", 3);
    [event.buffered(9)]
}

#[test]
fn text_of_strangers_stays_text_inside_quotes_and_by_tojson() {
    let events = nasty();
    let source = r#"{"a": "{{ event.summary }}", "b": {{ event.summary | tojson }},
        "c": "at {{ event.client.name }}!", "n": {{ event.fields.n }}, "client": {{ event.client }}}"#;
    let body = json(source, &events).unwrap();
    assert_eq!(body["a"], *events[0].summary);
    assert_eq!(body["b"], *events[0].summary);
    assert_eq!(body["c"], "at O\"Brien!");
    assert_eq!(body["n"], 3);
    assert_eq!(body["client"]["hostname"], "O\"Brien");
}

#[test]
fn blocks_and_macros_are_not_escaped_twice() {
    let source = r#"{% macro q(x) %}<{{ x }}>{% endmacro %}{% set s %}{{ event.client.name }}{% endset %}
        {"a": "{{ s }}", "b": "{{ q(event.client.name) }}"}"#;
    let body = json(source, &nasty()).unwrap();
    assert_eq!(body["a"], "O\"Brien");
    assert_eq!(body["b"], "<O\"Brien>");
}

#[test]
fn what_is_absent_is_empty_at_any_depth() {
    let source = r#"{"a": "{{ event.wan.name }}", "b": "{{ event.wan.name or event.client.name }}",
        "c": {% if event.threat %}1{% else %}2{% endif %}}"#;
    let body = json(source, &nasty()).unwrap();
    assert_eq!(body["a"], "");
    assert_eq!(body["b"], "O\"Brien");
    assert_eq!(body["c"], 2);
}

#[test]
fn events_are_for_batches_and_raw_is_taken_apart() {
    let source =
        r#"[{% for e in events %}{{ e.raw._id | tojson }}{{ "," if not loop.last }}{% endfor %}]"#;
    let template = Template::new(source.to_owned(), "application/json").unwrap();
    assert!(!template.is_per_event());
    let body = template.render(&batch(2)).unwrap();
    let expected = r#"["5ee9f7ca453d4e00f3c04b57","5ee9f7ca453d4e00f3c04b57"]"#;
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

#[test]
fn the_content_type_decides_how_text_is_escaped() {
    let render = |content_type| {
        let template = Template::new("<{{ event.client.name }}>".to_owned(), content_type).unwrap();
        String::from_utf8(template.render(&nasty()).unwrap()).unwrap()
    };
    assert_eq!(render("text/plain"), "<O\"Brien>");
    assert_eq!(render("text/html; charset=utf-8"), "<O&quot;Brien>");
}

#[test]
fn mistakes_are_found_when_the_template_is_read() {
    let error = |source: &str| {
        Template::new(source.to_owned(), "text/plain")
            .err()
            .unwrap()
    };
    let said = error("{{ event.sumary }}").to_string();
    assert!(
        said.starts_with("`template`: no event has a field `sumary`; the fields are v, id,"),
        "{said}"
    );
    let said = error("{{ summary }}").to_string();
    assert_eq!(
        said,
        "`template`: there is no `summary` here; a template sees `event` and `events`"
    );
    let said = error("{{ event.time | lokal }}").to_string();
    assert!(
        said.contains("unknown filter") && said.contains("lokal"),
        "{said}"
    );
    let said = error("a\n{{ event.id ").to_string();
    assert!(said.ends_with("(line 2 of the template)"), "{said}");
}

#[test]
fn every_field_an_event_has_can_be_named() {
    for kind in Kind::ALL {
        let event = EventBuilder::new(*kind).field("x", 1).buffered(1);
        let json: Json = serde_json::from_str(&event.to_json()).unwrap();
        for name in json.as_object().unwrap().keys() {
            assert!(FIELDS.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn a_template_without_end_ends() {
    let source =
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
    let said = json(source, &nasty()).unwrap_err();
    assert!(
        said.starts_with("the template failed: engine ran out of fuel"),
        "{said}"
    );
}

#[test]
fn a_body_that_is_not_json_says_what_to_write() {
    let said = json(r#"{"a": {{ event.summary }}}"#, &nasty()).unwrap_err();
    assert!(
        said.starts_with("the template did not give valid JSON ("),
        "{said}"
    );
    assert!(
        said.ends_with("write text as \"{{ x }}\" and anything else as {{ x | tojson }}"),
        "{said}"
    );
}
