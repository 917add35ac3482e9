//! What describes herald itself: plugins, the effective configuration, completions, manual, help.

use super::{Herald, nobody_home};
use crate::support::rig::ARCHIVE;
use serde_json::{Value, json};

#[test]
fn what_is_listed_for_programs_is_an_object_a_line() {
    let herald = Herald::new();
    let objects = |words: &[&str]| {
        let listed = herald.run(words).with_code(0).stdout;
        let objects = listed.lines().map(serde_json::from_str::<Value>);
        objects.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let plugins = objects(&["plugins", "list", "--json"]);
    let nats: Vec<_> = plugins.iter().filter(|one| one["name"] == "nats").collect();
    assert_eq!(
        (&nats[0]["type"], &nats[1]["type"]),
        (&"sink".into(), &"source".into())
    );
    assert!(nats[0]["summary"].is_string());
    let presets = objects(&["presets", "list", "--json"]);
    assert_eq!(presets[0]["name"], "essentials");

    let said = herald.run(&["scripts", "list"]).with_code(0).stdout;
    assert_eq!(said, "there are no scripts in the folder `scripts`\n");
    assert_eq!(objects(&["scripts", "list", "--json"]), Vec::<Value>::new());
    std::fs::create_dir(herald.path("scripts")).unwrap();
    herald.write(
        "scripts/loud.rhai",
        "// Lets all pass.\nfn filter(event) { true }\n",
    );
    let scripts = objects(&["scripts", "list", "--json"]);
    assert_eq!(
        scripts,
        [json!({ "name": "loud", "cases": 0, "purpose": "Lets all pass." })]
    );
}

#[test]
fn plugins_are_listed_and_shown() {
    let herald = Herald::new();
    let list = herald.run(&["plugins", "list"]).with_code(0);
    assert_eq!(
        list.stdout,
        "\
sink    console    writes events to standard output, for people or as JSON
sink    exec       gives events to a program in any language, as lines of JSON that it acknowledges
sink    file       appends events to a file as JSON lines, with rotation
sink    mqtt       publishes events and retained states by MQTT 5; Home Assistant discovers them
sink    nats       publishes events by NATS, acknowledged by JetStream
sink    syslog     sends events to a collector by RFC 5424 over UDP, TCP or TLS, as JSON or CEF
sink    webhook    sends events by HTTP: CloudEvents, JSON or a template, signed by Standard Webhooks
sink    ntfy       pushes to phones by ntfy; a recovery updates what the failure sent
sink    slack      writes into a Slack channel by an incoming webhook
sink    discord    writes into a Discord channel by a webhook; edits the message when the incident is over
sink    telegram   writes into a Telegram chat by a bot; edits the message when the incident is over
sink    pushover   pushes to phones by Pushover; what is critical rings until it is acknowledged or over
sink    pagerduty  opens and resolves incidents in PagerDuty by its Events API v2
sink    email      sends mail by SMTP; all mails about an incident are one conversation
sink    apprise    hands messages to an Apprise API server, which knows most other services
source  nats       takes events that other programs publish by NATS
"
    );
    let file = herald.run(&["plugins", "show", "file"]).with_code(0);
    assert_eq!(
        file.stdout,
        r#"file: appends events to a file as JSON lines, with rotation

[sinks.NAME]
plugin = "file"

[sinks.NAME.options]
path             text; required
rotate           a table
rotate.size      a size such as "64MiB"
rotate.every     one of hour, day
rotate.keep      a whole number, 0 or more
rotate.compress  one of none, gzip, zstd
sync             one of none, batch
mode             text
"#
    );
    let ntfy = herald.run(&["plugins", "show", "ntfy"]).with_code(0);
    for option in [
        "topic           a secret; required",
        "token           a secret",
    ] {
        assert!(ntfy.stdout.contains(option), "{}", ntfy.stdout);
    }
    let wrong = herald.run(&["plugins", "show", "webhok"]).with_code(2);
    assert_eq!(wrong.stdout, "");
    assert_eq!(
        wrong.stderr,
        "error: there is no plugin `webhok`; did you mean `webhook`?\n"
    );
}

#[test]
fn config_show_has_defaults_and_overrides_and_no_secrets_and_is_a_configuration() {
    let herald = Herald::with(&nobody_home(ARCHIVE)).env("HERALD__BUFFER__CAPACITY", "123");
    let shown = herald.run(&["config", "show"]).with_code(0);
    for line in [
        "capacity = 123",
        "when_full = \"wait\"",
        "password = \"***\"",
        "path = \"events.jsonl\"",
    ] {
        assert!(
            shown.stdout.lines().any(|shown| shown == line),
            "{line}: {}",
            shown.stdout
        );
    }
    assert!(!shown.stdout.contains("not here"));
    herald.write("shown.toml", &shown.stdout);
    herald.run(&["check", "-c", "shown.toml"]).with_code(0);
}

#[test]
fn completions_name_the_verbs_and_are_accepted_by_the_shell() {
    let herald = Herald::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = herald.run(&["completions", shell]).with_code(0).stdout;
        for word in [
            "run",
            "demo",
            "check",
            "plugins",
            "wan-failover",
            "log-level",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        herald.write(&format!("herald.{shell}"), &script);
    }
    // The one shell that is on every machine with a Rust toolchain; the others are read the day they are installed.
    let read = "if command -v bash >/dev/null; then bash -n herald.bash; fi";
    let ended = herald.shell(read).with_code(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_manual_is_a_page_or_a_page_for_every_verb() {
    let herald = Herald::new();
    let page = herald.run(&["man"]).with_code(0).stdout;
    assert!(
        page.contains(".TH herald 1") && page.contains("herald\\-run(1)"),
        "{page}"
    );
    herald.run(&["man", "pages"]).with_code(0);
    for verb in [
        "",
        "-run",
        "-demo",
        "-check",
        "-plugins-show",
        "-config-show",
    ] {
        let page = herald.read(&format!("pages/herald{verb}.1"));
        assert!(page.contains(".SH SYNOPSIS"), "{verb}");
    }
}

#[test]
fn every_verb_has_help_with_an_example() {
    let herald = Herald::new();
    for verb in [
        &["run"][..],
        &["demo"],
        &["check"],
        &["plugins", "show"],
        &["config", "show"],
        &["completions"],
        &["man"],
    ] {
        let help = herald.run(&[verb, &["--help"]].concat()).with_code(0);
        assert_eq!(help.stderr, "");
        let example = format!("\n  herald {}", verb.join(" "));
        assert!(
            help.stdout.contains("Example") && help.stdout.contains(&example),
            "{}",
            help.stdout
        );
    }
    let help = herald.run(&["--help"]).with_code(0).stdout;
    assert!(
        help.contains("herald demo") && help.contains("Exit codes:") && help.contains("NO_COLOR")
    );
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    let herald = Herald::new();
    for wrong in [
        &["rnu"][..],
        &[],
        &["run", "--fast"],
        &["plugins"],
        &["check", "--log-level", "loud"],
    ] {
        let ended = herald.run(wrong).with_code(2);
        assert_eq!(ended.stdout, "");
        assert!(
            ended.stderr.contains("Usage:") || ended.stderr.contains("--help"),
            "{}",
            ended.stderr
        );
    }
    let typo = herald.run(&["chekc"]).with_code(2);
    assert!(typo.stderr.contains("'check'"), "{}", typo.stderr);
    let version = herald.run(&["--version"]).with_code(0);
    assert_eq!(
        version.stdout,
        format!("herald {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn colours_are_for_terminals_and_no_color_is_honoured() {
    let console = |color: &str| {
        nobody_home(&format!(
            "[sinks.screen]\nplugin = \"console\"\noptions = {{ color = \"{color}\" }}\n[chains.all]\nsteps = [{{ sink = \"screen\" }}]\n"
        ))
    };
    let colours = |config: &str, refused: bool| {
        let mut herald = Herald::with(config);
        if refused {
            herald = herald.env("NO_COLOR", "1");
        }
        let ended = herald
            .run(&["demo", "--for", "1s", "--rate", "50"])
            .with_code(0);
        assert!(
            !ended.stderr.contains('\u{1b}'),
            "standard error is no terminal here"
        );
        assert!(!ended.stdout.is_empty());
        ended.stdout.contains('\u{1b}')
    };
    assert!(!colours(&console("auto"), false));
    assert!(
        colours(&console("always"), false),
        "asked for in the configuration"
    );
    assert!(!colours(&console("auto"), true));
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    let herald = Herald::new();
    for verb in ["man", "completions bash", "plugins list", "--help"] {
        let ended = herald.shell(&format!("herald {verb} | :")).with_code(0);
        assert_eq!(ended.stderr, "", "{verb}");
    }
}

#[test]
fn presets_are_listed_and_shown_with_the_sinks_they_would_send_to() {
    let herald = Herald::new();
    let list = herald.run(&["presets", "list"]).with_code(0);
    assert!(list.stdout.starts_with("essentials  "), "{}", list.stdout);
    let nowhere = herald.run(&["presets", "show", "essentials"]).with_code(0);
    assert!(
        nowhere.stdout.contains("  { sink = \"phone\" },\n]"),
        "{}",
        nowhere.stdout
    );
    let herald = Herald::with(&nobody_home("[sinks.screen]\nplugin = \"console\"\n"));
    let shown = herald.run(&["presets", "show", "essentials"]).with_code(0);
    assert!(
        shown.stdout.contains("  { sink = \"screen\" },\n]"),
        "{}",
        shown.stdout
    );
    let config = herald.read("config.toml");
    herald.write("config.toml", &format!("{config}\n{}", shown.stdout));
    herald.run(&["check"]).with_code(0);
    let wrong = herald.run(&["presets", "show", "esentials"]).with_code(2);
    assert_eq!(
        wrong.stderr,
        "error: there is no preset `esentials`; did you mean `essentials`?\n"
    );
}

#[test]
fn the_cases_of_alerts_are_run_beside_those_of_scripts() {
    let alert = "[alerts.down]\non = [\"device.offline\"]\nhold = \"1m\"\n[chains.a]\nsteps = [{ alert = \"down\" }, { sink = \"archive\" }]\n";
    let herald = Herald::with(&nobody_home(&format!("{ARCHIVE}{alert}")));
    std::fs::create_dir(herald.path("alerts")).unwrap();
    let case = |at: &str| {
        format!(
            "[[case]]\nname = \"it holds\"\nsteps = [{{ event = {{ kind = \"device.offline\" }}, expect = \"nothing\" }}, {{ at = \"{at}\", expect = {{ firing = {{}} }} }}]\n"
        )
    };
    herald.write("alerts/down.cases.toml", &case("1m"));
    let ok = herald.run(&["test"]).with_code(0);
    assert!(ok.stdout.contains("alerts/down  it holds"), "{}", ok.stdout);
    herald.write("alerts/down.cases.toml", &case("59s"));
    let failed = herald.run(&["test", "alerts/down"]).with_code(1);
    let told = "step 2 at 59s: expected firing, got nothing";
    assert!(failed.stdout.contains(told), "{}", failed.stdout);
    herald.run(&["test", "alerts/other"]).with_code(1);
}
