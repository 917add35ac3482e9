//! Holds this worker's fair share of the partitions: looks again and again who is there and what there is to do, takes and
//! gives leases, and runs what belongs to each partition that it holds.

use super::feed::Feed;
use super::lease::{Lease, RENEW, answered, show_life, shown_by, sign_off};
use super::letters;
use super::link::{Link, Trouble};
use super::names::Partition;
use super::outlet::Outlet;
use super::pull::subjects;
use super::shared::Shared;
use super::silences;
use super::spread::{View, moves};
use super::worker::Worker;
use crate::chain::Chains;
use crate::clock::Clock;
use crate::desk::Desk;
use crate::tasks::Tasks;
use futures_util::future::{join_all, select};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often is looked what there is to do.
const LOOK: Duration = Duration::from_secs(1);

/// How long a look may take: less than it takes to lose a lease, together with what is done besides.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the cluster hears that what waits for a sink is in progress.
const PROGRESS: Duration = Duration::from_secs(15);

/// Makes the chains for another partition.
pub(crate) type ChainsFactory = Box<dyn Fn() -> Result<Chains, String> + Send + Sync>;

/// A worker of the cluster.
pub(super) struct Manager {
    pub(super) shared: Arc<Shared>,
    pub(super) chains: ChainsFactory,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    /// Its name among the workers, another for each process.
    pub(super) name: String,
}

/// A partition at work.
struct Holding {
    lease: Lease,
    number: u64,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What one look has found.
struct Sight {
    view: View,
    /// Shares that wait, by sink and partition.
    waiting: BTreeMap<(String, Partition), u64>,
    /// How many letters there are, and the number of the newest: as many may be others.
    letters: (u64, u64),
    /// Incidents that somebody wants to have acknowledged.
    asked: Vec<String>,
}

impl Manager {
    /// Work until told to stop, then give everything back.
    pub(super) async fn run(self, link: Link, stop: CancellationToken, finish: CancellationToken) {
        let mut holdings: BTreeMap<Partition, Holding> = BTreeMap::new();
        let (mut renewed, mut progressed, mut tenures) = (None, self.clock.now(), 0);
        let mut shown = String::new();
        let mut letters_seen = (0, 0);
        while !stop.is_cancelled() {
            let now = self.clock.now();
            let mut done = Ok(());
            let holds = self.shared.desks.shown(link.room());
            if renewed.is_none_or(|at| now.duration_since(at) >= RENEW) {
                done = show_life(&link, &self.name, &holds).await;
                self.renew(&link, &mut holdings, now).await;
                (renewed, shown) = (Some(now), holds);
            } else if shown != holds {
                done = show_life(&link, &self.name, &holds).await;
                shown = holds;
            }
            self.reap(&link, &mut holdings).await;
            let look = tokio::time::timeout(PATIENCE, self.look(&link));
            let sight = look.await.unwrap_or_else(|_| {
                let text = "cannot look what there is to do: the cluster does not answer in time";
                Err(Trouble(text.to_owned()))
            });
            match sight {
                Ok(sight) => {
                    if sight.letters != letters_seen {
                        self.list_letters(&link).await;
                        letters_seen = sight.letters;
                    }
                    self.count(&sight, &holdings);
                    self.acknowledge(&link, sight.asked);
                    let changed = self.change(&link, &sight.view, &mut holdings, &mut tenures);
                    done = done.and(changed.await);
                }
                Err(trouble) => {
                    done = Err(trouble);
                    // A stream may have been deleted. What is in the way else is said below.
                    drop(tokio::time::timeout(PATIENCE, link.prepare(true)).await);
                }
            }
            match done {
                Ok(()) => self.shared.well(),
                Err(trouble) => self.shared.complain(&trouble, self.clock.wall()),
            }
            if self.clock.now().duration_since(progressed) >= PROGRESS {
                progressed = self.clock.now();
                join_all(self.shared.queues.iter().map(|queue| queue.in_progress())).await;
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
        for (partition, holding) in &holdings {
            holding.stop.cancel();
            self.put_down(partition, holding);
        }
        // Nobody else begins before the lanes have acknowledged what they have in their hands.
        finish.cancelled().await;
        for (partition, holding) in holdings {
            self.end(&link, &partition, holding).await;
        }
        sign_off(&link, &self.name).await;
        // What was acknowledged in these last moments is to be known to the next.
        drop(link.client.flush().await);
    }

    async fn renew(&self, link: &Link, holdings: &mut BTreeMap<Partition, Holding>, now: Instant) {
        let renewals = holdings.iter_mut().map(|(partition, holding)| async move {
            match holding.lease.renew(link, &self.name, now).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(%partition, "another worker took this partition");
                    holding.stop.cancel();
                }
                Err(trouble) => {
                    tracing::debug!(%partition, %trouble, "a lease could not be renewed");
                }
            }
        });
        join_all(renewals).await;
    }

    /// Do what others ask for, as far as it is held here.
    fn acknowledge(&self, link: &Link, asked: Vec<String>) {
        for incident in asked {
            let (link, shared) = (link.clone(), Arc::clone(&self.shared));
            drop(self.tasks.spawn(async move {
                if let Ok(true) = shared.desks.acknowledge(&incident).await {
                    answered(&link, &incident).await;
                }
            }));
        }
    }

    /// Let go of partitions whose work has ended, or whose lease may be somebody else's.
    async fn reap(&self, link: &Link, holdings: &mut BTreeMap<Partition, Holding>) {
        let now = self.clock.now();
        let over: Vec<Partition> = holdings
            .iter()
            .filter(|(_, holding)| {
                holding.task.is_finished()
                    || holding.stop.is_cancelled()
                    || !holding.lease.tenure.is_valid(now)
            })
            .map(|(partition, _)| partition.clone())
            .collect();
        for partition in over {
            if let Some(holding) = holdings.remove(&partition) {
                self.end(link, &partition, holding).await;
            }
        }
    }

    async fn end(&self, link: &Link, partition: &Partition, mut holding: Holding) {
        holding.stop.cancel();
        if let Err(error) = (&mut holding.task).await {
            tracing::error!(%partition, %error, "the work on a partition broke down");
        }
        self.put_down(partition, &holding);
        holding.lease.give(link).await;
        tracing::info!(%partition, "partition given back");
    }

    /// Leave to others what no lane has claimed.
    fn put_down(&self, partition: &Partition, holding: &Holding) {
        self.shared.desks.close(partition);
        for queue in &self.shared.queues {
            queue.leave(partition, holding.number);
        }
    }

    async fn look(&self, link: &Link) -> Result<Sight, Trouble> {
        let mut view = View::default();
        let (mut waiting, mut letters) = (BTreeMap::new(), 0);
        for (subject, _) in subjects(link, link.names.events(), ">").await? {
            view.partitions.extend(Partition::of_subject(&subject));
        }
        for (subject, count) in subjects(link, &link.names.shares(), ">").await? {
            if subject.starts_with("herald.dead.") {
                letters += count;
                continue;
            }
            let Some(partition) = Partition::of_subject(&subject) else {
                continue;
            };
            if let Some(sink) = subject.split('.').nth(2) {
                waiting.insert((sink.to_owned(), partition.clone()), count);
            }
            view.partitions.insert(partition);
        }
        let newest = match letters {
            0 => 0,
            _ => letters::newest(link).await?,
        };
        let bucket = link.names.state_stream();
        let heads = format!("$KV.{}.*.head", link.names.state());
        for (subject, _) in subjects(link, &bucket, &heads).await? {
            let name = subject.split('.').nth(2);
            view.partitions.extend(name.and_then(Partition::of_name));
        }
        let (mut asked, mut shown) = (Vec::new(), Vec::new());
        for (subject, _) in subjects(link, &link.names.lease_stream(), ">").await? {
            let mut words = subject.split('.').skip(2);
            match (words.next(), words.next()) {
                (Some("lease"), Some(name)) => view.leased.extend(Partition::of_name(name)),
                (Some("worker"), Some(name)) => {
                    view.workers += 1;
                    if name != self.name {
                        shown.extend(shown_by(link, name).await?);
                    }
                }
                (Some("asked"), Some(incident)) => asked.push(incident.to_owned()),
                _ => {}
            }
        }
        self.shared.desks.follow_others(&shown);
        let known = self.shared.desks.silences();
        let silences = silences::all(link, &known, self.clock.wall()).await?;
        self.shared.desks.follow(silences);
        Ok(Sight {
            view,
            waiting,
            letters: (letters, newest),
            asked,
        })
    }

    /// Enter in the sinks' books what waits for them in the partitions that are ours.
    fn count(&self, sight: &Sight, holdings: &BTreeMap<Partition, Holding>) {
        for queue in &self.shared.queues {
            for partition in holdings.keys() {
                let place = (queue.name.to_string(), partition.clone());
                let count = sight.waiting.get(&place).copied();
                queue.waits(partition, count.unwrap_or_default());
            }
        }
    }

    async fn list_letters(&self, link: &Link) {
        match letters::list(link).await {
            Ok(list) => self.shared.set_letters(list),
            Err(trouble) => tracing::warn!(%trouble, "dead letters could not be listed"),
        }
    }

    async fn change(
        &self,
        link: &Link,
        view: &View,
        holdings: &mut BTreeMap<Partition, Holding>,
        tenures: &mut u64,
    ) -> Result<(), Trouble> {
        let mine: BTreeSet<Partition> = holdings.keys().cloned().collect();
        let moves = moves(view, &mine, fastrand::f64());
        for partition in &moves.give {
            if let Some(holding) = holdings.get(partition) {
                holding.stop.cancel();
            }
        }
        for partition in moves.give {
            if let Some(holding) = holdings.remove(&partition) {
                self.end(link, &partition, holding).await;
            }
        }
        for partition in moves.take {
            let now = self.clock.now();
            match Lease::take(link, &partition, &self.name, now).await {
                Ok(Some(lease)) => {
                    *tenures += 1;
                    if let Some(holding) = self.hold(link, &partition, lease, *tenures) {
                        holdings.insert(partition, holding);
                    }
                }
                Ok(None) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    fn hold(
        &self,
        link: &Link,
        partition: &Partition,
        lease: Lease,
        number: u64,
    ) -> Option<Holding> {
        let chains = match (self.chains)() {
            Ok(chains) => chains,
            Err(error) => {
                // The configuration was checked: a script was changed since.
                tracing::error!(error, "chains cannot be made");
                return None;
            }
        };
        let desk = Desk::new(chains.alerts().clone(), self.clock.clone());
        self.shared.desks.open(partition, desk.clone());
        let stop = CancellationToken::new();
        let worker = Worker {
            outlet: Outlet {
                link: link.clone(),
                partition: partition.clone(),
                queues: self.shared.queues.clone(),
            },
            tenure: lease.tenure.clone(),
            chains,
            desk,
            clock: self.clock.clone(),
        };
        let feeds: Vec<Feed> = self
            .shared
            .queues
            .iter()
            .map(|queue| Feed {
                link: link.clone(),
                partition: partition.clone(),
                tenure: number,
                queue: Arc::clone(queue),
            })
            .collect();
        let token = stop.clone();
        let name = partition.clone();
        let task = self.tasks.spawn(async move {
            let feeding = pin!(join_all(feeds.iter().map(Feed::run)));
            let working = pin!(async {
                if let Err(trouble) = worker.run().await {
                    tracing::warn!(partition = %name, %trouble, "partition cannot be worked on");
                }
            });
            token.run_until_cancelled(select(working, feeding)).await;
        });
        tracing::info!(%partition, "partition taken");
        Some(Holding {
            lease,
            number,
            stop,
            task,
        })
    }
}
