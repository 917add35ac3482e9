//! Taking a host down in order: first the sources, then the ring, then the lanes, within a deadline.

use super::Host;
use crate::store::{Store, StoreHealth};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use unifi_herald_plugin::Text;

/// What a host left behind when it stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Events that were for a sink and did not get there, by sink, where there are any: those that are lost, if any are.
    pub left: Vec<(Text, u64)>,
    /// Whether they are safe in the store and will be delivered after the next start.
    pub safe: bool,
    /// Where some are lost: how many others are safe in the store.
    pub kept: u64,
    /// What the store's disk refused to the end, if anything.
    pub unwritten: Option<Unwritten>,
}

/// What a store on disk had in memory only when its herald ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// How many events, whether a sink awaited them or not.
    pub events: u64,
    /// Whether the next start knows since when to ask the controllers' histories for them.
    pub comes_again: bool,
}

impl Stopped {
    /// What a process that ended now would leave behind.
    #[must_use]
    pub fn with(store: &dyn Store) -> Self {
        let books = store.books().into_iter();
        let pending = books.map(|sink| (sink.name, sink.books.pending));
        let pending: Vec<_> = pending.filter(|(_, count)| *count > 0).collect();
        let unsaved = pending.iter();
        let unsaved = unsaved.map(|(sink, _)| (sink.clone(), store.unsaved(sink)));
        let lost: Vec<_> = unsaved.filter(|(_, count)| *count > 0).collect();
        let unwritten = match store.health() {
            StoreHealth::Degraded { held, .. } => Some(Unwritten {
                events: held,
                comes_again: store.watermarks().is_ok_and(|marks| !marks.is_empty()),
            }),
            StoreHealth::Ok | StoreHealth::Away { .. } => None,
        };
        let total = |events: &[(Text, u64)]| events.iter().map(|(_, count)| count).sum::<u64>();
        let safe = lost.is_empty();
        Self {
            kept: if safe {
                0
            } else {
                total(&pending).saturating_sub(total(&lost))
            },
            left: if safe { pending } else { lost },
            safe,
            unwritten,
        }
    }

    /// How many events were left, over all sinks.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.left.iter().map(|(_, count)| count).sum()
    }
}

impl Host {
    /// Stop in order: log out and read no more, route what is in the ring, let the lanes deliver what they have.
    /// What is not done after `within` is given up and reported.
    #[must_use]
    pub fn stop(self, within: Duration) -> Stopped {
        let Self {
            plugins,
            plugin_tasks,
            source,
            source_tasks,
            router,
            router_stop,
            keeper,
            drain,
            abort,
            store,
            clock,
            server,
            cluster,
            ..
        } = self;
        plugins.block_on(async {
            let deadline = Instant::from(clock.now() + within);
            source_tasks.stop();
            if let Some(cluster) = &cluster {
                cluster.retire();
            }
            source.end_by(deadline).await;
            // It swaps nothing any more, so the lanes that there are now are all that will be.
            let (lanes, inlets) = match timeout_at(deadline, keeper).await {
                Ok(Ok((lanes, inlets))) => (lanes.into_tasks(), inlets.into_tasks()),
                Ok(Err(_)) | Err(_) => {
                    tracing::warn!("a reload did not come to its end in time");
                    (Vec::new(), Vec::new())
                }
            };
            // While the router still commits what they have in their hands; what they do not settle comes again.
            let inlets = futures_util::future::join_all(inlets);
            if timeout_at(deadline, inlets).await.is_err() {
                tracing::warn!("a source did not stop in time");
            }
            router_stop.cancel();
            router.end_by(deadline).await;
            drain.cancel();
            for lane in lanes {
                let mut lane = lane;
                if timeout_at(deadline, &mut lane).await.is_err() {
                    abort.cancel();
                    // A plugin that keeps its thread cannot be waited for; its events are counted as left.
                    if timeout_at(deadline + Duration::from_secs(1), lane)
                        .await
                        .is_err()
                    {
                        tracing::warn!("a sink did not stop in time");
                    }
                }
            }
            if let Some(cluster) = cluster {
                cluster.stop(deadline + Duration::from_secs(1)).await;
            }
            // What is there is all there will be.
            let last = deadline + Duration::from_secs(1);
            if timeout_at(last, store.save()).await.is_err() {
                tracing::warn!("the store did not write in time what it held in memory");
            }
            plugin_tasks.stop();
            if let Some(server) = server {
                server.stop(clock.now().into()).await;
            }
        });
        plugins.shutdown_timeout(Duration::from_millis(500));
        Stopped::with(&*store)
    }
}
