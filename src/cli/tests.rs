//! Tests of the command line.

use super::*;
use clap::CommandFactory;

/// What the command line says to these words, and how it ends.
fn refusal(words: &[&str]) -> (String, i32) {
    let error = Cli::try_parse_from(words).unwrap_err();
    (error.to_string(), error.exit_code())
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_has_help_with_an_example_or_verbs_of_its_own() {
    for mut verb in Cli::command().get_subcommands().cloned() {
        let help = verb.render_long_help().to_string();
        assert!(help.contains("Example") || verb.has_subcommands(), "{help}");
        assert!(verb.get_about().is_some(), "{help}");
    }
}

#[test]
fn options_of_every_verb_may_stand_anywhere() {
    for words in [
        ["herald", "-c", "x.toml", "check"],
        ["herald", "check", "--config", "x.toml"],
    ] {
        let cli = Cli::try_parse_from(words).unwrap();
        assert_eq!(cli.global.config, Some(PathBuf::from("x.toml")));
    }
}

#[test]
fn wrong_usage_is_told() {
    for words in [
        &["herald", "rnu"][..],
        &["herald", "run", "--log-level", "loud"],
        &["herald", "demo", "--rate", "0"],
        &["herald", "demo", "--rate", "NaN"],
        &["herald", "demo", "--for", "5 parsecs"],
        &["herald", "demo", "--kind", "cloud"],
        &["herald", "completions", "tcsh"],
        &["herald", "plugins", "show"],
    ] {
        let (text, code) = refusal(words);
        assert_eq!(code, 2, "{text}");
    }
    let (text, _) = refusal(&["herald", "demo", "--for", "5 parsecs"]);
    assert_eq!(
        text,
        "error: invalid value '5 parsecs' for '--for <TIME>': expected a time such as \"90s\", \"10m\" or \"7d\"\n\n\
         For more information, try '--help'.\n"
    );
}

#[test]
fn a_demo_has_defaults() {
    let cli = Cli::try_parse_from(["herald", "demo"]).unwrap();
    let Verb::Demo(demo) = cli.verb else {
        panic!("not a demo");
    };
    assert_eq!(
        (demo.seed, demo.length, demo.kind),
        (1, None, demo::Kind::UnifiOs)
    );
    assert_eq!(demo.kind.controller().as_str(), "unifi-os");
}

#[test]
fn the_exit_codes_are_those_of_the_manual() {
    let codes = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Unavailable,
        Exit::Refused,
        Exit::Config,
    ]
    .map(Exit::code);
    assert_eq!(codes, [0, 1, 2, 69, 77, 78]);
    for code in codes {
        assert!(HELP.contains(&format!("\n  {code} ")), "{code}");
    }
}

#[test]
fn a_configuration_that_is_wrong_or_missing_ends_with_78() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let check = || {
        let words = ["herald", "check", "-c", file.to_str().unwrap()];
        main(crate::builtin(), words.map(OsString::from))
    };
    assert_eq!(check(), Exit::Config);
    std::fs::write(&file, "[bufer]").unwrap();
    assert_eq!(check(), Exit::Config);
    std::fs::write(
        &file,
        "[controllers.a]\nurl = \"https://a\"\nauth = { username = \"a\", password = \"a\" }\n",
    )
    .unwrap();
    assert_eq!(check(), Exit::Done);
}

#[test]
fn cases_that_fail_end_with_1_and_a_script_that_is_not_there_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().join("scripts");
    std::fs::create_dir(&scripts).unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "").unwrap();
    let test = |words: &[&str]| {
        let all = ["herald", "-c", config.to_str().unwrap(), "test"];
        let words = all.iter().chain(words).map(OsString::from);
        main(crate::builtin(), words)
    };
    assert_eq!(test(&[]), Exit::Failed, "nothing to test");
    std::fs::write(scripts.join("a.rhai"), "fn filter(event) { true }").unwrap();
    let cases = |expect: &str| {
        let text = format!(
            "[[case]]\nname = \"one\"\nsteps = [{{ event = {{ kind = \"wan.up\" }}, expect = \"{expect}\" }}]"
        );
        std::fs::write(scripts.join("a.cases.toml"), text).unwrap();
    };
    cases("keep");
    assert_eq!(test(&[]), Exit::Done);
    assert_eq!(test(&["a", "--case", "o*"]), Exit::Done);
    assert_eq!(test(&["a", "--case", "x*"]), Exit::Failed);
    assert_eq!(test(&["b"]), Exit::Usage);
    cases("drop");
    assert_eq!(test(&["--json"]), Exit::Failed);
    let file = scripts.join("a.rhai");
    assert_eq!(test(&[file.to_str().unwrap()]), Exit::Failed);
    std::fs::remove_file(scripts.join("a.cases.toml")).unwrap();
    assert_eq!(test(&["a"]), Exit::Failed, "asked for, but without cases");
}

#[test]
fn reset_makes_a_script_forget_in_every_chain_and_no_other() {
    use crate::clock::Clock;
    use crate::config::{BufferPlan, StorePlan, WhenFull};
    use crate::store::{Commit, DiskStore, StateChange, Store};
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[store]\nmode = \"disk\"\n").unwrap();
    let plan = StorePlan::new(
        crate::config::StoreMode::Disk,
        folder.path().join("herald-data"),
    );
    let buffer = BufferPlan {
        capacity: 10,
        when_full: WhenFull::Wait,
        max_wait: std::time::Duration::ZERO,
        max_bytes: 1 << 20,
    };
    let open = || DiskStore::open(&plan, &[], &buffer, Clock::system()).unwrap();
    let store = open();
    let scopes = ["script/a/x", "script/a/y", "script/ab/x"];
    let state = scopes.map(|scope| StateChange::Set {
        scope: scope.into(),
        key: "k".into(),
        value: vec![1],
        expires: None,
    });
    let commit = Commit {
        state: state.into(),
        ..Commit::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(store.commit(commit)).unwrap();
    let reset = || {
        let words = [
            "herald",
            "-c",
            config.to_str().unwrap(),
            "scripts",
            "reset",
            "a",
        ];
        main(crate::builtin(), words.map(OsString::from))
    };
    assert_eq!(reset(), Exit::Config, "a herald runs on it");
    drop(store);
    assert_eq!(reset(), Exit::Done);
    let store = open();
    let left = scopes.map(|scope| store.load_state(scope).unwrap().len());
    assert_eq!(left, [0, 0, 1]);
}
