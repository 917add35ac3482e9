//! The text of every error, whole.

use super::{HOME, House};

#[test]
fn unknown_keys_everywhere() {
    const CONFIG: &str = r#"timout = 5
[bufer]
x = 1
[buffer]
capcity = 5
[sinks.a]
plugin = "null"
batch = { maxx = 5, wait = 5 }
retry = { minimum = "1s" }
options = { x = 1 }
[chains.c]
when = { kind = [] }
steps = [{ sinc = "a" }, { sink = "a", wen = {} }]
[log]
lvl = "info"
[alerts.x]
on = ["wan.down"]
holds = "2m"
[colours]
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"));
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_UNKNOWN_KEYS_EVERYWHERE);
}

#[test]
fn wrong_types_and_values() {
    const CONFIG: &str = r#"[controllers.home]
url = 5
kind = "unifi-so"
sites = "default"
auth = "x"
[buffer]
capacity = -1
max_wait = "5 parsecs"
max_bytes = 5
when_full = "block"
[store]
mode = "disc"
[sinks.a]
raw = "yes"
plugin = "null"
batch = { max = 1.5 }
[chains.c]
when = { min_severity = "eror", kinds = ["a", 5] }
steps = [5]
[time]
zone = 2026-01-01
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_WRONG_TYPES_AND_VALUES);
}

#[test]
fn what_is_missing() {
    const CONFIG: &str = r#"[controllers.home]
[controllers.annex]
url = "https://192.0.2.1"
auth = {}
[scripts.s]
[filters.f]
[sinks.a]
[sinks.p]
plugin = "pager"
[chains.c]
[chains.d]
steps = [{}]
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_WHAT_IS_MISSING);
}

#[test]
fn scripts_that_do_not_compile() {
    const CONFIG: &str = r#"[scripts.a]
file = "a.rhai"
[scripts.b]
file = "b.rhai"
[scripts.c]
file = "c.rhai"
[sinks.s]
plugin = "null"
[chains.c]
steps = [
  { where = 'event.level >> > 3' },
  { where = "event.level == \"x" },
  { where = "let x = 1; true" },
  { script = "a" },
]
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"))
        .file("a.rhai", "// a\nfn filter(event) {\n    event.level >\n}\n")
        .file("b.rhai", "fn filtre(event) { true }")
        .file("c.rhai", "fn filter(event) { evnt.level > 3 }");
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_SCRIPTS_THAT_DO_NOT_COMPILE);
}

#[test]
fn no_controller() {
    const CONFIG: &str = r#"# empty
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_NO_CONTROLLER);
}

#[test]
fn a_heartbeat_without_an_address() {
    let house = House::new(&format!("{HOME}[heartbeat]\nevery = \"0s\"\n"));
    assert_eq!(house.errors(), EXPECTED_A_HEARTBEAT_WITHOUT_AN_ADDRESS);
}

#[test]
fn a_heartbeat_to_nowhere() {
    let house = House::new(&format!("{HOME}[heartbeat]\nurl = \"abc\"\n"));
    assert_eq!(house.errors(), EXPECTED_A_HEARTBEAT_TO_NOWHERE);
}

#[test]
fn references_to_nothing() {
    const CONFIG: &str = r#"[sinks.archive]
plugin = "pagr"
[sinks.other]
plugin = "carrier_pigeon"
[filters.f]
plugin = "sive"
[scripts.storms]
file = "storms.rhai"
[chains.c]
when = { controllers = ["hom"], sites = ["hme/default"], kinds = ["devize.*", "client.romed", "nonsense"] }
steps = [
  { sink = "archiv" },
  { script = "storm" },
  { filter = "g" },
  { sink = "archive", script = "storms" },
]
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"));
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_REFERENCES_TO_NOTHING);
}

#[test]
fn a_site_without_a_name_is_none() {
    let errors = House::new(&format!("{HOME}sites = [\"default\", \" \"]\n")).errors();
    assert!(
        errors.contains("`controllers.home.sites[1]`: an empty name")
            && errors.contains("config.toml:4:21"),
        "{errors}"
    );
}

#[test]
fn numbers_out_of_bounds() {
    const CONFIG: &str = r#"sites = []
[buffer]
capacity = 0
max_bytes = "1KiB"
[sinks.a]
plugin = "null"
batch = { max = 0 }
retry = { min = "0s" }
timeout = "0s"
max_age = "0s"
[sinks.b]
plugin = "null"
retry = { min = "1m" }
[sinks.c]
plugin = "null"
retry = { min = "1m", max = "2s" }
[chains.c]
when = { kinds = [] }
steps = [{ where = " " }]
[time]
zone = "Europe/berlin2"
[log]
level = "loud"
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"));
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_NUMBERS_OUT_OF_BOUNDS);
}

#[test]
fn addresses() {
    const CONFIG: &str = r#"[controllers.a]
url = "192.168.1.1"
auth = { username = "herald", password = "hunter2" }
[controllers.b]
url = "http://192.168.1.1"
auth = { username = "herald", password = "hunter2" }
[controllers.c]
url = "https://anna:swordfish@192.168.1.1"
auth = { username = "herald", password = "hunter2" }
[controllers.d]
url = "https://192.168.1.1/network/default"
auth = { username = "herald", password = "hunter2" }
[controllers.e]
url = "ftp://192.168.1.1"
auth = { username = "herald", password = "hunter2" }
[controllers.f]
url = "https://"
auth = { username = "herald", password = "hunter2" }
[controllers.g]
url = "https://192.168.1.1:99999"
auth = { username = "herald", password = "hunter2" }
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_ADDRESSES);
}

#[test]
fn trust() {
    const CONFIG: &str = r#"[controllers.a]
url = "https://a"
auth = { username = "", password = { file = "nowhere" }, totp = "1!" }
tls = { pin_sha256 = "9f86d0" }
[controllers.b]
url = "https://b"
auth = { username = "herald", password = { credential = "x" } }
tls = { ca_file = "nowhere.pem", insecure = true }
socket_query = "a b"
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_TRUST);
}

#[test]
fn names() {
    const CONFIG: &str = r#"[sinks.Archive]
plugin = "null"
[sinks."a b"]
plugin = "null"
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"));
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_NAMES);
}

#[test]
fn plugin_options() {
    const CONFIG: &str = r#"[sinks.a]
plugin = "pager"

[sinks.a.options]
url = "http://a"

[sinks.b]
plugin = "pager"
[sinks.b.options]
pager_idd = "x"
wristband = 5
colour = "nevr"
rotate = { size = 5, kep = 3 }

[sinks.c]
plugin = "pager"
[sinks.c.options]
url = "https://a"
[sinks.c.options.rotate]
keep = 100

[sinks.d]
plugin = "pager"
options = { url = "https://a", wristband = { env = "SURELY_NOT_SET" } }
[sinks.e]
plugin = "pager"
options = 5
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"));
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_PLUGIN_OPTIONS);
}

#[test]
fn not_toml() {
    const CONFIG: &str = r#"[controllers.home]
url = https://192.168.1.1
sites = ["a", "b"

[sinks.a
plugin = "null"
password = "hunter2
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_NOT_TOML);
}

#[test]
fn a_key_twice() {
    const CONFIG: &str = r#"[buffer]
capacity = 5
capacity = 6
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_A_KEY_TWICE);
}

#[test]
fn secrets_stay_hidden() {
    const CONFIG: &str = r#"[controllers.home]
url = "https://192.0.2.1"
auth = { username = "herald", password = "hunter2", colour = 5 }
"#;
    let house = House::new(CONFIG);
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_SECRETS_STAY_HIDDEN);
}

#[test]
fn the_environment_is_to_blame() {
    const CONFIG: &str = r#"[sinks.p]
plugin = "pager"
options = { url = "https://a" }
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"))
        .env("HERALD__BUFFER__CAPACITY", "many")
        .env("HERALD__BUFER__CAPACITY", "5")
        .env("HERALD__SINKS__P__OPTIONS__ROTATE__KEEP", "100")
        .env("HERALD__SINKS__P__OPTIONS__PAGERID", "5")
        .env("HERALD__CONTROLLERS__HOME__URL", "http://192.0.2.1")
        .env("HERALD__LOG__FORMAT", "xml");
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_THE_ENVIRONMENT_IS_TO_BLAME);
}

#[test]
fn numbers_of_toml() {
    const CONFIG: &str = r#"[scripts.s]
file = "s.rhai"
params = { limit = 99999999999999999999 }
"#;
    let house = House::new(&format!("{HOME}{CONFIG}"));
    let errors = house.errors();
    assert_eq!(errors, EXPECTED_NUMBERS_OF_TOML);
}

const EXPECTED_UNKNOWN_KEYS_EVERYWHERE: &str = r#"error: `controllers.home.timout`: unknown key
 --> config.toml:4:1
  |
4 | timout = 5
  | ^^^^^^
  |
  = help: known keys: url, kind, sites, auth, tls, socket_query, backfill

error: `bufer`: unknown key
 --> config.toml:5:2
  |
5 | [bufer]
  |  ^^^^^
  |
  = help: did you mean `buffer`?

error: `buffer.capcity`: unknown key
 --> config.toml:8:1
  |
8 | capcity = 5
  | ^^^^^^^
  |
  = help: did you mean `capacity`?

error: `sinks.a.batch.maxx`: unknown key
  --> config.toml:11:11
   |
11 | batch = { maxx = 5, wait = 5 }
   |           ^^^^
   |
   = help: did you mean `max`?

error: `sinks.a.batch.wait`: expected a time such as "90s", "10m" or "7d", found a whole number
  --> config.toml:11:28
   |
11 | batch = { maxx = 5, wait = 5 }
   |                            ^

error: `sinks.a.retry.minimum`: unknown key
  --> config.toml:12:11
   |
12 | retry = { minimum = "1s" }
   |           ^^^^^^^
   |
   = help: known keys: min, max, give_up_after

error: `sinks.a.options.x`: unknown key
  --> config.toml:13:13
   |
13 | options = { x = *** }
   |             ^

error: `chains.c.when.kind`: unknown key
  --> config.toml:15:10
   |
15 | when = { kind = [] }
   |          ^^^^
   |
   = help: did you mean `kinds`?

error: `chains.c.steps[0].sinc`: unknown key
  --> config.toml:16:12
   |
16 | steps = [{ sinc = "a" }, { sink = "a", wen = {} }]
   |            ^^^^
   |
   = help: did you mean `sink`?

error: `chains.c.steps[1].wen`: unknown key
  --> config.toml:16:40
   |
16 | steps = [{ sinc = "a" }, { sink = "a", wen = {} }]
   |                                        ^^^
   |
   = help: did you mean `when`?

error: `log.lvl`: unknown key
  --> config.toml:18:1
   |
18 | lvl = "info"
   | ^^^
   |
   = help: known keys: level, format

error: `alerts.x.holds`: unknown key
  --> config.toml:21:1
   |
21 | holds = "2m"
   | ^^^^^
   |
   = help: did you mean `hold`?

error: `colours`: unknown key
  --> config.toml:22:2
   |
22 | [colours]
   |  ^^^^^^^
   |
   = help: known keys: presets, preset_sinks, controllers, sources, host, buffer, store, scripts, filters, alerts, digests, sinks, chains, time, heartbeat, log, server"#;

const EXPECTED_WRONG_TYPES_AND_VALUES: &str = r#"error: `controllers.home.url`: expected text, found a whole number
 --> config.toml:2:7
  |
2 | url = 5
  |       ^

error: `controllers.home.kind`: `unifi-so` is not known here
 --> config.toml:3:8
  |
3 | kind = "unifi-so"
  |        ^^^^^^^^^^
  |
  = help: did you mean `unifi-os`?

error: `controllers.home.sites`: expected a list, found text
 --> config.toml:4:9
  |
4 | sites = "default"
  |         ^^^^^^^^^

error: `controllers.home.auth`: expected a table, found text
 --> config.toml:5:8
  |
5 | auth = ***
  |        ^^^

error: `buffer.capacity`: expected a whole number, 0 or more, found -1
 --> config.toml:7:12
  |
7 | capacity = -1
  |            ^^

error: `buffer.max_wait`: expected a time such as "90s", "10m" or "7d"
 --> config.toml:8:12
  |
8 | max_wait = "5 parsecs"
  |            ^^^^^^^^^^^

error: `buffer.max_bytes`: expected a size such as "64MiB", found a whole number
 --> config.toml:9:13
  |
9 | max_bytes = 5
  |             ^

error: `buffer.when_full`: `block` is not known here
  --> config.toml:10:13
   |
10 | when_full = "block"
   |             ^^^^^^^
   |
   = help: one of: wait, drop_oldest, drop_newest

error: `store.mode`: `disc` is not known here
  --> config.toml:12:8
   |
12 | mode = "disc"
   |        ^^^^^^
   |
   = help: did you mean `disk`?

error: `sinks.a.raw`: expected true or false, found text
  --> config.toml:14:7
   |
14 | raw = "yes"
   |       ^^^^^

error: `sinks.a.batch.max`: expected a whole number, 0 or more, found a number with a fraction
  --> config.toml:16:17
   |
16 | batch = { max = 1.5 }
   |                 ^^^

error: `chains.c.when.min_severity`: `eror` is not known here
  --> config.toml:18:25
   |
18 | when = { min_severity = "eror", kinds = ["a", 5] }
   |                         ^^^^^^
   |
   = help: did you mean `error`?

error: `chains.c.when.kinds[1]`: expected text, found a whole number
  --> config.toml:18:47
   |
18 | when = { min_severity = "eror", kinds = ["a", 5] }
   |                                               ^

error: `chains.c.steps[0]`: expected a table, found a whole number
  --> config.toml:19:10
   |
19 | steps = [5]
   |          ^

error: `time.zone`: there is no time zone `2026-01-01`
  --> config.toml:21:8
   |
21 | zone = 2026-01-01
   |        ^^^^^^^^^^
   |
   = help: write it as in the tz database: `Europe/Berlin`, `UTC`"#;

const EXPECTED_WHAT_IS_MISSING: &str = r#"error: `controllers.home.url`: missing
 --> config.toml:1:14
  |
1 | [controllers.home]
  |              ^^^^
  |
  = help: write where it is: url = "https://192.168.1.1"

error: `controllers.home.auth`: missing
 --> config.toml:1:14
  |
1 | [controllers.home]
  |              ^^^^
  |
  = help: write auth = { username = "herald", password = { env = "UNIFI_PASSWORD" } }

error: `controllers.annex.auth.username`: missing
 --> config.toml:4:1
  |
4 | auth = {}
  | ^^^^
  |
  = help: the name of a local account

error: `controllers.annex.auth.password`: missing
 --> config.toml:4:1
  |
4 | auth = {}
  | ^^^^
  |
  = help: the socket wants a login; write password = { env = "…" }

error: `scripts.s.file`: missing
 --> config.toml:5:10
  |
5 | [scripts.s]
  |          ^
  |
  = help: the script's file: file = "scripts/name.rhai"

error: `filters.f.plugin`: missing
 --> config.toml:6:10
  |
6 | [filters.f]
  |          ^
  |
  = help: one of sieve

error: `sinks.a.plugin`: missing
 --> config.toml:7:8
  |
7 | [sinks.a]
  |        ^
  |
  = help: one of pager, null

error: `sinks.p.options.url`: missing
 --> config.toml:8:8
  |
8 | [sinks.p]
  |        ^

error: `chains.c.steps`: missing
  --> config.toml:10:9
   |
10 | [chains.c]
   |         ^
   |
   = help: at least a sink: steps = [{ sink = "…" }]

error: `chains.d.steps[0]`: this step does nothing
  --> config.toml:12:10
   |
12 | steps = [{}]
   |          ^^
   |
   = help: a step has one of `script`, `where`, `filter`, `alert`, `digest` and `sink`"#;

const EXPECTED_SCRIPTS_THAT_DO_NOT_COMPILE: &str = r#"error: `scripts.a.file`: Unexpected '}'
 --> a.rhai:4:1
  |
4 | }
  | ^

error: `scripts.b.file`: the script has no `fn filter(event)`
 --> b.rhai:1:1
  |
1 | fn filtre(event) { true }
  | ^

error: `scripts.c.file`: Undefined variable: evnt
 --> c.rhai:1:20
  |
1 | fn filter(event) { evnt.level > 3 }
  |                    ^

error: `chains.c.steps[0].where`: Unexpected '>'
  --> config.toml:14:29
   |
14 |   { where = 'event.level >> > 3' },
   |                             ^

error: `chains.c.steps[1].where`: Open string is not terminated
  --> config.toml:15:13
   |
15 |   { where = "event.level == \"x" },
   |             ^^^^^^^^^^^^^^^^^^^^

error: `chains.c.steps[2].where`: Unexpected 'let'
  --> config.toml:16:14
   |
16 |   { where = "let x = 1; true" },
   |              ^"#;

const EXPECTED_NO_CONTROLLER: &str = r#"error: `controllers`: missing
 |
 = note: in config.toml
 = help: add a table such as [controllers.home] with `url` and `auth`"#;

const EXPECTED_REFERENCES_TO_NOTHING: &str = r#"error: `sinks.archive.plugin`: there is no plugin `pagr`
 --> config.toml:5:10
  |
5 | plugin = "pagr"
  |          ^^^^^^
  |
  = help: did you mean `pager`?

error: `sinks.other.plugin`: there is no plugin `carrier_pigeon`
 --> config.toml:7:10
  |
7 | plugin = "carrier_pigeon"
  |          ^^^^^^^^^^^^^^^^
  |
  = help: there are: pager, null

error: `filters.f.plugin`: there is no plugin `sive`
 --> config.toml:9:10
  |
9 | plugin = "sive"
  |          ^^^^^^
  |
  = help: did you mean `sieve`?

error: `scripts.storms.file`: the script cannot be read: No such file or directory (os error 2)
  --> config.toml:11:8
   |
11 | file = "storms.rhai"
   |        ^^^^^^^^^^^^^

error: `chains.c.when.controllers[0]`: there is no controller `hom`
  --> config.toml:13:25
   |
13 | when = { controllers = ["hom"], sites = ["hme/default"], kinds = ["devize.*", "client.romed", "nonsense"] }
   |                         ^^^^^
   |
   = help: did you mean `home`?

error: `chains.c.when.sites[0]`: there is no controller `hme`
  --> config.toml:13:42
   |
13 | when = { controllers = ["hom"], sites = ["hme/default"], kinds = ["devize.*", "client.romed", "nonsense"] }
   |                                          ^^^^^^^^^^^^^
   |
   = help: did you mean `home`?

error: `chains.c.when.kinds[0]`: no kind of event is called `devize.*`
  --> config.toml:13:67
   |
13 | when = { controllers = ["hom"], sites = ["hme/default"], kinds = ["devize.*", "client.romed", "nonsense"] }
   |                                                                   ^^^^^^^^^^
   |
   = help: did you mean `device.*`?

error: `chains.c.when.kinds[1]`: no kind of event is called `client.romed`
  --> config.toml:13:79
   |
13 | when = { controllers = ["hom"], sites = ["hme/default"], kinds = ["devize.*", "client.romed", "nonsense"] }
   |                                                                               ^^^^^^^^^^^^^^
   |
   = help: did you mean `client.roamed`?

error: `chains.c.when.kinds[2]`: no kind of event is called `nonsense`
  --> config.toml:13:95
   |
13 | when = { controllers = ["hom"], sites = ["hme/default"], kinds = ["devize.*", "client.romed", "nonsense"] }
   |                                                                                               ^^^^^^^^^^

error: `chains.c.steps[0].sink`: there is no sink `archiv`
  --> config.toml:15:12
   |
15 |   { sink = "archiv" },
   |            ^^^^^^^^
   |
   = help: did you mean `archive`?

error: `chains.c.steps[1].script`: there is no script `storm`
  --> config.toml:16:14
   |
16 |   { script = "storm" },
   |              ^^^^^^^
   |
   = help: did you mean `storms`?

error: `chains.c.steps[2].filter`: there is no filter `g`
  --> config.toml:17:14
   |
17 |   { filter = "g" },
   |              ^^^
   |
   = help: did you mean `f`?

error: `chains.c.steps[3]`: this step does two things
  --> config.toml:18:3
   |
18 |   { sink = "archive", script = "storms" },
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: a step has one of `script`, `where`, `filter`, `alert`, `digest` and `sink`"#;

const EXPECTED_NUMBERS_OUT_OF_BOUNDS: &str = r#"error: `controllers.home.sites`: an empty list
 --> config.toml:4:9
  |
4 | sites = []
  |         ^^
  |
  = help: name a site, or write ["*"] for all

error: `buffer.capacity`: expected 1 to 10000000 events
 --> config.toml:6:12
  |
6 | capacity = 0
  |            ^

error: `buffer.max_bytes`: expected at least "1MiB"
 --> config.toml:7:13
  |
7 | max_bytes = "1KiB"
  |             ^^^^^^

error: `sinks.a.batch.max`: expected 1 to 10000 events
  --> config.toml:10:17
   |
10 | batch = { max = 0 }
   |                 ^

error: `sinks.a.retry.min`: expected more than "0s"
  --> config.toml:11:17
   |
11 | retry = { min = "0s" }
   |                 ^^^^

error: `sinks.a.timeout`: expected more than "0s"
  --> config.toml:12:11
   |
12 | timeout = "0s"
   |           ^^^^

error: `sinks.a.max_age`: expected more than "0s"
  --> config.toml:13:11
   |
13 | max_age = "0s"
   |           ^^^^

error: `sinks.b.retry.max`: expected at least `min`, which is "1m"
  --> config.toml:16:1
   |
16 | retry = { min = "1m" }
   | ^^^^^

error: `sinks.c.retry.max`: expected at least `min`, which is "1m"
  --> config.toml:19:29
   |
19 | retry = { min = "1m", max = "2s" }
   |                             ^^^^

error: `chains.c.when.kinds`: an empty list admits nothing
  --> config.toml:21:18
   |
21 | when = { kinds = [] }
   |                  ^^
   |
   = help: leave the key out to admit everything

error: `chains.c.steps[0].where`: an empty expression
  --> config.toml:22:20
   |
22 | steps = [{ where = " " }]
   |                    ^^^

error: `time.zone`: there is no time zone `Europe/berlin2`
  --> config.toml:24:8
   |
24 | zone = "Europe/berlin2"
   |        ^^^^^^^^^^^^^^^^
   |
   = help: write it as in the tz database: `Europe/Berlin`, `UTC`

error: `log.level`: not a log level
  --> config.toml:26:9
   |
26 | level = "loud"
   |         ^^^^^^
   |
   = help: one of error, warn, info, debug, trace, off; and per module: "info,unifi_herald::source=debug""#;

const EXPECTED_ADDRESSES: &str = r#"error: `controllers.a.url`: not a URL with `https://`
 --> config.toml:2:7
  |
2 | url = "192.168.1.1"
  |       ^^^^^^^^^^^^^
  |
  = help: write https://host or https://host:port

error: `controllers.b.url`: http:// would send the password in clear text
 --> config.toml:5:7
  |
5 | url = "http://192.168.1.1"
  |       ^^^^^^^^^^^^^^^^^^^^
  |
  = help: write https://; plain HTTP is for this machine only

error: `controllers.c.url`: an account has no place in a URL
 --> config.toml:8:7
  |
8 | url = "https://***@192.168.1.1"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write it as auth = { username, password }

error: `controllers.d.url`: `/network/default` is too much: only the address is wanted
  --> config.toml:11:7
   |
11 | url = "https://192.168.1.1/network/default"
   |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: the API's paths are added by herald

error: `controllers.e.url`: `ftp` is not a scheme of controllers
  --> config.toml:14:7
   |
14 | url = "ftp://192.168.1.1"
   |       ^^^^^^^^^^^^^^^^^^^
   |
   = help: write https://host or https://host:port

error: `controllers.f.url`: not a URL
  --> config.toml:17:7
   |
17 | url = "https://"
   |       ^^^^^^^^^^
   |
   = help: write https://host or https://host:port

error: `controllers.g.url`: not a URL
  --> config.toml:20:7
   |
20 | url = "https://192.168.1.1:99999"
   |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: write https://host or https://host:port"#;

const EXPECTED_TRUST: &str = r#"error: `controllers.a.auth.username`: an empty name
 --> config.toml:3:21
  |
3 | auth = { username = "", password = { file = "nowhere" }, totp = *** }
  |                     ^^

error: `controllers.a.auth.password`: cannot read the secret in FOLDER/nowhere: No such file or directory (os error 2)
 --> config.toml:3:36
  |
3 | auth = { username = "", password = { file = "nowhere" }, totp = *** }
  |                                    ^^^^^^^^^^^^^^^^^^^^

error: `controllers.a.auth.totp`: not Base32
 --> config.toml:3:65
  |
3 | auth = { username = "", password = { file = "nowhere" }, totp = *** }
  |                                                                 ^^^
  |
  = help: the secret under the QR code: letters A to Z and digits 2 to 7

error: `controllers.a.tls.pin_sha256`: expected 64 hexadecimal digits, colons allowed; found 6 characters
 --> config.toml:4:22
  |
4 | tls = { pin_sha256 = "9f86d0" }
  |                      ^^^^^^^^
  |
  = help: openssl x509 -in cert.pem -noout -fingerprint -sha256

error: `controllers.b.auth.password`: the credential x is not available: not started by systemd with LoadCredential=x:…
 --> config.toml:7:42
  |
7 | auth = { username = "herald", password = { credential = "x" } }
  |                                          ^^^^^^^^^^^^^^^^^^^^

error: `controllers.b.tls`: only one of `pin_sha256`, `ca_file` and `insecure` can hold
 --> config.toml:8:1
  |
8 | tls = { ca_file = "nowhere.pem", insecure = true }
  | ^^^

error: `controllers.b.tls.ca_file`: cannot read FOLDER/nowhere.pem: No such file or directory (os error 2)
 --> config.toml:8:19
  |
8 | tls = { ca_file = "nowhere.pem", insecure = true }
  |                   ^^^^^^^^^^^^^

error: `controllers.b.socket_query`: not the query of a URL
 --> config.toml:9:16
  |
9 | socket_query = "a b"
  |                ^^^^^"#;

const EXPECTED_NAMES: &str = r#"error: `sinks.Archive`: not a name
 --> config.toml:4:8
  |
4 | [sinks.Archive]
  |        ^^^^^^^
  |
  = help: a name has lower-case letters, digits and `_`

error: `sinks."a b"`: not a name
 --> config.toml:6:8
  |
6 | [sinks."a b"]
  |        ^^^^^
  |
  = help: a name has lower-case letters, digits and `_`"#;

const EXPECTED_PLUGIN_OPTIONS: &str = r#"error: `sinks.a.options.url`: write https://
 --> config.toml:8:7
  |
8 | url = "http://a"
  |       ^^^^^^^^^^

error: `sinks.b.options.url`: missing
  --> config.toml:12:10
   |
12 | [sinks.b.options]
   |          ^^^^^^^

error: `sinks.b.options.pager_idd`: unknown key
  --> config.toml:13:1
   |
13 | pager_idd = ***
   | ^^^^^^^^^
   |
   = help: did you mean `pager_id`?

error: `sinks.b.options.wristband`: expected a secret: "text", { env = "NAME" }, { file = "path" } or { credential = "name" }, found a whole number
  --> config.toml:14:13
   |
14 | wristband = ***
   |             ^^^

error: `sinks.b.options.colour`: `nevr` is not known here
  --> config.toml:15:10
   |
15 | colour = "nevr"
   |          ^^^^^^
   |
   = help: did you mean `never`?

error: `sinks.b.options.rotate.size`: expected a size such as "64MiB", found a whole number
  --> config.toml:16:19
   |
16 | rotate = { size = 5, kep = *** }
   |                   ^

error: `sinks.b.options.rotate.kep`: unknown key
  --> config.toml:16:22
   |
16 | rotate = { size = 5, kep = *** }
   |                      ^^^
   |
   = help: did you mean `keep`?

error: `sinks.c.options.rotate.keep`: keep at most 99 files
  --> config.toml:23:8
   |
23 | keep = 100
   |        ^^^

error: `sinks.d.options.wristband`: the environment variable SURELY_NOT_SET is not set; set it or use { file = "…" }
  --> config.toml:27:44
   |
27 | options = { url = "https://a", wristband = { env = "SURELY_NOT_SET" } }
   |                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^

error: `sinks.e.options`: expected a table, found a whole number
  --> config.toml:30:11
   |
30 | options = 5
   |           ^"#;

const EXPECTED_NOT_TOML: &str = r#"error: string values must be quoted, expected literal string
 --> config.toml:2:7
  |
2 | url = https://192.168.1.1
  |       ^^^^^^^^^^^^^^^^^^^

error: missing comma between array elements, expected `,`
 --> config.toml:5:1
  |
5 | [sinks.a
  | ^

error: unexpected `=` in array, expected value, `]`
 --> config.toml:6:8
  |
6 | plugin = "null"
  |        ^

error: missing comma between array elements, expected `,`
 --> config.toml:7:1
  |
7 | password = ***
  | ^

error: invalid basic string, expected `"`
 --> config.toml:7:20
  |
7 | password = ***
  |               ^"#;

const EXPECTED_A_KEY_TWICE: &str = r#"error: duplicate key
 --> config.toml:3:1
  |
3 | capacity = 6
  | ^^^^^^^^"#;

const EXPECTED_SECRETS_STAY_HIDDEN: &str = r#"error: `controllers.home.auth.colour`: unknown key
 --> config.toml:3:53
  |
3 | auth = { username = "herald", password = ***, colour = 5 }
  |                                               ^^^^^^
  |
  = help: known keys: username, password, totp, api_key"#;

const EXPECTED_THE_ENVIRONMENT_IS_TO_BLAME: &str = r#"error: `bufer`: unknown key
 |
 = note: set by the environment variable HERALD__BUFER__CAPACITY
 = help: did you mean `buffer`?

error: `buffer.capacity`: expected a whole number, 0 or more, found text
 |
 = note: set by the environment variable HERALD__BUFFER__CAPACITY

error: `log.format`: `xml` is not known here
 |
 = note: set by the environment variable HERALD__LOG__FORMAT
 = help: one of: text, json, journald

error: `sinks.p.options.pagerid`: unknown key
 |
 = note: set by the environment variable HERALD__SINKS__P__OPTIONS__PAGERID
 = help: did you mean `pager_id`?

error: `controllers.home.url`: http:// would send the password in clear text
 |
 = note: set by the environment variable HERALD__CONTROLLERS__HOME__URL
 = help: write https://; plain HTTP is for this machine only"#;

const EXPECTED_NUMBERS_OF_TOML: &str = r#"error: `scripts.s.params.limit`: this number is too large
 --> config.toml:6:20
  |
6 | params = { limit = 99999999999999999999 }
  |                    ^^^^^^^^^^^^^^^^^^^^"#;

const EXPECTED_A_HEARTBEAT_WITHOUT_AN_ADDRESS: &str = r#"error: `heartbeat.url`: missing
 --> config.toml:4:2
  |
4 | [heartbeat]
  |  ^^^^^^^^^
  |
  = help: write whom to tell that all is well: url = "https://…"

error: `heartbeat.every`: expected at least "1s"
 --> config.toml:5:9
  |
5 | every = "0s"
  |         ^^^^"#;

const EXPECTED_A_HEARTBEAT_TO_NOWHERE: &str = r#"error: `heartbeat.url`: not a URL with `https://` or `http://`
 --> config.toml:5:7
  |
5 | url = ***
  |       ^^^
  |
  = help: write something like "https://hc.example.org/abc""#;
