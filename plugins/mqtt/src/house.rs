//! Who is there: what the sink knows of devices and watched clients, and the messages that follow from an event or from time
//! passing. Pure: what the broker has acknowledged is told to it.

use crate::config::{HomeAssistant, Settings};
use crate::discovery;
use crate::link::Message;
use crate::state::{ClientState, DeviceState};
use crate::topic::{Topics, plain};
use serde::Serialize;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use unifi_herald_plugin::{BufferedEvent, Event, Kind, Mac, Timestamp};

/// Things by the topic of their state, and what the broker has of them.
#[derive(Debug)]
pub(crate) struct House {
    topics: Topics,
    qos: u8,
    home_assistant: Option<HomeAssistant>,
    devices: BTreeMap<String, DeviceState>,
    /// Watched ones only.
    clients: BTreeMap<String, ClientState>,
    /// Hashes of what was acknowledged, by topic.
    published: BTreeMap<String, u64>,
    /// Topics to be emptied.
    stale: Vec<String>,
    /// Whether the broker may lack something.
    unsure: bool,
}

/// More things than any broker's household has; who comes later has events and no state.
const MOST: usize = 10_000;
/// How long the broker keeps the state of a client that nobody watches.
const WEEK_S: u32 = 7 * 24 * 3600;

impl House {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            topics: settings.topics.clone(),
            qos: settings.qos,
            home_assistant: settings.home_assistant.clone(),
            devices: BTreeMap::new(),
            clients: BTreeMap::new(),
            published: BTreeMap::new(),
            stale: Vec::new(),
            unsure: true,
        }
    }

    /// The messages of an event, in the order they shall go out. The same event again gives them again.
    pub(crate) fn take(&mut self, event: &BufferedEvent, wall: Timestamp) -> Vec<Message> {
        self.unsure = true;
        let site = self.topics.site(event);
        let mut messages = Vec::new();
        // Alerts and digests repeat the subjects of others.
        if !matches!(event.category(), "alert" | "digest" | "herald") {
            self.take_device(event, &site, &mut messages);
            self.take_client(event, &site, wall, &mut messages);
        }
        let mut payload = Vec::with_capacity(1024);
        event.write_json(&mut payload);
        messages.push(Message {
            topic: format!("{site}/event/{}", event.kind),
            payload,
            retain: false,
            qos: self.qos,
            expiry: None,
        });
        messages
    }

    fn take_device(&mut self, event: &Event, site: &str, messages: &mut Vec<Message>) {
        let Some(mac) = event.device.as_ref().and_then(|device| device.mac) else {
            return;
        };
        let topic = format!("{site}/state/device/{}", plain(mac));
        match event.kind {
            Kind::DEVICE_DISCOVERED => return,
            Kind::DEVICE_REMOVED => {
                self.devices.remove(&topic);
                if let Some(home_assistant) = &self.home_assistant {
                    let id = discovery::device_id(&self.topics, mac);
                    messages.push(empty(discovery::topic(home_assistant, &id)));
                }
                messages.push(empty(topic));
                return;
            }
            _ => {}
        }
        let before = self.devices.get(&topic);
        if before.is_none() && self.devices.len() >= MOST {
            return;
        }
        let state = DeviceState::after(before, mac, event);
        self.devices.insert(topic.clone(), state.clone());
        messages.extend(self.device_messages(&topic, &state));
        let about = self
            .announces_devices()
            .then(|| discovery::device_event(event));
        if let Some(about) = about.flatten() {
            messages.push(Message {
                topic: format!("{site}/event/device/{}", plain(mac)),
                payload: json(&about),
                retain: false,
                qos: 1,
                expiry: None,
            });
        }
    }

    fn take_client(
        &mut self,
        event: &Event,
        site: &str,
        wall: Timestamp,
        messages: &mut Vec<Message>,
    ) {
        let client = event.client.as_ref();
        let (Some(mac), Some(connected)) = (
            client.and_then(|client| client.mac),
            ClientState::says(event),
        ) else {
            return;
        };
        let topic = format!("{site}/state/client/{}", plain(mac));
        let mut state = ClientState::of(event, mac, connected);
        let before = self.clients.get(&topic);
        let watched = before.is_some() || self.watches(mac, &state);
        if !watched || (before.is_none() && self.clients.len() >= MOST) {
            messages.push(Message {
                expiry: Some(WEEK_S),
                ..retained(topic, json(&state))
            });
            return;
        }
        if before.is_some_and(|before| before.time > state.time) {
            return;
        }
        if let (false, Some(home_assistant)) = (connected, &self.home_assistant) {
            // A clock that is ahead makes nobody stay longer.
            let leaves = state.time.min(wall) + home_assistant.away_after;
            let was_home = before.is_none_or(|before| before.home == Some(true));
            state.home = Some(was_home && wall < leaves);
            state.leaves = (state.home == Some(true)).then_some(leaves);
        } else {
            state.home = Some(true);
        }
        self.clients.insert(topic.clone(), state.clone());
        messages.extend(self.client_messages(&topic, &state));
    }

    /// Whoever has been away for long enough has left.
    pub(crate) fn pass_time(&mut self, wall: Timestamp) {
        for state in self.clients.values_mut() {
            if state.leaves.is_some_and(|leaves| leaves <= wall) {
                state.home = Some(false);
                state.leaves = None;
                self.unsure = true;
            }
        }
    }

    /// What the broker kept from an earlier life. What is no longer wanted will be emptied.
    pub(crate) fn restore(&mut self, topic: &str, payload: &[u8]) {
        let Some(home_assistant) = &self.home_assistant else {
            return;
        };
        if topic.ends_with("/config") {
            if discovery::is_ours(&self.topics, payload) {
                self.stale.push(topic.to_owned());
            }
        } else if topic.contains("/state/device/") {
            if let Ok(state) = serde_json::from_slice::<DeviceState>(payload)
                && topic.ends_with(&plain(state.mac))
                && self.devices.len() < MOST
            {
                self.devices.entry(topic.to_owned()).or_insert(state);
            }
        } else if let Ok(state) = serde_json::from_slice::<ClientState>(payload)
            && topic.ends_with(&plain(state.mac))
            && state.home.is_some()
        {
            if home_assistant.watched.has(state.mac, state.names()) && self.clients.len() < MOST {
                self.clients.entry(topic.to_owned()).or_insert(state);
            } else {
                self.stale.push(topic.to_owned());
            }
        }
    }

    /// Everything was restored: announcements of what is still there are not stale.
    pub(crate) fn restored(&mut self) {
        let wanted: Vec<String> = self
            .wanted()
            .into_iter()
            .map(|message| message.topic)
            .collect();
        self.stale.retain(|topic| !wanted.contains(topic));
    }

    /// The broker, or Home Assistant, may have forgotten everything.
    pub(crate) fn forget_published(&mut self) {
        self.published.clear();
        self.unsure = true;
    }

    /// The broker has everything that it ought to keep.
    pub(crate) fn is_published(&mut self) {
        self.unsure = false;
    }

    /// What the broker ought to keep and, as far as is known, does not.
    pub(crate) fn unpublished(&self) -> Vec<Message> {
        if !self.unsure {
            return Vec::new();
        }
        let stale = self.stale.iter().cloned().map(empty);
        stale.chain(self.wanted()).collect()
    }

    /// The broker has acknowledged these.
    pub(crate) fn acknowledge(&mut self, messages: &[Message]) {
        for message in messages.iter().filter(|message| message.retain) {
            if message.payload.is_empty() {
                self.published.remove(&message.topic);
                self.stale.retain(|topic| *topic != message.topic);
            } else if message.expiry.is_none() {
                self.published
                    .insert(message.topic.clone(), hash(&message.payload));
            }
        }
    }

    fn wanted(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for (topic, state) in &self.devices {
            messages.extend(self.device_messages(topic, state));
        }
        for (topic, state) in &self.clients {
            messages.extend(self.client_messages(topic, state));
        }
        messages
    }

    fn device_messages(&self, topic: &str, state: &DeviceState) -> Vec<Message> {
        let announced = self.home_assistant.as_ref().filter(|ha| ha.devices);
        let config = announced.map(|home_assistant| {
            let id = discovery::device_id(&self.topics, state.mac);
            let config = discovery::device(&self.topics, site_of(topic), state);
            retained(discovery::topic(home_assistant, &id), json(&config))
        });
        self.missing(config, retained(topic.to_owned(), json(state)))
    }

    fn client_messages(&self, topic: &str, state: &ClientState) -> Vec<Message> {
        let config = self.home_assistant.as_ref().map(|home_assistant| {
            let id = discovery::client_id(&self.topics, state.mac);
            let config = discovery::client(&self.topics, site_of(topic), state);
            retained(discovery::topic(home_assistant, &id), json(&config))
        });
        self.missing(config, retained(topic.to_owned(), json(state)))
    }

    /// Those of the two that the broker does not have yet.
    fn missing(&self, config: Option<Message>, state: Message) -> Vec<Message> {
        let has =
            |message: &Message| self.published.get(&message.topic) == Some(&hash(&message.payload));
        let both = config.into_iter().chain([state]);
        both.filter(|message| !has(message)).collect()
    }

    fn announces_devices(&self) -> bool {
        self.home_assistant.as_ref().is_some_and(|ha| ha.devices)
    }

    fn watches(&self, mac: Mac, state: &ClientState) -> bool {
        let home_assistant = self.home_assistant.as_ref();
        home_assistant.is_some_and(|ha| ha.watched.has(mac, state.names()))
    }
}

/// The topic before `/state/`.
fn site_of(topic: &str) -> &str {
    topic.rsplit_once("/state/").map_or(topic, |(site, _)| site)
}

fn retained(topic: String, payload: Vec<u8>) -> Message {
    Message {
        topic,
        payload,
        retain: true,
        qos: 1,
        expiry: None,
    }
}

/// Makes the broker forget what it keeps on this topic.
fn empty(topic: String) -> Message {
    retained(topic, Vec::new())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structs and values: nothing that JSON could not hold.
    serde_json::to_vec(value).unwrap_or_default()
}

fn hash(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
