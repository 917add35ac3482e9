//! A message as a mail: text and HTML, threaded by incident.

use crate::message::{COLOURS, Message, token};
use crate::text::{Limit, html};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message as Mail};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};
use unifi_herald_plugin::{DeliveryError, Timestamp};

/// Who writes to whom.
pub(super) struct Letterhead {
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// A mail as it goes over the wire, and its envelope.
pub(super) struct Sealed {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) bytes: Vec<u8>,
}

/// What a list of mails shows of a subject is far less; a header line may have 998 bytes (RFC 5322, section 2.1.1).
const SUBJECT: Limit = Limit::chars(200);
const BODY: Limit = Limit::chars(65_536);

impl Letterhead {
    pub(super) fn new(from: Mailbox, to: Vec<Mailbox>) -> Self {
        Self { from, to }
    }

    /// `message` as a mail; the same bytes on every try, but for the boundary of its parts.
    pub(super) fn mail(&self, message: &Message) -> Result<Sealed, DeliveryError> {
        let id = self.id("event", &message.id);
        let mut builder = Mail::builder()
            .from(self.from.clone())
            .date(system_time(message.time))
            .message_id(Some(id))
            .subject(SUBJECT.cut(&message.title))
            // RFC 3834: so that no vacation notice comes back.
            .raw_header(header("Auto-Submitted", "auto-generated"));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        if let Some(incident) = &message.incident {
            // A mail with this id never existed; that all name it makes them one conversation.
            let thread = self.id("incident", &incident.id);
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        let parts = MultiPart::alternative_plain_html(plain(message), rich(message));
        let mail = builder.multipart(parts).map_err(DeliveryError::never)?;
        Ok(Sealed {
            from: self.from.email.clone(),
            to: self.to.iter().map(|to| to.email.clone()).collect(),
            bytes: mail.formatted(),
        })
    }

    fn id(&self, what: &str, id: &str) -> String {
        format!("<{what}.{}@{}>", token(id), self.from.email.domain())
    }
}

fn plain(message: &Message) -> String {
    let mut out = format!("{}\n\n{}\n", message.title, BODY.cut(&message.text()));
    if let Some(link) = &message.link {
        // Writing to a string cannot fail.
        let _infallible = write!(out, "\n{link}\n");
    }
    let _infallible = write!(out, "\n-- \nunifi-herald, {}\n", message.label);
    out
}

fn rich(message: &Message) -> String {
    let mut out = String::with_capacity(2048);
    let colour = COLOURS.of(message);
    let title = html(&message.title);
    // Writing to a string cannot fail.
    let _infallible = write!(
        out,
        "<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n\
         <h2 style=\"border-left:6px solid #{colour:06x};padding-left:10px\">{title}</h2>\n"
    );
    if !message.body.is_empty() {
        let body = html(&BODY.cut(&message.body)).replace('\n', "<br>\n");
        let _infallible = writeln!(out, "<p>{body}</p>");
    }
    if !message.facts.is_empty() {
        out.push_str("<table cellpadding=\"4\">\n");
        for fact in &message.facts {
            let _infallible = writeln!(
                out,
                "<tr><td><b>{}</b></td><td>{}</td></tr>",
                html(fact.name),
                html(&fact.value)
            );
        }
        out.push_str("</table>\n");
    }
    if let Some(link) = &message.link {
        let _infallible = writeln!(out, "<p><a href=\"{}\">Open</a></p>", html(link));
    }
    let label = html(&message.label);
    let _infallible = write!(
        out,
        "<p style=\"color:#777\">unifi-herald, {label}</p>\n</body></html>\n"
    );
    out
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A clock before 1970 is a clock that is not set: mail gets the beginning of time.
fn system_time(at: Timestamp) -> SystemTime {
    let since = u64::try_from(at.as_millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(since)
}
