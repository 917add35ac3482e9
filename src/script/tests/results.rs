//! What a script gives back, and what is wrong with it.

use super::*;

#[test]
fn true_and_the_event_keep_it_and_false_drops_it() {
    for (body, kept) in [
        ("true", true),
        ("event", true),
        ("[event]", true),
        ("false", false),
        ("[]", false),
        ("return true; false", true),
        (
            "if event.kind == \"wan.down\" { return false; } true",
            false,
        ),
        ("exit(false); true", false),
    ] {
        let outcome = run(&format!("fn filter(event) {{ {body} }}"), &bare()).unwrap();
        assert_eq!(outcome != Outcome::Drop, kept, "{body}: {outcome:?}");
    }
}

#[test]
fn copies_have_ids_of_their_own_that_stay_the_same() {
    let text = r#"fn filter(event) {
        let a = event.derive();
        a.summary = "a";
        let b = event.derive();
        b.fields.n = 2;
        let c = a.derive();
        [a, event, b, c]
    }"#;
    let ids = || {
        let Ok(Outcome::Many(events)) = run(text, &roam()) else {
            panic!()
        };
        assert_eq!(
            events
                .iter()
                .map(|event| event.origin.as_str())
                .collect::<Vec<_>>(),
            ["derived", "stream", "derived", "derived"]
        );
        assert_eq!((&*events[0].summary, &*events[3].summary), ("a", "a"));
        assert_eq!(events[2].fields["n"], 2);
        assert!(events[1].fields.is_empty());
        events
            .iter()
            .map(|event| event.id.to_string())
            .collect::<Vec<_>>()
    };
    let first = ids();
    assert_eq!(first, ids());
    assert_eq!(first[1], "5ee9f7ca");
    assert_eq!(
        first
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        4
    );
}

#[test]
fn anything_else_is_an_error_that_says_so() {
    let must = "it must return true, false, the event, or an array of events";
    for (body, message) in [
        ("", format!("the script returned nothing, `()`: {must}")),
        (
            "event.summary = \"x\";",
            format!("the script returned nothing, `()`: {must}"),
        ),
        ("1", format!("the script returned i64: {must}")),
        ("\"true\"", format!("the script returned string: {must}")),
        ("#{}", format!("the script returned map: {must}")),
        (
            "[true]",
            "the array holds bool: it may hold only events".to_owned(),
        ),
        (
            "[event.client]",
            "the array holds event: it may hold only events".to_owned(),
        ),
        (
            "[[event]]",
            "the array holds array: it may hold only events".to_owned(),
        ),
        (
            "[event, event]",
            "the array holds the same event twice: use `event.derive()` for each copy".to_owned(),
        ),
        (
            "event.derive()",
            "the script returned a copy or a part of the event: copies go on in an array, `[copy]`"
                .to_owned(),
        ),
        (
            "event.client",
            "the script returned a copy or a part of the event: copies go on in an array, `[copy]`"
                .to_owned(),
        ),
    ] {
        let error = run(&format!("\n  fn filter(event) {{ {body} }}"), &roam()).unwrap_err();
        assert_eq!(
            (error.kind, error.message),
            (RunErrorKind::Result, message),
            "{body}"
        );
        assert_eq!((error.line, error.column), (Some(2), Some(3)), "{body}");
    }
}

#[test]
fn at_most_64_events() {
    let text = |n: usize| {
        format!(
            "fn filter(event) {{ let all = [event]; for i in 0..{n} {{ all.push(event.derive()); }} all }}"
        )
    };
    let Ok(Outcome::Many(events)) = run(&text(63), &bare()) else {
        panic!()
    };
    assert_eq!(events.len(), 64);
    let error = run(&text(64), &bare()).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (
            RunErrorKind::Result,
            "the script returned 65 events: it may return 64"
        )
    );
    let error = run(&text(65), &bare()).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (RunErrorKind::Size, "more than 64 copies of an event")
    );
}

#[test]
fn an_expression_may_give_unit_for_false() {
    assert!(!passes("event.client.guest", &bare()));
    assert!(!passes("event.client.guest", &roam()));
    let mut script = engine().compile_where("event.level").unwrap();
    let error = script.run(&Arc::new(bare()), &cx()).unwrap_err();
    assert_eq!((error.kind, error.line), (RunErrorKind::Result, Some(1)));
}

#[test]
fn wrong_scripts_are_refused_with_their_place() {
    for (text, place, message) in [
        ("let x = 1;", (1, 1), "the script has no `fn filter(event)`"),
        (
            "// first\n fn filter() { true }",
            (2, 2),
            "`filter` must take one parameter, `fn filter(event)`, but takes 0",
        ),
        (
            "fn filter(a, b) { true }",
            (1, 1),
            "`filter` must take one parameter, `fn filter(event)`, but takes 2",
        ),
        (
            "fn filter(event) {\n  evnt.kind == \"x\"\n}",
            (2, 3),
            "Undefined variable: evnt",
        ),
        (
            "fn filter(event) {\n  let x = ;\n}",
            (2, 11),
            "Unexpected ';'",
        ),
        (
            "fn filter(event) { eval(\"1\") }",
            (1, 20),
            "reserved keyword 'eval' is disabled",
        ),
        (
            "fn filter(event) { true",
            (1, 24),
            "Expecting ';' to terminate this statement",
        ),
        (
            "import \"x\" as x; fn filter(event) { true }",
            (1, 8),
            "`x` cannot be imported: there is no scripts folder",
        ),
    ] {
        let error = engine()
            .compile_text("test", text, &toml::Table::new())
            .unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.line, error.column),
            (message, Some(place.0), Some(place.1)),
            "{text}"
        );
    }
    for source in [
        "",
        "let x = 1",
        "true; false",
        "evnt.kind == \"x\"",
        "event.fields.a = 1",
        "fn f() {}",
    ] {
        let error = engine().compile_where(source).unwrap_err();
        assert!(
            error.line == Some(1) || source.is_empty(),
            "{source}: {error:?}"
        );
    }
}

#[test]
fn failures_carry_the_innermost_place() {
    let text = "fn deep(event) {\n    let x = event.level;\n    x.no_such_function()\n}\n\nfn filter(event) {\n    deep(event)\n}";
    let error = run(text, &bare()).unwrap_err();
    assert_eq!((error.line, error.column), (Some(3), Some(7)));
    assert_eq!(error.message, "Function not found: no_such_function (i64)");
    let error = run(
        "fn filter(event) {\n  if event.client.guest { true } else { false }\n}",
        &bare(),
    )
    .unwrap_err();
    assert_eq!((error.line, error.column), (Some(2), Some(11)));
    assert_eq!(
        error.message,
        "expected true or false but found `()`, an absent field: compare it, as in `x == true`"
    );
    let error = run("fn filter(event) {\n throw \"my own words\" }", &bare()).unwrap_err();
    assert_eq!(
        (error.line, error.message.as_str()),
        (Some(2), "my own words")
    );
    assert_eq!(error.to_string(), "expression:2:2: my own words");
}

#[test]
fn a_file_is_named_in_its_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.rhai");
    let plan = |file: &Path| ScriptPlan {
        file: file.to_owned(),
        on_error: crate::config::OnError::Keep,
        params: toml::Table::new(),
    };
    std::fs::write(
        &file,
        "fn helper(e) { e.kind = 1 }\nfn filter(event) { helper(event); true }",
    )
    .unwrap();
    let mut script = engine().compile_file("a", &plan(&file)).unwrap();
    let error = script.run(&Arc::new(bare()), &cx()).unwrap_err();
    assert_eq!(
        (error.file.as_deref(), error.line, error.column),
        (Some(file.as_path()), Some(1), Some(17))
    );

    std::fs::write(&file, [b'/'; 256 * 1024 + 1]).unwrap();
    let error = engine().compile_file("a", &plan(&file)).unwrap_err();
    assert_eq!(error.message, "the script is larger than 256 KiB");
    std::fs::write(&file, b"fn filter(event) { \"\xff\" }").unwrap();
    assert!(
        engine()
            .compile_file("a", &plan(&file))
            .unwrap_err()
            .message
            .starts_with("the script cannot be read: ")
    );
    let missing = folder.path().join("missing.rhai");
    let error = engine().compile_file("a", &plan(&missing)).unwrap_err();
    assert_eq!(error.file.as_deref(), Some(missing.as_path()));
    assert!(
        error
            .to_string()
            .contains("missing.rhai: the script cannot be read: "),
        "{error}"
    );
}

#[test]
fn the_body_of_the_filter_is_a_function_all_the_same() {
    for (text, passes) in [
        ("fn filter(e) { return e.level >= 0; }", true),
        ("fn filter(event) { exit(false); true }", false),
        (
            "let event = 1; let e = 2; fn filter(event) { let x = 3; event.level >= 0 && x == 3 }",
            true,
        ),
        (
            "const N = 1; fn filter(it) { let x = 3; it.fields.n = global::N; it.fields.n == 1 }",
            true,
        ),
        (
            "fn filter() { false } fn filter(a, b) { false } fn filter(event) { true }",
            true,
        ),
        (
            "fn other(event) { false } fn filter(event) { other(event) || event.level >= 0 }",
            true,
        ),
        (
            "fn filter(event) { event.fields.n = (event.fields.n ?? 0) + 1; event.fields.n >= 3 || filter(event) }",
            true,
        ),
        (
            "fn filter(event) { let f = |x| x + event.level; f.call(1) >= 1 }",
            true,
        ),
        (
            "fn filter(event) { const X = 1; helper() } fn helper() { true }",
            true,
        ),
    ] {
        let mut script = engine()
            .compile_text("test", text, &toml::Table::new())
            .unwrap();
        // A second run begins with nothing of the first.
        for _ in 0..2 {
            let outcome = script.run(&Arc::new(roam()), &cx());
            assert_eq!(
                matches!(outcome, Ok(Outcome::Keep(_))),
                passes,
                "{text}: {outcome:?}"
            );
            assert!(outcome.is_ok(), "{text}: {outcome:?}");
        }
    }
    assert!(matches!(
        run("fn filter(event) {}", &roam()),
        Err(RunError {
            kind: RunErrorKind::Result,
            ..
        })
    ));
}
