//! What systemd is told of a host that it started with `Type=notify`; nobody else hears it.

use crate::control::Board;
use sd_notify::NotifyState;
use std::convert::Infallible;
use std::time::Duration;

/// How often the line in `systemctl status` is renewed where no watchdog is set.
const TELL: Duration = Duration::from_secs(15);

/// Everything is started.
pub(super) fn ready(board: &Board) {
    tell(&[NotifyState::Ready, NotifyState::Status(&line(board))]);
}

/// The configuration is being read anew; [`ready`] tells the end of it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "systemd could not be told"),
    }
}

/// What is pending is being delivered.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Keep systemd informed. Its watchdog is fed only while the host's own threads make progress, so that one that is
/// stuck is started anew.
pub(super) async fn watch(board: &Board) -> Infallible {
    let watchdog = sd_notify::watchdog_enabled();
    let every = watchdog.map_or(TELL, |limit| limit / 3);
    loop {
        tokio::time::sleep(every).await;
        if watchdog.is_some() && board.health().alive {
            tell(&[NotifyState::Watchdog]);
        }
        tell(&[NotifyState::Status(&line(board))]);
    }
}

fn line(board: &Board) -> String {
    let health = board.health();
    if health.ready {
        return "all is well".to_owned();
    }
    health.reasons.join("; ")
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
