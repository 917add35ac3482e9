//! Who is let in, and what every answer carries.

use super::{CLOSED, NOBODY, OPEN, TOKEN, start};
use crate::support::herald::Herald;
use crate::support::http::{Reply, get, post};
use crate::support::rig::{ARCHIVE, Rig, stop_clean};

#[test]
fn an_address_of_others_without_a_token_is_refused_at_the_start() {
    let herald = Herald::with(&format!(
        "{NOBODY}{ARCHIVE}[server]\nlisten = \"0.0.0.0:0\"\n"
    ));
    for verb in ["check", "run"] {
        let ended = herald.run(&[verb]).with_code(78);
        assert!(
            ended.stderr.contains("there is no `token`"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn with_a_token_nothing_is_told_without_it() {
    let rig = Rig::new(&format!("{NOBODY}{CLOSED}{ARCHIVE}"));
    let (host, address) = start(&rig);
    for path in [
        "/metrics",
        "/api/status",
        "/api/events",
        "/api/events/x",
        "/api/stream",
        "/api/chains",
        "/api/scripts",
        "/api/rates",
        "/api/dead-letters",
        "/api/nothing",
    ] {
        assert_eq!(get(address, path).send().status, 401, "{path}");
        let wrong = get(address, path).header("cookie", "herald_session=0");
        assert_eq!(wrong.send().status, 401, "{path}");
    }
    let session = get(address, "/api/session").send();
    assert_eq!(session.json(), serde_json::json!({"login": "needed"}));
    assert_eq!(get(address, "/api/status").bearer(TOKEN).send().status, 200);
    assert_eq!(get(address, "/").send().status, 200);
    stop_clean(host);
}

#[test]
fn a_browser_logs_in_acts_and_logs_out() {
    let rig = Rig::new(&format!("{NOBODY}{CLOSED}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let login = |token: &str| post(address, "/api/login", &format!("{{\"token\":\"{token}\"}}"));
    assert_eq!(login("wrong").send().status, 401);
    let welcome = login(TOKEN).send();
    assert_eq!(welcome.status, 204);
    let cookie = welcome.header("set-cookie").unwrap().to_owned();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let session = get(address, "/api/session")
        .header("cookie", cookie)
        .send()
        .json();
    assert_eq!(session["login"], "done");
    let word = session["action"].as_str().unwrap();
    let looks = || {
        get(address, "/api/status")
            .header("cookie", cookie)
            .send()
            .status
    };
    assert_eq!(looks(), 200);
    let act =
        || post(address, "/api/dead-letters/retry", "{\"all\":true}").header("cookie", cookie);
    assert_eq!(act().send().status, 403, "a cookie alone does not act");
    assert_eq!(act().header("x-herald-action", "wrong").send().status, 403);
    let acts = act().header("x-herald-action", word);
    assert_eq!(acts.send().status, 200);
    let foreign = acts.clone().header("origin", "http://evil.example");
    assert_eq!(foreign.send().status, 403);
    let own = acts.clone().header("origin", &format!("http://{address}"));
    assert_eq!(own.send().status, 200);
    let form = acts.clone().header("content-type", "text/plain");
    assert_eq!(form.send().status, 415);
    let out = post(address, "/api/logout", "{}").header("cookie", cookie);
    assert_eq!(out.header("x-herald-action", word).send().status, 204);
    assert_eq!(looks(), 401);
    stop_clean(host);
}

#[test]
fn without_a_token_loopback_looks_and_only_the_own_page_acts() {
    let rig = Rig::new(&format!("{NOBODY}{OPEN}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let session = get(address, "/api/session").send().json();
    assert_eq!(session["login"], "not_needed");
    let word = session["action"].as_str().unwrap();
    assert_eq!(get(address, "/api/status").send().status, 200);
    let act = || post(address, "/api/dead-letters/drop", "{\"sink\":\"archive\"}");
    assert_eq!(act().send().status, 403);
    assert_eq!(act().bearer("guess").send().status, 401);
    assert_eq!(act().header("x-herald-action", word).send().status, 200);
    assert_eq!(act().bearer(word).send().status, 200);
    let get_acts = get(address, "/api/dead-letters/drop").header("x-herald-action", word);
    assert_eq!(get_acts.send().status, 405, "actions are posted");
    stop_clean(host);
}

#[test]
fn a_page_that_gave_its_name_our_address_reads_nothing() {
    let rig = Rig::new(&format!(
        "{NOBODY}[server]\nlisten = \"127.0.0.1:0\"\nhosts = [\"nas.example\"]\n{ARCHIVE}"
    ));
    let (host, address) = start(&rig);
    let called = |name: &str| {
        let reply = get(address, "/api/status").header("host", name).send();
        reply.status
    };
    assert_eq!(called("evil.example"), 421);
    assert_eq!(called(&format!("evil.example:{}", address.port())), 421);
    assert_eq!(called("192.0.2.1"), 421);
    assert_eq!(called(&format!("localhost:{}", address.port())), 200);
    assert_eq!(called("nas.example"), 200);
    stop_clean(host);
}

#[test]
fn guessing_is_slowed_down() {
    let rig = Rig::new(&format!("{NOBODY}{CLOSED}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let guess = |number: usize| {
        if number.is_multiple_of(2) {
            get(address, "/api/status").bearer("guess").send()
        } else {
            post(address, "/api/login", "{\"token\":\"guess\"}").send()
        }
    };
    let refused = (0..100).map(guess).find(|reply| reply.status != 401);
    let refused = refused.expect("somebody may guess for ever");
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    stop_clean(host);
}

#[test]
fn every_answer_carries_the_rules_and_no_secret() {
    let rig = Rig::new(&format!("{NOBODY}{CLOSED}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let session = get(address, "/api/status").bearer(TOKEN);
    let replies: Vec<Reply> = [
        "/",
        "/ui/app.js",
        "/nowhere",
        "/metrics",
        "/readyz",
        "/api/session",
    ]
    .iter()
    .map(|path| get(address, path).send())
    .chain([session.send()])
    .collect();
    for reply in &replies {
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-frame-options"), Some("DENY"));
        for secret in [TOKEN, "hunter2-is-secret"] {
            assert!(!format!("{reply:?}").contains(secret));
        }
    }
    assert_eq!(replies[2].status, 404);
    assert_eq!(replies[2].json()["error"], "there is nothing here");
    stop_clean(host);
}

#[test]
fn requests_are_bounded() {
    let rig = Rig::new(&format!("{NOBODY}{OPEN}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let word = get(address, "/api/session").send().json()["action"]
        .as_str()
        .unwrap()
        .to_owned();
    let large = format!("{{\"sink\":\"{}\"}}", "x".repeat(100 << 10));
    let reply = post(address, "/api/dead-letters/drop", &large)
        .bearer(&word)
        .send();
    assert_eq!(reply.status, 413);
    let head = get(address, "/")
        .header("x-long", &"x".repeat(100 << 10))
        .send();
    assert_eq!(head.status, 431);
    let mut many = get(address, "/");
    for number in 0..200 {
        many = many.header(&format!("x-{number}"), "x");
    }
    assert_eq!(many.send().status, 431);
    stop_clean(host);
}
