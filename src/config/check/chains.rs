//! Chains: their steps, and which events they are for.

use super::Check;
use crate::config::file::{StepTable, WhenTable};
use crate::config::read::Flaw;
use crate::config::suggest;
use crate::config::tree::Path;
use crate::config::{Action, ChainPlan, StepPlan, When};
use crate::glob::matches;
use crate::script::Engine;
use unifi_herald_plugin::Kind;

impl Check<'_> {
    pub(super) fn chains(&mut self, engine: &Engine) -> Vec<ChainPlan> {
        let reading = self.reading;
        let mut plans = Vec::new();
        for name in reading.names("chains") {
            let Some(table) = reading.file.chains.get(&name) else {
                continue;
            };
            let path = Path::of(&["chains", &name]);
            let steps = path.join("steps");
            if table.steps.is_empty() {
                self.missing(steps.clone(), "at least a sink: steps = [{ sink = \"…\" }]");
            }
            plans.push(ChainPlan {
                when: self.when(&path.join("when"), &table.when),
                steps: table
                    .steps
                    .iter()
                    .enumerate()
                    .filter_map(|(index, step)| {
                        self.step(&steps.join(index.to_string()), step, engine)
                    })
                    .collect(),
                name: name.as_str().into(),
            });
        }
        plans
    }

    fn step(&mut self, path: &Path, table: &StepTable, engine: &Engine) -> Option<StepPlan> {
        const FORMS: &str = "a step has one of `script`, `where`, `filter` and `sink`";
        let when = self.when(&path.join("when"), &table.when);
        let given = [&table.script, &table.expression, &table.filter, &table.sink];
        let action = match given {
            [Some(name), None, None, None] => {
                self.refer(path.join("script"), "script", name, "scripts");
                Action::Script(name.as_str().into())
            }
            [None, Some(expression), None, None] => {
                if expression.trim().is_empty() {
                    self.flaw(Flaw::value(path.join("where"), "an empty expression"));
                } else {
                    self.expression(path.join("where"), engine, expression);
                }
                Action::Where(expression.clone())
            }
            [None, None, Some(name), None] => {
                self.refer(path.join("filter"), "filter", name, "filters");
                Action::Filter(name.as_str().into())
            }
            [None, None, None, Some(name)] => {
                self.refer(path.join("sink"), "sink", name, "sinks");
                let position = self
                    .reading
                    .names("sinks")
                    .iter()
                    .position(|known| known == name)?;
                Action::Sink(position)
            }
            [None, None, None, None] => {
                self.flaw(
                    Flaw::value(path.clone(), "this step does nothing").help(FORMS.to_owned()),
                );
                return None;
            }
            _ => {
                self.flaw(
                    Flaw::value(path.clone(), "this step does two things").help(FORMS.to_owned()),
                );
                return None;
            }
        };
        Some(StepPlan { when, action })
    }

    fn refer(&mut self, path: Path, what: &str, name: &str, table: &str) {
        if !self.reading.names(table).iter().any(|known| known == name) {
            self.unknown(path, what, name, table);
        }
    }

    fn when(&mut self, path: &Path, table: &WhenTable) -> When {
        let lists = [
            ("controllers", &table.controllers),
            ("sites", &table.sites),
            ("kinds", &table.kinds),
            ("clients", &table.clients),
            ("devices", &table.devices),
            ("ssids", &table.ssids),
        ];
        for (key, list) in lists {
            if list.as_ref().is_some_and(Vec::is_empty) {
                let flaw = Flaw::value(path.join(key), "an empty list admits nothing");
                self.flaw(flaw.help("leave the key out to admit everything".to_owned()));
            }
        }
        for (index, pattern) in table.controllers.iter().flatten().enumerate() {
            self.controller_pattern(path.join("controllers").join(index.to_string()), pattern);
        }
        for (index, pattern) in table.sites.iter().flatten().enumerate() {
            if let Some((controller, _)) = pattern.split_once('/') {
                self.controller_pattern(path.join("sites").join(index.to_string()), controller);
            }
        }
        When {
            controllers: table.controllers.clone(),
            sites: table.sites.clone(),
            kinds: table
                .kinds
                .as_ref()
                .map(|list| self.kinds(&path.join("kinds"), list)),
            clients: table.clients.clone(),
            devices: table.devices.clone(),
            ssids: table.ssids.clone(),
            min_severity: table.min_severity,
        }
    }

    fn controller_pattern(&mut self, path: Path, pattern: &str) {
        let names = self.reading.names("controllers");
        if !names.iter().any(|name| matches(pattern, name)) {
            self.unknown(path, "controller", pattern, "controllers");
        }
    }

    /// The kinds that `patterns` admit, each once, in the order of the taxonomy.
    fn kinds(&mut self, path: &Path, patterns: &[String]) -> Vec<Kind> {
        for (index, pattern) in patterns.iter().enumerate() {
            if !Kind::ALL.iter().any(|kind| matches(pattern, kind.as_str())) {
                let names = Kind::ALL.iter().map(|kind| kind.as_str());
                let areas = Kind::ALL.iter().map(|kind| kind.category());
                let near = suggest::nearest(pattern, names).map(str::to_owned);
                let near = near.or_else(|| {
                    let area = pattern.split(['.', '*']).next()?;
                    suggest::nearest(area, areas.clone()).map(|area| format!("{area}.*"))
                });
                let help = near.map(|near| format!("did you mean `{near}`?"));
                let path = path.join(index.to_string());
                self.flaw(
                    Flaw::value(path, format!("no kind of event is called `{pattern}`")).help(help),
                );
            }
        }
        let admitted = |kind: &Kind| {
            patterns
                .iter()
                .any(|pattern| matches(pattern, kind.as_str()))
        };
        Kind::ALL.iter().copied().filter(admitted).collect()
    }
}
