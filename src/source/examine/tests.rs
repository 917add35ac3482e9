//! The examination of simulated controllers, healthy and not.

use super::*;
use crate::config::{ControllerKind, Sites};
use crate::demo::{
    Booting, ConnectTrouble, Drip, History, LoginTrouble, Simulator, SimulatorOptions,
};
use crate::source::testing;
use unifi_herald_plugin::http::TlsOptions;

fn plan_for(simulator: &Simulator) -> ControllerPlan {
    let mut plan = testing::plan(simulator.url());
    let options = simulator.options();
    plan.auth.username.clone_from(&options.username);
    plan.auth.password = options.password.clone().into();
    plan.tls.pin_sha256 = Some(simulator.fingerprint().to_owned());
    plan.sites = Sites::All;
    plan
}

async fn findings(plan: &ControllerPlan) -> Vec<Finding> {
    let mut findings = Vec::new();
    let first_frame = Duration::from_secs(60);
    examine(plan, &Clock::system(), first_frame, |finding| {
        findings.push(finding);
    })
    .await;
    findings
}

fn names(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.name).collect()
}

/// What is not as it should be, as lines.
fn troubles(findings: &[Finding]) -> Vec<String> {
    let bad = findings
        .iter()
        .filter(|finding| finding.health != Health::Ok);
    bad.map(|finding| format!("{}: {} | {}", finding.name, finding.detail, finding.fix))
        .collect()
}

#[tokio::test]
async fn a_healthy_controller_is_seen_to_the_first_frame_and_left_as_it_was() {
    for kind in [ControllerKind::UnifiOs, ControllerKind::SelfHosted] {
        let simulator = Simulator::start(SimulatorOptions {
            kind,
            ..SimulatorOptions::default()
        })
        .unwrap();
        let found = findings(&plan_for(&simulator)).await;
        assert_eq!(
            names(&found),
            [
                "tcp",
                "tls",
                "kind",
                "login",
                "sites",
                "role",
                "version",
                "clock",
                "socket default",
                "history default"
            ]
        );
        assert_eq!(troubles(&found), Vec::<String>::new());
        assert_eq!(found[2].detail, format!("{}, found out", kind.as_str()));
        assert_eq!(found[5].detail, "the account may only look");
        assert!(
            found[8].detail.starts_with("first frame after "),
            "{found:?}"
        );
        let counts = simulator.stats().counts();
        assert_eq!((counts.logins, counts.logouts, counts.connects), (1, 1, 1));
    }
}

#[tokio::test]
async fn the_way_is_examined_first_and_ends_where_it_is_blocked() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let good = plan_for(&simulator);

    let mut nowhere = good.clone();
    nowhere.url = "https://herald-test.invalid".to_owned();
    let found = findings(&nowhere).await;
    assert_eq!(
        (names(&found), found[0].health),
        (vec!["dns"], Health::Failed)
    );
    assert!(found[0].fix.contains("IP address"), "{found:?}");

    let mut closed = good.clone();
    closed.url = "https://127.0.0.1:1".to_owned();
    let found = findings(&closed).await;
    assert_eq!((names(&found), found[0].fault), (vec!["tcp"], Fault::Way));
    assert!(
        found[0].fix.contains("11443") && found[0].fix.contains("8443"),
        "{found:?}"
    );

    let mut unsigned = good.clone();
    unsigned.tls = TlsOptions::default();
    let found = findings(&unsigned).await;
    assert_eq!(names(&found), ["tcp", "tls"]);
    let line = format!("tls = {{ pin_sha256 = \"{}\" }}", simulator.fingerprint());
    assert!(found[1].fix.contains(&line), "{found:?}");

    let mut trusting = good;
    trusting.tls = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    let found = findings(&trusting).await;
    assert_eq!(found[1].health, Health::Warning);
    assert!(found[1].fix.contains(&line), "{found:?}");
    assert_eq!(found.len(), 10, "a warning ends nothing: {found:?}");
}

#[tokio::test]
async fn what_is_behind_the_login_is_told_apart() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let plan = plan_for(&simulator);
    let mischief = simulator.mischief();

    mischief.booting(Some(Booting::Unavailable));
    let found = findings(&plan).await;
    let last = found.last().unwrap();
    assert_eq!((&*last.name, last.fault), ("kind", Fault::Way));
    assert!(last.detail.contains("starting"), "{last:?}");
    mischief.booting(None);

    mischief.next_logins(LoginTrouble::SecondFactor, 1);
    let found = findings(&plan).await;
    let last = found.last().unwrap();
    assert_eq!((&*last.name, last.fault), ("login", Fault::Account));
    assert!(last.fix.contains("local"), "{last:?}");

    let mut elsewhere = plan;
    elsewhere.sites = Sites::Named(vec!["cabin".into()]);
    let found = findings(&elsewhere).await;
    let last = found.last().unwrap();
    assert_eq!((&*last.name, last.fault), ("sites", Fault::Account));
    assert!(last.fix.contains("Home"), "{last:?}");
}

#[tokio::test]
async fn a_socket_that_does_not_open_or_brings_nothing_is_explained() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let plan = plan_for(&simulator);
    let mischief = simulator.mischief();
    for (trouble, said) in [
        (ConnectTrouble::Status(400), "reverse proxy"),
        (ConnectTrouble::Status(403), "View Only"),
        (ConnectTrouble::WebPage, "restarting"),
        (ConnectTrouble::CloseAtOnce(1000), "without a frame"),
    ] {
        mischief.next_connects(trouble, 1);
        let told = troubles(&findings(&plan).await);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("socket default: ") && told[0].contains(said),
            "{told:?}"
        );
    }

    mischief.drip(Some(Drip {
        bytes: 1,
        pause: Duration::from_secs(3600),
    }));
    let mut found = Vec::new();
    let soon = Duration::from_millis(200);
    examine(&plan, &Clock::system(), soon, |finding| found.push(finding)).await;
    let told = troubles(&found);
    assert!(told[0].contains("real-time updates"), "{told:?}");
}

#[tokio::test]
async fn a_history_that_is_not_there_and_a_clock_that_is_off_are_warnings() {
    let simulator = Simulator::start(SimulatorOptions {
        time_origin: Some(Clock::system().wall() - Duration::from_secs(600)),
        ..SimulatorOptions::default()
    })
    .unwrap();
    let plan = plan_for(&simulator);
    for (history, said) in [
        (History::SystemLogOnly, "the system log answers"),
        (History::LegacyOnly, "stat/event answers"),
        (History::None, "neither"),
    ] {
        simulator.mischief().history(history);
        let found = findings(&plan).await;
        let last = found.last().unwrap();
        assert!(last.detail.starts_with(said), "{last:?}");
        let warned = last.health == Health::Warning;
        assert_eq!(warned, history == History::None);
        let clock = found
            .iter()
            .find(|finding| finding.name == "clock")
            .unwrap();
        assert_eq!(clock.health, Health::Warning);
        assert!(clock.detail.contains("behind"), "{clock:?}");
    }
}

#[test]
fn what_a_controller_says_itself_does_not_end_the_detail() {
    let finding = Finding::of_sentence(
        "login",
        Fault::Account,
        "the login was refused (HTTP 403, INVALID: Invalid password), no proof: check the account",
    );
    assert_eq!(
        (&*finding.detail, &*finding.fix),
        (
            "the login was refused (HTTP 403, INVALID: Invalid password), no proof",
            "check the account"
        )
    );
}
