//! What becomes of a configuration without mistakes.

use super::{Controllers, HOME, House};
use crate::config::{
    Action, BackfillPlan, ControllerKind, FirstRun, LogFormat, OnError, Sites, WhenFull,
};
use std::time::Duration;
use unifi_herald_plugin::{Kind, Severity};

const FULL: &str = r#"
[controllers.zoo]
url = "https://192.0.2.1:8443/"
kind = "self-hosted"
sites = ["*"]
auth = { username = "herald", password = "hunter2", totp = "GEZDGNBVGY3TQOJQ" }
tls = { pin_sha256 = "9F:86:d0:81:88:4c:7d:65:9a:2f:ea:a0:c5:5a:d0:15:a3:bf:4f:1b:2b:0b:82:2c:d1:5d:6c:15:b0:f0:0a:08" }
socket_query = "clients=v2"
backfill = { max_age = "36h", first_run = "deliver" }

[controllers.annex]
url = "http://localhost:8080"
sites = ["default", "Attic"]
auth = { username = "herald", password = "hunter2" }

[buffer]
capacity = 500
when_full = "drop_newest"
max_wait = "2s"
max_bytes = "2MiB"

[store]
mode = "memory"
dir = "data"

[scripts.storms]
file = "storms.rhai"
on_error = "dead_letter"
params = { limit = 8, window = "10m" }

[filters.coarse]
plugin = "sieve"
on_error = "drop"

[sinks.pager]
plugin = "pager"
batch = { max = 20, wait = "2s" }
retry = { min = "2s", max = "20s", give_up_after = "1d" }
timeout = "5s"
raw = false
max_age = "12h"
coalesce = true
options = { url = "https://192.0.2.9", rotate = { size = "1KiB", keep = 3 } }

[chains.outages]
when = { controllers = ["z*"], sites = ["annex/Attic"], kinds = ["device.o*"], clients = ["aa:*"], devices = ["Kitchen"], ssids = ["Home"], min_severity = "warning" }
steps = [
    { script = "storms" },
    { where = "event.level > 3", when = { kinds = ["device.offline"] } },
    { filter = "coarse" },
    { sink = "archive" },
    { sink = "pager" },
]

[sinks.archive]
plugin = "null"

[chains.all]
steps = [{ sink = "archive" }]

[time]
zone = "Europe/Berlin"

[log]
level = "warn,unifi_herald::source=debug"
format = "json"
"#;

#[test]
fn everything_is_read_and_the_order_of_the_file_kept() {
    let house = House::new(FULL).file("storms.rhai", "fn filter(event) { true }");
    let plan = house.plan();
    let folder = house.folder.path();
    assert_eq!(plan.base, folder);
    assert_eq!(plan.warnings, Vec::<String>::new());

    let names: Vec<&str> = plan
        .controllers
        .iter()
        .map(|controller| &*controller.name)
        .collect();
    assert_eq!(names, ["zoo", "annex"]);
    let zoo = &plan.controllers[0];
    assert_eq!(zoo.url, "https://192.0.2.1:8443");
    assert_eq!(zoo.kind, Some(ControllerKind::SelfHosted));
    assert_eq!(zoo.sites, Sites::All);
    assert_eq!(zoo.auth.username, "herald");
    assert_eq!(zoo.auth.password.expose(), "hunter2");
    assert_eq!(zoo.auth.totp.as_ref().unwrap().expose(), "GEZDGNBVGY3TQOJQ");
    assert_eq!(zoo.socket_query, "clients=v2");
    assert_eq!(
        (zoo.backfill.max_age, zoo.backfill.first_run),
        (Duration::from_hours(36), FirstRun::Deliver)
    );
    assert_eq!(plan.controllers[1].kind, None);
    assert_eq!(
        plan.controllers[1].sites,
        Sites::Named(vec!["default".into(), "Attic".into()])
    );

    assert_eq!(
        (plan.buffer.capacity, plan.buffer.when_full),
        (500, WhenFull::DropNewest)
    );
    assert_eq!(
        (plan.buffer.max_wait, plan.buffer.max_bytes),
        (Duration::from_secs(2), 2 << 20)
    );
    assert_eq!(plan.store.dir, folder.join("data"));
    let script = &plan.scripts["storms"];
    assert_eq!(
        (script.file.clone(), script.on_error),
        (folder.join("storms.rhai"), OnError::DeadLetter)
    );
    assert_eq!(script.params["limit"].as_integer(), Some(8));
    assert_eq!(plan.filters["coarse"].on_error, OnError::Drop);

    let names: Vec<&str> = plan.sinks.iter().map(|sink| &*sink.name).collect();
    assert_eq!(names, ["pager", "archive"]);
    let pager = &plan.sinks[0];
    assert_eq!(
        (pager.batch.max, pager.batch.wait),
        (20, Duration::from_secs(2))
    );
    assert_eq!(
        (pager.retry.min, pager.retry.max),
        (Duration::from_secs(2), Duration::from_secs(20))
    );
    assert_eq!(pager.retry.give_up_after, Some(Duration::from_secs(86_400)));
    assert_eq!((pager.timeout, pager.raw), (Duration::from_secs(5), false));
    assert_eq!(pager.max_age, Some(Duration::from_secs(12 * 3600)));
    assert_eq!(pager.plugin.options["rotate"]["keep"].as_integer(), Some(3));

    let names: Vec<&str> = plan.chains.iter().map(|chain| &*chain.name).collect();
    assert_eq!(names, ["outages", "all"]);
    let when = &plan.chains[0].when;
    assert_eq!(
        when.kinds,
        Some(vec![
            Kind::DEVICE_ONLINE,
            Kind::DEVICE_OFFLINE,
            Kind::DEVICE_OVERHEATED
        ])
    );
    assert_eq!(when.min_severity, Some(Severity::Warning));
    assert_eq!(when.sites, Some(vec!["annex/Attic".to_owned()]));
    let actions: Vec<&Action> = plan.chains[0]
        .steps
        .iter()
        .map(|step| &step.action)
        .collect();
    assert_eq!(
        actions,
        [
            &Action::Script("storms".into()),
            &Action::Where("event.level > 3".to_owned()),
            &Action::Filter("coarse".into()),
            &Action::Sink(1),
            &Action::Sink(0),
        ]
    );
    assert_eq!(
        plan.chains[0].steps[1].when.kinds,
        Some(vec![Kind::DEVICE_OFFLINE])
    );
    assert_eq!(plan.zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(plan.log.filter, "warn,unifi_herald::source=debug");
    assert_eq!(plan.log.format, LogFormat::Json);
}

#[test]
fn what_is_left_out_has_a_default() {
    let house = House::new(&format!(
        "{HOME}[sinks.a]\nplugin = \"null\"\n[chains.c]\nsteps = [{{ sink = \"a\" }}]\n"
    ));
    let plan = house.plan();
    assert_eq!(
        plan.controllers[0].sites,
        Sites::Named(vec!["default".into()])
    );
    assert_eq!(plan.controllers[0].socket_query, "");
    assert_eq!(plan.controllers[0].backfill, BackfillPlan::default());
    assert_eq!(
        (plan.buffer.capacity, plan.buffer.when_full),
        (10_000, WhenFull::Wait)
    );
    assert_eq!(
        (plan.buffer.max_wait, plan.buffer.max_bytes),
        (Duration::from_secs(5), 32 << 20)
    );
    assert_eq!(plan.store.dir, house.folder.path().join("herald-data"));
    let sink = &plan.sinks[0];
    assert_eq!((sink.batch.max, sink.batch.wait), (100, Duration::ZERO));
    assert_eq!(
        (sink.retry.min, sink.retry.max),
        (Duration::from_secs(1), Duration::from_secs(30))
    );
    assert_eq!((sink.retry.give_up_after, sink.max_age), (None, None));
    assert_eq!((sink.timeout, sink.raw), (Duration::from_secs(30), true));
    assert_eq!(plan.chains[0].when, crate::config::When::default());
    assert_eq!(plan.log.filter, "info");
}

#[test]
fn the_state_folder_of_systemd_holds_the_store() {
    let house = House::new(HOME).env("STATE_DIRECTORY", "/var/lib/unifi-herald:/var/lib/other");
    assert_eq!(
        house.plan().store.dir.to_str(),
        Some("/var/lib/unifi-herald")
    );
}

#[test]
fn what_does_nothing_is_a_warning() {
    let house = House::new(&format!(
        "{HOME}tls = {{ insecure = true }}\n[sinks.a]\nplugin = \"null\"\n[scripts.s]\nfile = \"s.rhai\"\n"
    ));
    assert_eq!(
        house
            .file("s.rhai", "fn filter(event) { true }")
            .plan()
            .warnings,
        [
            "controllers.home.tls: insecure = true trusts anybody who answers; pin the certificate instead",
            "no chain uses the script `s`",
            "no chain uses the sink `a`",
            "there is no chain, so no event goes anywhere",
        ]
    );
}

#[test]
fn the_environment_overrides_and_takes_the_type_of_the_target() {
    let config = format!(
        "{HOME}[sinks.p]\nplugin = \"pager\"\noptions = {{ url = \"https://a\", rotate = {{ keep = 3 }} }}\n\
         [scripts.s]\nfile = \"s.rhai\"\nparams = {{ limit = 8, name = \"x\" }}\n"
    );
    let house = House::new(&config)
        .file("s.rhai", "fn filter(event) { true }")
        .env("HERALD_CONFIG", "config.toml")
        .env("HERALD__CONTROLLERS__HOME__AUTH__PASSWORD", "00123456")
        .env(
            "HERALD__CONTROLLERS__HOME__AUTH__TOTP",
            "{ env = \"PATH\" }",
        )
        .env("HERALD__CONTROLLERS__HOME__SITES", "[\"attic\"]")
        .env("HERALD__BUFFER__CAPACITY", "77")
        .env("HERALD__BUFFER__MAX_WAIT", "7s")
        .env("HERALD__SINKS__P__RAW", "false")
        .env("HERALD__SINKS__P__OPTIONS__PAGER_ID", "4711")
        .env("HERALD__SINKS__P__OPTIONS__WRISTBAND", "31337")
        .env("HERALD__SINKS__P__OPTIONS__ROTATE__KEEP", "5")
        .env("HERALD__SINKS__EXTRA__PLUGIN", "null")
        .env("HERALD__SCRIPTS__S__PARAMS__LIMIT", "9")
        .env("HERALD__SCRIPTS__S__PARAMS__NAME", "10")
        .env("HERALD__SCRIPTS__S__PARAMS__MORE", "true");
    let mut house = house;
    house.controllers = Controllers::Replaced;
    house.plan();
    house.controllers = Controllers::Checked;
    house
        .environment
        .remove("HERALD__CONTROLLERS__HOME__AUTH__TOTP");
    let plan = house.plan();
    assert_eq!(plan.controllers[0].auth.password.expose(), "00123456");
    assert_eq!(
        plan.controllers[0].sites,
        Sites::Named(vec!["attic".into()])
    );
    assert_eq!(
        (plan.buffer.capacity, plan.buffer.max_wait),
        (77, Duration::from_secs(7))
    );
    let names: Vec<&str> = plan.sinks.iter().map(|sink| &*sink.name).collect();
    assert_eq!(names, ["p", "extra"]);
    let options = &plan.sinks[0].plugin.options;
    assert!(!plan.sinks[0].raw);
    assert_eq!(options["pager_id"].as_str(), Some("4711"));
    assert_eq!(options["wristband"].as_str(), Some("31337"));
    assert_eq!(options["rotate"]["keep"].as_integer(), Some(5));
    assert_eq!(options["url"].as_str(), Some("https://a"));
    let params = &plan.scripts["s"].params;
    assert_eq!(params["limit"].as_integer(), Some(9));
    assert_eq!(params["name"].as_str(), Some("10"));
    assert_eq!(params["more"].as_bool(), Some(true));
}

#[test]
fn replaced_controllers_need_no_secrets() {
    let mut house = House::new(&HOME.replace("\"hunter2\"", "{ env = \"SURELY_NOT_SET\" }"));
    assert!(house.load().is_err());
    house.controllers = Controllers::Replaced;
    assert_eq!(house.plan().controllers[0].auth.password.expose(), "");
}

#[test]
fn the_file_is_the_one_named_first() {
    let house = House::new(HOME).file("other.toml", "");
    let mut locator = house.locator();
    let base = |locator: &crate::config::Locator| locator.read().unwrap().0;
    assert_eq!(base(&locator).to_str(), Some("config.toml"));
    locator
        .environment
        .insert("HERALD_CONFIG".to_owned(), "other.toml".to_owned());
    assert_eq!(base(&locator).to_str(), Some("other.toml"));
    locator.file = Some("config.toml".into());
    assert_eq!(base(&locator).to_str(), Some("config.toml"));
}
