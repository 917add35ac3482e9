//! Lanes with scripted sinks over a store in memory.

use super::*;
use crate::buffer::Limits;
use crate::config::{BufferPlan, OnError, PluginPlan, WhenFull};
use crate::intake::{Outlet, ring};
use crate::store::{Books, Commit, MemoryStore, Share};
use crate::tasks::Tasks;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::task::JoinHandle;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{Raw, Timestamp, async_trait};

/// What a scripted sink does with a batch.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Take,
    Fail(u16),
    Panic,
    Hang,
    /// From now on answer so to every batch with this event, and take all others.
    Choke(&'static str, u16),
}

/// What a sink was given: the ids of each batch, and which try it was.
pub(super) type Seen = Arc<Mutex<Vec<(Vec<String>, u32)>>>;

struct Scripted {
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Seen,
    woken: Arc<Mutex<Vec<Instant>>>,
    wake_at: Option<Instant>,
}

impl Scripted {
    fn next_act(&self) -> Act {
        let mut acts = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let act = acts.pop_front().unwrap_or(Act::Take);
        if let Act::Choke(..) = act {
            acts.push_front(act.clone());
        }
        act
    }
}

#[async_trait]
impl Sink for Scripted {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let ids: Vec<_> = batch.iter().map(|event| event.id.to_string()).collect();
        self.seen
            .lock()
            .unwrap()
            .push((ids.clone(), batch.attempt()));
        let act = self.next_act();
        let answered = |status| {
            let said = format!("answered {status}");
            Err(DeliveryError::from_status(status, None, said))
        };
        match act {
            Act::Choke(id, status) if ids.iter().any(|given| given == id) => answered(status),
            Act::Take | Act::Choke(..) => Ok(()),
            Act::Fail(status) => answered(status),
            Act::Panic => panic!("a bug in a plugin"),
            Act::Hang => std::future::pending().await,
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    async fn wake(&mut self, now: Instant) -> Result<(), DeliveryError> {
        self.woken.lock().unwrap().push(now);
        self.wake_at = None;
        Ok(())
    }
}

pub(super) struct Rig {
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) store: SharedStore,
    pub(super) intake: Intake,
    pub(super) outlet: Outlet,
    pub(super) weather: Arc<Notify>,
    pub(super) reloaded: Arc<Notify>,
    pub(super) retire: CancellationToken,
    pub(super) drain: CancellationToken,
    pub(super) abort: CancellationToken,
    pub(super) next: u64,
}

pub(super) struct Running {
    pub(super) seen: Seen,
    pub(super) woken: Arc<Mutex<Vec<Instant>>>,
    pub(super) status: LaneStatus,
    pub(super) left: JoinHandle<Left>,
}

impl Rig {
    pub(super) fn new(sinks: usize) -> Self {
        let clock = Clock::of_runtime(Timestamp::from_millis(1_000_000_000));
        let buffer = BufferPlan {
            capacity: 1000,
            when_full: WhenFull::Wait,
            max_wait: SECOND,
            max_bytes: u64::MAX,
        };
        let names: Vec<_> = (0..sinks).map(|index| format!("s{index}").into()).collect();
        let (intake, outlet) = ring(Limits::new(&buffer, 1), clock.clone());
        Self {
            store: Arc::new(MemoryStore::new(&names, &buffer, clock.clone())),
            tasks: Tasks::new(),
            intake,
            outlet,
            weather: Arc::new(Notify::new()),
            reloaded: Arc::default(),
            retire: CancellationToken::new(),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
            next: 1,
            clock,
        }
    }

    pub(super) fn plan() -> SinkPlan {
        SinkPlan {
            name: "s".into(),
            plugin: PluginPlan {
                plugin: "scripted".into(),
                options: toml::Table::new(),
                on_error: OnError::Keep,
            },
            batch: BatchPlan {
                max: 10,
                wait: Duration::ZERO,
            },
            retry: RetryPlan {
                min: SECOND,
                max: 30 * SECOND,
                give_up_after: None,
            },
            timeout: 30 * SECOND,
            raw: true,
            max_age: None,
            coalesce: false,
        }
    }

    pub(super) fn start(
        &self,
        index: usize,
        plan: SinkPlan,
        acts: Vec<Act>,
        wake_at: Option<Instant>,
    ) -> Running {
        let name = format!("s{index}").into();
        let plan = SinkPlan { name, ..plan };
        let (seen, woken) = (Seen::default(), Arc::default());
        let status = LaneStatus::default();
        let acts = Arc::new(Mutex::new(VecDeque::from(acts)));
        let sink = (Arc::clone(&seen), Arc::clone(&woken));
        let factory = move |_storage: &Storage| -> Result<Box<dyn Sink>, String> {
            let (seen, woken) = (Arc::clone(&sink.0), Arc::clone(&sink.1));
            Ok(Box::new(Scripted {
                acts: Arc::clone(&acts),
                seen,
                woken,
                wake_at,
            }))
        };
        let worker = LaneWorker {
            index,
            plan,
            factory: Box::new(factory),
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            status: status.clone(),
            intake: self.intake.clone(),
            weather: Arc::clone(&self.weather),
            reloaded: Arc::clone(&self.reloaded),
            retire: self.retire.clone(),
            drain: self.drain.clone(),
            abort: self.abort.clone(),
        };
        Running {
            seen,
            woken,
            status,
            left: self.tasks.spawn(worker.run()),
        }
    }

    /// Commit `count` events for every sink in `sinks`.
    pub(super) async fn commit(&mut self, sinks: std::ops::Range<usize>, count: u64) {
        let event = |seq: u64| {
            let mut event = Event::new(Kind::WAN_DOWN, seq.to_string(), self.clock.wall());
            event.raw = Raw::parse(r#"{"key":"EVT"}"#).ok();
            BufferedEvent {
                seq,
                event: Arc::new(event),
            }
        };
        let events: Vec<_> = (self.next..self.next + count).map(event).collect();
        self.give(sinks, events).await;
    }

    /// Commit messages about incidents for the first sink, with their incidents as ids.
    pub(super) async fn commit_messages(&mut self, messages: &[(Kind, &str)]) {
        let message = |(seq, (kind, incident)): (u64, &(Kind, &str))| {
            let named = |event: &mut Event| {
                if let Some(alert) = &mut event.alert {
                    alert.id = (*incident).into();
                }
            };
            let id = format!("{kind} {incident}");
            EventBuilder::new(*kind).id(&id).with(named).buffered(seq)
        };
        let events = (self.next..).zip(messages).map(message).collect();
        self.give(0..1, events).await;
    }

    pub(super) async fn give(&mut self, sinks: std::ops::Range<usize>, events: Vec<BufferedEvent>) {
        self.next += events.len() as u64;
        let shares = sinks
            .map(|sink| Share {
                sink,
                events: events.clone(),
            })
            .collect();
        self.store
            .commit(Commit {
                events,
                shares,
                ..Commit::default()
            })
            .await
            .unwrap();
    }

    pub(super) fn books(&self, sink: usize) -> Books {
        let books = self.store.books()[sink].books;
        assert!(books.balance(), "{books:?}");
        books
    }

    /// Wait in virtual time until a sink has nothing pending.
    pub(super) async fn settled(&self, sink: usize) {
        while self.books(sink).pending > 0 {
            tokio::time::sleep(SECOND / 10).await;
        }
    }
}

pub(super) fn ids(running: &Running) -> Vec<Vec<String>> {
    running
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|(ids, _)| ids.clone())
        .collect()
}
