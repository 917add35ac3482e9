//! What a program says of an event: one line of JSON, believed only as far as it makes sense.

use serde::Deserialize;
use std::time::Duration;
use unifi_herald_plugin::{DeliveryError, Fault, Span, push_plain};

/// The fate of an event, and of all before it that had none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Ack,
    Retry {
        after: Option<Duration>,
        reason: Option<String>,
    },
    Reject {
        reason: Option<String>,
    },
}

/// Longest that a program may have itself left alone.
const LONGEST_AFTER: Duration = Duration::from_secs(3600);
/// Longest reason that is kept.
const LONGEST_REASON: usize = 500;

#[derive(Deserialize)]
struct Line {
    ack: Option<String>,
    retry: Option<String>,
    reject: Option<String>,
    after: Option<Span>,
    reason: Option<String>,
}

impl Answer {
    /// The id that a line speaks of, and what it says; none when the line is no answer.
    pub(crate) fn parse(line: &[u8]) -> Option<(String, Self)> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let reason = line.reason.map(|reason| shortened(&reason));
        match (line.ack, line.retry, line.reject) {
            (Some(id), None, None) => Some((id, Self::Ack)),
            (None, Some(id), None) => {
                let after = line.after.map(|Span(after)| after.min(LONGEST_AFTER));
                Some((id, Self::Retry { after, reason }))
            }
            (None, None, Some(id)) => Some((id, Self::Reject { reason })),
            _ => None,
        }
    }

    /// As the host understands it; nothing for an acknowledgement.
    pub(crate) fn error(self) -> Option<DeliveryError> {
        let said = |reason: Option<String>, otherwise: &str| {
            reason.map_or_else(
                || otherwise.to_owned(),
                |reason| format!("the program says: {reason}"),
            )
        };
        match self {
            Self::Ack => None,
            Self::Retry { after, reason } => {
                let reason = said(reason, "the program asks to try again later");
                Some(match after {
                    Some(after) => DeliveryError::after(after, reason),
                    None => DeliveryError::later(reason).with_fault(Fault::Unavailable),
                })
            }
            Self::Reject { reason } => Some(DeliveryError::never(said(
                reason,
                "the program rejects the event",
            ))),
        }
    }
}

fn shortened(reason: &str) -> String {
    let end = reason.floor_char_boundary(LONGEST_REASON);
    let mut plain = Vec::new();
    push_plain(&reason[..end], &mut plain);
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unifi_herald_plugin::Retry;

    #[test]
    fn the_three_answers_are_understood() {
        let parse = |line: &str| Answer::parse(line.as_bytes()).unwrap();
        assert_eq!(parse(r#"{"ack":"a"}"#), ("a".to_owned(), Answer::Ack));
        let (id, retry) = parse(r#" {"retry": "b", "after": "5s"} "#);
        let error = retry.error().unwrap();
        assert_eq!(
            (&*id, error.retry(), error.fault()),
            (
                "b",
                Retry::After(Duration::from_secs(5)),
                Fault::Unavailable
            )
        );
        let (_, retry) = parse(r#"{"retry":"b","reason":"busy"}"#);
        let error = retry.error().unwrap();
        assert_eq!(
            (error.retry(), error.fault()),
            (Retry::Later, Fault::Unavailable)
        );
        assert_eq!(error.to_string(), "the program says: busy");
        let (_, reject) = parse(r#"{"reject":"c","reason":"a\u001b[2Jb","more":[1]}"#);
        let error = reject.error().unwrap();
        assert_eq!((error.retry(), error.fault()), (Retry::Never, Fault::Event));
        assert_eq!(error.to_string(), "the program says: a\u{fffd}[2Jb");
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for line in [
            "",
            "ok",
            "{}",
            "[]",
            "7",
            r#"{"ack":1}"#,
            r#"{"ack":"a","reject":"a"}"#,
            r#"{"retry":"a","after":5}"#,
            r#"{"retry":"a","after":"soon"}"#,
        ] {
            assert_eq!(Answer::parse(line.as_bytes()), None, "{line}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Answer::parse(deep.as_bytes()), None);
    }

    #[test]
    fn what_a_program_may_demand_is_bounded() {
        let line = format!(
            r#"{{"retry":"a","after":"90d","reason":"{}"}}"#,
            "ä".repeat(10_000)
        );
        let Some((_, Answer::Retry { after, reason })) = Answer::parse(line.as_bytes()) else {
            panic!("it is an answer")
        };
        assert_eq!(after, Some(LONGEST_AFTER));
        assert!(reason.unwrap().len() <= LONGEST_REASON);
    }

    proptest! {
        #[test]
        fn nothing_that_a_program_says_is_a_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _answer = Answer::parse(&line);
        }
    }
}
