//! Every row of the protocol's tables of login answers, from captures where there are any.

use super::*;
use ControllerKind::{SelfHosted, UnifiOs};
use bytes::Bytes;
use http::HeaderName;

const NOW: Timestamp = Timestamp::from_millis(1_627_424_000_000);

/// The captured answer of this kind, the `nth` of its kind in the file.
fn captured(kind: &str, nth: usize) -> Answer {
    let corpus = include_str!("../../../tests/fixtures/corpus/login_responses.jsonl");
    let rows = corpus
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let row = rows.filter(|row| row["kind"] == kind).nth(nth).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in row["headers"].as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, value.as_str().unwrap().parse().unwrap());
    }
    let body = match &row["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Answer {
        status: row["status"].as_u64().unwrap().try_into().unwrap(),
        headers,
        body: body.into(),
    }
}

fn answer(status: u16, body: &'static str) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

fn with(mut answer: Answer, headers: &[(&'static str, &str)]) -> Answer {
    for (name, value) in headers {
        answer.headers.append(*name, value.parse().unwrap());
    }
    answer
}

fn of(kind: ControllerKind, answer: &Answer) -> Outcome {
    classify(kind, answer, Jar::default(), false, NOW)
}

fn session(outcome: Outcome) -> Session {
    match outcome {
        Outcome::LoggedIn(session) => session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_captured_answers() {
    let os = session(of(UnifiOs, &captured("unifi_os_login_ok", 0)));
    assert!(os.jar.get("TOKEN").is_some());
    assert_eq!(
        os.csrf.as_deref(),
        Some("b5bee69b-7a4a-40a8-9d24-28a90c6ee451"),
        "the header before the claim"
    );
    assert_eq!(
        os.renew_after,
        Some(MAX_LIFETIME),
        "the captured token lives for a century"
    );
    assert!(matches!(
        of(UnifiOs, &captured("unifi_os_login_ok_with_2fa_token", 0)),
        Outcome::LoggedIn(_)
    ));
    assert_eq!(
        of(UnifiOs, &captured("unifi_os_login_ok", 1)),
        Outcome::NoCookie,
        "captured without its headers"
    );

    let mfa = Factor::OsSso("UBIC_2FA=abc123def456".to_owned());
    assert_eq!(
        of(UnifiOs, &captured("unifi_os_login_mfa_required", 0)),
        Outcome::SecondFactorNeeded(mfa)
    );
    assert_eq!(
        of(UnifiOs, &captured("unifi_os_login_bad_password", 0)),
        Outcome::WrongPassword
    );
    assert_eq!(
        of(UnifiOs, &captured("unifi_os_api_unauthorized", 0)),
        Outcome::NotHere { status: 401 }
    );
    assert_eq!(
        of(UnifiOs, &captured("unifi_os_root", 0)),
        Outcome::Booting { status: 200 },
        "a page is no login"
    );

    let cookies = [
        ("set-cookie", "unifises=abc; Path=/; HttpOnly"),
        ("set-cookie", "csrf_token=xyz; Path=/"),
    ];
    let classic = session(of(
        SelfHosted,
        &with(captured("self_hosted_login_ok", 0), &cookies),
    ));
    assert_eq!(
        classic.jar.header().unwrap(),
        "unifises=abc; csrf_token=xyz"
    );
    assert_eq!(classic.csrf.as_deref(), Some("xyz"));
    assert_eq!(
        (classic.renew_after, classic.idle),
        (None, Some(CLASSIC_IDLE))
    );
    assert_eq!(
        of(SelfHosted, &captured("self_hosted_login_bad_password", 0)),
        Outcome::WrongPassword
    );
    assert_eq!(
        of(SelfHosted, &captured("session_expired", 0)),
        Outcome::NotHere { status: 401 }
    );
    assert_eq!(
        of(SelfHosted, &captured("no_permission", 0)),
        Outcome::NoPermission
    );
    assert_eq!(
        of(UnifiOs, &captured("no_permission", 0)),
        Outcome::NoPermission
    );
    assert_eq!(
        of(UnifiOs, &captured("v2_error_login_required", 0)),
        Outcome::NotHere { status: 200 }
    );
}

#[test]
fn the_other_rows_of_the_table() {
    let not_proof = |said: &str| Outcome::RefusedNotProof(said.to_owned());
    let table = [
        (
            UnifiOs,
            403,
            r#"{"code":"AUTHENTICATION_FAILED","message":"Authentication failed"}"#,
            not_proof("HTTP 403, AUTHENTICATION_FAILED: Authentication failed"),
        ),
        (
            UnifiOs,
            403,
            r#"{"code":"AUTHENTICATION_FAILED_INVALID_CREDENTIALS","message":"Invalid username or password","level":"debug"}"#,
            not_proof(
                "HTTP 403, AUTHENTICATION_FAILED_INVALID_CREDENTIALS: Invalid username or password",
            ),
        ),
        (
            UnifiOs,
            429,
            r#"{"code":"AUTHENTICATION_FAILED_LIMIT_REACHED","message":"You've reached the login attempt limit","level":"debug"}"#,
            Outcome::LockedOut { retry_after: None },
        ),
        (
            UnifiOs,
            403,
            r#"{"code":"AUTHENTICATION_FAILED_LIMIT_REACHED"}"#,
            Outcome::LockedOut { retry_after: None },
        ),
        (
            UnifiOs,
            429,
            "<html>",
            Outcome::LockedOut { retry_after: None },
        ),
        (
            UnifiOs,
            401,
            r#"{"error":{"code":401,"message":"Unauthorized"}}"#,
            Outcome::NotHere { status: 401 },
        ),
        (
            UnifiOs,
            401,
            "Unauthorized",
            Outcome::NotHere { status: 401 },
        ),
        (
            UnifiOs,
            499,
            r#"{"code":"MFA_AUTH_REQUIRED"}"#,
            Outcome::SecondFactorNeeded(Factor::Os),
        ),
        (UnifiOs, 499, "", Outcome::SecondFactorNeeded(Factor::Os)),
        (UnifiOs, 404, "<html>", Outcome::NotHere { status: 404 }),
        (UnifiOs, 403, "Forbidden", not_proof("HTTP 403")),
        (
            UnifiOs,
            403,
            r#"{"meta":{"rc":"error","msg":"api.err.NoPermission"},"data":[]}"#,
            Outcome::NoPermission,
        ),
        (UnifiOs, 502, "<html>", Outcome::Booting { status: 502 }),
        (UnifiOs, 503, "", Outcome::Booting { status: 503 }),
        (UnifiOs, 200, "Starting", Outcome::Booting { status: 200 }),
        (UnifiOs, 200, "", Outcome::Booting { status: 200 }),
        (UnifiOs, 200, "{}", Outcome::NoCookie),
        (
            UnifiOs,
            400,
            r#"{"code":"BAD","message":"no"}"#,
            not_proof("HTTP 400, BAD: no"),
        ),
        (
            SelfHosted,
            400,
            r#"{"meta":{"rc":"error","msg":"api.err.Ubic2faTokenRequired"},"data":[{"default_mfa":"x","mfa_cookie":"UBIC_2FA=q","authenticators":[]}]}"#,
            Outcome::SecondFactorNeeded(Factor::Classic(Some("UBIC_2FA=q".to_owned()))),
        ),
        (
            SelfHosted,
            200,
            r#"{"meta":{"rc":"error","msg":"api.err.Ubic2faTokenRequired"},"data":[]}"#,
            Outcome::SecondFactorNeeded(Factor::Classic(None)),
        ),
        (
            SelfHosted,
            400,
            r#"{"meta":{"rc":"error","msg":"api.err.Other"}}"#,
            not_proof("HTTP 400, api.err.Other"),
        ),
        (
            SelfHosted,
            200,
            r#"{"meta":{"rc":"error","msg":"api.err.Invalid"}}"#,
            not_proof("HTTP 200, api.err.Invalid"),
        ),
        (SelfHosted, 404, "", Outcome::NotHere { status: 404 }),
        (SelfHosted, 503, "<html>", Outcome::Booting { status: 503 }),
        (
            UnifiOs,
            400,
            r#"{"meta":{"rc":"error","msg":"api.err.Invalid"}}"#,
            not_proof("HTTP 400, api.err.Invalid"),
        ),
        (
            SelfHosted,
            401,
            r#"{"errors":["Invalid username or password"]}"#,
            not_proof("HTTP 401, Invalid username or password"),
        ),
    ];
    for (kind, status, body, expected) in table {
        assert_eq!(
            of(kind, &answer(status, body)),
            expected,
            "{kind:?} {status} {body}"
        );
    }
}

#[test]
fn waits_and_redirects_are_read_from_headers() {
    let locked = with(answer(429, ""), &[("retry-after", "120")]);
    assert_eq!(
        of(UnifiOs, &locked),
        Outcome::LockedOut {
            retry_after: Some(Duration::from_secs(120))
        }
    );
    let moved = with(
        answer(301, ""),
        &[("location", "https://new.example/api/auth/login?x=1")],
    );
    assert_eq!(
        of(UnifiOs, &moved),
        Outcome::Redirected("https://new.example/api/auth/login".to_owned())
    );
}

#[test]
fn after_a_code_was_sent_the_password_is_not_blamed() {
    let table = [
        (
            UnifiOs,
            401,
            r#"{"errors":["Invalid username or password"]}"#,
        ),
        (UnifiOs, 499, r#"{"data":{"mfaCookie":"UBIC_2FA=new"}}"#),
        (
            SelfHosted,
            400,
            r#"{"meta":{"rc":"error","msg":"api.err.Invalid"}}"#,
        ),
        (
            SelfHosted,
            400,
            r#"{"meta":{"rc":"error","msg":"api.err.Invalid2FAToken"}}"#,
        ),
    ];
    for (kind, status, body) in table {
        let outcome = classify(kind, &answer(status, body), Jar::default(), true, NOW);
        assert_eq!(outcome, Outcome::WrongCode, "{body}");
    }
}

#[test]
fn the_token_for_writes_is_found_wherever_it_is() {
    // {"iat":1000,"exp":8200,"csrfToken":"claim"}
    let jwt = "TOKEN=e30.eyJpYXQiOjEwMDAsImV4cCI6ODIwMCwiY3NyZlRva2VuIjoiY2xhaW0ifQ.s; Secure; Partitioned";
    let ok =
        |headers: &[(&'static str, &str)]| session(of(UnifiOs, &with(answer(200, "{}"), headers)));
    let claim = ok(&[("set-cookie", jwt)]);
    assert_eq!(claim.csrf.as_deref(), Some("claim"));
    assert_eq!(
        claim.renew_after,
        Some(Duration::from_secs(7080)),
        "two minutes before two hours, by its own clock"
    );
    assert_eq!(
        ok(&[("set-cookie", jwt), ("x-csrf-token", "header")])
            .csrf
            .as_deref(),
        Some("header")
    );
    let both = [
        ("set-cookie", jwt),
        ("x-csrf-token", "header"),
        ("x-updated-csrf-token", "newer"),
    ];
    assert_eq!(ok(&both).csrf.as_deref(), Some("newer"));
    let opaque = ok(&[("set-cookie", "UOS_TOKEN=opaque")]);
    assert_eq!((opaque.csrf, opaque.renew_after), (None, Some(OS_LIFETIME)));

    let mut session = ok(&[("set-cookie", jwt), ("x-csrf-token", "header")]);
    session.absorb(
        &with(answer(200, ""), &[("x-updated-csrf-token", "rotated")]).headers,
        NOW,
    );
    assert_eq!(session.csrf.as_deref(), Some("rotated"));
    session.absorb(&with(answer(200, ""), &[("set-cookie", jwt)]).headers, NOW);
    assert_eq!(session.csrf.as_deref(), Some("claim"));
}

#[test]
fn the_cookie_of_the_second_factor_stays_in_the_jar() {
    let mut jar = Jar::default();
    jar.set("UBIC_2FA=abc", NOW);
    let ok = with(answer(200, "{}"), &[("set-cookie", "TOKEN=x")]);
    let session = session(classify(UnifiOs, &ok, jar.clone(), true, NOW));
    assert_eq!(session.jar.header().unwrap(), "UBIC_2FA=abc; TOKEN=x");
    assert_eq!(
        classify(UnifiOs, &answer(200, "{}"), jar, true, NOW),
        Outcome::NoCookie,
        "an old cookie is no login"
    );
}

#[test]
fn bodies_of_both_kinds() {
    let os = body(UnifiOs, "herald", "pä\"ss", None);
    assert_eq!(
        os,
        json!({"username":"herald","password":"pä\"ss","remember":true,"rememberMe":true,"token":""})
    );
    assert_eq!(body(UnifiOs, "h", "p", Some("123456"))["token"], "123456");
    let classic = body(SelfHosted, "h", "p", Some("123456"));
    assert_eq!(
        (&classic["strict"], &classic["ubic_2fa_token"]),
        (&json!(true), &json!("123456"))
    );
    assert!(
        body(SelfHosted, "h", "p", None)
            .get("ubic_2fa_token")
            .is_none()
    );
}

#[test]
fn every_trouble_has_one_sentence_and_no_secret() {
    let outcomes = [
        Outcome::SecondFactorNeeded(Factor::OsSso("UBIC_2FA=hunter2".to_owned())),
        Outcome::SecondFactorNeeded(Factor::Os),
        Outcome::WrongCode,
        Outcome::WrongPassword,
        Outcome::RefusedNotProof("HTTP 403".to_owned()),
        Outcome::LockedOut { retry_after: None },
        Outcome::NoPermission,
        Outcome::NotHere { status: 404 },
        Outcome::Redirected("https://x/".to_owned()),
        Outcome::NoCookie,
        Outcome::Booting { status: 502 },
        Outcome::Unreachable("cannot reach it: check url".to_owned()),
    ];
    for outcome in outcomes {
        let sentence = outcome.sentence();
        assert!(
            sentence.contains(':') && !sentence.contains('\n') && !sentence.ends_with('.'),
            "{sentence}"
        );
        assert!(
            !format!("{sentence} {outcome:?}").contains("hunter2"),
            "{outcome:?}"
        );
    }
}
