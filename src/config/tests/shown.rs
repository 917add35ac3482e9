//! What `config show` prints.

use super::{HOME, House};

const CONFIG: &str = r#"
[sinks.zulu]
plugin = "pager"
options = { url = "https://a", wristband = { env = "PATH" }, headers = { x-team = "network" } }

[sinks.alpha]
plugin = "null"

[chains.c]
when = { kinds = ["device.*"] }
steps = [{ sink = "zulu", when = { min_severity = "error" } }, { where = "event.level > 3" }]
"#;

const SHOWN: &str = r#"[controllers.home]
url = "https://192.0.2.1"
kind = "auto"
sites = ["default"]
socket_query = ""

[controllers.home.auth]
username = "herald"
password = "***"

[controllers.home.tls]
insecure = false

[controllers.home.backfill]
max_age = "7d"
first_run = "seed"

[buffer]
capacity = 77
when_full = "wait"
max_wait = "5s"
max_bytes = "32MiB"

[store]
mode = "disk"
sync = "full"
keep = "30d"
max_size = "1GiB"

[scripts]

[filters]

[alerts]

[digests]

[sinks.zulu]
plugin = "pager"
timeout = "30s"
raw = true
coalesce = false

[sinks.zulu.batch]
max = 100
wait = "0s"

[sinks.zulu.retry]
min = "1s"
max = "30s"

[sinks.zulu.options]
pager_id = "4711"
url = "https://a"
wristband = "***"

[sinks.zulu.options.headers]
x-team = "***"

[sinks.alpha]
plugin = "null"
timeout = "30s"
raw = true
coalesce = false

[sinks.alpha.batch]
max = 100
wait = "0s"

[sinks.alpha.retry]
min = "1s"
max = "30s"

[sinks.alpha.options]

[chains.c.when]
kinds = ["device.*"]

[[chains.c.steps]]
sink = "zulu"

[chains.c.steps.when]
min_severity = "error"

[[chains.c.steps]]
where = "event.level > 3"

[time]

[log]
level = "info"
format = "text"
"#;

#[test]
fn shows_defaults_and_overrides_in_the_order_of_the_file() {
    let house = House::new(&format!("{HOME}{CONFIG}"))
        .env("HERALD__BUFFER__CAPACITY", "77")
        .env("HERALD__SINKS__ZULU__OPTIONS__PAGER_ID", "4711");
    assert_eq!(house.show(), SHOWN);
}

#[test]
fn what_is_shown_loads_again() {
    let shown = House::new(&format!("{HOME}{CONFIG}")).show();
    let again = House::new(&shown);
    assert_eq!(again.show(), shown);
    again.plan();
}
