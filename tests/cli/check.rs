//! `herald check`: what is wrong is said all at once, with its place and the fix.

use super::{Herald, nobody_home};
use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, controller};
use unifi_herald::config::ControllerKind;
use unifi_herald::demo::{ConnectTrouble, LoginTrouble, Simulator, SimulatorOptions};

#[test]
fn a_good_configuration_is_summed_up() {
    let herald = Herald::with(&nobody_home(ARCHIVE));
    let ended = herald.run(&["check"]).with_code(0);
    assert_eq!(
        ended.stdout,
        "\
config.toml
  controllers  home (https://127.0.0.1:1)
  sinks        archive (file)
  chains       everything: archive
config ok
"
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_configuration_is_found_by_flag_by_environment_and_in_the_folder() {
    let herald = Herald::new();
    let missing = herald.run(&["check"]).with_code(78);
    assert_eq!(missing.stdout, "");
    assert_eq!(
        missing.stderr,
        "\
error: no configuration: there is neither ./config.toml nor /etc/unifi-herald/config.toml
 |
 = help: name one with -c FILE or $HERALD_CONFIG

the configuration has 1 error
"
    );
    herald.write("by-flag.toml", &nobody_home(ARCHIVE));
    let named = herald.run(&["check", "-c", "by-flag.toml"]).with_code(0);
    assert!(named.stdout.starts_with("by-flag.toml\n"));
    let herald = herald.env("HERALD_CONFIG", "by-flag.toml");
    let named = herald.run(&["check"]).with_code(0);
    assert!(named.stdout.starts_with("by-flag.toml\n"));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_the_fix() {
    let herald = Herald::with(
        r#"[controllers.home]
url = "https://127.0.0.1:1"
auth = { username = "herald", password = "not here" }

[sinks.hook]
plugin = "webhok"
options = { url = "http://127.0.0.1:9/hook" }

[bufer]
capacity = 5

[chains.all]
when = { kinds = ["device.*"], min_severity = "loud" }
steps = [{ sink = "hok" }, { where = 'event.level >' }]
"#,
    );
    let ended = herald.run(&["check"]).with_code(78);
    assert_eq!(
        ended.stdout, "",
        "data goes to standard output, errors do not"
    );
    assert_eq!(
        ended.stderr,
        r#"error: `sinks.hook.plugin`: there is no plugin `webhok`
 --> config.toml:6:10
  |
6 | plugin = "webhok"
  |          ^^^^^^^^
  |
  = help: did you mean `webhook`?

error: `bufer`: unknown key
 --> config.toml:9:2
  |
9 | [bufer]
  |  ^^^^^
  |
  = help: did you mean `buffer`?

error: `chains.all.when.min_severity`: `loud` is not known here
  --> config.toml:13:47
   |
13 | when = { kinds = ["device.*"], min_severity = "loud" }
   |                                               ^^^^^^
   |
   = help: one of: debug, info, notice, warning, error, critical

error: `chains.all.steps[0].sink`: there is no sink `hok`
  --> config.toml:14:19
   |
14 | steps = [{ sink = "hok" }, { where = 'event.level >' }]
   |                   ^^^^^
   |
   = help: did you mean `hook`?

error: `chains.all.steps[1].where`: Script is incomplete
  --> config.toml:14:52
   |
14 | steps = [{ sink = "hok" }, { where = 'event.level >' }]
   |                                                    ^

the configuration has 5 errors
"#
    );
    // A host refuses it in the same words.
    let run = herald.run(&["run"]).with_code(78);
    assert_eq!((run.stdout, run.stderr), (String::new(), ended.stderr));
}

#[test]
fn the_environment_overrides_and_is_named_when_it_is_wrong() {
    let herald = Herald::with(&nobody_home(ARCHIVE)).env("HERALD__BUFFER__CAPACITY", "many");
    let ended = herald.run(&["check"]).with_code(78);
    assert_eq!(
        ended.stderr,
        "\
error: `buffer.capacity`: expected a whole number, 0 or more, found text
 |
 = note: set by the environment variable HERALD__BUFFER__CAPACITY

the configuration has 1 error
"
    );
}

#[test]
fn a_secret_that_is_not_there_is_told_with_the_fix() {
    let config = r#"[controllers.home]
url = "https://127.0.0.1:1"
auth = { username = "herald", password = { env = "UNIFI_PASSWORD" } }
"#;
    let herald = Herald::with(config);
    let ended = herald.run(&["check"]).with_code(78);
    assert_eq!(
        ended.stderr,
        r#"error: `controllers.home.auth.password`: the environment variable UNIFI_PASSWORD is not set; set it or use { file = "…" }
 --> config.toml:3:42
  |
3 | auth = { username = "herald", password = { env = "UNIFI_PASSWORD" } }
  |                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^

the configuration has 1 error
"#
    );
    Herald::with(config)
        .env("UNIFI_PASSWORD", "x")
        .run(&["check"])
        .with_code(0);
}

fn simulator(kind: ControllerKind) -> Simulator {
    Simulator::start(SimulatorOptions {
        kind,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

#[test]
fn online_it_logs_in_lists_the_sites_and_lets_the_sinks_look() {
    let (os, classic) = (
        simulator(ControllerKind::UnifiOs),
        simulator(ControllerKind::SelfHosted),
    );
    let hook = Receiver::start();
    let sinks = format!(
        "{ARCHIVE}\n[sinks.hook]\nplugin = \"webhook\"\noptions = {{ url = \"{}\" }}\n[chains.h]\nsteps = [{{ sink = \"hook\" }}]\n",
        hook.url()
    );
    let config = [
        controller("os", &os, r#"["*"]"#),
        controller("classic", &classic, r#"["default"]"#),
        sinks,
    ];
    let herald = Herald::with(&config.concat());
    let ended = herald
        .run(&["check", "--online", "--log-level", "warn"])
        .with_code(0);
    let (_, found) = ended.stdout.split_once("config ok\n").unwrap();
    assert_eq!(
        found,
        "\
controller os: ok, unifi-os 9.5.21, sites: Home
controller classic: ok, self-hosted 9.5.21, sites: Home
sink archive: ok
sink hook: ok
"
    );
    assert_eq!(ended.stderr, "");
    for simulator in [os, classic] {
        let counts = simulator.stats().counts();
        assert_eq!((counts.logins, counts.logouts, counts.connects), (1, 1, 0));
    }
}

#[test]
fn online_a_controller_that_is_away_is_69_and_the_rest_is_checked_all_the_same() {
    let there = simulator(ControllerKind::UnifiOs);
    let herald = Herald::with(&nobody_home(
        &(controller("annex", &there, r#"["*"]"#) + ARCHIVE),
    ));
    let ended = herald.run(&["check", "--online"]).with_code(69);
    let (_, found) = ended.stdout.split_once("config ok\n").unwrap();
    assert_eq!(
        found,
        "\
controller home: failed: cannot reach https://127.0.0.1:1: Connection refused (os error 111); check url, and that the controller is running and can be reached from here
controller annex: ok, unifi-os 9.5.21, sites: Home
sink archive: ok
"
    );
}

#[test]
fn online_a_wrong_password_is_77_for_either_kind() {
    for kind in [ControllerKind::UnifiOs, ControllerKind::SelfHosted] {
        let simulator = simulator(kind);
        let config = controller("home", &simulator, r#"["*"]"#) + ARCHIVE;
        let wrong = config.replace(&simulator.options().password, "a wrong one");
        let ended = Herald::with(&wrong)
            .run(&["check", "--online"])
            .with_code(77);
        assert!(
            ended.stdout.contains("controller home: failed: "),
            "{}",
            ended.stdout
        );
        assert!(ended.stdout.contains("password"), "{}", ended.stdout);
        assert!(!ended.stdout.contains("a wrong one"));
        assert_eq!(simulator.stats().counts().refused_logins, 1, "asked once");
    }
}

#[test]
fn online_a_second_factor_and_a_site_that_is_not_there_are_77_and_say_what_to_write() {
    let simulator = simulator(ControllerKind::UnifiOs);
    simulator
        .mischief()
        .next_logins(LoginTrouble::SecondFactor, 1);
    let herald = Herald::with(&(controller("home", &simulator, r#"["cabin"]"#) + ARCHIVE));
    let ended = herald.run(&["check", "--online"]).with_code(77);
    assert!(ended.stdout.contains("totp"), "{}", ended.stdout);
    let ended = herald.run(&["check", "--online"]).with_code(77);
    assert!(
        ended.stdout.contains("cabin") && ended.stdout.contains("Home"),
        "{}",
        ended.stdout
    );
}

#[test]
fn online_a_sink_whose_destination_is_away_fails_the_check() {
    let simulator = simulator(ControllerKind::UnifiOs);
    simulator
        .mischief()
        .next_connects(ConnectTrouble::Status(502), 1);
    let sink = r#"
[sinks.hook]
plugin = "webhook"
options = { url = "http://127.0.0.1:1/hook" }
[chains.all]
steps = [{ sink = "hook" }]
"#;
    let herald = Herald::with(&(controller("home", &simulator, r#"["*"]"#) + sink));
    let ended = herald.run(&["check", "--online"]).with_code(1);
    assert!(
        ended.stdout.contains("\nsink hook: failed: "),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_certificate_that_nobody_signed_is_shown_with_the_line_that_trusts_it_and_the_line_works() {
    let simulator = simulator(ControllerKind::UnifiOs);
    let config = controller("home", &simulator, r#"["*"]"#) + ARCHIVE;
    let pin = format!("tls = {{ pin_sha256 = \"{}\" }}\n", simulator.fingerprint());
    assert!(config.contains(&pin));
    let herald = Herald::with(&config.replace(&pin, ""));
    let ended = herald.run(&["check", "--online"]).with_code(69);
    assert!(
        ended.stdout.contains(simulator.fingerprint()),
        "{}",
        ended.stdout
    );
    let at = ended.stdout.find("tls = {").expect("a line to copy");
    let line = &ended.stdout[at..];
    let line = &line[..=line.find('}').unwrap()];

    herald.write("config.toml", &config.replace(&pin, &format!("{line}\n")));
    herald.run(&["check", "--online"]).with_code(0);
}
