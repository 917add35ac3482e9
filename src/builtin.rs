//! The plugins that come with herald: one line each.

use crate::registry::Registry;

/// A registry with every built-in plugin; add your own with [`Registry::sink`], [`Registry::filter`]
/// and [`Registry::source`].
#[must_use]
pub fn builtin() -> Registry {
    Registry::new()
        .sink::<herald_console::Console>()
        .sink::<herald_exec::Exec>()
        .sink::<herald_file::File>()
        .sink::<herald_mqtt::Mqtt>()
        .sink::<herald_nats::Nats>()
        .sink::<herald_syslog::Syslog>()
        .sink::<herald_webhook::Webhook>()
        .sink::<herald_notify::Ntfy>()
        .sink::<herald_notify::Slack>()
        .sink::<herald_notify::Discord>()
        .sink::<herald_notify::Telegram>()
        .sink::<herald_notify::Pushover>()
        .sink::<herald_notify::PagerDuty>()
        .sink::<herald_notify::Email>()
        .sink::<herald_notify::Apprise>()
        .source::<herald_nats::NatsSource>()
}
