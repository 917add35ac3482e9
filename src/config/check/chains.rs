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
        const FORMS: &str =
            "a step has one of `script`, `where`, `filter`, `alert`, `digest` and `sink`";
        let when = self.when(&path.join("when"), &table.when);
        let given = [
            ("script", &table.script),
            ("where", &table.expression),
            ("filter", &table.filter),
            ("alert", &table.alert),
            ("digest", &table.digest),
            ("sink", &table.sink),
        ];
        let mut given = given
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let (first, second) = (given.next(), given.next());
        let (Some((key, name)), None) = (first, second) else {
            let message = match first {
                None => "this step does nothing",
                Some(_) => "this step does two things",
            };
            self.flaw(Flaw::value(path.clone(), message).help(FORMS.to_owned()));
            return None;
        };
        let path = path.join(key);
        let action = match key {
            "script" => {
                self.position(path, "script", name, "scripts");
                Action::Script(name.as_str().into())
            }
            "where" => {
                if name.trim().is_empty() {
                    self.flaw(Flaw::value(path, "an empty expression"));
                } else {
                    self.expression(path, engine, name);
                }
                Action::Where(name.clone())
            }
            "filter" => {
                self.position(path, "filter", name, "filters");
                Action::Filter(name.as_str().into())
            }
            "alert" => Action::Alert(self.position(path, "alert", name, "alerts")?),
            "digest" => Action::Digest(self.position(path, "digest", name, "digests")?),
            _ => Action::Sink(self.position(path, "sink", name, "sinks")?),
        };
        Some(StepPlan { when, action })
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
        let known = names.iter().any(|name| matches(pattern, name));
        if !known && !self.reading.names("sources").is_empty() {
            // Whom a source brings events of is for others to say.
            self.warnings.push(format!(
                "`{path}`: there is no controller `{pattern}`, only events of a source can be from one"
            ));
        } else if !known {
            self.unknown(path, "controller", pattern, "controllers");
        }
    }

    /// The kinds that `patterns` admit, each once, in the order of the taxonomy.
    pub(super) fn kinds(&mut self, path: &Path, patterns: &[String]) -> Vec<Kind> {
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
