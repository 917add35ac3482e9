//! What the sources know of devices and clients, for whoever tells of them later.

use super::site::SiteState;
use crate::alert;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use unifi_herald_plugin::{Event, Mac, Text, Uplink};

/// The names of every site that is listened to. A copy is the same directory.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<Mutex<Vec<Site>>>);

#[derive(Debug)]
struct Site {
    controller: Text,
    name: Text,
    state: Weak<SiteState>,
}

impl Directory {
    /// Look up what `state` knows of a site, as long as it is listened to.
    pub(super) fn enter(&self, controller: &Text, site: &Text, state: &Arc<SiteState>) {
        let mut sites = self.lock();
        sites.retain(|known| {
            let same = known.controller == *controller && known.name == *site;
            !same && known.state.strong_count() > 0
        });
        sites.push(Site {
            controller: controller.clone(),
            name: site.clone(),
            state: Arc::downgrade(state),
        });
    }

    fn find(&self, controller: &str, site: &str) -> Option<Arc<SiteState>> {
        let sites = self.lock();
        let mut sites = sites.iter();
        let found = sites.find(|known| *known.controller == *controller && *known.name == *site);
        found?.state.upgrade()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Site>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl alert::Directory for Directory {
    fn complete(&self, event: &mut Event) {
        let Some(state) = self.find(&event.controller, &event.site) else {
            return;
        };
        let mut state = state.lock();
        let names = state.decoder.names();
        if let Some(client) = &mut event.client
            && let Some(known) = client.mac.and_then(|mac| names.client(mac))
        {
            fill(&mut client.name, known.name());
            fill(&mut client.hostname, known.hostname.clone());
            fill(&mut client.ip, known.ip.clone());
        }
        let Some(device) = &mut event.device else {
            return;
        };
        let Some(known) = device.mac.and_then(|mac| names.device(mac)) else {
            return;
        };
        fill(&mut device.name, known.name.clone());
        fill(&mut device.model, known.model.clone());
        fill(&mut device.kind, known.kind.map(Into::into));
        if device.uplink.is_none()
            && let Some((mac, port)) = known.uplink
        {
            device.uplink = Some(Box::new(Uplink {
                mac: Some(mac),
                name: names.name(mac),
                port,
            }));
        }
    }

    fn uplink(&self, controller: &str, site: &str, mac: Mac) -> Option<Mac> {
        let state = self.find(controller, site)?;
        let mut state = state.lock();
        let known = state.decoder.names().device(mac)?;
        known.uplink.map(|(uplink, _)| uplink)
    }
}

/// What is known already stays: it was true when the event happened.
fn fill(field: &mut Option<Text>, known: Option<Text>) {
    if field.is_none() {
        *field = known;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Directory as _;
    use crate::config::BackfillPlan;
    use unifi_herald_plugin::testing::EventBuilder;
    use unifi_herald_plugin::{Client, Kind};

    #[test]
    fn what_was_learned_after_an_event_is_filled_in_and_nothing_else() {
        let directory = Directory::default();
        let site = crate::unifi::Site {
            name: "default".into(),
            display: "Home".into(),
        };
        let state = SiteState::new(&"home".into(), &site, BackfillPlan::default(), None);
        let state = Arc::new(state);
        directory.enter(&"home".into(), &site.name, &state);
        {
            let mut shared = state.lock();
            let names = shared.decoder.names();
            let clients =
                br#"{"data":[{"mac":"aa:bb:cc:00:00:01","hostname":"phone","ip":"192.0.2.17"}]}"#;
            assert_eq!(names.load_clients(clients).unwrap(), 1);
            let devices = br#"{"data":[{"mac":"f0:9f:c2:00:00:02","name":"Attic","type":"uap","uplink":{"uplink_mac":"f0:9f:c2:00:01:01","uplink_remote_port":3}}]}"#;
            assert_eq!(names.load_devices(devices).unwrap(), 1);
        }
        let mut event = EventBuilder::new(Kind::CLIENT_CONNECTED).build();
        event.client = Some(Client {
            mac: "aa:bb:cc:00:00:01".parse().ok(),
            name: Some("Anna's".into()),
            ..Client::default()
        });
        directory.complete(&mut event);
        let client = event.client.unwrap();
        assert_eq!(
            (client.name.as_deref(), client.ip.as_deref()),
            (Some("Anna's"), Some("192.0.2.17"))
        );
        let mac = |text: &str| text.parse::<Mac>().unwrap();
        let uplink = directory.uplink("home", "default", mac("f0:9f:c2:00:00:02"));
        assert_eq!(uplink, Some(mac("f0:9f:c2:00:01:01")));
        assert_eq!(
            directory.uplink("home", "other", mac("f0:9f:c2:00:00:02")),
            None
        );
        drop(state);
        assert_eq!(
            directory.uplink("home", "default", mac("f0:9f:c2:00:00:02")),
            None
        );
    }
}
