//! Sources of other programs' events, as they will run.

use super::PluginPlan;
use unifi_herald_plugin::Text;

/// One source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcePlan {
    /// Its name in the configuration.
    pub name: Text,
    /// The plugin and its options.
    pub plugin: PluginPlan,
}
