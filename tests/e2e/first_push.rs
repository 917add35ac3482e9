//! From an empty configuration to the first useful push, in less than ten lines.

use crate::support::receiver::Receiver;
use crate::support::rig::{Rig, stop_clean};
use crate::support::{LIMIT, eventually};
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};

#[test]
fn nine_lines_push_the_login_of_an_administrator_from_a_new_address() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let ntfy = Receiver::start();
    let config = format!(
        r#"presets = ["essentials"]
[controllers.home]
url  = "{url}"
auth = {{ username = "{username}", password = "{password}" }}
tls  = {{ pin_sha256 = "{pin}" }}
[sinks.phone]
plugin  = "ntfy"
options = {{ topic = "alerts", url = "{ntfy}" }}
"#,
        url = simulator.url(),
        username = simulator.options().username,
        password = simulator.options().password,
        pin = simulator.fingerprint(),
        ntfy = ntfy.url().trim_end_matches("/hook"),
    );
    assert!(config.lines().count() < 10);
    let rig = Rig::new(&config);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let login = |ip: &str, id: &str| {
        let time = simulator.time().as_millis();
        let item = format!(
            r#"{{"key":"EVT_AD_Login","admin":"anna","ip":"{ip}","is_admin":true,"subsystem":"lan","time":{time},"msg":"Admin[anna] logged in from {ip}","_id":"{id}"}}"#
        );
        simulator
            .emit_item("default", Carrier::Events, &item)
            .unwrap();
    };
    login("192.0.2.7", "0123456789abcdef01234561");
    eventually("the push is there", || !ntfy.hooks().is_empty());
    // The same address is old news; another one is not.
    login("192.0.2.7", "0123456789abcdef01234562");
    login("192.0.2.8", "0123456789abcdef01234563");
    eventually("the second push is there", || ntfy.hooks().len() >= 2);
    stop_clean(host);
    let pushed: Vec<serde_json::Value> = ntfy
        .hooks()
        .iter()
        .map(|hook| serde_json::from_str(&hook.body).unwrap())
        .collect();
    let titles: Vec<_> = pushed.iter().map(|push| push["title"].as_str()).collect();
    assert_eq!(
        titles,
        [
            Some("anna logged in from a new address, 192.0.2.7"),
            Some("anna logged in from a new address, 192.0.2.8")
        ]
    );
    assert_eq!(pushed[0]["topic"], "alerts");
}
