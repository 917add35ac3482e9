//! Tests of the name tables.

use super::*;

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

#[test]
fn lists_of_every_form_are_taken() {
    let mut names = Names::new();
    let devices = br#"{"meta":{"rc":"ok"},"data":[
        {"mac":"02:00:00:00:00:01","name":"Kitchen","model":"U6-Lite","type":"uap","uplink":{"uplink_mac":"02:00:00:00:00:02","uplink_remote_port":7}},
        {"mac":"02-00-00-00-00-02","name":"SW-Core","type":"usw","port_table":[{"port_idx":7,"name":"to Kitchen"},{"port_idx":"8","name":""},5]},
        {"name":"no address"}, 17, null]}"#;
    assert_eq!(names.load_devices(devices), Ok(2));
    let device = names.device(mac(1)).unwrap().clone();
    assert_eq!(device.name.as_deref(), Some("Kitchen"));
    assert_eq!(
        (device.kind, device.uplink),
        (Some("ap"), Some((mac(2), Some(7))))
    );
    let switch = names.device(mac(2)).unwrap();
    assert_eq!(switch.port(7).map(|name| &**name), Some("to Kitchen"));
    assert_eq!(switch.port(8), None);
    let clients = br#"[{"mac":"02:00:00:00:00:03","hostname":"iphone","ip":"192.0.2.1","is_guest":true,"is_wired":false}]"#;
    assert_eq!(names.load_clients(clients), Ok(1));
    assert_eq!(names.name(mac(3)).as_deref(), Some("iphone"));
    assert!(names.client(mac(3)).unwrap().guest);
}

#[test]
fn an_alias_outlives_frames_without_a_name() {
    let mut names = Names::new();
    names.sync(
        About::Client,
        r#"{"mac":"02:00:00:00:00:01","name":"Anna","hostname":"iphone"}"#,
    );
    for frame in [
        r#"{"mac":"02:00:00:00:00:01"}"#,
        r#"{"mac":"02:00:00:00:00:01","name":"","hostname":""}"#,
        r#"{"mac":"02:00:00:00:00:01","name":" \u0007","hostname":null}"#,
        r#"{"mac":"02:00:00:00:00:01","name":["x"]}"#,
    ] {
        names.sync(About::Client, frame);
        let client = names.client(mac(1)).unwrap();
        assert_eq!(client.alias.as_deref(), Some("Anna"), "{frame}");
        assert_eq!(client.hostname.as_deref(), Some("iphone"), "{frame}");
    }
    names.sync(
        About::Client,
        r#"{"mac":"02:00:00:00:00:01","name":"Anna's phone"}"#,
    );
    assert_eq!(names.name(mac(1)).as_deref(), Some("Anna's phone"));
    names.sync(About::Deleted, r#"{"mac":"02:00:00:00:00:01"}"#);
    assert_eq!(names.client(mac(1)), None);
}

#[test]
fn only_the_list_of_aliases_takes_one_away() {
    let mut names = Names::new();
    let body =
        |name: &str| format!(r#"{{"data":[{{"mac":"02:00:00:00:00:01","hostname":"h"{name}}}]}}"#);
    assert_eq!(
        names.load_users(body(r#","name":"Anna""#).as_bytes()),
        Ok(1)
    );
    assert_eq!(names.load_clients(body("").as_bytes()), Ok(1));
    assert_eq!(names.name(mac(1)).as_deref(), Some("Anna"));
    assert_eq!(names.load_users(body("").as_bytes()), Ok(1));
    assert_eq!(names.name(mac(1)).as_deref(), Some("h"));
}

#[test]
fn names_are_cleaned_and_bounded() {
    let mut names = Names::new();
    let json = format!(
        r#"{{"mac":"02:00:00:00:00:01","name":"{}\r\n\u001b[31m"}}"#,
        "ä".repeat(200)
    );
    names.sync(About::Client, &json);
    assert_eq!(names.name(mac(1)).as_deref(), Some(&*"ä".repeat(128)));
}

#[test]
fn what_is_no_list_is_refused() {
    let mut names = Names::new();
    for (body, error) in [
        (&b"<html>"[..], NamesError::NotJson),
        (b"[\"\xff\"]", NamesError::NotJson),
        (b"{}", NamesError::NoList),
        (b"7", NamesError::NoList),
        (
            br#"{"data":{"mac":"02:00:00:00:00:01"}}"#,
            NamesError::NoList,
        ),
        (
            br#"{"meta":{"rc":"error","msg":"api.err.LoginRequired"},"data":[]}"#,
            NamesError::Refused("api.err.LoginRequired".to_owned()),
        ),
    ] {
        assert_eq!(names.load_clients(body), Err(error));
    }
}

#[test]
fn a_flood_of_clients_costs_no_device_its_name() {
    let mut names = Names::with_capacity(10);
    names.sync(
        About::Device,
        r#"{"mac":"02:00:00:00:00:01","name":"Kitchen"}"#,
    );
    for last in 0..=255 {
        let json = format!(r#"{{"mac":"02:00:00:00:01:{last:02x}","name":"c"}}"#);
        names.sync(About::Client, &json);
    }
    assert_eq!(names.name(mac(1)).as_deref(), Some("Kitchen"));
    assert_eq!(names.forgotten(), 246);
}
