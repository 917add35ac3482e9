//! Whether the account may do what is needed, found out at the start and without a trace.

use super::link::{Link, Trouble};
use crate::config::HostRole;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;

/// What acknowledgements are published to.
const ACKNOWLEDGE: &str = "$JS.ACK";

/// What the account of a herald of this role lacks, if anything.
pub(super) async fn examine(link: &Link, role: HostRole) -> Result<(), Trouble> {
    let names = &link.names;
    publish(link, "herald.>", "herald.probe.probe.probe.probe").await?;
    if !role.processes() {
        return Ok(());
    }
    publish(link, "herald.>", "herald.out.probe.probe").await?;
    for bucket in [names.state(), names.leases()] {
        let subjects = format!("$KV.{bucket}.>");
        publish(link, &subjects, &format!("$KV.{bucket}.probe")).await?;
    }
    acknowledge(link).await
}

/// Publish what no stream takes, since nothing in it can have that number: who may not gets no answer.
async fn publish(link: &Link, subjects: &str, subject: &str) -> Result<(), Trouble> {
    let message = PublishMessage::build().expected_last_sequence(i64::MAX.unsigned_abs());
    let sent = link
        .jetstream
        .send_publish(subject.to_owned(), message)
        .await;
    let answer = async { sent?.await };
    match answer.await {
        Err(error)
            if matches!(
                error.kind(),
                PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe
            ) =>
        {
            Err(link.trouble(&format!("publish to {subjects}"), &error))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Acknowledge nothing: who may not hears it before the answer to what is asked next.
async fn acknowledge(link: &Link) -> Result<(), Trouble> {
    let deed = format!("publish to {ACKNOWLEDGE}.>");
    let nothing = link
        .client
        .publish(format!("{ACKNOWLEDGE}.probe"), "".into());
    nothing.await.map_err(|error| link.trouble(&deed, &error))?;
    for _ in 0..2 {
        // Who asks is known to be there, and what it answers does not matter.
        drop(link.jetstream.get_stream(link.names.events()).await);
    }
    match link.complaint() {
        Some(complaint) if complaint.contains(ACKNOWLEDGE) => {
            Err(Trouble(format!("cannot {deed}: {complaint}")))
        }
        _ => Ok(()),
    }
}
