//! A site's socket: whether it opens, and whether anything comes.

use super::{Fault, Finding};
use crate::clock::Clock;
use crate::config::ControllerPlan;
use crate::source::account::Account;
use crate::source::socket;
use crate::unifi::close::{Loss, Reconnect, Seen};
use crate::unifi::{Site, endpoint};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// Longest wait for the farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// Open the socket of a site and wait for a frame.
pub(super) async fn socket(
    plan: &ControllerPlan,
    account: &Account,
    clock: &Clock,
    first_frame: Duration,
    site: &Site,
) -> Finding {
    let name = format!("socket {}", site.name);
    let (kind, pass) = account.pass().await;
    let path = endpoint::socket_path(kind, &site.name, &plan.socket_query);
    let began = clock.now();
    let mut socket = match socket::connect(&account.address, &account.tls, &path, &pass).await {
        Ok(socket) => socket,
        Err(seen) => return judged(name, &seen),
    };
    let first = timeout(first_frame, async {
        while let Some(message) = socket.next().await {
            match message {
                Ok(Message::Binary(_)) => return Ok(()),
                Ok(Message::Close(frame)) => {
                    return Err(
                        frame.map_or(Loss::Abnormal, |frame| Loss::Close(frame.code.into()))
                    );
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        Err(Loss::Abnormal)
    });
    let first = first.await;
    let up = clock.now().duration_since(began);
    let finding = match first {
        Ok(Ok(())) => Finding::ok(name, format!("first frame after {} ms", up.as_millis())),
        Ok(Err(how)) => judged(
            name,
            &Seen::Lost {
                how,
                data: false,
                up,
            },
        ),
        Err(_elapsed) => Finding::warning(
            name,
            format!("open, and silent for {} s", first_frame.as_secs()),
            "an empty site may be silent; on self-hosted controllers real-time updates must be on (Settings, System)",
        ),
    };
    // A controller that does not take the farewell will notice by itself.
    let _farewell = timeout(FAREWELL, socket.close(None)).await;
    finding
}

/// What the catalogue of closes says.
fn judged(name: String, seen: &Seen) -> Finding {
    let next = Reconnect::default().judge(seen, 0.0);
    let fault = match seen {
        Seen::Rejected {
            status: 401 | 403, ..
        } => Fault::Account,
        Seen::Rejected { .. } | Seen::Unreachable(_) | Seen::Lost { .. } => Fault::Way,
    };
    let mut finding = Finding::of_sentence(name, fault, &next.trouble);
    if fault == Fault::Account {
        "the controller refuses the socket of this site although the login succeeded"
            .clone_into(&mut finding.detail);
        "give the account at least View Only rights for Network on this site"
            .clone_into(&mut finding.fix);
    }
    finding
}
