//! Taking a host down in order: first the sources, then the ring, then the lanes, within a deadline.

use super::Host;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use unifi_herald_plugin::Text;

/// What a host left behind when it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Events that were for a sink and did not get there, by sink, where there are any: those that are lost, if any are.
    pub left: Vec<(Text, u64)>,
    /// Whether they are safe in the store and will be delivered after the next start.
    pub safe: bool,
}

impl Stopped {
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
            plugin_tasks.stop();
            if let Some(server) = server {
                server.stop(clock.now().into()).await;
            }
        });
        plugins.shutdown_timeout(Duration::from_millis(500));
        let left = store
            .books()
            .into_iter()
            .filter(|sink| sink.books.pending > 0);
        let safe = store.outlives_the_process();
        let left = left.filter(|sink| safe || store.forgets(&sink.name));
        Stopped {
            left: left.map(|sink| (sink.name, sink.books.pending)).collect(),
            safe,
        }
    }
}
