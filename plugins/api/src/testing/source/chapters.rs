//! The chapters of the contract, one function each, and what they look at.

use super::SourceWorld;
use crate::testing::watch::{in_time, poked, polled};
use crate::{DeliveryError, Message, Settled, Source};

/// More polls than one `receive` needs.
const MOST_POLLS: usize = 50;

/// One walk through the contract.
pub(super) struct Run<'w> {
    world: &'w mut dyn SourceWorld,
    next: u64,
}

/// What was broken, in words.
type Step = Result<(), String>;

impl<'w> Run<'w> {
    pub(super) fn new(world: &'w mut dyn SourceWorld) -> Self {
        Self { world, next: 1 }
    }

    /// A check finds that all is well, and takes nothing from whoever reads.
    pub(super) async fn check(&mut self) -> Step {
        let mut source = self.world.build().await;
        let keeps = source.redelivers();
        let sent = if keeps {
            // Opened once, so that what is sent is for this reader.
            drop(self.open().await?);
            self.send(2).await
        } else {
            Vec::new()
        };
        well("check", in_time("check", source.check()).await?)?;
        drop(source);
        let mut source = self.open().await?;
        self.gets(&mut *source, &sent, "after a check").await
    }

    /// What is sent comes whole, once and in order, also in several pieces.
    pub(super) async fn order(&mut self) -> Step {
        let mut source = self.open().await?;
        for count in [1, 5, 2] {
            let sent = self.send(count).await;
            self.gets(&mut *source, &sent, "while it was open").await?;
        }
        Ok(())
    }

    /// A `receive` that is dropped at any moment has received nothing.
    pub(super) async fn cancellation(&mut self) -> Step {
        let mut source = self.open().await?;
        for polls in 1..MOST_POLLS {
            if let Some(early) = poked("receive", source.receive(), polls).await? {
                return Err(unsent(&received(early)?));
            }
            let sent = self.send(1).await;
            let mut got = Vec::new();
            if let Some(messages) = polled("receive", source.receive(), polls).await? {
                got = received(messages)?;
                self.settle(&mut *source, got.len()).await?;
            }
            let rest = sent.get(got.len()..).unwrap_or_default();
            compare(&got, &sent[..sent.len() - rest.len()], "that was sent")?;
            let when = "when `receive` was dropped";
            self.gets(&mut *source, rest, when).await?;
        }
        Ok(())
    }

    /// What is in hand can be held, more than once, and settled then.
    pub(super) async fn holding(&mut self) -> Step {
        let mut source = self.open().await?;
        let sent = self.send(1).await;
        let got = received(in_time("receive", source.receive()).await?)?;
        compare(&got, &sent, "that was sent")?;
        for _ in 0..2 {
            well("hold", in_time("hold", source.hold()).await?)?;
        }
        self.settle(&mut *source, got.len()).await?;
        let sent = self.send(1).await;
        self.gets(&mut *source, &sent, "behind what was held").await
    }

    /// What was settled, kept or refused, does not come again.
    pub(super) async fn settling(&mut self) -> Step {
        let mut source = self.open().await?;
        if !source.redelivers() {
            return Ok(());
        }
        for settled in [Settled::Kept, Settled::Refused] {
            let sent = self.send(1).await;
            let got = received(in_time("receive", source.receive()).await?)?;
            compare(&got, &sent, "that was sent")?;
            well(
                "settle",
                in_time("settle", source.settle(&[settled])).await?,
            )?;
        }
        drop(source);
        let sent = self.send(1).await;
        let mut second = self.open().await?;
        let when = "to a second source, when the first had settled the others";
        self.gets(&mut *second, &sent, when).await
    }

    /// What was in hand when a source was dropped comes to the next.
    pub(super) async fn redelivery(&mut self) -> Step {
        let mut source = self.open().await?;
        if !source.redelivers() {
            return Ok(());
        }
        let sent = self.send(3).await;
        let got = received(in_time("receive", source.receive()).await?)?;
        compare(&got, &sent[..got.len().min(sent.len())], "that was sent")?;
        drop(source);
        let mut second = self.open().await?;
        let when = "after the source that had received it was dropped";
        self.gets(&mut *second, &sent, when).await
    }

    /// `receive` ends with an error when the connection is of no more use, and a new source receives again.
    pub(super) async fn broken_connection(&mut self) -> Step {
        let mut source = self.open().await?;
        if !self.world.cut().await {
            return Ok(());
        }
        if let Ok(messages) = in_time("receive", source.receive()).await? {
            return Err(unsent(&texts(&messages)));
        }
        drop(source);
        let mut second = self.open().await?;
        let sent = self.send(1).await;
        let when = "after a broken connection";
        self.gets(&mut *second, &sent, when).await
    }

    async fn open(&mut self) -> Result<Box<dyn Source>, String> {
        let mut source = self.world.build().await;
        well("open", in_time("open", source.open()).await?)?;
        Ok(source)
    }

    /// Send so many that were never sent before.
    async fn send(&mut self, count: u64) -> Vec<String> {
        let first = self.next;
        self.next += count;
        let payloads = (first..self.next).map(|number| format!("test-{number}"));
        let payloads: Vec<_> = payloads.collect();
        self.world.send(&payloads).await;
        payloads
    }

    /// The source brings these and nothing else, and is told that they are kept.
    async fn gets(&self, source: &mut dyn Source, sent: &[String], when: &str) -> Step {
        let mut got = Vec::new();
        while got.len() < sent.len() {
            let messages = in_time("receive", source.receive()).await;
            let messages = messages.map_err(|error| match sent.get(got.len()) {
                Some(next) if error.contains("hangs") => format!("{next} did not come {when}"),
                _ => error,
            });
            let messages = received(messages?)?;
            self.settle(source, messages.len()).await?;
            got.extend(messages);
        }
        compare(&got, sent, when)
    }

    async fn settle(&self, source: &mut dyn Source, count: usize) -> Step {
        if !source.redelivers() {
            return Ok(());
        }
        let settled = vec![Settled::Kept; count];
        well("settle", in_time("settle", source.settle(&settled)).await?)
    }
}

/// The payloads of what was received, at least one.
fn received(messages: Result<Vec<Message>, DeliveryError>) -> Result<Vec<String>, String> {
    let messages =
        messages.map_err(|error| format!("receive failed while all was well: {error}"))?;
    if messages.is_empty() {
        return Err("receive came back with nothing".to_owned());
    }
    Ok(texts(&messages))
}

fn texts(messages: &[Message]) -> Vec<String> {
    let text = |message: &Message| String::from_utf8_lossy(&message.payload).into_owned();
    messages.iter().map(text).collect()
}

fn unsent(got: &[String]) -> String {
    format!("{} came when it should not", got.join(", "))
}

/// These and nothing else, in this order.
fn compare(got: &[String], sent: &[String], when: &str) -> Step {
    if got == sent {
        return Ok(());
    }
    if let Some(other) = got.iter().find(|text| !sent.contains(text)) {
        return Err(format!("{other} came when it should not: {when}"));
    }
    match sent.iter().find(|text| !got.contains(text)) {
        Some(lost) => Err(format!("{lost} did not come {when}")),
        None => Err(format!(
            "{} came for {}: {when}",
            got.join(", "),
            sent.join(", ")
        )),
    }
}

fn well(what: &str, result: Result<(), DeliveryError>) -> Step {
    result.map_err(|error| format!("{what} failed while all was well: {error}"))
}
