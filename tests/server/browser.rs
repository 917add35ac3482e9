//! The dashboard in a real browser: each of its parts is used, and nothing may be said in the console, asked of
//! others, or stopped by the content policy.

use super::{CLOSED, OPEN, TOKEN, start};
use crate::support::browser::Browser;
use crate::support::receiver::Receiver;
use crate::support::rig::{Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::net::SocketAddr;
use std::sync::Arc;
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};
use unifi_herald::host::Host;
use unifi_herald_plugin::{Digest, Event, Kind};

/// An alert, and a chain that names it.
const ALERT: &str = r#"
[alerts.device_down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"

[chains.alerts]
when = { kinds = ["device.*"] }
steps = [{ alert = "device_down" }, { sink = "archive" }]
"#;

/// A host with a webhook, and a browser at its dashboard.
struct House {
    simulator: Simulator,
    receiver: Receiver,
    rig: Rig,
    host: Host,
    address: SocketAddr,
}

impl House {
    fn new(server: &str) -> Self {
        let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
        let receiver = Receiver::start();
        let config = format!(
            r#"{}{server}
[sinks.archive]
plugin = "file"
options = {{ path = "events.jsonl" }}

[sinks.ops]
plugin = "webhook"
options = {{ url = "{}", format = "json" }}

[chains.everything]
steps = [{{ sink = "archive" }}]

[chains.outages]
when = {{ kinds = ["device.*"] }}
steps = [{{ where = '!event.device.name.contains("lab")' }}, {{ sink = "ops" }}]
"#,
            controller("home", &simulator, r#"["default"]"#),
            receiver.url()
        );
        let rig = Rig::new(&config);
        let (host, address) = start(&rig);
        assert!(simulator.wait_for_sockets(1, LIMIT));
        Self {
            simulator,
            receiver,
            rig,
            host,
            address,
        }
    }

    fn browser(&self) -> Browser {
        let browser = Browser::open(self.address);
        browser.until("document.querySelector('#link.good')");
        browser
    }

    fn offline(&self, number: u32, name: &str) -> String {
        let id = format!("5ee9f7ca453d4e00f3c1{number:04x}");
        let name = serde_json::Value::from(name);
        self.simulator.emit_item(
            "default",
            Carrier::Events,
            &format!(r#"{{"key":"EVT_AP_Lost_Contact","ap":"02:00:00:00:00:02","ap_name":{name},"time":{},"_id":"{id}"}}"#, 1_795_000_000_000_u64 + u64::from(number)),
        );
        id
    }

    fn roams(&self, number: u32, client: &str) {
        let client = serde_json::Value::from(client);
        self.simulator.emit_item(
            "default",
            Carrier::Events,
            &format!(r#"{{"key":"EVT_WU_Connected","user":"02:00:00:00:00:{number:02x}","hostname":{client},"ssid":"Home","ap":"02:00:00:00:00:02","ap_name":"Attic","time":{},"_id":"5ee9f7ca453d4e00f3c2{number:04x}"}}"#, 1_795_000_100_000_u64 + u64::from(number)),
        );
    }

    fn end(self, browser: &Browser) {
        assert_eq!(browser.complaints(), Vec::<String>::new());
        stop_clean(self.host);
        drop(self.rig);
    }
}

/// Whether a row that is shown says this.
fn row(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(
        "[...document.querySelectorAll('#rows .row')].some((row) => row.textContent.includes({text}))"
    )
}

/// How many events the table has.
const SHOWN: &str = "parseInt(document.getElementById('count').textContent.replaceAll(',', ''))";

#[test]
fn events_come_live_are_held_filtered_and_opened() {
    let house = House::new(OPEN);
    house.offline(1, "Before");
    eventually("it is there", || house.receiver.ids().len() == 1);
    let page = house.browser();
    // What happened before the page was opened is there, and what happens now.
    page.until(&row("Before is offline"));
    house.offline(2, "Kitchen");
    page.until(&row("Kitchen is offline"));
    assert_eq!(
        page.eval("document.querySelector('#rows .row.s-error .kind').textContent"),
        "device.offline"
    );

    // A pause keeps counting.
    page.press("p");
    page.until("document.getElementById('pause').getAttribute('aria-pressed') === 'true'");
    for number in 3..6 {
        house.offline(number, &format!("Held {number}"));
    }
    page.until("document.getElementById('pause').textContent === '3 new'");
    page.until("document.getElementById('new').textContent === '3 new'");
    assert_eq!(page.eval(&row("Held 5")), false);
    page.click("#pause");
    page.until(&row("Held 5"));

    // Every filter alone.
    house.roams(1, "annas-iphone");
    house.roams(2, "toms-laptop");
    page.until(&row("toms-laptop"));
    for (field, text, fits, does_not) in [
        ("f-text", "kitchen", "Kitchen is offline", "toms-laptop"),
        ("f-kind", "client.*", "toms-laptop", "Kitchen is offline"),
        ("f-client", "anna", "annas-iphone", "toms-laptop"),
        (
            "f-client",
            "02:00:00:00:00:02",
            "toms-laptop",
            "annas-iphone",
        ),
        ("f-device", "held 4", "Held 4", "Held 5"),
        ("f-site", "Default", "Held 4", "nothing is like this"),
    ] {
        page.fill(field, text);
        page.until(&format!("{} && !{}", row(fits), row(does_not)));
        page.click("#clear");
        page.until(&format!(
            "document.getElementById('{field}').value === '' && {}",
            row("toms-laptop")
        ));
    }
    page.eval("(() => { const field = document.getElementById('f-severity'); field.value = 'error'; field.dispatchEvent(new Event('input')); })()");
    page.until(&format!("{} && !{}", row("Held 5"), row("toms-laptop")));
    page.fill("f-site", "elsewhere");
    page.until("document.querySelector('#rows .empty').checkVisibility()");
    page.click("#clear");
    page.until(&row("toms-laptop"));

    // Without a mouse: search, go down, open, read, close.
    page.press("Escape");
    page.eval("document.activeElement.blur()");
    page.press("/");
    page.until("document.activeElement.id === 'f-text'");
    page.fill("f-text", "Kitchen");
    page.until(&format!("{SHOWN} === 1"));
    page.eval("document.getElementById('rows').focus()");
    page.press("Enter");
    page.until("document.getElementById('event').open && document.getElementById('raw')");
    let opened = page.eval("document.getElementById('event').textContent");
    let opened = opened.as_str().unwrap();
    for told in [
        "Kitchen is offline",
        "EVT_AP_Lost_Contact",
        "What became of it",
        "sink archive took it",
        "sink ops took it",
    ] {
        assert!(opened.contains(told), "{told}: {opened}");
    }
    assert!(
        page.eval("document.getElementById('raw').textContent")
            .as_str()
            .unwrap()
            .contains("\"ap_name\": \"Kitchen\"")
    );
    page.press("Escape");
    page.until("!document.getElementById('event').open && document.activeElement.id === 'rows'");
    page.until("document.querySelectorAll('#chart .bad').length > 0");
    house.end(&page);
}

#[test]
fn what_strangers_write_is_shown_and_does_nothing() {
    let house = House::new(OPEN);
    let page = house.browser();
    let text = "<img src=x onerror=document.title='gone'><script>1</script>\u{202e}";
    house.offline(1, text);
    page.until("document.querySelector('#rows .row.s-error')");
    assert!(
        page.eval("document.querySelector('#rows .row.s-error .what').textContent")
            .as_str()
            .unwrap()
            .starts_with("<img src=x")
    );
    page.eval("document.getElementById('rows').focus()");
    page.until("document.querySelector('#rows .row.active')");
    page.click("#rows .row.s-error");
    page.until("document.getElementById('raw')");
    assert_eq!(
        page.eval("document.querySelectorAll('img, #rows script, #event script').length"),
        0
    );
    assert_eq!(page.eval("document.title"), "herald");
    house.end(&page);
}

#[test]
fn a_hundred_thousand_events_are_a_handful_of_rows() {
    let house = House::new(OPEN);
    let page = house.browser();
    page.eval(
        "import('/ui/events.js').then(({ add }) => { for (let part = 0; part < 100; part += 1) add(Array.from({ length: 1000 }, (_, index) => \
         ({ seq: 1e9 + part * 1000 + index, id: `x${part}-${index}`, time: new Date().toISOString(), kind: 'client.connected', severity: 'info', level: 1, \
         site: 'default', summary: `made up ${part * 1000 + index}` }))); })",
    );
    page.until(&format!("{SHOWN} >= 100000"));
    page.until(&row("made up 99999"));
    let rows = page
        .eval("document.querySelectorAll('#rows .row').length")
        .as_u64()
        .unwrap();
    assert!((10..100).contains(&rows), "{rows}");
    // Each jump is drawn in a frame or two, whatever the length.
    let slowest = page.eval(
        "(async () => { const box = document.getElementById('rows'); let slowest = 0; \
         const frame = () => new Promise((done) => requestAnimationFrame(done)); \
         for (let jump = 0; jump < 60; jump += 1) { const begun = performance.now(); box.scrollTop = ((jump * 7919) % 100) / 100 * box.scrollHeight; \
         await frame(); await frame(); slowest = Math.max(slowest, performance.now() - begun); } return slowest; })()",
    );
    assert!(
        slowest.as_f64().unwrap() < 2000.0,
        "{slowest} ms for a jump"
    );
    page.eval("document.getElementById('rows').focus()");
    page.press("End");
    page.until("document.querySelector('#rows .row.active')?.getAttribute('aria-rowindex') === document.getElementById('rows').getAttribute('aria-rowcount')");
    page.press("Home");
    page.until(&format!(
        "document.querySelector('#rows .row.active')?.textContent.includes('made up 99999') || {}",
        row("made up 99999")
    ));
    // What one looks at stays where it is while others come.
    page.eval("document.getElementById('rows').scrollTop = 28000");
    page.until(&row("made up 98999"));
    page.eval("import('/ui/events.js').then(({ add }) => add([{ seq: 2e9, id: 'new', time: new Date().toISOString(), kind: 'wan.up', severity: 'notice', level: 2, summary: 'the newest' }]))");
    page.until("document.getElementById('rows').scrollTop === 28028");
    assert_eq!(page.eval(&row("made up 98999")), true);
    page.fill("f-text", "made up 4242");
    page.until(&format!("{SHOWN} === 11"));
    house.end(&page);
}

#[test]
fn a_source_is_shown_beside_the_controllers() {
    // Nobody listens there.
    let options = "options = { servers = [\"nats://127.0.0.1:9\"], subject = \"events.>\" }";
    let house = House::new(&format!(
        "{OPEN}\n[sources.building]\nplugin = \"nats\"\n{options}\n"
    ));
    let page = house.browser();
    page.press("3");
    for text in ["building, a source", "no connection to a NATS server"] {
        let text = serde_json::Value::from(text);
        page.until(&format!(
            "document.getElementById('controllers').textContent.includes({text})"
        ));
    }
    page.until(
        "document.getElementById('health').textContent.includes('source building is not connected')",
    );
    house.end(&page);
}

#[test]
fn controllers_chains_sinks_and_dead_letters_are_shown_and_acted_on() {
    let house = House::new(OPEN);
    house.offline(1, "Kitchen");
    house.offline(2, "lab-ap");
    eventually("one is delivered", || house.receiver.ids().len() == 1);
    let page = house.browser();
    let says = |view: &str, text: &str| {
        let text = serde_json::Value::from(text);
        format!("document.getElementById('{view}').textContent.includes({text})")
    };
    page.press("3");
    page.until(&format!(
        "{} && {}",
        says("controllers", "connected"),
        says("controllers", "unifi-os")
    ));
    page.until(&says("controllers", "default up"));

    page.press("4");
    page.until(&says("chains", "!event.device.name.contains(\"lab\")"));
    page.until(&format!(
        "{} && {}",
        says("chains", "2 entered"),
        says("chains", "1 dropped")
    ));

    page.press("5");
    page.until("document.querySelector('[data-sink=ops]')");
    assert_eq!(
        page.eval("document.querySelector('[data-sink=ops] .state').textContent"),
        "ok"
    );
    page.click("[data-sink=ops] button");
    page.until("document.querySelector('[data-sink=ops] .result').textContent === 'delivered'");
    let sent = house.receiver.hooks();
    assert!(sent.last().unwrap().body.contains("Test: "), "{sent:?}");
    // The test went to no other sink.
    eventually("the archive has both", || {
        house.rig.events("events.jsonl").len() >= 2
    });
    let archived = std::fs::read_to_string(house.rig.path("events.jsonl")).unwrap();
    assert!(!archived.contains("Test: "));

    // Refused for good, kept, tried again.
    house.receiver.answer(&[422]);
    let id = house.offline(3, "Attic");
    page.press("6");
    page.until(&says("letters", "Attic is offline"));
    page.until("document.querySelector('#letters .error').textContent !== ''");
    page.until("document.querySelector('#tab-letters .badge').textContent === '1'");
    page.eval(&format!(
        "document.querySelector('[data-key=\"retry-ops/{id}\"]').focus()"
    ));
    page.press("Enter");
    page.until(&says("letters", "Nothing was given up."));
    eventually("it is delivered at last", || {
        house.receiver.ids().contains(&id)
    });

    // A sink in trouble is seen from every view.
    house.receiver.answer(&[503; 100]);
    house.offline(4, "Cellar");
    page.until("document.querySelector('#tab-sinks .badge').textContent === '1'");
    page.press("5");
    page.until("document.querySelector('[data-sink=ops] .state').textContent === 'retrying'");
    page.until("document.querySelector('[data-sink=ops] .error').textContent.includes('503')");
    page.until("document.querySelector('[data-sink=ops] .queue').textContent.startsWith('1')");
    page.until("document.getElementById('health').textContent.includes('sink ops is retrying')");
    assert_eq!(page.complaints(), Vec::<String>::new());
    drop(page);
    drop(house.host.stop(std::time::Duration::from_secs(1)));
}

#[test]
fn incidents_are_acknowledged_and_silenced_and_digests_are_read() {
    let house = House::new(&format!("{OPEN}{ALERT}"));
    let page = house.browser();
    house.offline(1, "Kitchen");
    page.until("document.querySelector('#tab-incidents .badge').textContent === '1'");
    page.press("2");
    page.until("document.querySelector('[data-incident]').textContent.includes('Kitchen')");
    assert_eq!(
        page.eval("document.querySelector('[data-incident] .state').textContent"),
        "open"
    );
    page.click("[data-incident] [data-key^=ack]");
    page.until("document.querySelector('[data-incident]').textContent.includes('acknowledged')");
    page.until("document.querySelector('#tab-incidents .badge').hidden");
    let asked = house.host.board().desk.incidents();
    assert!(asked[0].acknowledged, "{asked:?}");

    page.click("[data-incident] [data-key^=hush]");
    page.until("document.getElementById('silence-alert').value === 'device_down'");
    page.fill("silence-reason", "it is being moved");
    page.press("Enter");
    page.until(
        "document.querySelector('[data-silence]')?.textContent.includes('it is being moved')",
    );
    page.until("document.querySelector('[data-incident]').textContent.includes('silenced until')");
    assert_eq!(house.host.board().desk.silences().len(), 1);
    page.click("[data-silence] button");
    page.until("!document.querySelector('[data-silence]')");
    assert!(house.host.board().desk.silences().is_empty());

    let now = house.host.board().clock.wall();
    let mut digest = Event::new(Kind::DIGEST_READY, "digest-1", now);
    let mut told = Digest::default();
    told.name = "daily".into();
    told.counts = [("client.roamed".into(), 37)].into();
    digest.digest = Some(Box::new(told));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(house.host.intake().push(&mut vec![Arc::new(digest)]));
    page.until("document.getElementById('digest-list').textContent.includes('37 client.roamed')");
    house.end(&page);
}

#[test]
fn a_browser_has_to_log_in_where_a_token_is_set() {
    let house = House::new(CLOSED);
    let page = Browser::open(house.address);
    page.until("document.getElementById('login').open");
    assert_eq!(page.complaints(), Vec::<String>::new());
    page.fill("token", "wrong");
    page.press("Enter");
    page.until("document.getElementById('login-error').textContent === 'That is not the token.'");
    // The browser itself tells of the refusal.
    let told = page.complaints();
    assert!(told.iter().all(|entry| entry.contains("401")), "{told:?}");
    page.fill("token", TOKEN);
    page.press("Enter");
    page.until("document.querySelector('#link.good') && !document.getElementById('login').open");
    assert_eq!(
        page.eval("document.cookie"),
        "",
        "no script sees the session"
    );
    assert_eq!(page.complaints(), Vec::<String>::new());
    page.click("#logout");
    page.until("document.getElementById('login').open");
    let told = page.complaints();
    assert!(told.iter().all(|entry| entry.contains("401")), "{told:?}");
    drop(page);
    stop_clean(house.host);
}

#[test]
fn it_fits_a_phone_the_dark_and_a_screen_reader() {
    let house = House::new(OPEN);
    let page = house.browser();
    house.offline(1, "Kitchen");
    page.until(&row("Kitchen is offline"));
    let views = [
        "events",
        "incidents",
        "controllers",
        "chains",
        "sinks",
        "letters",
    ];
    for (width, height) in [(1280, 800), (360, 740)] {
        page.resize(width, height);
        for view in views {
            page.eval(&format!("document.getElementById('tab-{view}').click()"));
            page.until(&format!(
                "document.getElementById('{view}').checkVisibility()"
            ));
            let wide = page.eval(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth",
            );
            assert_eq!(wide, 0, "{view} is wider than {width}");
            assert_eq!(page.nameless(), Vec::<String>::new(), "{view}");
        }
    }
    let brightness = || {
        let colour = page.eval("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)");
        colour.as_u64().unwrap()
    };
    page.prefer("light");
    assert!(brightness() > 600);
    page.prefer("dark");
    assert!(brightness() < 150);
    // By hand: as the system, light, dark.
    page.click("#theme");
    page.until("document.documentElement.dataset.theme === 'light'");
    assert!(brightness() > 600);
    page.eval("localStorage.clear()");
    house.end(&page);
}
