//! The embed that shows a message in Discord, within its limits and without anybody's Markdown.
//!
//! <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>

use crate::message::{COLOURS, Message};
use crate::text::Limit;
use serde_json::{Value, json};

const TITLE: Limit = Limit::utf16(256);
const DESCRIPTION: Limit = Limit::utf16(4096);
const VALUE: Limit = Limit::utf16(1024);
const FOOTER: Limit = Limit::utf16(256);
const FIELDS: usize = 25;

/// All texts of a message's embeds together.
const TOTAL: usize = 6000;

/// `message` as an embed.
pub(super) fn of(message: &Message) -> Value {
    let footer = FOOTER.cut(&message.label);
    let title = shown(TITLE, &message.title);
    // Without a title of letters Discord would refuse the embed.
    let description = shown(DESCRIPTION, &message.body);
    let cost = |text: &str| DESCRIPTION.cost(text);
    let mut left = TOTAL - cost(&footer) - cost(&title) - cost(&description);
    let mut fields = Vec::new();
    for fact in message.facts.iter().take(FIELDS) {
        let value = shown(VALUE, &fact.value);
        let Some(rest) = left.checked_sub(cost(fact.name) + cost(&value)) else {
            break;
        };
        left = rest;
        fields.push(json!({"name": fact.name, "value": value, "inline": true}));
    }
    let mut embed = json!({
        "title": title,
        "color": COLOURS.of(message),
        "timestamp": message.time,
        "fields": fields,
        "footer": {"text": footer},
    });
    if !description.is_empty() {
        embed["description"] = description.into();
    }
    if let Some(link) = &message.link {
        embed["url"] = (**link).into();
    }
    embed
}

/// Cut first, so that no escape is cut in two: a backslash at the end would escape what Discord puts behind it.
fn shown(limit: Limit, text: &str) -> String {
    let escaped = Limit {
        cost: |c| c.len_utf16() + usize::from(is_mark(c) || begins_a_list(c)),
        ..limit
    };
    escape(&escaped.cut(text))
}

/// Put a backslash before everything that Markdown, mentions, channels, custom emoji and time stamps begin with.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut at_start = true;
    for c in text.chars() {
        if is_mark(c) || (at_start && begins_a_list(c)) {
            out.push('\\');
        }
        out.push(c);
        at_start = c == '\n' || (at_start && c == ' ');
    }
    out
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '(' | ')' | '#' | '@'
    )
}

fn begins_a_list(c: char) -> bool {
    matches!(c, '-' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markdown_and_mentions_are_only_characters() {
        assert_eq!(
            escape("**b** <@1> @everyone"),
            r"\*\*b\*\* \<\@1\> \@everyone"
        );
        assert_eq!(
            escape("# a\n- b\n [x](http://y)"),
            "\\# a\n\\- b\n \\[x\\]\\(http://y\\)"
        );
        assert_eq!(escape("AP-Attic 14:02"), "AP-Attic 14:02");
    }

    proptest! {
        #[test]
        fn what_is_shown_fits_and_ends_in_no_half_escape(text in "[a*_\\\\📡]{0,60}", most in 0_usize..60) {
            let shown = shown(Limit::utf16(most), &text);
            prop_assert!(Limit::utf16(most).cost(&shown) <= most);
            let ending = shown.chars().rev().take_while(|c| *c == '\\').count();
            prop_assert_eq!(ending % 2, 0);
        }
    }
}
