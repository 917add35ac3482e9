//! What a webhook's options refuse, and how they say it.

use super::*;
use crate::Webhook;
use serde_json::{Value, json};
use std::path::Path;
use unifi_herald_plugin::testing::TestContext;

fn error(options: Value) -> String {
    let built = TestContext::new().build::<Webhook>(Path::new("/nonexistent"), options);
    built.expect_err("must be refused").to_string()
}

fn with(option: &str, value: &Value) -> String {
    error(json!({"url": "https://example.org/", option: value}))
}

#[test]
fn urls_are_absolute_and_carry_no_account() {
    for (url, said) in [
        ("/hook", "`url`: it must begin with https:// (or http://)"),
        (
            "ftp://example.org/",
            "`url`: it must begin with https:// (or http://)",
        ),
        (
            "https://user:topsecret@example.org/",
            "`url`: it has a user name before the host; use `auth = { username = …, password = … }`",
        ),
        (
            "example.org/hook",
            "`url`: not a URL; write something like \"https://example.org/hook\"",
        ),
    ] {
        assert_eq!(error(json!({ "url": url })), said);
    }
}

#[test]
fn headers_are_named_in_errors_and_their_values_are_not() {
    for (name, value, said) in [
        ("x y", "v", "`headers.x y`: not the name of an HTTP header"),
        (
            "Webhook-Id",
            "v",
            "`headers.Webhook-Id`: herald writes it; see `secret`",
        ),
        (
            "content-type",
            "v",
            "`headers.content-type`: the format decides it; with a template set `content_type`",
        ),
        (
            "x-key",
            "secret\nx: y",
            "`headers.x-key`: it has a character that a header cannot carry, such as a line break",
        ),
    ] {
        assert_eq!(with("headers", &json!({ name: value })), said);
    }
    let twice = with("headers", &json!({"X-A": "1", "x-a": "2"}));
    assert_eq!(twice, "`headers.x-a`: it is there twice");
}

#[test]
fn one_way_to_authenticate() {
    let said = "`auth`: write { bearer = … } or { username = \"…\", password = … }";
    assert_eq!(with("auth", &json!({})), said);
    assert_eq!(with("auth", &json!({"bearer": "a", "username": "b"})), said);
    assert_eq!(with("auth", &json!({"username": "b"})), said);
    let both = error(json!({
        "url": "https://example.org/",
        "auth": {"bearer": "a"},
        "headers": {"Authorization": "b"},
    }));
    assert!(
        both.starts_with("`auth`: there is an `authorization` in `headers` too"),
        "{both}"
    );
}

#[test]
fn a_template_goes_with_its_format() {
    assert_eq!(
        with("format", &json!("template")),
        "`template`: `format = \"template\"` needs one"
    );
    assert!(with("template", &json!("x")).starts_with("`template`: it is used only with"));
    assert!(with("content_type", &json!("x")).starts_with("`content_type`: it is used only with"));
    let missing = error(json!({
        "url": "https://example.org/", "format": "template", "template": {"file": "body.j2"},
    }));
    assert!(
        missing.starts_with("`template.file`: cannot read /nonexistent/body.j2: "),
        "{missing}"
    );
}

#[test]
fn secrets_come_from_files_and_a_template_too() {
    let folder = std::env::temp_dir().join(format!("herald-webhook-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("url"), "https://example.org/s/1\n").unwrap();
    std::fs::write(folder.join("body.j2"), "{{ event.id }}").unwrap();
    let config: Config = serde_json::from_value(json!({
        "url": {"file": "url"}, "format": "template",
        "template": {"file": "body.j2"}, "content_type": "text/plain",
    }))
    .unwrap();
    let context = TestContext::new().build_context("ops", &folder);
    let (target, body) = config.resolve(&context).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(target.uri, "https://example.org/s/1");
    assert_eq!(target.headers["content-type"], "text/plain");
    assert_eq!(body.step(5), 1);
}

#[test]
fn unknown_options_are_refused() {
    assert!(with("ulr", &json!("x")).contains("unknown field `ulr`"));
    assert!(with("format", &json!("xml")).contains("unknown variant `xml`"));
}
