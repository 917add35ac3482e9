//! Shows one watcher what is committed from now on.

use super::fate::routed;
use super::protocol::{Answer, Watch};
use super::search;
use super::server::Shared;
use super::session::{Gone, Replies, line};
use super::tap::Shown;
use crate::config::OnError;
use crate::script::{RunContext, ScriptStep, StepOutcome};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use unifi_herald_plugin::Kind;

/// Events sent together are no more bytes than this, or one event.
const PAGE: usize = 64 << 10;

/// Which events a watcher wants.
struct Wanted {
    /// One flag per kind; none for all.
    kinds: Option<Box<[bool]>>,
    condition: Option<ScriptStep>,
    no_raw: bool,
    why: bool,
}

/// Show what `watch` asks for until the host stops or the watcher leaves.
pub(super) async fn run(watch: Watch, shared: &Shared, replies: &mut Replies) -> Result<(), Gone> {
    let mut wanted = match wanted(&watch, shared) {
        Ok(wanted) => wanted,
        Err(reason) => return replies.send(&Answer::Misasked(reason)).await,
    };
    let mut events = shared.board.tap.watch();
    // From here on nothing is missed: whoever asked may rely on it.
    replies.send(&Answer::Watching {}).await?;
    loop {
        let next = tokio::select! {
            next = events.recv() => next,
            () = replies.left() => return Err(Gone::Left),
            () = shared.tasks.stopping() => return replies.send(&Answer::Done(0)).await,
        };
        let mut page = Vec::new();
        let missed = match next {
            Ok(event) => {
                wanted.push(event, shared, &mut page);
                more(&mut events, &mut wanted, shared, &mut page)
            }
            Err(RecvError::Lagged(missed)) => missed,
            Err(RecvError::Closed) => return replies.send(&Answer::Done(0)).await,
        };
        if !page.is_empty() {
            replies.write(&page).await?;
        }
        if missed > 0 {
            replies.send(&Answer::Skipped(missed)).await?;
        }
    }
}

/// Add what is there already; returns how many events were missed behind it.
fn more(
    events: &mut Receiver<Shown>,
    wanted: &mut Wanted,
    shared: &Shared,
    page: &mut Vec<u8>,
) -> u64 {
    while page.len() < PAGE {
        match events.try_recv() {
            Ok(event) => wanted.push(event, shared, page),
            Err(TryRecvError::Lagged(missed)) => return missed,
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    0
}

fn wanted(watch: &Watch, shared: &Shared) -> Result<Wanted, String> {
    let cast = shared.board.roster.now();
    let condition = watch.condition.as_ref();
    let condition = condition.map(|source| cast.engine.compile_where(source));
    let condition = condition
        .transpose()
        .map_err(|error| format!("--where: {error}"))?;
    let admits = |kind: &Kind| watch.kinds.iter().any(|name| name == kind.as_str());
    Ok(Wanted {
        kinds: (!watch.kinds.is_empty()).then(|| Kind::ALL.iter().map(admits).collect()),
        condition: condition.map(|script| ScriptStep::new(script, OnError::Drop)),
        no_raw: watch.no_raw,
        why: watch.why,
    })
}

impl Wanted {
    fn push(&mut self, mut shown: Shown, shared: &Shared, page: &mut Vec<u8>) {
        let event = &shown.event;
        let kinds = self.kinds.as_ref();
        if kinds.is_some_and(|kinds| !kinds[event.kind.index()]) {
            return;
        }
        if let Some(condition) = &mut self.condition {
            let clock = &shared.board.clock;
            let context = RunContext {
                now: clock.wall(),
                instant: clock.now(),
                salt: "tail",
            };
            if !matches!(
                condition.apply(&event.event, &context),
                StepOutcome::Keep(_)
            ) {
                return;
            }
        }
        if self.no_raw {
            shown.event = search::without_raw(shown.event);
        }
        if !self.why {
            search::event(&shown.event, page);
        } else if let Some(routed) = routed(&shown) {
            page.extend(line(&Answer::Routed(Box::new(routed))));
        }
    }
}
