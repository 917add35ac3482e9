//! What an error of the broker or of the way to it means: weather, a mistake in the configuration, or a bad event.

use rumqttc::{
    ConnectReturnCode, ConnectionError, PubAckReason, PubRecReason, PublishNoticeError, StateError,
};
use unifi_herald_plugin::{DeliveryError, Fault};

/// No connection, or no longer.
pub(crate) fn connection(error: &ConnectionError) -> DeliveryError {
    match error {
        ConnectionError::ConnectionRefused(code) => refused(*code),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            DeliveryError::later(format!("the broker hung up: {reason_code:?}"))
                .with_fault(Fault::Unavailable)
        }
        ConnectionError::MqttState(StateError::Deserialization(error)) => {
            DeliveryError::later(format!("the broker did not answer in MQTT 5: {error}"))
        }
        error => DeliveryError::later(format!("no connection to the broker: {error}")),
    }
}

fn refused(code: ConnectReturnCode) -> DeliveryError {
    use ConnectReturnCode as Code;
    let message = format!("the broker refused the connection: {code:?}");
    match code {
        Code::BadUserNamePassword
        | Code::NotAuthorized
        | Code::Banned
        | Code::BadAuthenticationMethod
        | Code::BadClientId
        | Code::ClientIdentifierNotValid
        | Code::RefusedProtocolVersion
        | Code::UnsupportedProtocolVersion
        | Code::RetainNotSupported
        | Code::QoSNotSupported
        | Code::TopicNameInvalid
        | Code::UseAnotherServer
        | Code::ServerMoved => DeliveryError::misconfigured(message),
        _ => DeliveryError::later(message).with_fault(Fault::Unavailable),
    }
}

/// A message was not taken. `topic` is where it should have gone.
pub(crate) fn publish(error: &PublishNoticeError, topic: &str) -> DeliveryError {
    use PublishNoticeError as Error;
    let message = format!("the broker did not take a message on {topic}: {error}");
    match error {
        Error::RetainNotSupported => DeliveryError::misconfigured(message),
        Error::V5PubAck(PubAckReason::NotAuthorized)
        | Error::V5PubRec(PubRecReason::NotAuthorized) => DeliveryError::misconfigured(message),
        Error::V5PubAck(PubAckReason::TopicNameInvalid | PubAckReason::PayloadFormatInvalid)
        | Error::V5PubRec(PubRecReason::TopicNameInvalid | PubRecReason::PayloadFormatInvalid) => {
            DeliveryError::never(message)
        }
        Error::V5PubAck(_) | Error::V5PubRec(_) | Error::V5PubComp(_) => {
            DeliveryError::later(message).with_fault(Fault::Unavailable)
        }
        _ => DeliveryError::later(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Retry;

    #[test]
    fn credentials_are_configuration_and_a_busy_broker_is_weather() {
        let fault = |code| connection(&ConnectionError::ConnectionRefused(code)).fault();
        for code in [
            ConnectReturnCode::BadUserNamePassword,
            ConnectReturnCode::NotAuthorized,
            ConnectReturnCode::UnsupportedProtocolVersion,
        ] {
            assert_eq!(fault(code), Fault::Configuration);
        }
        assert_eq!(fault(ConnectReturnCode::ServerBusy), Fault::Unavailable);
        let closed = ConnectionError::Io(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(connection(&closed).fault(), Fault::Unreachable);
    }

    #[test]
    fn only_a_message_that_is_wrong_in_itself_is_given_up() {
        let error = |error| publish(&error, "t");
        let denied = error(PublishNoticeError::V5PubAck(PubAckReason::NotAuthorized));
        assert_eq!(denied.fault(), Fault::Configuration);
        let wrong = error(PublishNoticeError::V5PubAck(
            PubAckReason::PayloadFormatInvalid,
        ));
        assert_eq!(wrong.retry(), Retry::Never);
        let full = error(PublishNoticeError::V5PubAck(PubAckReason::QuotaExceeded));
        assert_eq!(
            (full.retry(), full.fault()),
            (Retry::Later, Fault::Unavailable)
        );
        assert_eq!(error(PublishNoticeError::Recv).fault(), Fault::Unreachable);
    }
}
