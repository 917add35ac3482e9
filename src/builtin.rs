//! The plugins that come with herald: one line each.

use crate::registry::Registry;

/// A registry with every built-in plugin; add your own with [`Registry::sink`] and [`Registry::filter`].
#[must_use]
pub fn builtin() -> Registry {
    Registry::new()
        .sink::<herald_console::Console>()
        .sink::<herald_exec::Exec>()
        .sink::<herald_file::File>()
        .sink::<herald_webhook::Webhook>()
}
