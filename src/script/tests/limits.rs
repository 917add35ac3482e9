//! Every limit stops a script, says which it was and where, and costs a bounded number of operations.

use super::*;
use std::time::Duration;

/// `marked` must fail with `kind`, at the place of the mark `▸`.
fn stopped(marked: &str, kind: RunErrorKind, message: &str) {
    let text = marked.replace('▸', "");
    let error = run(&text, &roam()).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (kind, message),
        "{text}"
    );
    let (line, column) = (error.line.unwrap(), error.column.unwrap());
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = lines[line - 1].char_indices().nth(column - 1);
    let at = at.map_or(lines[line - 1].len(), |(at, _)| at);
    lines[line - 1].insert(at, '▸');
    let told = lines.join("\n");
    assert_eq!(told, marked, "{error:?}");
}

#[test]
fn endless_loops() {
    let message = "stopped after 100000 operations: is there an endless loop?";
    for body in [
        "loop {}",
        "loop { event.level }",
        "while true { let x = 1; }",
        "for i in 0..1000000000 { event.level } true",
        "let x = 0; loop { try { throw x } catch { x += 1 } }",
        "loop { try { loop {} } catch {} }",
        "let all = [1, 2, 3]; loop { all.map(|x| x + 1); }",
        "loop { helper() }",
        "[1].map(|x| { loop {} }); true",
    ] {
        let text = format!(
            "const LEAST = 1;\nfn helper() {{ 1 }}\nfn filter(event) {{\n    let before = 1;\n    {body}\n}}"
        );
        let error = run(&text, &roam()).unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str(), error.line),
            (RunErrorKind::Operations, message, Some(5)),
            "{body}"
        );
        // Where in the loop the last operation falls does not matter.
        let last = "    ".len() + body.chars().count();
        assert!((5..=last).contains(&error.column.unwrap()), "{error:?}");
    }
    stopped(
        "fn filter(event) {\n    let before = 1;\n    loop ▸{}\n}",
        RunErrorKind::Operations,
        message,
    );
}

#[test]
fn a_limit_within_functions_is_where_it_was_hit() {
    let message = "stopped after 100000 operations: is there an endless loop?";
    stopped(
        "fn deeper() {\n  1;\n  loop ▸{} }\nfn helper() { deeper() }\nfn filter(e) {\n    if e.level >= 0 { helper() }\n}",
        RunErrorKind::Operations,
        message,
    );
    stopped(
        "fn deep(n) { if n > 3 { loop ▸{} } deep(n + 1) }\nfn filter(event) { deep(0) }",
        RunErrorKind::Operations,
        message,
    );
    stopped(
        "fn grow(x) { x.pad(60000, 'x'); x ▸+= x; x }\nfn filter(e) { [1].map(|i| grow(\"x\")); true }",
        RunErrorKind::Size,
        "a value became too large: a text may have 65536 bytes",
    );
    // What is called before does not count.
    stopped(
        "fn fine() { 1 }\nfn filter(event) { let x = fine(); loop ▸{} }",
        RunErrorKind::Operations,
        message,
    );
}

#[test]
fn the_clock() {
    let mut options = options();
    options.limits = Limits {
        time: Duration::ZERO,
        operations: u64::MAX,
        ..Limits::default()
    };
    let engine = Engine::new(options);
    let error = run_with(&engine, "\nfn filter(event) { loop {} }", &Arc::new(bare())).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str(), error.line),
        (RunErrorKind::Time, "stopped after 0 ms", Some(2))
    );
    assert!(
        error.column > Some("fn filter(event) { ".len()),
        "{error:?}"
    );
    // Making patterns takes long for a single operation each.
    let text = "fn filter(event) { matches(\"x\", \"a\"); matches(\"x\", \"b\") }";
    let error = run_with(&engine, text, &Arc::new(bare())).unwrap_err();
    assert_eq!(error.kind, RunErrorKind::Time);
    // A short script never looks at the clock.
    assert_eq!(
        run_with(&engine, "fn filter(event) { false }", &Arc::new(bare())),
        Ok(Outcome::Drop)
    );
}

#[test]
fn deep_recursion() {
    let message = "functions call each other more than 8 deep";
    for text in [
        "fn deep(n) { ▸deep(n + 1) }\nfn filter(event) { deep(0) }",
        "fn deep(n) { 1 + (2 * (3 + (4 * (5 + (6 * (7 + ▸deep(n + 1))))))) }\nfn filter(event) { deep(0) }",
        "fn a(n) { ▸b(n) } fn b(n) { a(n) }\nfn filter(event) { a(0) }",
        "\nfn filter(event) { ▸filter(event) }",
        "fn deep(f) { f.▸call(f) }\nfn filter(event) { deep(Fn(\"deep\")) }",
        "fn deep(f) { [f].▸map(|x| deep(x)) }\nfn filter(event) { deep(1) }",
    ] {
        stopped(text, RunErrorKind::Depth, message);
    }
}

#[test]
fn the_deepest_that_is_allowed_fits_the_stack() {
    // The worst of both: every call nested as deep as an expression or a block may be.
    for (open, close) in [
        ("(1 + ", ")"),
        ("[", "]"),
        ("#{a: ", "}"),
        ("if true { ", " }"),
        ("for i in [1] { ", " }"),
        ("switch 1 { 1 => ", " }"),
        ("id(", ")"),
        ("[1].map(|x| ", ")"),
        ("event.client.name.contains(", ")"),
        ("`${", "}`"),
    ] {
        let mut deepest = None;
        for depth in 1..Limits::default().nesting {
            let text = format!(
                "fn id(x) {{ x }}\nfn deep(event) {{ {}deep(event){} }}\nfn filter(event) {{ deep(event) }}",
                open.repeat(depth),
                close.repeat(depth)
            );
            let Ok(script) = engine().compile_text("test", &text, &toml::Table::new()) else {
                break;
            };
            deepest = Some(script);
        }
        let error = deepest.unwrap().run(&Arc::new(roam()), &cx()).unwrap_err();
        assert_eq!(error.kind, RunErrorKind::Depth, "{open}: {error:?}");
    }
}

#[test]
fn huge_values() {
    let text = "a value became too large: a text may have 65536 bytes";
    let array = "a value became too large: an array may have 1024 elements";
    let map = "a value became too large: a map may have 512 entries";
    for (body, message) in [
        ("let x = \"x\"; loop { x ▸+= x; }", text),
        ("let x = \"x\"; loop { x = x ▸+ x; }", text),
        ("let x = \"x\"; loop { x = `${x}${▸x}`; }", text),
        ("let x = \"\"; x.▸pad(1000000, 'x'); true", text),
        (
            "let x = \"\"; x.pad(60000, 'x'); x.▸replace(\"x\", x); true",
            text,
        ),
        (
            "let x = \"\"; x.pad(60000, 'x'); x.▸replace('x', x); true",
            text,
        ),
        (
            "let x = \"\"; x.pad(60000, 'x'); x.▸replace('x', 'é'); true",
            text,
        ),
        ("let x = \"\"; x.pad(60000, 'x'); [x, ▸x]; true", text),
        (
            "let x = \"\"; x.pad(60000, 'x'); let y = [x]; y.▸push(x); true",
            text,
        ),
        ("let x = []; loop { x.▸push(1); }", array),
        ("let x = [1]; loop { x ▸+= x; }", array),
        ("let x = []; x.▸pad(1000000, 1); true", array),
        ("let x = []; x.pad(1000, 1); [x, ▸x]; true", array),
        (
            "let x = \"\"; x.pad(60000, ','); x.▸split(\",\"); true",
            array,
        ),
        (
            "let x = #{}; for i in 0..600 { x.▸set(`k${i}`, i); } true",
            map,
        ),
    ] {
        stopped(
            &format!("\nfn filter(event) {{ {body} }}"),
            RunErrorKind::Size,
            message,
        );
    }
}

#[test]
fn too_many_variables() {
    let body: String = (0..65)
        .map(|i| format!("{}let x{i} = {i}; ", if i == 63 { "▸" } else { "" }))
        .collect();
    stopped(
        &format!("\nfn filter(event) {{ {body} true }}"),
        RunErrorKind::Size,
        "more than 64 variables at once",
    );
}

#[test]
fn hostile_patterns() {
    let body = r#"\nfn filter(event) { ▸matches(event.summary, "(\\w{1,1000}){1000}") }"#
        .replace(r"\n", "\n");
    stopped(
        &body,
        RunErrorKind::Size,
        r"the regular expression `(\w{1,1000}){1000}` is too large",
    );
    let long = "x".repeat(1025);
    let body = format!("\nfn filter(event) {{ ▸matches(event.summary, \"{long}\") }}");
    stopped(
        &body,
        RunErrorKind::Size,
        "a regular expression may have 1024 bytes",
    );
    let body = "\nfn filter(event) { ▸matches(event.summary, \"(\") }";
    stopped(
        body,
        RunErrorKind::Script,
        "`(` is not a regular expression: unclosed group",
    );
    // The classic that backtracks for ages elsewhere.
    let body =
        "fn filter(event) { let x = \"\"; x.pad(60000, 'a'); x += \"b\"; matches(x, \"^(a+)+$\") }";
    assert_eq!(run(body, &roam()), Ok(Outcome::Drop));
    // Patterns made at run time do not pile up.
    let body = "fn filter(event) { for i in 0..500 { matches(\"x\", `${i}`); } true }";
    assert!(matches!(run(body, &roam()), Ok(Outcome::Keep(_))));
}

#[test]
fn nothing_of_the_machine_is_in_reach() {
    for body in [
        "sleep(1)",
        "sleep(0.5)",
        "timestamp()",
        "rand()",
        "open(\"x\")",
        "let f = Fn(\"eval\"); f.call(\"1\")",
        "call(\"eval\", \"1\")",
    ] {
        let text = format!("\nfn filter(event) {{ {body}; true }}");
        match engine().compile_text("test", &text, &toml::Table::new()) {
            Err(_) => {}
            Ok(mut script) => {
                let error = script.run(&Arc::new(bare()), &cx()).unwrap_err();
                assert_eq!(error.kind, RunErrorKind::Script, "{body}: {error:?}");
            }
        }
    }
}

#[test]
fn texts_that_nest_too_deep_are_refused() {
    let filter = |body: &str| format!("fn filter(event) {{ {body}; true }}");
    let n = 5000;
    for body in [
        format!("{}1{}", "(".repeat(n), ")".repeat(n)),
        format!("{}1{}", "[".repeat(n), "]".repeat(n)),
        format!("{}1{}", "#{a:".repeat(n), "}".repeat(n)),
        format!("{}1", "-".repeat(n)),
        format!("{}true", "!".repeat(n)),
        format!("1{}", " + 1".repeat(n)),
        format!("true{}", " && true".repeat(n)),
        format!("event{}", ".client".repeat(n)),
        format!("event{}", "[0]".repeat(n)),
        format!("event{}", ".client()".repeat(n)),
        format!("{}{}", "if true {".repeat(n), "}".repeat(n)),
        format!("if event {{}} {}", "else if event {}".repeat(n)),
        format!("{}{}", "{".repeat(n), "}".repeat(n)),
        format!("let f = {}1", "|x| ".repeat(n)),
        format!("{}1{}", "`${".repeat(n), "}`".repeat(n)),
        format!("{}1", "x = ".repeat(n)),
        format!("{}{}", "switch 1 { 1 => ".repeat(n), "}".repeat(n)),
        format!("1{}", " ?? 1".repeat(n)),
        format!("1{}", " ** 1".repeat(n)),
        format!("event{}", "?.client".repeat(n)),
    ] {
        // Either it is refused, or it runs: but it never takes the host with it.
        if let Ok(mut script) = engine().compile_text("test", &filter(&body), &toml::Table::new()) {
            let outcome = script.run(&Arc::new(bare()), &cx());
            println!("compiles: {} ... {outcome:?}", &body[..40]);
        }
        let _compiled = engine().compile_where(&body);
    }
}
