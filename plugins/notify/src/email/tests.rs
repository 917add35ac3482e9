//! Mail against a real server.

mod server;

use super::*;
use crate::fake::{hostile, huge, incident, tell};
use serde_json::{Value, json};
use server::Server as Smtp;
use std::path::Path;
use unifi_herald_plugin::testing::{
    Behaviour, EventBuilder, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

/// Options for this server, the way it wants to be spoken with.
fn options(smtp: &Smtp, encryption: &str) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": smtp.port(),
        "encryption": encryption,
        "username": "herald",
        "password": "pass word",
        "from": "Herald <herald@example.org>",
        "to": ["anna@example.org", "Bernd <bernd@example.org>"],
        "link": "https://192.0.2.1/x?a=1&b=2",
        "tls": {"ca_file": smtp.ca_file()},
    })
}

fn build(options: &Value) -> Result<Email, BuildError> {
    TestContext::new().build(Path::new("/"), options.clone())
}

/// One header, unfolded.
fn header(mail: &Value, name: &str) -> Option<String> {
    let text = mail["text"].as_str().unwrap().replace("\r\n ", " ");
    let head = text.split("\r\n\r\n").next().unwrap();
    let start = format!("{name}: ");
    let mut found = head.lines().filter_map(|line| line.strip_prefix(&start));
    let value = found.next().map(str::to_owned);
    assert_eq!(found.next(), None, "{name} is there twice");
    value
}

struct World {
    smtp: Smtp,
    options: Value,
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(build(&self.options).unwrap())
    }

    fn answer(&mut self, behaviour: Behaviour) {
        match behaviour {
            Behaviour::AcceptSome(count) => self.smtp.trouble("data", count, "451 try later"),
            Behaviour::Unavailable => self.smtp.trouble("mail", 0, "421 busy"),
            Behaviour::Refuse => self.smtp.trouble("auth", 0, "535 5.7.8 who?"),
            Behaviour::RefuseEvent => self.smtp.trouble("data", 0, "554 5.7.1 spam"),
            _ => self.smtp.healthy(),
        }
    }

    fn arrived(&mut self) -> Vec<String> {
        let mails = self.smtp.mails();
        mails
            .iter()
            .map(|mail| header(mail, "Subject").unwrap())
            .collect()
    }

    fn supports(&self, _behaviour: Behaviour) -> bool {
        true
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    let smtp = Smtp::start("starttls");
    let mut options = options(&smtp, "starttls");
    options["title"] = "{{ event.id }}".into();
    // Sinks are made by the dozen, and each would read the system's certificates.
    options["tls"] = json!({"pin_sha256": smtp.fingerprint()});
    assert_sink_contract(&mut World { smtp, options }).await;
}

#[tokio::test]
async fn an_incident_is_one_conversation() {
    let mut smtp = Smtp::start("starttls");
    let mut sink = build(&options(&smtp, "starttls")).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    let mails = smtp.mails();
    for mail in &mails {
        assert_eq!(mail["from"], "herald@example.org");
        assert_eq!(mail["to"], json!(["anna@example.org", "bernd@example.org"]));
        assert_eq!((&mail["tls"], &mail["login"]), (&true.into(), &true.into()));
    }
    let ids: Vec<_> = mails
        .iter()
        .map(|mail| header(mail, "Message-ID").unwrap())
        .collect();
    assert_eq!(ids[0], "<event.event-firing@example.org>");
    assert_ne!(ids[0], ids[1]);
    let thread = Some("<incident.inc1@example.org>".to_owned());
    for name in ["References", "In-Reply-To"] {
        let of: Vec<_> = mails.iter().map(|mail| header(mail, name)).collect();
        assert_eq!(of, [thread.clone(), thread.clone(), None], "{name}");
    }
    let text = mails[1]["text"].as_str().unwrap();
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let text = text.replace(boundary, "BOUNDARY").replace("\r\n", "\n");
    insta::assert_snapshot!("mail", text);
}

#[tokio::test]
async fn no_name_becomes_a_header_or_markup_and_lengths_are_held() {
    let mut smtp = Smtp::start("plain");
    let mut sink = build(&options(&smtp, "none")).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let mails = smtp.mails();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        let text = mail["text"].as_str().unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let names = head.lines().filter(|line| !line.starts_with(' '));
        let names: Vec<_> = names.map(|line| line.split(": ").next().unwrap()).collect();
        let expected = [
            "From",
            "Date",
            "Message-ID",
            "Subject",
            "Auto-Submitted",
            "To",
            "In-Reply-To",
            "References",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(names, expected);
        assert!(text.lines().all(|line| line.len() <= 998));
        let html = body.split("text/html").nth(1).unwrap();
        assert!(html.contains("&lt;b onload=3D&quot;x") || !html.contains("onload"));
        assert!(!html.contains("<b onload"));
        assert_eq!(mail["to"], json!(["anna@example.org", "bernd@example.org"]));
    }
    assert_eq!(
        header(&mails[0], "Auto-Submitted").unwrap(),
        "auto-generated"
    );
}

#[tokio::test]
async fn every_way_of_protection_works_and_none_is_given_up_silently() {
    let mut wrapped = Smtp::start("tls");
    let mut sink = build(&options(&wrapped, "tls")).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    assert_eq!(wrapped.mails()[0]["tls"], true);
    sink.check().await.unwrap();
    assert!(wrapped.mails().is_empty());

    let mut plain = Smtp::start("plain");
    let mut sink = build(&options(&plain, "starttls")).unwrap();
    let error = sink.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Configuration);
    assert!(error.to_string().contains("STARTTLS"), "{error}");
    assert!(plain.mails().is_empty());
}

#[tokio::test]
async fn a_certificate_is_trusted_only_as_configured() {
    let mut smtp = Smtp::start("starttls");
    let right = smtp.fingerprint().to_owned();
    let wrong = right.chars().rev().collect::<String>();
    for (tls, trusted) in [
        (json!({}), false),
        (json!({"pin_sha256": wrong}), false),
        (json!({"pin_sha256": right.to_uppercase()}), true),
        (json!({"insecure": true}), true),
    ] {
        let mut options = options(&smtp, "starttls");
        options["tls"] = tls.clone();
        let mut sink = build(&options).unwrap();
        let delivered = sink.deliver(Batch::new(&batch(1))).await;
        assert_eq!(delivered.is_ok(), trusted, "{tls}");
        assert_eq!(smtp.mails().len(), usize::from(trusted), "{tls}");
        if let Err(error) = delivered {
            assert_eq!(error.fault(), Fault::Unreachable);
            let pinned = tls["pin_sha256"].is_string();
            assert_eq!(error.to_string().contains(&right), pinned, "{error}");
        }
    }
}

#[tokio::test]
async fn answers_say_who_is_at_fault() {
    let mut smtp = Smtp::start("starttls");
    let mut sink = build(&options(&smtp, "starttls")).unwrap();
    for (stage, say, fault, retry) in [
        ("auth", "535 5.7.8 no", Fault::Configuration, Retry::Later),
        (
            "auth",
            "454 4.7.0 not now",
            Fault::Unavailable,
            Retry::Later,
        ),
        (
            "mail",
            "553 5.1.8 not yours",
            Fault::Configuration,
            Retry::Later,
        ),
        (
            "rcpt",
            "550 5.1.1 nobody",
            Fault::Configuration,
            Retry::Later,
        ),
        (
            "rcpt",
            "450 4.2.0 greylisted",
            Fault::Unavailable,
            Retry::Later,
        ),
        ("data", "452 4.3.1 full", Fault::Unavailable, Retry::Later),
        ("data", "552 5.3.4 too big", Fault::Event, Retry::Never),
    ] {
        smtp.trouble(stage, 0, say);
        let error = sink.deliver(Batch::new(&batch(2))).await.unwrap_err();
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{say}");
        assert_eq!(error.accepted(), 0);
        assert!(error.to_string().contains(&say[4..]), "{error}");
        assert!(!format!("{error} {error:?} {sink:?}").contains("pass word"));
    }
    assert!(smtp.mails().is_empty());
    smtp.trouble("auth", 0, "535 no");
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
    drop(smtp);
    let error = sink.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unreachable);
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let good =
        json!({"host": "mail.example.org", "from": "h@example.org", "to": ["a@example.org"]});
    build(&good).unwrap();
    for (name, value, option) in [
        ("host", json!("mail.example.org:25"), "host"),
        ("from", json!("nobody"), "from"),
        ("from", json!("a@example.org\r\nBcc: b@example.org"), "from"),
        ("to", json!([]), "to"),
        ("to", json!(["a@example.org", "b"]), "to.1"),
        ("username", json!("herald"), "password"),
        ("password", json!("x"), "username"),
        ("tls", json!({"pin_sha256": "abc"}), "tls.pin_sha256"),
        ("tls", json!({"ca_file": "/nonexistent"}), "tls.ca_file"),
    ] {
        let mut options = good.clone();
        options[name] = value;
        assert_eq!(build(&options).unwrap_err().option(), option);
    }
    let mut clear = good.clone();
    clear["username"] = "herald".into();
    clear["password"] = "x".into();
    clear["encryption"] = "none".into();
    assert_eq!(build(&clear).unwrap_err().option(), "encryption");
    clear["host"] = "localhost".into();
    build(&clear).unwrap();
}
