//! What a program says on its standard error, for the log: a line at a time, bounded, a flood counted.

use crate::gate::Gate;
use crate::lines::Lines;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::oneshot;
use unifi_herald_plugin::{BuildContext, push_plain};

/// Longest line that is shown.
const LONGEST: usize = 1000;

/// How long the last words of a program are waited for whose standard error somebody else holds open.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

/// Log what comes, until it ends; when `stopped` resolves, what was said until then. `_heard` is dropped at the end.
pub(crate) async fn listen(
    mut stream: impl AsyncRead + Unpin + Send,
    stopped: oneshot::Receiver<()>,
    context: BuildContext,
    _heard: oneshot::Sender<()>,
) {
    let mut chatter = Chatter {
        lines: Lines::new(LONGEST),
        gate: Gate::new(),
        context: &context,
    };
    let over = tokio::select! {
        () = chatter.hear(&mut stream) => true,
        _ = stopped => false,
    };
    if !over {
        let until = context.now() + LAST_WORDS;
        tokio::select! {
            () = chatter.hear(&mut stream) => {}
            () = context.sleep_until(until) => {}
        }
    }
    chatter.finish();
}

struct Chatter<'c> {
    lines: Lines,
    gate: Gate,
    context: &'c BuildContext,
}

impl Chatter<'_> {
    /// Until the stream ends. Cancelled, it has taken nothing that it did not log.
    async fn hear(&mut self, stream: &mut (impl AsyncRead + Unpin)) {
        let Self {
            lines,
            gate,
            context,
        } = self;
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            lines.push(&bytes[..count], |line, _cut| say(line, gate, context));
        }
    }

    fn finish(mut self) {
        let (gate, context) = (&mut self.gate, self.context);
        self.lines.finish(|line, _cut| say(line, gate, context));
        let suppressed = gate.suppressed();
        if suppressed > 0 {
            tracing::info!(sink = context.name(), suppressed, "program said more");
        }
    }
}

fn say(line: &[u8], gate: &mut Gate, context: &BuildContext) {
    if let Some(suppressed) = gate.admit(context.now()) {
        let line = plain(line);
        tracing::info!(sink = context.name(), line, suppressed, "program says");
    }
}

fn plain(line: &[u8]) -> String {
    let mut plain = Vec::new();
    push_plain(&String::from_utf8_lossy(line), &mut plain);
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tokio::io::AsyncWriteExt;
    use unifi_herald_plugin::testing::TestContext;

    #[tokio::test]
    async fn the_last_words_of_who_is_gone_are_heard() {
        let context = TestContext::new();
        for _ in 0..50 {
            let (mut program, stderr) = tokio::io::duplex(16);
            let (stop, stopped) = oneshot::channel();
            let (heard, mut is_heard) = oneshot::channel();
            drop(stop);
            let says = async move { program.write_all(&[b'x'; 1000]).await };
            let build = context.build_context("own", Path::new("/"));
            let (said, ()) = tokio::join!(says, listen(stderr, stopped, build, heard));
            said.unwrap();
            assert!(is_heard.try_recv().is_err());
        }
    }

    #[tokio::test]
    async fn who_holds_the_stream_open_is_not_listened_to_for_ever() {
        let context = TestContext::new();
        let (_program, stderr) = tokio::io::duplex(16);
        let (stop, stopped) = oneshot::channel();
        let (heard, is_heard) = oneshot::channel();
        let build = context.build_context("own", Path::new("/"));
        build.spawn("listen", listen(stderr, stopped, build.clone(), heard));
        drop(stop);
        tokio::task::yield_now().await;
        context.advance(LAST_WORDS);
        assert!(is_heard.await.is_err());
    }
}
