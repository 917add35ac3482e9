//! The controller's own words, with names for its addresses and its placeholders filled.

use crate::unifi::item::{Item, Parameter};
use crate::unifi::names::Names;
use crate::unifi::text::cut;
use crate::unifi::value::Value;
use unifi_herald_plugin::Mac;

/// Longest text of the controller that is looked at, in characters.
const MAX_SOURCE: usize = 2048;

/// Write the first text that the item has; false when it has none.
pub(super) fn write(line: &mut String, item: &Item<'_>, names: &mut Names) -> bool {
    let text =
        |value: Option<Value<'_>>| value?.text().map(|text| cut(&text, MAX_SOURCE).to_owned());
    if let Some(finished) = text(item.msg).or_else(|| text(item.message)) {
        with_names(line, &finished, names);
    } else if let Some(template) = text(item.message_raw).or_else(|| text(item.title_raw)) {
        fill(line, &template, item.parameters);
    }
    !line.is_empty()
}

/// `User[aa:bb:…]` and the like become the name; `Admin[anna]` becomes `anna`; other brackets stay.
fn with_names(line: &mut String, text: &str, names: &mut Names) {
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, after) = rest.split_at(open);
        let inner = after[1..].split_once(']');
        let word = before
            .rfind(|c: char| !c.is_ascii_alphabetic())
            .map_or(0, |at| {
                // The character found may be longer than one byte.
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            });
        let Some((inner, tail)) = inner else { break };
        let plain = inner.trim_matches(['\'', '"', ' ']);
        let mac = plain.parse::<Mac>();
        let is_admin = &before[word..] == "Admin";
        if word == open || mac.is_err() && !is_admin {
            line.push_str(before);
            line.push('[');
            rest = &after[1..];
            continue;
        }
        line.push_str(&before[..word]);
        match mac.ok().and_then(|mac| names.name(mac)) {
            Some(name) => line.push_str(&name),
            None => line.push_str(plain),
        }
        rest = tail;
    }
    line.push_str(rest);
}

/// `{NAME}` becomes what the parameter `NAME` stands for; one that is not given stays as it is.
fn fill(line: &mut String, template: &str, parameters: Option<Value<'_>>) {
    let parameters = parameters.filter(|value| value.is_object());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        line.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = &rest[before.len()..];
            break;
        };
        match parameters.and_then(|parameters| parameter(parameters, name)) {
            Some(text) => line.push_str(&text),
            None => {
                line.push('{');
                line.push_str(name);
                line.push('}');
            }
        }
        rest = tail;
    }
    line.push_str(rest);
}

fn parameter(parameters: Value<'_>, name: &str) -> Option<String> {
    let mut found = None;
    parameters.members(|key, value| {
        if key == name {
            found = Some(value);
        }
    })?;
    let given = Parameter::of(found)?;
    let text = given
        .name
        .and_then(Value::text)
        .or_else(|| given.id?.text())?;
    Some(if given.brackets.and_then(Value::flag) == Some(true) {
        format!("({text})")
    } else {
        text.into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::new();
        let clients = br#"[{"mac":"02:00:00:00:00:01","name":"Anna's iPhone"}]"#;
        assert_eq!(names.load_clients(clients), Ok(1));
        names
    }

    #[test]
    fn addresses_become_names() {
        for (text, expected) in [
            ("User[02:00:00:00:00:01] has left", "Anna's iPhone has left"),
            (
                "User['02:00:00:00:00:01'] has left",
                "Anna's iPhone has left",
            ),
            ("seen by AP[02:00:00:00:00:09]", "seen by 02:00:00:00:00:09"),
            ("by Admin[ubnt   ] (x)", "by ubnt (x)"),
            (
                "é[02:00:00:00:00:01] [x] Foo[bar] User[",
                "é[02:00:00:00:00:01] [x] Foo[bar] User[",
            ),
            ("[]][[", "[]][["),
        ] {
            let mut line = String::new();
            with_names(&mut line, text, &mut names());
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn placeholders_are_filled() {
        let parameters = r#"{"A":{"id":"1","name":"one"},"B":{"id":"2"},"C":{"name":"three","enclosed_with_brackets":true},"D":"four"}"#;
        let parameters = Value::new(serde_json::from_str(parameters).unwrap());
        for (template, expected) in [
            ("{A} {B} {C} {D}.", "one 2 (three) four."),
            ("{E} {A", "{E} {A"),
            ("}{}{{A}", "}{}{{A}"),
        ] {
            let mut line = String::new();
            fill(&mut line, template, Some(parameters));
            assert_eq!(line, expected);
        }
    }
}
