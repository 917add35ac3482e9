//! The pieces sentences are made of: names, places, radios, ends of flows.

use std::fmt::Write as _;
use unifi_herald_plugin::{Band, Client, Device, Endpoint, Place, Wan};

pub(super) fn push(line: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| line.push_str(part));
}

pub(super) fn append(line: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = line.write_fmt(text);
    debug_assert!(written.is_ok());
}

pub(super) fn push_joined(line: &mut String, joint: &str, part: Option<&str>) {
    if let Some(part) = part {
        push(line, &[joint, part]);
    }
}

/// The client's name, else its address.
pub(super) fn push_client(line: &mut String, client: &Client) -> Option<()> {
    match (&client.name, client.mac) {
        (Some(name), _) => line.push_str(name),
        (None, Some(mac)) => append(line, format_args!("{mac}")),
        (None, None) => return None,
    }
    Some(())
}

/// Where something happened: the device's name, else its address.
pub(super) fn push_place(line: &mut String, joint: &str, device: Option<&Device>) {
    match device.map(|device| (&device.name, device.mac)) {
        Some((Some(name), _)) => push(line, &[joint, name]),
        Some((None, Some(mac))) => append(line, format_args!("{joint}{mac}")),
        _ => {}
    }
}

/// The device's name with its model, else its address.
pub(super) fn push_device(line: &mut String, joint: &str, device: &Device) -> Option<()> {
    match (&device.name, &device.model, device.mac) {
        (Some(name), Some(model), _) => push(line, &[joint, name, " (", model, ")"]),
        (Some(name), None, _) => push(line, &[joint, name]),
        (None, _, Some(mac)) => append(line, format_args!("{joint}{mac}")),
        (None, _, None) => return None,
    }
    Some(())
}

pub(super) fn push_wan(line: &mut String, wan: &Wan) -> Option<()> {
    let name = wan.name.as_deref().or(wan.interface.as_deref())?;
    push(line, &["Internet connection ", name]);
    if let Some(isp) = &wan.isp {
        push(line, &[" (", isp, ")"]);
    }
    Some(())
}

/// A name, else an IP address, else a hardware address; with the port.
pub(super) fn push_endpoint(line: &mut String, joint: &str, end: Option<&Endpoint>) {
    let Some(end) = end else { return };
    match (&end.name, &end.ip, end.mac) {
        (Some(name), _, _) => push(line, &[joint, name]),
        (None, Some(ip), _) if ip.contains(':') && end.port.is_some() => {
            push(line, &[joint, "[", ip, "]"]);
        }
        (None, Some(ip), _) => push(line, &[joint, ip]),
        (None, None, Some(mac)) => append(line, format_args!("{joint}{mac}")),
        (None, None, None) => return,
    }
    if let Some(port) = end.port {
        append(line, format_args!(":{port}"));
    }
}

/// ` on channel 36`.
pub(super) fn push_channel(line: &mut String, place: Option<&Place>) {
    if let Some(channel) = place.and_then(|place| place.channel) {
        append(line, format_args!(" on channel {channel}"));
    }
}

/// ` (5 GHz, 36 → 44)`, ` (2.4 GHz → 5 GHz, 1 → 44)`, ` (5 GHz, channel 44)`, or nothing.
pub(super) fn push_radio(line: &mut String, from: Option<&Place>, to: Option<&Place>) {
    let band = |place: Option<&Place>| place.and_then(|place| place.band);
    let channel = |place: Option<&Place>| place.and_then(|place| place.channel);
    let start = line.len();
    match (band(from), band(to)) {
        (Some(from), Some(to)) if from != to => {
            append(
                line,
                format_args!("{} GHz → {} GHz", from.as_str(), to.as_str()),
            );
        }
        (from, to) => push_joined(line, "", to.or(from).map(ghz)),
    }
    let joint = if line.len() > start { ", " } else { "" };
    match (channel(from), channel(to)) {
        (Some(from), Some(to)) if from != to => append(line, format_args!("{joint}{from} → {to}")),
        (Some(channel), Some(_) | None) | (None, Some(channel)) => {
            append(line, format_args!("{joint}channel {channel}"));
        }
        (None, None) => {}
    }
    if line.len() > start {
        line.insert_str(start, " (");
        line.push(')');
    }
}

fn ghz(band: Band) -> &'static str {
    match band {
        Band::Ghz2 => "2.4 GHz",
        Band::Ghz5 => "5 GHz",
        Band::Ghz6 => "6 GHz",
    }
}
