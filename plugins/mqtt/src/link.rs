//! One connection to the broker, from CONNECT to its end. Nothing of it outlives it: no queue, no repetition behind the
//! lane's back.

use crate::config::Broker;
use crate::fault;
use rumqttc::{
    AsyncClient, ConnectAuth, Event, EventLoop, Incoming, LastWill, MqttOptions, PublishNotice,
    PublishOptions, PublishProperties, QoS,
};
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;
use unifi_herald_plugin::{BuildContext, Connection, DeliveryError, Fault};

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
    pub(crate) qos: u8,
    /// After how many seconds the broker forgets it.
    pub(crate) expiry: Option<u32>,
}

/// An open connection that a task of its own keeps alive. Dropping it ends the task.
#[derive(Debug)]
pub(crate) struct Link {
    client: AsyncClient,
    news: watch::Receiver<News>,
    largest: usize,
}

/// What the task has seen.
#[derive(Clone, Debug, Default)]
struct News {
    /// Why the connection is over.
    down: Option<(String, Fault)>,
    /// How often Home Assistant said that it was born.
    births: u64,
    /// How often somebody said that we are offline.
    obituaries: u64,
}

/// A connection that nobody keeps alive yet.
pub(crate) struct Opening {
    client: AsyncClient,
    events: EventLoop,
    largest: usize,
    /// The topic of our own state, once it is subscribed to.
    status: Option<String>,
    birth: Option<String>,
}

/// Messages under way at the same time; the broker has the last word.
const WINDOW: usize = 64;
const KEEP_ALIVE_S: u16 = 30;
/// Largest message that is taken in: states and announcements of ours are far smaller.
const LARGEST_IN: u32 = 256 * 1024;
/// Most retained messages that are looked at after connecting.
const MOST_RETAINED: usize = 20_000;
/// What a message needs beside topic and payload, generously.
const OVERHEAD: usize = 64;

impl Opening {
    /// Connect; `will` is what the broker says when we vanish.
    pub(crate) async fn connect(
        broker: &Broker,
        client_id: &str,
        will: Option<Message>,
    ) -> Result<Self, DeliveryError> {
        let connection = broker.connector.connect(&broker.host, broker.port).await;
        let connection = connection.map_err(DeliveryError::later)?;
        let mut options = options(broker, client_id, connection);
        if let Some(will) = will {
            let qos = qos(will.qos);
            let will = LastWill::new(will.topic, will.payload, qos, will.retain, None);
            options.set_last_will(will);
        }
        let (client, mut events) = AsyncClient::builder(options).capacity(WINDOW).build();
        let largest = loop {
            match events.poll().await {
                Ok(Event::Incoming(Incoming::ConnAck(answer))) => {
                    let limits = answer.properties.as_ref();
                    let largest = limits.and_then(|limits| limits.max_packet_size);
                    break largest.map_or(usize::MAX, |bytes| bytes as usize);
                }
                Ok(_) => {}
                Err(error) => return Err(fault::connection(&error)),
            }
        };
        Ok(Self {
            client,
            events,
            largest,
            status: None,
            birth: None,
        })
    }

    /// Say that we are here, and get what the broker keeps on `filters`. Subscribes to `status` and `birth` for good.
    pub(crate) async fn retained(
        &mut self,
        online: &Message,
        birth: &str,
        filters: &[String],
    ) -> Result<Vec<(String, Vec<u8>)>, DeliveryError> {
        let lost = |error: rumqttc::ClientError| DeliveryError::later(error.to_string());
        let own = [online.topic.as_str(), birth];
        for filter in own.into_iter().chain(filters.iter().map(String::as_str)) {
            let asked = self.client.try_subscribe(filter, QoS::AtLeastOnce);
            asked.map_err(lost)?;
        }
        let mut unanswered = own.len() + filters.len();
        let mut found = Vec::new();
        loop {
            match self.events.poll().await {
                Ok(Event::Incoming(Incoming::SubAck(answer))) => {
                    let granted = |code: &rumqttc::SubscribeReasonCode| {
                        matches!(code, rumqttc::SubscribeReasonCode::Success(_))
                    };
                    if !answer.return_codes.iter().all(granted) {
                        let message = format!(
                            "the broker does not let us subscribe to {}, {birth} and {}",
                            online.topic,
                            filters.join(", ")
                        );
                        return Err(DeliveryError::misconfigured(message));
                    }
                    unanswered = unanswered.saturating_sub(1);
                    if unanswered == 0 {
                        self.publish_now(online)?;
                    }
                }
                Ok(Event::Incoming(Incoming::Publish(message))) => {
                    let topic = String::from_utf8_lossy(&message.topic).into_owned();
                    // What the broker keeps comes before what it is sent: our own word is the end of it.
                    if topic == online.topic && !message.retain {
                        break;
                    }
                    if message.retain && found.len() < MOST_RETAINED {
                        found.push((topic, message.payload.to_vec()));
                    }
                }
                Ok(_) => {}
                Err(error) => return Err(fault::connection(&error)),
            }
        }
        for filter in filters {
            self.client.try_unsubscribe(filter).map_err(lost)?;
        }
        self.status = Some(online.topic.clone());
        self.birth = Some(birth.to_owned());
        Ok(found)
    }

    /// Hand the connection to a task.
    pub(crate) fn start(self, context: &BuildContext) -> Link {
        let (told, news) = watch::channel(News::default());
        let link = Link {
            client: self.client,
            news,
            largest: self.largest,
        };
        let (mut events, status, birth) = (self.events, self.status, self.birth);
        context.spawn("mqtt", async move {
            loop {
                let event = tokio::select! {
                    () = told.closed() => return,
                    event = events.poll() => event,
                };
                match event {
                    Ok(Event::Incoming(Incoming::Publish(message))) => {
                        let is = |topic: &Option<String>| {
                            topic
                                .as_ref()
                                .is_some_and(|topic| topic.as_bytes() == message.topic)
                        };
                        if is(&birth) && &message.payload[..] == b"online" && !message.retain {
                            told.send_modify(|news| news.births += 1);
                        } else if is(&status) && &message.payload[..] == b"offline" {
                            told.send_modify(|news| news.obituaries += 1);
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let error = fault::connection(&error);
                        // Before the events end and with them all who wait for an answer.
                        let down = Some((error.to_string(), error.fault()));
                        told.send_modify(|news| news.down = down);
                        return;
                    }
                }
            }
        });
        link
    }

    /// Leave without a trace.
    pub(crate) async fn leave(mut self) -> Result<(), DeliveryError> {
        let asked = self.client.try_disconnect();
        asked.map_err(|error| DeliveryError::later(error.to_string()))?;
        // The end of the connection is what was asked for.
        while self.events.poll().await.is_ok() {}
        Ok(())
    }

    fn publish_now(&self, message: &Message) -> Result<(), DeliveryError> {
        let sent = self.client.try_publish(
            message.topic.clone(),
            message.payload.clone(),
            message.options(),
        );
        sent.map_err(|error| DeliveryError::later(error.to_string()))
    }
}

impl Link {
    pub(crate) fn is_up(&self) -> bool {
        self.news.borrow().down.is_none() && self.news.has_changed().is_ok()
    }

    /// How often Home Assistant was born since we connected.
    pub(crate) fn births(&self) -> u64 {
        self.news.borrow().births
    }

    /// How often we were called offline since we connected.
    pub(crate) fn obituaries(&self) -> u64 {
        self.news.borrow().obituaries
    }

    /// Resolves when the task has seen something new, or has ended.
    #[cfg(test)]
    pub(crate) async fn news(&mut self) {
        drop(self.news.changed().await);
    }

    /// Publish all of these and wait until the broker has acknowledged each.
    ///
    /// # Errors
    /// The first that failed, with how many before it were acknowledged as `accepted`.
    pub(crate) async fn publish(&self, messages: &[Message]) -> Result<(), DeliveryError> {
        let mut notices: Vec<PublishNotice> = Vec::with_capacity(messages.len());
        let mut unsent = None;
        for message in messages {
            match self.send(message).await {
                Ok(notice) => notices.push(notice),
                Err(error) => {
                    unsent = Some(error);
                    break;
                }
            }
        }
        let sent = notices.len();
        for (accepted, (notice, message)) in notices.into_iter().zip(messages).enumerate() {
            if let Err(error) = notice.wait_completion_async().await {
                let error = self
                    .why()
                    .unwrap_or_else(|| fault::publish(&error, &message.topic));
                return Err(error.with_accepted(accepted));
            }
        }
        unsent.map_or(Ok(()), |error| Err(error.with_accepted(sent)))
    }

    async fn send(&self, message: &Message) -> Result<PublishNotice, DeliveryError> {
        let size = message.topic.len() + message.payload.len() + OVERHEAD;
        if size > self.largest {
            return Err(DeliveryError::never(format!(
                "the broker takes messages of at most {} bytes, this one has {size}",
                self.largest
            )));
        }
        let (topic, payload) = (message.topic.clone(), message.payload.clone());
        let sent = self
            .client
            .publish_tracked(topic, payload, message.options());
        sent.await.map_err(|error| match error {
            rumqttc::ClientError::InvalidRequest(_) => {
                DeliveryError::never(format!("{} is no topic", message.topic))
            }
            error => self
                .why()
                .unwrap_or_else(|| DeliveryError::later(error.to_string())),
        })
    }

    /// Why the connection is over, if it is.
    fn why(&self) -> Option<DeliveryError> {
        let (message, fault) = self.news.borrow().down.clone()?;
        Some(DeliveryError::later(message).with_fault(fault))
    }

    /// Say goodbye, so that the last will is not executed, and wait for the end.
    pub(crate) async fn close(mut self) -> Result<(), DeliveryError> {
        if self.client.disconnect().await.is_ok() {
            // An error is the end of the task, which is what is waited for.
            while self.is_up() && self.news.changed().await.is_ok() {}
        }
        Ok(())
    }
}

impl Message {
    fn options(&self) -> PublishOptions {
        let options = PublishOptions::new(qos(self.qos)).retain(self.retain);
        match self.expiry {
            None => options,
            Some(seconds) => options.properties(PublishProperties {
                message_expiry_interval: Some(seconds),
                ..PublishProperties::default()
            }),
        }
    }
}

fn qos(level: u8) -> QoS {
    match level {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

fn options(broker: &Broker, client_id: &str, connection: Connection) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, (broker.host.clone(), broker.port));
    options.set_keep_alive(KEEP_ALIVE_S);
    options.set_connect_timeout(Duration::from_secs(10));
    options.set_max_packet_size(Some(LARGEST_IN));
    if let Some((username, password)) = &broker.login {
        options.set_auth(ConnectAuth::UsernamePassword {
            username: username.clone(),
            password: password.expose().to_owned().into(),
        });
    }
    // The connection is open already; when it ends, so does everything that was made for it.
    let slot = Mutex::new(Some(connection));
    options.set_socket_connector(move |_address, _options| {
        let taken = slot.lock().ok().and_then(|mut slot| slot.take());
        async move { taken.ok_or_else(|| std::io::ErrorKind::NotConnected.into()) }
    });
    options
}
