//! Frames that no reader should have to see, and every reader has to survive.

/// A frame that is wrong, or unknown, or far too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Junk {
    /// Not JSON at all.
    NotJson,
    /// An events frame that says it is text, with a network's name that is not UTF-8.
    NotUtf8,
    /// A JSON frame of events that ends too early.
    Truncated,
    /// `meta` is a list and `data` a number.
    WrongTypes,
    /// An events frame whose items are a text, a number, a list and nothing.
    WrongItems,
    /// An events frame without `data`.
    NoData,
    /// The text `pong`.
    Pong,
    /// No text at all.
    Empty,
    /// An event with arrays nested this deep.
    Deep(usize),
    /// A kind of frame that nobody knows.
    UnknownKind,
    /// A `device:sync` frame of about this many bytes.
    HugeSync(usize),
}

impl Junk {
    pub(super) fn render(&self) -> Vec<u8> {
        let text = match self {
            Self::NotUtf8 => {
                return b"{\"meta\":{\"rc\":\"ok\",\"message\":\"events\"},\"data\":[{\"key\":\"EVT_AP_DetectRogueAP\",\"essid\":\"caf\xe9\"}]}".to_vec();
            }
            Self::NotJson => "<html><body>502 Bad Gateway</body></html>".to_owned(),
            Self::Truncated => {
                r#"{"meta":{"rc":"ok","message":"events"},"data":[{"key":"EVT_WU_Connected","user":"02:00:00:00"#.to_owned()
            }
            Self::WrongTypes => r#"{"meta":["rc","ok"],"data":42}"#.to_owned(),
            Self::WrongItems => {
                r#"{"meta":{"rc":"ok","message":"events"},"data":["EVT_WU_Connected",42,["key"],null,{"key":17,"time":{}}]}"#
                    .to_owned()
            }
            Self::NoData => r#"{"meta":{"rc":"ok","message":"events"}}"#.to_owned(),
            Self::Pong => "pong".to_owned(),
            Self::Empty => String::new(),
            Self::Deep(depth) => format!(
                r#"{{"meta":{{"rc":"ok","message":"events"}},"data":[{{"key":"EVT_WU_Connected","user":"02:00:00:00:00:01","odd":{}{}}}]}}"#,
                "[".repeat(*depth),
                "]".repeat(*depth)
            ),
            Self::UnknownKind => {
                r#"{"meta":{"rc":"ok","message":"quantum-link:sync","product_line":"NETWORK"},"data":[{"_id":"1"}]}"#.to_owned()
            }
            Self::HugeSync(bytes) => {
                let row = r#"{"port_idx":1,"name":"Port 1","up":true,"rx_bytes":1911509746,"tx_bytes":478468}"#;
                let rows = vec![row; bytes / (row.len() + 1) + 1].join(",");
                format!(
                    r#"{{"meta":{{"rc":"ok","message":"device:sync"}},"data":[{{"mac":"02:00:00:00:00:fe","type":"usw","port_table":[{rows}]}}]}}"#
                )
            }
        };
        text.into_bytes()
    }
}
