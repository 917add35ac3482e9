//! What an error of a server or of the way to it means: weather, a mistake in the configuration, or a bad event.

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{ConnectError, ConnectErrorKind, ServerError};
use std::error::Error as _;
use unifi_herald_plugin::{Connector, DeliveryError, Fault};

/// No connection came to be.
pub(crate) fn connect(error: &ConnectError, connector: &Connector) -> DeliveryError {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            DeliveryError::misconfigured(
                "the NATS server refused the account: check `creds`, `username` and `password`, or `token`",
            )
        }
        _ => {
            let explained = connector.explain(error);
            let why = explained.unwrap_or_else(|| error.to_string());
            DeliveryError::later(format!("no connection to a NATS server: {why}"))
        }
    }
}

/// The server said something that no publication asked for.
pub(crate) fn said(error: &ServerError) -> DeliveryError {
    match error {
        ServerError::AuthorizationViolation => {
            DeliveryError::misconfigured("the NATS server no longer accepts the account")
        }
        ServerError::Other(text) if text.to_ascii_lowercase().contains("permissions violation") => {
            DeliveryError::misconfigured(format!("the NATS server does not permit it: {text}"))
        }
        error => DeliveryError::later(format!("the NATS server complained: {error}"))
            .with_fault(Fault::Unavailable),
    }
}

/// A stream did not take an event. `subject` is where it should have gone.
pub(crate) fn publish(error: &PublishError, subject: &str) -> DeliveryError {
    let refused = error.source().and_then(|source| source.downcast_ref());
    match (error.kind(), refused.map(jetstream::Error::error_code)) {
        (PublishErrorKind::StreamNotFound, _) => DeliveryError::later(format!(
            "no stream takes {subject}: create one with that subject, or write jetstream = false"
        ))
        .with_fault(Fault::Unavailable),
        (PublishErrorKind::MaxPayloadExceeded, _)
        | (_, Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM)) => {
            DeliveryError::never(format!("the event is too large for {subject}"))
        }
        (
            _,
            Some(ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT),
        ) => DeliveryError::misconfigured("the NATS server has no JetStream for this account"),
        // No event is to blame for a stream that is full, whatever becomes of a smaller one.
        (
            _,
            Some(
                ErrorCode::STREAM_STORE_FAILED
                | ErrorCode::INSUFFICIENT_RESOURCES
                | ErrorCode::STORAGE_RESOURCES_EXCEEDED
                | ErrorCode::MEMORY_RESOURCES_EXCEEDED
                | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
            ),
        ) => DeliveryError::later(format!("the stream has no room for an event on {subject}")),
        (PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe, _) => DeliveryError::later(
            format!("no stream acknowledged an event on {subject} in time"),
        ),
        (_, Some(_)) => {
            let why = refused.map(ToString::to_string).unwrap_or_default();
            DeliveryError::later(format!(
                "the stream did not take an event on {subject}: {why}"
            ))
            .with_fault(Fault::Unavailable)
        }
        _ => DeliveryError::later(format!("cannot publish on {subject}: {error}")),
    }
}
