//! `herald init`: asked or told by flags, it writes a configuration that works.

use super::Herald;
use crate::support::receiver::Receiver;
use std::os::unix::fs::PermissionsExt as _;
use unifi_herald::config::ControllerKind;
use unifi_herald::demo::{LoginTrouble, Network, Simulator, SimulatorOptions};

fn simulator(kind: ControllerKind) -> Simulator {
    Simulator::start(SimulatorOptions {
        kind,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

fn mode(herald: &Herald, name: &str) -> u32 {
    let metadata = std::fs::metadata(herald.path(name)).unwrap();
    metadata.permissions().mode() & 0o777
}

#[test]
fn told_by_flags_it_asks_nothing_and_what_it_writes_works() {
    for kind in [ControllerKind::UnifiOs, ControllerKind::SelfHosted] {
        let simulator = simulator(kind);
        let hook = Receiver::start();
        let herald = Herald::new();
        herald.write("pw", &format!("{}\n", simulator.options().password));
        let option = format!("url={}", hook.url());
        let arguments = [
            "init",
            "--no-questions",
            "--url",
            simulator.url(),
            "--accept-certificate",
            "--username",
            "herald",
            "--password-file",
            "pw",
            "--sink",
            "webhook",
            "--sink-option",
            &option,
        ];
        let ended = herald.run(&arguments).with_code(0);
        assert!(
            ended.stdout.contains("wrote config.toml\n"),
            "{}",
            ended.stdout
        );
        assert!(
            ended.stderr.contains(&format!("found {}", kind.as_str())),
            "{}",
            ended.stderr
        );

        let config = herald.read("config.toml");
        assert!(config.contains(simulator.fingerprint()), "{config}");
        assert!(!config.contains(&simulator.options().password) && !config.contains(hook.url()));
        assert_eq!(mode(&herald, "secrets"), 0o700);
        assert_eq!(mode(&herald, "secrets/home-password"), 0o600);
        assert_eq!(mode(&herald, "secrets/webhook-url"), 0o600);
        herald.run(&["check"]).with_code(0);
        let doctor = herald.run(&["doctor"]).with_code(0);
        assert!(!doctor.stdout.contains("warning"), "{}", doctor.stdout);

        let again = herald.run(&arguments).with_code(1);
        assert!(again.stderr.contains("--force"), "{}", again.stderr);
        assert_eq!(
            simulator.stats().counts().logins,
            2,
            "one for init, one for the doctor"
        );
    }
}

#[test]
fn asked_it_takes_answers_from_a_pipe_and_asks_only_what_it_cannot_find_out() {
    let simulator = Simulator::start(SimulatorOptions {
        sites: vec![Network::House, Network::Office],
        ..SimulatorOptions::default()
    })
    .unwrap();
    let herald = Herald::new();
    let address = simulator.url().trim_start_matches("https://").to_owned();
    let password = simulator.options().password.clone();
    // Address, trust, account, a wrong password, the account again, the right one, the second site, a file, its name.
    let answers = format!("127.0.0.1:1\n{address}\n\n\nwrong\n\n{password}\n3\nfile\nnews.jsonl\n");
    herald.write("answers", &answers);
    let ended = herald.shell("herald init < answers").with_code(0);
    assert!(
        ended
            .stderr
            .contains("no controller answers at 127.0.0.1:1"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains(simulator.fingerprint()),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains(&password) && !ended.stdout.contains(&password));
    let config: toml::Table = herald.read("config.toml").parse().unwrap();
    let sites = config["controllers"]["home"]["sites"].as_array().unwrap();
    assert_eq!(sites.len(), 1);
    assert_eq!(
        config["sinks"]["file"]["options"]["path"].as_str(),
        Some("news.jsonl")
    );
}

#[test]
fn a_second_factor_is_asked_for_when_the_controller_does() {
    let simulator = simulator(ControllerKind::UnifiOs);
    simulator
        .mischief()
        .next_logins(LoginTrouble::SecondFactor, 1);
    let herald = Herald::new();
    herald.write("pw", &simulator.options().password);
    herald.write("answers", "JBSWY3DPEHPK3PXP\nconsole\n");
    let script = format!(
        "herald init --url {} --accept-certificate --username herald --password-file pw < answers",
        simulator.url()
    );
    herald.shell(&script).with_code(0);
    let config = herald.read("config.toml");
    assert!(
        config.contains(r#"totp = { file = "secrets/home-totp" }"#),
        "{config}"
    );
    assert_eq!(herald.read("secrets/home-totp"), "JBSWY3DPEHPK3PXP");
}

#[test]
fn what_goes_wrong_has_its_exit_code_and_writes_nothing() {
    let simulator = simulator(ControllerKind::UnifiOs);
    let herald = Herald::new();
    herald.write("pw", "a wrong one");
    let told = |more: &[&str], code| {
        let mut arguments = vec![
            "init",
            "--no-questions",
            "--username",
            "herald",
            "--password-file",
            "pw",
        ];
        arguments.extend(more);
        let ended = herald.run(&arguments).with_code(code);
        assert!(!ended.stderr.contains("a wrong one"));
        assert!(!herald.path("config.toml").exists() && !herald.path("secrets").exists());
        ended.stderr
    };
    let url = simulator.url();
    assert!(told(&["--url", url], 2).contains("--accept-certificate"));
    assert!(
        told(&["--url", url, "--pin-sha256", &"0".repeat(64)], 69)
            .contains(simulator.fingerprint())
    );
    assert!(told(&["--url", url, "--accept-certificate"], 77).contains("password"));
    assert!(told(&["--url", "127.0.0.1:1"], 69).contains("no controller answers"));
    let refused = simulator.stats().counts().refused_logins;
    assert_eq!(refused, 1, "a wrong password is tried once");
}
