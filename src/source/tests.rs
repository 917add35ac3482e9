//! The whole controller side against the simulated controller, over real sockets.

mod holes;

use super::testing::{Identity, plan, serve};
use super::*;
use crate::buffer::Limits;
use crate::config::{BufferPlan, WhenFull};
use crate::demo::{
    ConnectTrouble, Ending, Expiry, LoginTrouble, Network, Simulator, SimulatorOptions,
};
use crate::intake::{self, Outlet};
use std::sync::atomic::{AtomicU64, Ordering};
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{Event, Kind, Origin};

/// Far longer than anything here takes, even on a slow machine.
const LIMIT: Duration = Duration::from_secs(120);
const TOTP: &str = "JBSWY3DPEHPK3PXP";

/// A source at work, and the end its events come out of.
struct Herald {
    outlet: Outlet,
    tasks: Tasks,
    status: ControllerStatus,
    refused: Arc<Notify>,
    seen: Vec<Arc<Event>>,
}

impl Herald {
    fn start(plan: ControllerPlan, state_dir: Option<PathBuf>) -> Self {
        let buffer = BufferPlan {
            capacity: 10_000,
            when_full: WhenFull::Wait,
            max_wait: Duration::from_secs(5),
            max_bytes: 32 << 20,
        };
        let clock = Clock::system();
        let (intake, outlet) = intake::ring(Limits::new(&buffer, 1), clock.clone());
        let (tasks, status, refused) = (
            Tasks::new(),
            ControllerStatus::default(),
            Arc::new(Notify::new()),
        );
        let link = Link {
            intake,
            clock,
            tasks: tasks.clone(),
            status: status.clone(),
            state_dir,
            refused: Arc::clone(&refused),
            timing: Timing::default(),
            directory: Directory::default(),
            resume: None,
        };
        tasks.spawn(run(plan, link));
        Self {
            outlet,
            tasks,
            status,
            refused,
            seen: Vec::new(),
        }
    }

    /// Wait until what came out satisfies `enough`.
    async fn until(&mut self, enough: impl Fn(&[Arc<Event>]) -> bool) {
        let Self { outlet, seen, .. } = self;
        let waiting = async {
            while !enough(seen) {
                let mut items = Vec::new();
                outlet.take(1000, &mut items).await;
                seen.extend(items.iter().filter_map(|item| item.event().cloned()));
            }
        };
        if tokio::time::timeout(LIMIT, waiting).await.is_err() {
            panic!(
                "{:?} {:?}",
                self.status.facts(),
                self.seen.iter().map(|event| event.kind).collect::<Vec<_>>()
            );
        }
    }

    async fn until_connected(&mut self, times: usize) {
        self.until(|seen| count(seen, Kind::HERALD_CONNECTED) >= times)
            .await;
    }

    /// Wait until the status satisfies `enough`.
    async fn until_status(&self, enough: impl Fn(&crate::status::ControllerFacts) -> bool) {
        let waiting = async {
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            while !enough(&self.status.facts()) {
                tick.tick().await;
            }
        };
        assert!(
            tokio::time::timeout(LIMIT, waiting).await.is_ok(),
            "{:?}",
            self.status.facts()
        );
    }

    async fn stop(self) {
        self.tasks.stop();
        tokio::time::timeout(LIMIT, self.tasks.ended())
            .await
            .unwrap();
    }
}

fn count(events: &[Arc<Event>], kind: Kind) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}

fn stream(events: &[Arc<Event>]) -> Vec<&Arc<Event>> {
    events
        .iter()
        .filter(|event| event.origin == Origin::Stream)
        .collect()
}

fn simulator(options: SimulatorOptions) -> Simulator {
    Simulator::start(options).unwrap()
}

fn plan_for(simulator: &Simulator) -> ControllerPlan {
    let mut plan = plan(simulator.url());
    let options = simulator.options();
    plan.auth.username.clone_from(&options.username);
    plan.auth.password = options.password.clone().into();
    plan.tls = TlsOptions {
        pin_sha256: Some(simulator.fingerprint().to_owned()),
        ..TlsOptions::default()
    };
    plan.sites = Sites::All;
    plan
}

fn of_kind(kind: ControllerKind) -> Simulator {
    simulator(SimulatorOptions {
        kind,
        ..SimulatorOptions::default()
    })
}

#[tokio::test]
async fn events_come_in_order_from_both_kinds_and_the_session_is_ended() {
    for (kind, sockets) in [
        (ControllerKind::UnifiOs, 1),
        (ControllerKind::SelfHosted, 2),
    ] {
        let simulator = of_kind(kind);
        let mut herald = Herald::start(plan_for(&simulator), None);
        herald.until_connected(sockets).await;
        let made: usize = simulator.emit("default", 200).len();
        herald.until(|seen| stream(seen).len() >= made).await;

        let facts = herald.status.facts();
        assert!(facts.connected(), "{facts:?}");
        assert_eq!(
            (facts.kind, facts.trouble, facts.refused),
            (Some(kind), None, false)
        );
        assert!(facts.last_frame.is_some());
        assert_eq!(
            facts.sites.contains_key(sites::SUPER),
            kind == ControllerKind::SelfHosted
        );
        herald.until_status(|facts| facts.version.is_some()).await;
        assert_eq!(
            simulator.stats().requests("/"),
            1,
            "the kind is found out once"
        );

        let first = herald.seen.first().unwrap();
        assert_eq!(
            first.kind,
            Kind::HERALD_CONNECTED,
            "before every event of its socket"
        );
        let on_site: Vec<String> = stream(&herald.seen)
            .iter()
            .filter(|event| &*event.site == "default")
            .map(|event| event.raw.as_ref().unwrap().as_str().to_owned())
            .collect();
        let expected: Vec<String> = simulator
            .ledger()
            .entries("default")
            .iter()
            .map(|entry| entry.raw.clone())
            .collect();
        assert_eq!(on_site, expected);
        let named = stream(&herald.seen).iter().any(|event| {
            event
                .client
                .as_ref()
                .is_some_and(|client| client.name.is_some())
        });
        assert!(named, "names were loaded before the first event");
        assert_eq!(herald.status.counts().logins.load(Ordering::Relaxed), 1);

        herald.stop().await;
        let counts = simulator.stats().counts();
        assert_eq!((counts.logins, counts.logouts), (1, 1));
    }
}

#[tokio::test]
async fn several_sites_share_one_login_also_when_the_session_expires() {
    let networks = vec![Network::House, Network::Office];
    let simulator = simulator(SimulatorOptions {
        sites: networks,
        ..SimulatorOptions::default()
    });
    let sites = simulator.sites().len();
    assert!(sites > 1);
    let mut herald = Herald::start(plan_for(&simulator), None);
    herald.until_connected(sites).await;
    assert_eq!(simulator.stats().counts().logins, 1);

    simulator.mischief().expire_sessions(Expiry::Unauthorized);
    simulator.mischief().end_sockets(Ending::Abort);
    herald.until_connected(2 * sites).await;
    assert_eq!(simulator.stats().counts().logins, 2, "one for all sites");
    assert_eq!(count(&herald.seen, Kind::HERALD_DISCONNECTED), sites);
    let lost = herald
        .seen
        .iter()
        .find(|event| event.kind == Kind::HERALD_DISCONNECTED)
        .unwrap();
    assert_eq!(lost.reason.as_deref(), Some("socket lost (1006)"));
    let ids: std::collections::BTreeSet<_> = herald
        .seen
        .iter()
        .map(|event| (&event.site, &event.id))
        .collect();
    assert_eq!(ids.len(), herald.seen.len());
    herald.stop().await;
}

#[tokio::test]
async fn a_stale_session_is_replaced_after_three_empty_connections() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let mut herald = Herald::start(plan_for(&simulator), None);
    herald.until_connected(1).await;
    let before = simulator.stats().counts().connects;
    simulator.mischief().expire_sessions(Expiry::Stale);
    simulator.mischief().end_sockets(Ending::Close(1000));
    herald.until_connected(2).await;
    let counts = simulator.stats().counts();
    assert_eq!(
        (counts.logins, counts.connects - before),
        (2, 4),
        "three empty ones, then the login, then a good one"
    );
    herald.stop().await;
}

#[tokio::test]
async fn an_application_that_restarts_causes_no_login() {
    let simulator = of_kind(ControllerKind::SelfHosted);
    let mut herald = Herald::start(plan_for(&simulator), None);
    herald.until_connected(2).await;
    simulator
        .mischief()
        .next_connects(ConnectTrouble::Status(502), 2);
    simulator
        .mischief()
        .next_connects(ConnectTrouble::WebPage, 2);
    simulator.mischief().end_sockets(Ending::Close(1001));
    herald.until_connected(4).await;
    assert_eq!(simulator.stats().counts().logins, 1);
    herald.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_told() {
    let simulator = of_kind(ControllerKind::SelfHosted);
    let mut plan = plan_for(&simulator);
    plan.auth.password = "wrong".to_owned().into();
    let dir = tempfile::tempdir().unwrap();
    let herald = Herald::start(plan.clone(), Some(dir.path().to_owned()));
    tokio::time::timeout(LIMIT, herald.refused.notified())
        .await
        .unwrap();
    let facts = herald.status.facts();
    assert!(facts.refused && facts.trouble.unwrap().contains("auth.password"));
    herald
        .until_status(|_| dir.path().join("login-home.json").exists())
        .await;
    herald.stop().await;

    // A restart with the same credentials does not try again, one with others does.
    let herald = Herald::start(plan, Some(dir.path().to_owned()));
    herald
        .until_status(|facts| {
            let blames_password = |trouble: &String| trouble.contains("auth.password");
            facts.refused && facts.trouble.as_ref().is_some_and(blames_password)
        })
        .await;
    herald.stop().await;
    let counts = simulator.stats().counts();
    assert_eq!((counts.logins, counts.refused_logins), (0, 1));

    let mut herald = Herald::start(plan_for(&simulator), Some(dir.path().to_owned()));
    herald.until_connected(1).await;
    herald.stop().await;
}

#[tokio::test]
async fn a_lockout_outlives_a_restart() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    simulator
        .mischief()
        .next_logins(LoginTrouble::Throttled(Some(3000)), 1);
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let herald = Herald::start(plan_for(&simulator), Some(dir.path().to_owned()));
        let locked = |facts: &crate::status::ControllerFacts| {
            facts
                .trouble
                .as_ref()
                .is_some_and(|trouble| trouble.contains("locked out"))
        };
        herald.until_status(locked).await;
        herald
            .until_status(|_| dir.path().join("login-home.json").exists())
            .await;
        assert!(
            !herald.status.facts().refused,
            "not the fault of the credentials beyond doubt"
        );
        herald.stop().await;
    }
    let counts = simulator.stats().counts();
    assert_eq!((counts.logins, counts.refused_logins), (0, 1));
}

#[tokio::test]
async fn a_second_factor_is_answered_on_both_kinds() {
    for kind in [ControllerKind::UnifiOs, ControllerKind::SelfHosted] {
        let options = SimulatorOptions {
            kind,
            totp: Some(TOTP.to_owned()),
            ..SimulatorOptions::default()
        };
        let simulator = simulator(options);
        let mut plan = plan_for(&simulator);
        let without = probe(&plan, &Clock::system()).await.unwrap_err();
        assert!(
            matches!(&without, ProbeError::SecondFactor(sentence) if sentence.contains("auth.totp")),
            "{without:?}"
        );
        plan.auth.totp = Some(TOTP.to_owned().into());
        let found = probe(&plan, &Clock::system()).await.unwrap();
        assert_eq!(found.kind, kind);
    }
}

#[tokio::test]
async fn a_key_serves_rest_and_never_travels_with_the_session() {
    let options = SimulatorOptions {
        api_key: Some("key-1".to_owned()),
        ..SimulatorOptions::default()
    };
    let simulator = simulator(options);
    let mut plan = plan_for(&simulator);
    plan.auth.api_key = Some("key-1".to_owned().into());
    let mut herald = Herald::start(plan.clone(), None);
    herald.until_connected(1).await;
    herald
        .until_status(|facts| facts.version.is_some() && facts.trouble.is_none())
        .await;
    herald.stop().await;
    // The simulator answers 403 to a request with both, and the version would not be known.
    plan.auth.api_key = Some("revoked".to_owned().into());
    let mut herald = Herald::start(plan, None);
    herald.until_connected(1).await;
    herald.until_status(|facts| facts.version.is_some()).await;
    herald.stop().await;
}

#[tokio::test]
async fn an_unknown_site_is_told_and_the_others_work() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let mut plan = plan_for(&simulator);
    plan.sites = Sites::Named(vec!["default".into(), "Shop".into()]);
    let mut herald = Herald::start(plan, None);
    herald.until_connected(1).await;
    herald
        .until_status(|facts| {
            facts
                .trouble
                .as_ref()
                .is_some_and(|trouble| trouble.contains("\"Shop\""))
        })
        .await;
    herald.stop().await;
}

#[tokio::test]
async fn a_probe_tells_what_is_wrong_and_whose_fault_it_is() {
    let simulator = of_kind(ControllerKind::SelfHosted);
    let good = plan_for(&simulator);
    let found = probe(&good, &Clock::system()).await.unwrap();
    assert_eq!(
        (found.kind, found.sites.len()),
        (ControllerKind::SelfHosted, 1)
    );
    assert!(found.version.is_some());
    assert_eq!(simulator.stats().counts().logouts, 1);

    let mut untrusted = good.clone();
    untrusted.tls = TlsOptions::default();
    let error = probe(&untrusted, &Clock::system()).await.unwrap_err();
    let line = format!("tls = {{ pin_sha256 = \"{}\" }}", simulator.fingerprint());
    assert!(
        matches!(&error, ProbeError::Unavailable(sentence) if sentence.contains(&line)),
        "{error}"
    );

    let mut wrong = good.clone();
    wrong.auth.password = "wrong".to_owned().into();
    let error = probe(&wrong, &Clock::system()).await.unwrap_err();
    assert!(
        matches!(&error, ProbeError::Login(sentence) if sentence.contains("auth.password")),
        "{error}"
    );

    simulator.stop();
    let error = probe(&good, &Clock::system()).await.unwrap_err();
    assert!(
        matches!(&error, ProbeError::Unavailable(sentence) if sentence.contains("check url")),
        "{error}"
    );
}

#[tokio::test]
async fn a_proxy_that_answers_for_a_classic_controller_is_seen_through() {
    let identity = Identity::new("localhost");
    let tasks = Tasks::new();
    let roots = Arc::new(AtomicU64::new(0));
    let asked = Arc::clone(&roots);
    let port = serve(&identity, &tasks, move |head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let (status, more, body) = match path {
            "/" => {
                asked.fetch_add(1, Ordering::Relaxed);
                ("200 OK", "", "<html>")
            }
            "/manage/account/login" => ("200 OK", "", "<html>"),
            "/api/login" => (
                "200 OK",
                "set-cookie: unifises=abc\r\n",
                r#"{"meta":{"rc":"ok"},"data":[]}"#,
            ),
            _ => ("404 Not Found", "", "<html>"),
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    })
    .await;
    let mut plan = plan(&format!("https://localhost:{port}"));
    plan.tls.pin_sha256 = Some(tls::fingerprint(&identity.leaf));
    let herald = Herald::start(plan, None);
    herald
        .until_status(|facts| facts.kind == Some(ControllerKind::UnifiOs))
        .await;
    herald
        .until_status(|facts| facts.kind == Some(ControllerKind::SelfHosted))
        .await;
    assert_eq!(roots.load(Ordering::Relaxed), 1);
    assert!(
        herald.status.counts().logins.load(Ordering::Relaxed) >= 4,
        "three in vain before the kind is doubted"
    );
    herald.stop().await;
    tasks.stop();
    tasks.ended().await;
}
