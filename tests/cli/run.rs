//! `herald run`: when it ends, when it does not, and what it says.

use super::{Herald, nobody_home};
use crate::support::herald::Running;
use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, controller};
use crate::support::{LIMIT, eventually};
use unifi_herald::config::ControllerKind;
use unifi_herald::demo::{LoginTrouble, Simulator, SimulatorOptions};

fn simulator(kind: ControllerKind) -> Simulator {
    Simulator::start(SimulatorOptions {
        kind,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

/// A webhook at this address that gets everything.
fn hook(url: &str) -> String {
    format!(
        "[sinks.hook]\nplugin = \"webhook\"\noptions = {{ url = \"{url}\", format = \"json\" }}\n[chains.hook]\nsteps = [{{ sink = \"hook\" }}]\n"
    )
}

#[test]
fn a_signal_drains_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let simulator = simulator(ControllerKind::UnifiOs);
        let receiver = Receiver::start();
        let config = controller("home", &simulator, r#"["default"]"#) + ARCHIVE;
        let herald = Herald::with(&(config + &*hook(receiver.url())));
        let running = herald.start(&["run"]);
        assert!(simulator.wait_for_sockets(1, LIMIT));
        let made = simulator.emit("default", 200);
        eventually("the first events are in the file", || {
            !herald.events("events.jsonl").is_empty()
        });
        running.signal(signal);
        let ended = running.ended().with_code(0);
        assert!(
            ended.stderr.contains("everything is delivered"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
        let written = herald.events("events.jsonl").len();
        assert_eq!(
            receiver.ids().len(),
            written,
            "the webhook got what the file has"
        );
        assert!(written <= made.len() + 2);
        assert_eq!(simulator.stats().counts().logouts, 1);
    }
}

/// A herald with a webhook that is dead, which has got `events` of its controller, of which the file has all.
fn with_pending(store: &str, events: usize) -> (Herald, Running) {
    let simulator = simulator(ControllerKind::UnifiOs);
    let config = controller("home", &simulator, r#"["default"]"#) + ARCHIVE + store;
    let herald = Herald::with(&(config + &*hook("http://127.0.0.1:1/hook")));
    let mut running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", events);
    eventually("every event is in the file", || {
        let text = herald.read("events.jsonl");
        text.matches("\"origin\":\"stream\"").count() == events
    });
    running.says("sink fails, its events wait");
    (herald, running)
}

#[test]
fn what_memory_held_and_a_dead_webhook_could_not_be_given_is_counted_and_ends_with_1() {
    let (_herald, running) = with_pending("[store]\nmode = \"memory\"\n", 40);
    let ended = running.stopped().with_code(1);
    let last = ended.stderr.lines().last().unwrap();
    let (count, rest) = last.split_once(' ').unwrap();
    assert_eq!(rest, "events could not be delivered in time and are lost");
    assert!(count.parse::<usize>().unwrap() >= 40, "{last}");
}

#[test]
fn what_the_disk_holds_is_delivered_by_the_next_start() {
    let (herald, running) = with_pending("", 40);
    let ended = running.stopped().with_code(0);
    assert!(
        ended
            .stderr
            .contains("pending events are safe in the store"),
        "{}",
        ended.stderr
    );
    let receiver = Receiver::start();
    let config = herald.read("config.toml");
    herald.write(
        "config.toml",
        &config.replace("http://127.0.0.1:1/hook", receiver.url()),
    );
    let running = herald.start(&["run"]);
    let ids = |herald: &Herald| {
        let events = herald.events("events.jsonl").into_iter();
        events
            .filter(|event| event["origin"] == "stream")
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    eventually("the webhook has what was pending, in order", || {
        let (delivered, wanted) = (receiver.ids(), ids(&herald));
        let mut of_the_stream = delivered.clone();
        of_the_stream.retain(|id| wanted.contains(id));
        of_the_stream == wanted
    });
    running.stopped().with_code(0);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let simulator = simulator(ControllerKind::UnifiOs);
    let config = controller("home", &simulator, r#"["default"]"#);
    // A destination that takes its time, so that the drain lasts.
    let receiver = Receiver::start();
    receiver.hold(true);
    let herald = Herald::with(&(config + ARCHIVE + &*hook(receiver.url())));
    let mut running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", 5);
    eventually("the events are on their way", || {
        herald
            .read("events.jsonl")
            .contains("\"origin\":\"stream\"")
    });
    running.signal("INT");
    running.says("stopping, delivering what is pending");
    // It is no matter how often; what comes within a second is taken for an echo of the first.
    let ended = running.signalled_until_it_ends("INT").with_code(1);
    assert!(
        ended
            .stderr
            .contains("second signal, pending events are safe"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_echo_of_a_signal_is_no_second_one() {
    let simulator = simulator(ControllerKind::UnifiOs);
    let config = controller("home", &simulator, r#"["default"]"#);
    let herald = Herald::with(&(config + ARCHIVE));
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    running.signal("TERM");
    running.signal("TERM");
    running.ended().with_code(0);
}

#[test]
fn it_ends_with_77_when_every_controller_refused_beyond_doubt() {
    let (one, other) = (
        simulator(ControllerKind::SelfHosted),
        simulator(ControllerKind::SelfHosted),
    );
    for simulator in [&one, &other] {
        simulator.mischief().next_logins(LoginTrouble::Refused, 1);
    }
    let controllers = [
        controller("one", &one, r#"["default"]"#),
        controller("other", &other, r#"["default"]"#),
    ];
    let herald = Herald::with(&(controllers.concat() + ARCHIVE));
    let ended = herald.run(&["run"]).with_code(77);
    for name in ["one", "other"] {
        let told =
            |line: &str| line.contains(&format!("controller={name}")) && line.contains("password");
        assert!(ended.stderr.lines().any(told), "{}", ended.stderr);
    }
    for simulator in [one, other] {
        assert_eq!(
            simulator.stats().counts().refused_logins,
            1,
            "no loop into a lockout"
        );
    }
}

#[test]
fn it_goes_on_when_one_controller_refuses_and_another_is_away() {
    let (good, bad) = (
        simulator(ControllerKind::UnifiOs),
        simulator(ControllerKind::SelfHosted),
    );
    bad.mischief().next_logins(LoginTrouble::Refused, 1);
    let away = nobody_home("");
    let controllers = [
        controller("good", &good, r#"["default"]"#),
        controller("bad", &bad, r#"["default"]"#),
        away,
    ];
    let herald = Herald::with(&(controllers.concat() + ARCHIVE));
    let mut running = herald.start(&["run"]);
    running.says("cannot reach https://127.0.0.1:1");
    assert!(bad.stats().wait(LIMIT, |counts| counts.refused_logins == 1));
    assert!(good.wait_for_sockets(1, LIMIT));
    let made = good.emit("default", 20);
    eventually("the good one's events arrive", || {
        herald
            .read("events.jsonl")
            .matches("\"origin\":\"stream\"")
            .count()
            == made.len()
    });
    assert!(running.runs());
    assert_eq!(bad.stats().counts().refused_logins, 1);
    running.stopped().with_code(0);
}

#[test]
fn a_403_of_a_console_is_no_proof_and_no_reason_to_end() {
    let simulator = simulator(ControllerKind::UnifiOs);
    simulator.mischief().next_logins(LoginTrouble::Refused, 1);
    let herald = Herald::with(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let mut running = herald.start(&["run"]);
    running.says("controller in trouble");
    assert!(running.runs());
    running.stopped().with_code(0);
}

#[test]
fn it_waits_for_a_controller_that_is_away_and_then_listens() {
    let simulator = simulator(ControllerKind::UnifiOs);
    simulator.mischief().unplug(true);
    let herald = Herald::with(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let mut running = herald.start(&["run"]);
    running.says("controller in trouble");
    assert!(running.runs());
    simulator.mischief().unplug(false);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    running.stopped().with_code(0);
}

#[test]
fn a_certificate_that_nobody_signed_is_told_with_the_line_that_trusts_it() {
    let simulator = simulator(ControllerKind::SelfHosted);
    let config = controller("home", &simulator, r#"["default"]"#) + ARCHIVE;
    let pin = format!("tls = {{ pin_sha256 = \"{}\" }}\n", simulator.fingerprint());
    let herald = Herald::with(&config.replace(&pin, ""));
    let mut running = herald.start(&["run"]);
    // Quotes are escaped in a log line, so the log names the fingerprint; `check --online` shows the line as it is.
    running.says(simulator.fingerprint());
    running.stopped().with_code(0);
}

#[test]
fn no_secret_is_ever_said_not_even_at_the_finest_log_level() {
    let options = SimulatorOptions {
        password: "hush-the-password".to_owned(),
        api_key: Some("hush-the-api-key".to_owned()),
        ..SimulatorOptions::default()
    };
    let simulator = Simulator::start(options).unwrap();
    let receiver = Receiver::start();
    let table = controller("home", &simulator, r#"["default"]"#).replace(
        "password = \"hush-the-password\"",
        "password = \"hush-the-password\", api_key = \"hush-the-api-key\"",
    );
    let sink = format!(
        r#"
[sinks.hook]
plugin = "webhook"
options = {{ url = "{}?key=hush-the-url", auth = {{ bearer = "hush-the-token" }}, secret = "whsec_aHVzaC10aGUtc2lnbmF0dXJlLWtleQ==", headers = {{ x-key = "hush-the-header" }} }}
[chains.hook]
steps = [{{ sink = "hook" }}]
"#,
        receiver.url()
    );
    let herald = Herald::with(&(table + &*sink + "\n[log]\nlevel = \"trace\"\n"));
    receiver.answer(&[500, 429]);
    let mut running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", 5);
    eventually("the events arrive", || receiver.ids().len() >= 5);
    running.says("DEBUG");
    let ended = running.stopped().with_code(0);
    assert_eq!(
        receiver.hooks()[0].headers.get("authorization").unwrap(),
        "Bearer hush-the-token"
    );
    let mut secrets = vec!["hush-the", "whsec_", "aHVzaC10aGU", "TOKEN=", "unifises="];
    let signature = receiver.hooks()[0].headers["webhook-signature"].clone();
    secrets.push(&signature);
    for secret in secrets {
        let line = ended.stderr.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
        assert!(!ended.stdout.contains(secret));
    }

    let shown = herald.run(&["config", "show"]).with_code(0);
    assert!(
        !shown.stdout.contains("hush") && !shown.stdout.contains("whsec_"),
        "{}",
        shown.stdout
    );
    let checked = herald.run(&["check", "--online"]).with_code(0);
    let said = checked.stdout + &*checked.stderr;
    assert!(!said.contains("hush") && !said.contains("whsec_"), "{said}");
}

#[test]
fn a_log_for_programs_has_no_other_lines_from_the_first_to_the_last() {
    let herald = Herald::with(&nobody_home(&format!(
        "{ARCHIVE}\n[sinks.idle]\nplugin = \"console\"\n[log]\nformat = \"json\"\n"
    )));
    let mut running = herald.start(&["run"]);
    running.says("controller in trouble");
    running.signal("TERM");
    let ended = running.ended().with_code(0);
    for line in ended.stderr.lines() {
        let parsed = serde_json::from_str::<serde_json::Value>(line);
        assert!(parsed.is_ok(), "{line}");
    }
    assert!(
        ended.stderr.contains("no chain uses the sink `idle`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_log_for_programs_ends_with_a_line_for_programs_where_events_are_lost() {
    let (_herald, running) =
        with_pending("[store]\nmode = \"memory\"\n[log]\nformat = \"json\"\n", 40);
    let ended = running.stopped().with_code(1);
    let lines = ended.stderr.lines();
    let lines: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.last().unwrap().to_string();
    assert!(
        last.contains("could not be delivered in time and are lost"),
        "{last}"
    );
}

#[test]
fn logging_to_the_journal_falls_back_to_standard_error_where_there_is_none() {
    let herald = Herald::with(&nobody_home(&format!(
        "{ARCHIVE}\n[log]\nformat = \"journald\"\n"
    )));
    let mut running = herald.start(&["run"]);
    // Where there is a journal it has it, and nothing is said here.
    if !std::path::Path::new("/run/systemd/journal/socket").exists() {
        running.says("the journal cannot be reached, logging to standard error");
    }
    // Said before anything is there that a signal could stop in order.
    eventually("the control socket", || {
        herald.path("herald-data/herald.sock").exists()
    });
    running.signal("TERM");
    running.ended().with_code(0);
}
