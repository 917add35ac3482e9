//! Who is behind a hardware address: names, models and uplinks of devices, aliases of clients.

mod records;
mod table;

pub use records::{ClientNames, DeviceNames};

use super::value::Value;
use serde_json::value::RawValue;
use table::Table;
use unifi_herald_plugin::{Mac, Text};

/// Most devices and, separately, most clients kept.
const CAPACITY: usize = 50_000;

/// What a site's lists and sync frames say about devices and clients, by hardware address.
///
/// Bounded: beyond 50 000 devices or 50 000 clients those that were not touched for longest are forgotten.
#[derive(Debug)]
pub struct Names {
    devices: Table<DeviceNames>,
    clients: Table<ClientNames>,
}

/// A list could not be read. What was known stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    /// The body is not JSON in UTF-8.
    #[error("the answer is not JSON")]
    NotJson,
    /// The controller answered with an error; its code is given.
    #[error("the controller answered {0}")]
    Refused(String),
    /// There is no list in the body.
    #[error("the answer has no list in `data`")]
    NoList,
}

impl Names {
    pub(super) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self {
            devices: Table::new(capacity),
            clients: Table::new(capacity),
        }
    }

    /// Take over the body of `stat/device`; gives the number of devices in it.
    ///
    /// # Errors
    /// When the body is not such a list. Single entries that cannot be read are passed over.
    pub fn load_devices(&mut self, body: &[u8]) -> Result<usize, NamesError> {
        load(body, |item| self.device_seen(item))
    }

    /// Take over the body of `stat/sta` or of the v2 client lists; gives the number of clients in it.
    ///
    /// # Errors
    /// When the body is not such a list. Single entries that cannot be read are passed over.
    pub fn load_clients(&mut self, body: &[u8]) -> Result<usize, NamesError> {
        load(body, |item| self.client_seen(item))
    }

    /// Take over the body of `rest/user`, where aliases are kept; gives the number of clients in it. An entry
    /// without a name takes an alias away, since this list is the one that knows.
    ///
    /// # Errors
    /// When the body is not such a list. Single entries that cannot be read are passed over.
    pub fn load_users(&mut self, body: &[u8]) -> Result<usize, NamesError> {
        load(body, |item| {
            let Some((mac, record)) = records::client(item) else {
                return false;
            };
            self.clients.update(mac, |known| {
                known.alias = None;
                record.merge_into(known);
            });
            true
        })
    }

    /// What is known of a device.
    pub fn device(&mut self, mac: Mac) -> Option<&DeviceNames> {
        self.devices.get(mac)
    }

    /// What is known of a client.
    pub fn client(&mut self, mac: Mac) -> Option<&ClientNames> {
        self.clients.get(mac)
    }

    /// The addresses of all clients.
    pub fn clients(&self) -> impl Iterator<Item = Mac> {
        self.clients.addresses()
    }

    /// What people call the device or client behind `mac`.
    pub fn name(&mut self, mac: Mac) -> Option<Text> {
        if let Some(name) = self.devices.get(mac).and_then(|device| device.name.clone()) {
            return Some(name);
        }
        self.clients.get(mac).and_then(ClientNames::name)
    }

    /// How many devices and clients were forgotten because there were too many.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.devices.forgotten() + self.clients.forgotten()
    }

    /// Take over one item of a sync frame.
    pub(super) fn sync(&mut self, about: About, item: &str) {
        let item = Value::of(item);
        match about {
            About::Device => self.device_seen(item),
            About::Client => self.client_seen(item),
            About::Deleted => records::client(item).is_some_and(|(mac, _)| {
                self.clients.remove(mac);
                true
            }),
        };
    }

    fn device_seen(&mut self, item: Value<'_>) -> bool {
        let Some((mac, record)) = records::device(item) else {
            return false;
        };
        self.devices.update(mac, |known| record.merge_into(known));
        true
    }

    fn client_seen(&mut self, item: Value<'_>) -> bool {
        let Some((mac, record)) = records::client(item) else {
            return false;
        };
        self.clients.update(mac, |known| record.merge_into(known));
        true
    }
}

/// What the items of a sync frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Devices.
    Device,
    /// Clients.
    Client,
    /// Clients that are no longer known.
    Deleted,
}

impl About {
    /// Of the frames that tell names; nothing for every other kind of frame.
    pub(super) fn of(kind: &str) -> Option<Self> {
        match kind {
            "device:sync" | "device:update" | "device:add" | "unifi-device:sync"
            | "unifi-device:add" => Some(Self::Device),
            "sta:sync" | "client:sync" | "user:sync" => Some(Self::Client),
            "user:delete" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// Give every item of a list to `take`, which says whether it could be read.
fn load(body: &[u8], mut take: impl FnMut(Value<'_>) -> bool) -> Result<usize, NamesError> {
    let body = std::str::from_utf8(body).map_err(|_| NamesError::NotJson)?;
    let body: &RawValue = serde_json::from_str(body).map_err(|_| NamesError::NotJson)?;
    let mut list = Value::new(body);
    if list.is_object() {
        let (mut data, mut refused) = (None, None);
        list.members(|key, value| match key {
            "data" => data = Some(value),
            "meta" => refused = refusal(value),
            _ => {}
        })
        .ok_or(NamesError::NotJson)?;
        if let Some(code) = refused {
            return Err(NamesError::Refused(code));
        }
        list = data.ok_or(NamesError::NoList)?;
    }
    let mut count = 0;
    list.elements(|item| count += usize::from(take(item)))
        .ok_or(NamesError::NoList)?;
    Ok(count)
}

/// The error code of a `meta` that does not say `ok`.
fn refusal(meta: Value<'_>) -> Option<String> {
    let (mut rc, mut msg) = (None, None);
    meta.members(|key, value| match key {
        "rc" => rc = value.text(),
        "msg" => msg = value.text(),
        _ => {}
    })?;
    (rc? != "ok").then(|| super::text::clean(&msg.unwrap_or_default(), 100).into_owned())
}

#[cfg(test)]
mod tests;
