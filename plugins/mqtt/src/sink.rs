//! Sends batches over a connection that it opens when there is none, and looks after what is retained.

use crate::config::{Config, Settings};
use crate::discovery;
use crate::house::House;
use crate::link::{Link, Message, Opening};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, async_trait,
};

/// Sends events to an MQTT broker.
pub struct Mqtt {
    context: BuildContext,
    settings: Settings,
    house: House,
    link: Option<Link>,
    /// Whether what the broker keeps from an earlier life was read.
    restored: bool,
    /// Births and obituaries that were answered, of the current connection.
    answered: (u64, u64),
    /// When to announce everything again, since Home Assistant was born.
    announce_at: Option<Instant>,
    /// When to look after everything again; at once when it is not known.
    tick_at: Option<Instant>,
    /// Before this no timer tries to connect.
    connect_at: Option<Instant>,
    pause: Duration,
}

/// How often the sink looks after itself.
const TICK: Duration = Duration::from_secs(2);
/// Pauses between attempts to connect that no event has asked for.
const PAUSE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(60));
/// Home Assistant is asked to have announcements spread over some time.
const BIRTH_DELAY_MS: std::ops::Range<u64> = 500..3000;

impl SinkPlugin for Mqtt {
    const NAME: &'static str = "mqtt";
    const SUMMARY: &'static str =
        "publishes events and retained states by MQTT 5; Home Assistant discovers them";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let settings = config.resolve(context)?;
        Ok(Self {
            context: context.clone(),
            house: House::new(&settings),
            settings,
            link: None,
            restored: false,
            answered: (0, 0),
            announce_at: None,
            tick_at: None,
            connect_at: None,
            pause: PAUSE.0,
        })
    }
}

#[async_trait]
impl Sink for Mqtt {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        self.connected().await?;
        self.look_after().await?;
        let wall = self.context.wall();
        let mut messages: Vec<Message> = Vec::with_capacity(batch.len());
        // The last retained message of this batch on each topic: the same again tells the broker nothing.
        let mut latest: BTreeMap<String, usize> = BTreeMap::new();
        // How many messages there are up to the end of each event.
        let mut ends = Vec::with_capacity(batch.len());
        for event in batch.iter() {
            for message in self.house.take(event, wall) {
                if message.retain {
                    let last = latest.get(&message.topic);
                    if last.is_some_and(|last| messages[*last] == message) {
                        continue;
                    }
                    latest.insert(message.topic.clone(), messages.len());
                }
                messages.push(message);
            }
            ends.push(messages.len());
        }
        self.publish(&messages).await.map_err(|error| {
            let sent = error.accepted();
            error.with_accepted(ends.partition_point(|end| *end <= sent))
        })?;
        self.house.is_published();
        Ok(())
    }

    /// Connects, logs in and leaves; with an id of its own, so that a running herald stays connected.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let broker = &self.settings.broker;
        let id = format!("{}-check", broker.client_id);
        Opening::connect(broker, &id, None).await?.leave().await
    }

    fn wake_at(&self) -> Option<Instant> {
        Some(self.tick_at.unwrap_or_else(|| self.context.now()))
    }

    async fn wake(&mut self, now: Instant) -> Result<(), DeliveryError> {
        self.tick_at = Some(now + TICK);
        if !self.is_up() {
            if self.connect_at.is_some_and(|at| now < at) {
                return Ok(());
            }
            self.connect_at = Some(now + self.pause);
            let first = self.pause == PAUSE.0;
            self.pause = (self.pause * 2).min(PAUSE.1);
            match self.connected().await {
                // Said once: what waits for delivery says it again.
                Err(error) if first => return Err(error),
                Err(_) => return Ok(()),
                Ok(()) => {}
            }
        }
        self.look_after().await
    }

    async fn close(mut self: Box<Self>) -> Result<(), DeliveryError> {
        if !self.is_up() {
            return Ok(());
        }
        let offline = self.status("offline");
        self.publish(&[offline]).await?;
        match self.link.take() {
            Some(link) => link.close().await,
            None => Ok(()),
        }
    }
}

impl Mqtt {
    fn is_up(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_up)
    }

    /// Connect unless we are. Cancelled, it has done nothing.
    async fn connected(&mut self) -> Result<(), DeliveryError> {
        if self.is_up() {
            return Ok(());
        }
        self.link = None;
        let broker = &self.settings.broker;
        let will = Some(self.status("offline"));
        let mut opening = Opening::connect(broker, &broker.client_id, will).await?;
        let online = self.status("online");
        if let Some(home_assistant) = &self.settings.home_assistant {
            let mut filters = Vec::new();
            if !self.restored {
                filters.push(self.settings.topics.all_states());
                filters.push(discovery::all(home_assistant));
            }
            let birth = discovery::birth(home_assistant);
            for (topic, payload) in opening.retained(&online, &birth, &filters).await? {
                self.house.restore(&topic, &payload);
            }
            if !self.restored {
                self.house.restored();
                self.restored = true;
            }
        }
        let link = opening.start(&self.context);
        link.publish(&[online]).await?;
        self.link = Some(link);
        self.answered = (0, 0);
        self.pause = PAUSE.0;
        // A broker that was restarted may have forgotten everything.
        self.house.forget_published();
        Ok(())
    }

    /// Answer births and obituaries, let time pass, and publish what the broker ought to keep.
    async fn look_after(&mut self) -> Result<(), DeliveryError> {
        let (now, wall) = (self.context.now(), self.context.wall());
        let Some(link) = &self.link else {
            return Ok(());
        };
        let (births, obituaries) = (link.births(), link.obituaries());
        if births > self.answered.0 {
            self.answered.0 = births;
            let delay = Duration::from_millis(fastrand::u64(BIRTH_DELAY_MS));
            self.announce_at = Some(now + delay);
        }
        if self.announce_at.is_some_and(|at| at <= now) {
            self.announce_at = None;
            self.house.forget_published();
        }
        if obituaries > self.answered.1 {
            // The last will of a connection that we had given up long before the broker did.
            self.publish(&[self.status("online")]).await?;
            self.answered.1 = obituaries;
        }
        self.house.pass_time(wall);
        let messages = self.house.unpublished();
        let published = self.publish(&messages).await;
        // None of these is the event that the caller asks about.
        published.map_err(|error| error.with_accepted(0))?;
        self.house.is_published();
        Ok(())
    }

    async fn publish(&mut self, messages: &[Message]) -> Result<(), DeliveryError> {
        let Some(link) = &self.link else {
            return Err(DeliveryError::later("not connected"));
        };
        let published = link.publish(messages).await;
        let sent = published
            .as_ref()
            .map_or_else(DeliveryError::accepted, |()| messages.len());
        self.house.acknowledge(&messages[..sent]);
        published
    }

    fn status(&self, status: &str) -> Message {
        Message {
            topic: self.settings.topics.status(),
            payload: status.into(),
            retain: true,
            qos: 1,
            expiry: None,
        }
    }
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt")
            .field("broker", &self.settings.broker.host)
            .field("up", &self.is_up())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
