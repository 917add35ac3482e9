//! From a plan to alerts that run.

use super::{Alerts, Rule};
use crate::config::{OnError, Plan};
use crate::script::{Engine, Memories, ScriptError, ScriptStep};

/// An alert that cannot be made. A plan that was checked does not meet it.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// Its `where` does not compile.
    #[error("alerts.{alert}.where: {error}")]
    Condition {
        /// The alert's name.
        alert: String,
        /// What is wrong.
        error: ScriptError,
    },
    /// One of its templates is none.
    #[error("alerts.{alert}: {message}")]
    Template {
        /// The alert's name.
        alert: String,
        /// What is wrong.
        message: String,
    },
}

/// The alerts of `plan`, each condition compiled and remembering in `memories`.
///
/// # Errors
/// When a condition or a template is wrong.
pub fn assemble(
    plan: &Plan,
    engine: &Engine,
    memories: &mut Memories,
) -> Result<Alerts, AlertError> {
    let mut alerts = Alerts::new(plan.zone.clone());
    for alert in &plan.alerts {
        let name = || alert.name.to_string();
        let condition = alert.condition.as_ref().map(|source| {
            let script = engine.compile_where(source);
            let script = script.map_err(|error| AlertError::Condition {
                alert: name(),
                error,
            })?;
            let step = ScriptStep::new(script, OnError::Drop);
            Ok(step.remembering_in(memories.of_where(&format!("alerts.{}", alert.name), 0)))
        });
        let rule = Rule::new(alert.clone(), &plan.zone);
        let rule = rule.map_err(|message| AlertError::Template {
            alert: name(),
            message,
        })?;
        alerts.push(rule, condition.transpose()?);
    }
    Ok(alerts)
}
