//! Listening to one connection until it ends: frames in, pings out, names beside.

use super::{Connection, Memory, SiteTask};
use crate::newcomers::Roll;
use crate::source::account::Failure;
use crate::source::announce;
use crate::source::names::{List, Lists};
use crate::source::report::Part;
use crate::status::FrameCounts;
use crate::unifi::Frame;
use crate::unifi::answer::Answer;
use crate::unifi::close::Loss;
use crate::unifi::gap::{RECONNECT, START};
use crate::unifi::liveness::Due;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{self, Message};
use unifi_herald_plugin::Kind;

/// How long frames wait at the controller's end for the names they will be told with.
const HOLD: Duration = Duration::from_secs(5);
/// Without a data frame, a socket counts as up after this long.
const UP: Duration = Duration::from_secs(5);
/// Names are not loaded again before this has passed: the sync frames keep them fresh.
const NAMES: Duration = Duration::from_secs(10 * 60);
/// After a list could not be had.
const NAMES_RETRY: Duration = Duration::from_secs(60);
/// Frames taken in one go before their events are handed on.
const TURN: usize = 64;
/// Longest wait for the sending of a ping; a half-open socket takes none.
const SEND: Duration = Duration::from_secs(5);
/// A wait for room that is at least this long was no look at the socket.
const PAUSE: Duration = Duration::from_secs(1);

/// A list of names, as it came.
type Fetched = (List, Result<Answer, Failure>);

/// What a connection waits for.
enum Step {
    Stop,
    List(Option<Fetched>),
    Message(Option<Result<Message, tungstenite::Error>>),
    Timer,
}

impl SiteTask {
    pub(super) async fn listen(
        &self,
        connection: &mut Connection,
        memory: &mut Memory,
    ) -> Option<Loss> {
        let mut holding = connection.lists.is_some();
        loop {
            let now = self.link.clock.now();
            let held_until = connection.since + HOLD;
            if holding && (connection.lists.is_none() || now >= held_until) {
                holding = false;
                connection.liveness.resumed(now);
            }
            if !connection.up && now >= connection.since + UP {
                self.came_up(connection, memory, 0);
                self.link.intake.push(&mut memory.events).await;
            }
            if connection.retry.is_some_and(|retry| retry <= now) {
                connection.retry = None;
                connection.lists = self.lists(true);
            }
            let mut deadline = connection.liveness.deadline();
            if holding {
                deadline = deadline.min(held_until);
            }
            if !connection.up {
                deadline = deadline.min(connection.since + UP);
            }
            if let Some(retry) = connection.retry {
                deadline = deadline.min(retry);
            }
            // Every branch may be dropped without loss: a token, a stream's next item twice, a timer. What was
            // received is handed on outside. The order matters: lists are few and go before the frames they
            // explain, and what has arrived is read before the timers may call the socket dead.
            let step = tokio::select! {
                biased;
                () = self.stop.cancelled() => Step::Stop,
                list = next_list(&mut connection.lists) => Step::List(list),
                message = connection.socket.next(), if !holding => Step::Message(message),
                () = tokio::time::sleep_until(deadline.into()) => Step::Timer,
            };
            match step {
                Step::Stop => return None,
                Step::List(list) => self.take_list(list, connection, memory),
                Step::Message(message) => {
                    if let Some(loss) = self.take_turn(message, connection, memory) {
                        return Some(loss);
                    }
                    if !memory.events.is_empty() {
                        let before = self.link.clock.now();
                        self.link.intake.push(&mut memory.events).await;
                        let after = self.link.clock.now();
                        if after.duration_since(before) >= PAUSE {
                            connection.liveness.resumed(after);
                        }
                    }
                }
                Step::Timer => {}
            }
            if holding {
                continue;
            }
            match connection.liveness.due(self.link.clock.now()) {
                None => {}
                Some(Due::Ping) => {
                    self.account.touch(connection.generation);
                    let ping = connection
                        .socket
                        .send(Message::Ping(tungstenite::Bytes::new()));
                    match tokio::time::timeout(SEND, ping).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return Some(Loss::Abnormal),
                        Err(_) => return Some(Loss::HalfOpen),
                    }
                }
                Some(Due::HalfOpen) => return Some(Loss::HalfOpen),
                Some(Due::Mute) => return Some(Loss::Mute),
            }
        }
    }

    /// Take in one message and those that have already arrived behind it.
    fn take_turn(
        &self,
        first: Option<Result<Message, tungstenite::Error>>,
        connection: &mut Connection,
        memory: &mut Memory,
    ) -> Option<Loss> {
        let mut message = first;
        for _ in 0..TURN {
            if let Some(loss) = self.take_message(message, connection, memory) {
                return Some(loss);
            }
            message = connection.socket.next().now_or_never()?;
        }
        self.take_message(message, connection, memory)
    }

    fn take_message(
        &self,
        message: Option<Result<Message, tungstenite::Error>>,
        connection: &mut Connection,
        memory: &mut Memory,
    ) -> Option<Loss> {
        let counts = self.link.status.counts();
        let message = match message {
            None => return Some(Loss::Abnormal),
            Some(Ok(message)) => message,
            Some(Err(error)) => return Some(self.broken(&error)),
        };
        let now = self.link.clock.now();
        match message {
            Message::Binary(bytes) => {
                let Ok(text) = std::str::from_utf8(&bytes) else {
                    FrameCounts::add(&counts.frames);
                    FrameCounts::add(&counts.bad);
                    connection.liveness.heard(false, now);
                    return None;
                };
                let received = self.link.clock.wall();
                FrameCounts::add(&counts.frames);
                let before = memory.events.len();
                let frame = memory
                    .state
                    .lock()
                    .decoder
                    .decode(text, received, &mut memory.events);
                let data = matches!(frame, Frame::Events | Frame::State | Frame::Other);
                connection.liveness.heard(data, now);
                if let Frame::Bad(_) = frame {
                    FrameCounts::add(&counts.bad);
                }
                if data {
                    let events = &memory.events[before..];
                    let unknown = events
                        .iter()
                        .filter(|event| event.kind == Kind::UNKNOWN)
                        .count();
                    counts
                        .events
                        .fetch_add(events.len() as u64, Ordering::Relaxed);
                    counts.unknown.fetch_add(unknown as u64, Ordering::Relaxed);
                    self.link
                        .status
                        .update(|facts| facts.last_frame = Some(received));
                    connection.data = true;
                    if !connection.up {
                        self.came_up(connection, memory, before);
                    }
                    let events = &memory.events[before..];
                    memory.state.lock().hear(events, self.repair_now());
                }
                None
            }
            Message::Close(frame) => {
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                Some(Loss::Close(code))
            }
            // No text: see `Untyped`.
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                connection.liveness.heard(false, now);
                None
            }
        }
    }

    fn broken(&self, error: &tungstenite::Error) -> Loss {
        match error {
            tungstenite::Error::Capacity(_) | tungstenite::Error::AttackAttempt => {
                FrameCounts::add(&self.link.status.counts().bad);
                tracing::warn!(controller = %self.controller, site = %self.site.name, %error, "a frame could not be received");
                Loss::Protocol
            }
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Loss::Abnormal
            }
            tungstenite::Error::Protocol(_) => Loss::Protocol,
            _ => Loss::Abnormal,
        }
    }

    /// The connection has proved itself; its event goes before those at `before` and behind, and the hole that it ends
    /// before all of them.
    fn came_up(&self, connection: &mut Connection, memory: &mut Memory, before: usize) {
        connection.up = true;
        self.mark(true);
        FrameCounts::add(&self.link.status.counts().connects);
        self.account
            .report
            .well(&Part::Site(self.site.name.clone()));
        let mut state = memory.state.lock();
        let reason = if state.was_up() { RECONNECT } else { START };
        let news = state.came_up(self.repair_now());
        drop(state);
        announce::holes(&self.link, (&self.controller, &self.site), news);
        memory.state.bell.notify_one();
        let event =
            announce::connected(&self.controller, &self.site, self.link.clock.wall(), reason);
        memory.events.insert(before, event);
        tracing::info!(controller = %self.controller, site = %self.site.name, "connected");
    }

    fn take_list(&self, list: Option<Fetched>, connection: &mut Connection, memory: &mut Memory) {
        let Some((list, answer)) = list else {
            let now = self.link.clock.now();
            connection.lists = None;
            self.call_roll(connection, memory);
            if std::mem::take(&mut connection.lists_failed) {
                connection.retry = Some(now + NAMES_RETRY);
            } else {
                memory.names_due = now + NAMES;
            }
            return;
        };
        let loaded = match answer {
            Ok(answer) => list
                .load(memory.state.lock().decoder.names(), &answer.body)
                .map_err(|error| error.to_string()),
            Err(failure) => Err(failure.sentence("the list of names")),
        };
        match loaded {
            Ok(count) => {
                connection.clients_listed |= list.tells_of_clients();
                tracing::debug!(controller = %self.controller, site = %self.site.name, list = list.path(), count, "names loaded");
            }
            Err(error) => {
                // Events then tell addresses for names; nothing is lost.
                tracing::warn!(controller = %self.controller, site = %self.site.name, list = list.path(), error, "names could not be loaded");
                connection.lists_failed = true;
            }
        }
    }

    /// The lists are over: tell the router once who is on them, before the frames that wait for them.
    fn call_roll(&self, connection: &Connection, memory: &mut Memory) {
        if memory.rolled || !connection.clients_listed {
            return;
        }
        memory.rolled = true;
        let clients = memory.state.lock().decoder.names().clients().collect();
        self.link.intake.push_roll(Roll {
            controller: self.controller.clone(),
            site: self.site.name.clone(),
            clients,
        });
    }
}

/// The next list, or never when there are none to come.
async fn next_list(lists: &mut Option<Lists>) -> Option<Fetched> {
    match lists {
        Some(lists) => lists.next().await,
        None => std::future::pending().await,
    }
}
