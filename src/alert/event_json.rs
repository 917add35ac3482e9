//! Events within remembered state, in the form of every output.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Event};

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
pub(super) fn serialize<S: Serializer>(
    event: &Option<Arc<Event>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    event.as_deref().serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Arc<Event>>, D::Error> {
    let read = Option::<BufferedEvent>::deserialize(deserializer)?;
    Ok(read.map(|read| read.event))
}
