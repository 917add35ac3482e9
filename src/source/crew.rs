//! The controllers that are listened to: each can be taken on and let go while the others go on.

use super::{Link, run};
use crate::config::ControllerPlan;
use crate::tasks::Tasks;
use tokio::sync::{mpsc, oneshot};
use unifi_herald_plugin::Text;

/// What the crew is told.
#[derive(Debug)]
pub enum CrewOrder {
    /// Listen to this controller as well.
    Start(Box<ControllerPlan>, Link),
    /// Listen to the controller of this name no longer; answered when its sockets are closed and it is logged out.
    Stop(Text, oneshot::Sender<()>),
}

/// Do what comes through `orders` until `tasks` is told to stop; then let all go. The tasks of a link are replaced by
/// a group of the controller's own.
pub async fn crew(mut orders: mpsc::Receiver<CrewOrder>, tasks: Tasks) {
    let stop = tasks.stop_token();
    let mut members: Vec<(Text, Tasks)> = Vec::new();
    while let Some(Some(order)) = stop.run_until_cancelled(orders.recv()).await {
        match order {
            CrewOrder::Start(plan, link) => {
                let own = tasks.child();
                members.push((plan.name.clone(), own.clone()));
                let link = Link {
                    tasks: own.clone(),
                    ..link
                };
                own.spawn(run(*plan, link));
            }
            CrewOrder::Stop(name, done) => {
                let place = members.iter().position(|(known, _)| *known == name);
                let member = place.map(|place| members.swap_remove(place).1);
                // Beside the others: a farewell may take a while.
                tasks.spawn(async move {
                    if let Some(member) = member {
                        member.stop();
                        member.ended().await;
                    }
                    done.send(()).unwrap_or_default();
                });
            }
        }
    }
    stop.cancelled().await;
    let ended = members.iter().map(|(_, member)| member.ended());
    futures_util::future::join_all(ended).await;
    tasks.ended().await;
}
