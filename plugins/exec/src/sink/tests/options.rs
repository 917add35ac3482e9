//! What a program is started with, and options that cannot work.

use super::*;

#[tokio::test]
async fn there_is_no_shell_and_arguments_are_taken_as_they_are() {
    let place = Place::new();
    let script =
        format!("{NEXT}printf '%s\\n' \"$@\" >arguments; while next; do ack \"$id\"; done");
    let odd = ["$(touch oops)", "; touch oops", "a b", "*", ""];
    let mut command = vec!["sh", "-c", &script, "name"];
    command.extend(odd);
    let mut sink = place.build(json!({ "command": command }));
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    assert_eq!(place.read("arguments").lines().collect::<Vec<_>>(), odd);
    assert!(!place.folder.path().join("oops").exists());
}

#[tokio::test]
async fn it_sees_what_it_is_given_and_none_of_the_secrets_of_herald() {
    let place = Place::new();
    std::fs::create_dir(place.folder.path().join("work")).unwrap();
    place.write("token", "hidden\n");
    let mut sink = place.shell_with(
        "env >environment; while next; do ack \"$id\"; done",
        &json!({"env": {"TOKEN": {"file": "token"}, "PLAIN": "text"}, "cwd": "work"}),
    );
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    let environment = place.read("work/environment");
    for line in ["TOKEN=hidden", "PLAIN=text", "HERALD_SINK=exec"] {
        assert!(environment.lines().any(|other| other == line), "{line}");
    }
    assert!(environment.contains("PATH="));
    // Cargo sets it for every test.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!environment.contains("CARGO_"), "{environment}");
    assert!(!format!("{sink:?}").contains("hidden"));
}

#[tokio::test]
async fn a_program_beside_the_configuration_is_found_wherever_it_runs() {
    let place = Place::new();
    std::fs::create_dir(place.folder.path().join("work")).unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::copy(
        examples.join("append.sh"),
        place.folder.path().join("own.sh"),
    )
    .unwrap();
    let mut sink = place.build(json!({"command": ["./own.sh"], "cwd": "work"}));
    sink.check().await.unwrap();
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    assert_eq!(place.ids("work/events.jsonl"), ["test-1"]);
}

#[tokio::test]
async fn a_check_finds_the_program_without_starting_it() {
    let place = Place::new();
    place.shell("touch started").check().await.unwrap();
    assert!(!place.folder.path().join("started").exists());
    place.write("data", "");
    for (options, message) in [
        (
            json!({"command": ["no-such-program"]}),
            "`command`: there is no program `no-such-program` in PATH",
        ),
        (json!({"command": ["./data"]}), "/data is not a program"),
        (
            json!({"command": ["sh"], "cwd": "nowhere"}),
            "/nowhere is not a folder",
        ),
    ] {
        let mut sink = place.build(options);
        for error in [
            sink.check().await.unwrap_err(),
            sink.deliver(Batch::new(&batch(1))).await.unwrap_err(),
        ] {
            assert!(error.to_string().ends_with(message), "{error}");
            assert_eq!(error.fault(), Fault::Configuration);
        }
    }
}

#[test]
fn options_that_cannot_work_are_told_with_the_fix() {
    let context = TestContext::new();
    for (options, said) in [
        (json!({}), "missing field `command`"),
        (
            json!({"command": []}),
            "`command`: name the program and its arguments, as in [\"python3\", \"notify.py\"]",
        ),
        (json!({"command": "ls"}), "invalid type: string"),
        (
            json!({"command": ["a\u{0}"]}),
            "`command`: no program takes a NUL character",
        ),
        (
            json!({"command": ["a"], "env": {"A=B": "x"}}),
            "`env.A=B`: not a name",
        ),
        (
            json!({"command": ["a"], "env": {"A": {"file": "nowhere"}}}),
            "`env.A`: cannot read the secret in /nonexistent/nowhere",
        ),
        (
            json!({"command": ["a"], "ack": "maybe"}),
            "unknown variant `maybe`, expected `lines` or `write`",
        ),
        (
            json!({"command": ["a"], "shell": true}),
            "unknown field `shell`",
        ),
    ] {
        let error = context
            .build::<Exec>(Path::new("/nonexistent"), options)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(said), "{error}");
    }
}
