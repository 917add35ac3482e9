//! Scripts: their files.

use super::Check;
use crate::config::ScriptPlan;
use crate::config::read::Flaw;
use crate::config::tree::Path;
use std::collections::BTreeMap;
use unifi_herald_plugin::Text;

impl Check<'_> {
    pub(super) fn scripts(&mut self) -> BTreeMap<Text, ScriptPlan> {
        let reading = self.reading;
        let mut plans = BTreeMap::new();
        for (name, table) in &reading.file.scripts {
            let path = Path::of(&["scripts", name, "file"]);
            let Some(file) = &table.file else {
                self.missing(path, "the script's file: file = \"scripts/name.rhai\"");
                continue;
            };
            let file = self.path(file);
            if let Err(error) = std::fs::read_to_string(&file) {
                self.flaw(Flaw::value(
                    path,
                    format!("cannot read {}: {error}", file.display()),
                ));
                continue;
            }
            let plan = ScriptPlan {
                file,
                on_error: table.on_error,
                params: table.params.clone(),
            };
            plans.insert(name.as_str().into(), plan);
        }
        plans
    }
}
