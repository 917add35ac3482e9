//! The router: takes what is in the ring, runs the chains over it, commits once, and goes round.

mod batch;
mod gaps;
mod handed;
mod marks;
mod neighbours;
mod order;
mod receipts;
mod repeats;
mod watch;

use crate::buffer::{Item, Loss};
use crate::chain::{ChainTally, Chains, Now, Routing, Shape};
use crate::clock::Clock;
use crate::control::{Shown, Tap};
use crate::desk::Desk;
use crate::intake::Outlet;
use crate::measure::{BEAT, LEVELS, Measures, by_level};
use crate::newcomers::Newcomers;
use crate::store::{Commit, SharedStore, StateChange};
use crate::unifi::Admission;
use batch::{Batch, Way};
use marks::Marks;
pub use order::{Order, Orders, Swap};
use receipts::Receipts;
use repeats::Repeats;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{Kind, Text};
use watch::StoreWatch;

/// Most events in one commit.
const MAX_BATCH: usize = 512;

/// How long a commit that failed waits before it is tried again.
const COMMIT_RETRY: Duration = Duration::from_millis(500);

/// The router and what it works with.
#[derive(Debug)]
pub struct Router {
    outlet: Outlet,
    chains: Chains,
    store: SharedStore,
    clock: Clock,
    weather: Arc<Notify>,
    repeats: Repeats,
    marks: Marks,
    newcomers: Newcomers,
    watch: StoreWatch,
    routing: Routing,
    tap: Tap,
    measures: Option<Arc<Measures>>,
    /// The names of the chains and their steps.
    shape: Arc<Shape>,
    orders: Option<Orders>,
    desk: Desk,
    receipts: Receipts,
}

impl Router {
    /// A router of `sinks` sinks; `weather` rings when the internet is back.
    #[must_use]
    pub fn new(
        outlet: Outlet,
        chains: Chains,
        store: SharedStore,
        sinks: usize,
        clock: Clock,
        weather: Arc<Notify>,
    ) -> Self {
        let routing = Routing::new(sinks, store.next_seq());
        let marks = store.watermarks().unwrap_or_else(|error| {
            // Then they rise from the first event on, which the store may have passed already.
            tracing::error!(%error, "store could not tell how far the controllers have come");
            Vec::new()
        });
        let marks = Marks::new(marks);
        Self {
            outlet,
            chains,
            store,
            clock,
            weather,
            repeats: Repeats::new(marks.places()),
            marks,
            newcomers: Newcomers::default(),
            watch: StoreWatch::default(),
            routing,
            tap: Tap::default(),
            measures: None,
            shape: Arc::default(),
            desk: Desk::default(),
            orders: None,
            receipts: Receipts::default(),
        }
    }

    /// Knowing these clients already.
    #[must_use]
    pub fn knowing(self, newcomers: Newcomers) -> Self {
        Self { newcomers, ..self }
    }

    /// Noting in `measures` how it fares.
    #[must_use]
    pub fn measured_by(self, measures: Arc<Measures>) -> Self {
        Self {
            measures: Some(measures),
            ..self
        }
    }

    /// Counting what each chain does.
    #[must_use]
    pub fn counting(mut self, tallies: Vec<Arc<ChainTally>>) -> Self {
        self.routing.count(tallies);
        self
    }

    /// Doing what comes through `orders`, each between two batches.
    #[must_use]
    pub fn obeying(self, orders: Orders) -> Self {
        Self {
            orders: Some(orders),
            ..self
        }
    }

    /// Keeping what is changed at `desk`.
    #[must_use]
    pub fn serving(self, desk: Desk) -> Self {
        Self { desk, ..self }
    }

    /// Recording what chains of this `shape` do with each event, while the store keeps that or somebody watches.
    #[must_use]
    pub fn recording(self, shape: Shape) -> Self {
        Self {
            shape: Arc::new(shape),
            ..self
        }
    }

    /// With whoever watches at `tap`.
    #[must_use]
    pub fn shown_on(self, tap: Tap) -> Self {
        Self { tap, ..self }
    }

    /// Route until `stop` is cancelled and the ring is empty.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut taken = Vec::with_capacity(MAX_BATCH);
        keep_shape(&self.store, &self.shape).await;
        loop {
            self.beat();
            self.receipts.give(&*self.store, &self.outlet);
            let due = self.due();
            // All are cancel-safe; the ring is asked before the stop, so that it leaves nothing in it.
            let losses = tokio::select! {
                biased;
                order = order::next(&mut self.orders) => {
                    self.obey(order, &mut taken).await;
                    continue;
                }
                losses = self.outlet.take(MAX_BATCH, &mut taken) => losses,
                () = stop.cancelled() => return self.round(Vec::new(), &mut taken, true).await,
                () = due => Vec::new(),
                () = self.desk.changed() => Vec::new(),
                () = idle(self.measures.is_some()) => Vec::new(),
            };
            self.round(losses, &mut taken, false).await;
        }
    }

    /// Decide and commit what was taken, and what is due.
    async fn round(&mut self, losses: Vec<Loss>, taken: &mut Vec<Item>, last: bool) {
        let asked = self.desk.asked();
        let watched = self.record();
        let batch = self.batch(losses, taken, last);
        let holes = batch.made.clone();
        let receipt = batch.receipt;
        let begun = self.clock.now();
        let commit = self.decide(batch);
        let empty = commit.is_empty();
        if !empty {
            self.commit(begun, commit, watched).await;
        }
        self.receipts.owe(receipt);
        self.desk.kept(asked);
        // What is said now of the store nobody would hear any more.
        if empty || last {
            return;
        }
        if !holes.is_empty() {
            self.outlet.tell(holes);
        }
        if let Some(event) = self.watch.look(&*self.store, self.clock.wall()) {
            self.outlet.put(&event);
        }
    }

    /// Record what the steps do in the next batch if the store keeps it or somebody watches; whether somebody does.
    fn record(&mut self) -> bool {
        let watched = self.tap.is_watched();
        match watched || self.store.wants_verdicts() {
            true if self.routing.is_recording() => {}
            true => self.routing.record_verdicts(&self.shape),
            false => self.routing.stop_recording(),
        }
        watched
    }

    /// What is about to be committed, for those who watch.
    fn to_show(&self, commit: &Commit) -> Vec<Shown> {
        let shown = commit.events.iter().enumerate().map(|(index, event)| {
            let record = commit.verdicts.get(index);
            Shown {
                event: event.clone(),
                record: record.map(|record| (**record).into()).unwrap_or_default(),
                shape: Arc::clone(&self.shape),
            }
        });
        shown.collect()
    }

    /// Resolves when an alert or a digest has something to say of its own.
    fn due(&self) -> impl Future<Output = ()> + use<> {
        let (instant, wall) = (self.clock.now(), self.clock.wall());
        let wake = self.chains.wake_at(wall).map(|at| instant + at.since(wall));
        async move {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Commit what was decided since `begun`, and show it if somebody `watched` then.
    async fn commit(&mut self, begun: Instant, commit: Commit, watched: bool) {
        let decided = self.clock.now();
        let shown = if watched {
            self.to_show(&commit)
        } else {
            Vec::new()
        };
        let levels = by_level(commit.events.iter().map(|event| event.severity));
        commit_until_taken(&self.store, commit).await;
        self.measure(begun, decided, &levels);
        self.tap.show(shown);
    }

    fn beat(&self) {
        if let Some(measures) = &self.measures {
            measures.router.beat(self.clock.now());
        }
    }

    /// A batch that was begun and decided at these times is committed; its events by severity are `levels`.
    fn measure(&self, begun: Instant, decided: Instant, levels: &[u32; LEVELS]) {
        let Some(measures) = &self.measures else {
            return;
        };
        let chains = decided.saturating_duration_since(begun);
        let commit = self.clock.now().saturating_duration_since(decided);
        let events: u32 = levels.iter().sum();
        measures.batch_events.note(events.into());
        measures.batch_seconds.note(chains.as_secs_f64());
        measures.commit_seconds.note(commit.as_secs_f64());
        measures.rates.note(self.clock.wall(), levels);
        let forgotten = self.newcomers.forgotten();
        measures
            .clients_forgotten
            .store(forgotten, Ordering::Relaxed);
    }

    /// Run the chains over a batch; nothing has happened before the commit.
    fn decide(&mut self, batch: Batch) -> Commit {
        let now = Now {
            instant: self.clock.now(),
            wall: self.clock.wall(),
        };
        for roll in &batch.rolls {
            self.newcomers.take_roll(roll, now.wall);
        }
        let mut duplicates = 0;
        let mut internet_is_back = false;
        let mut handed = HashSet::new();
        let admitted = self.repeats.admit(&batch, &*self.store);
        for ((event, way), admission) in batch.events.iter().zip(admitted) {
            duplicates += u64::from(admission == Admission::Duplicate);
            if admission != Admission::New {
                continue;
            }
            let history = *way == Way::Journal;
            self.routing.for_journal_only(history);
            self.chains.route(event, now, &mut self.routing);
            if *way == Way::Handed {
                handed.insert(repeats::key(event));
                continue;
            }
            internet_is_back |= event.kind == Kind::WAN_UP;
            if let Some(newcomer) = self.newcomers.judge(event, history, now.wall) {
                self.chains
                    .route(&Arc::new(newcomer), now, &mut self.routing);
            }
        }
        self.chains.holes_changed(&batch.holes, now.wall);
        self.routing.for_journal_only(false);
        self.chains.tick(now, &mut self.routing);
        if internet_is_back {
            self.weather.notify_waiters();
        }
        let mut state = self.chains.take_state();
        self.newcomers.take_state(&mut state);
        let verdicts = self.routing.take_verdicts();
        let (events, shares, dead) = self.routing.take(now.wall);
        let own = events.iter();
        let own = own.filter(|event| handed.is_empty() || !handed.contains(&repeats::key(event)));
        let mut watermarks = self.marks.rise_with(&batch.holes);
        watermarks.extend(self.marks.rise(own));
        Commit {
            events,
            shares,
            dead,
            duplicates,
            lost: batch.lost,
            verdicts,
            state,
            watermarks,
            holes: batch.holes,
            told: batch.told,
        }
    }
}

/// Resolves when it is time to show that the thread is alive, if anybody looks.
async fn idle(watched: bool) {
    if watched {
        tokio::time::sleep(BEAT).await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// Keep the names by which records are understood, unless the store keeps none or has them from an earlier run.
async fn keep_shape(store: &SharedStore, shape: &Shape) {
    if !store.wants_verdicts() {
        return;
    }
    let key: Text = Shape::name_of(shape.key()).into();
    let kept = store.load_state(Shape::SCOPE);
    if kept.is_ok_and(|kept| kept.iter().any(|entry| entry.key == key)) {
        return;
    }
    let state = vec![StateChange::Set {
        scope: Shape::SCOPE.into(),
        key,
        value: shape.to_json(),
        expires: None,
    }];
    let commit = Commit {
        state,
        ..Commit::default()
    };
    commit_until_taken(store, commit).await;
}

/// Commit, however long it takes: a batch is never skipped.
async fn commit_until_taken(store: &SharedStore, mut commit: Commit) {
    while let Err(rejected) = store.commit(commit).await {
        tracing::error!(error = %rejected.error, "store refused a batch, trying again");
        tokio::time::sleep(COMMIT_RETRY).await;
        commit = rejected.commit;
    }
}

#[cfg(test)]
mod tests;
