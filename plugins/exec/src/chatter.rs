//! What a program says on its standard error, for the log: a line at a time, bounded, a flood counted.

use crate::gate::Gate;
use crate::lines::Lines;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::oneshot;
use unifi_herald_plugin::{BuildContext, push_plain};

/// Longest line that is shown.
const LONGEST: usize = 1000;

/// Log what comes, until it ends or `stopped` resolves.
pub(crate) async fn listen(
    stream: impl AsyncRead + Unpin + Send,
    stopped: oneshot::Receiver<()>,
    context: BuildContext,
) {
    tokio::select! {
        () = log(stream, &context) => {}
        _ = stopped => {}
    }
}

async fn log(mut stream: impl AsyncRead + Unpin, context: &BuildContext) {
    let (mut lines, mut gate) = (Lines::new(LONGEST), Gate::new());
    let mut bytes = [0; 4096];
    let mut say = |line: &[u8]| {
        if let Some(suppressed) = gate.admit(context.now()) {
            let line = plain(line);
            tracing::info!(sink = context.name(), line, suppressed, "program says");
        }
    };
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        lines.push(&bytes[..count], |line, _cut| say(line));
    }
    lines.finish(|line, _cut| say(line));
    let suppressed = gate.suppressed();
    if suppressed > 0 {
        tracing::info!(sink = context.name(), suppressed, "program said more");
    }
}

fn plain(line: &[u8]) -> String {
    let mut plain = Vec::new();
    push_plain(&String::from_utf8_lossy(line), &mut plain);
    String::from_utf8_lossy(&plain).into_owned()
}
