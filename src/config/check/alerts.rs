//! Alerts and digests: their templates are parsed, and what they name must be there.

use super::Check;
use crate::alert::{Purpose, Template, check_event_field};
use crate::config::file::{AlertTable, DigestTable, FlapTable, MuteTable, QuietTable, WaitTable};
use crate::config::read::Flaw;
use crate::config::tree::Path;
use crate::config::{
    AlertPlan, DigestPlan, Inhibitor, MutePlan, QuietPlan, QuietThen, RatePlan, WaitPlan,
};
use crate::script::{Engine, Hours};
use jiff::tz::TimeZone;
use std::time::Duration;
use unifi_herald_plugin::{Kind, Span};

/// Most that `limit` and `flap` may count to: each is remembered.
const MOST: usize = 100;

impl Check<'_> {
    pub(super) fn alerts(&mut self, engine: &Engine, zone: &TimeZone) -> Vec<AlertPlan> {
        let reading = self.reading;
        let names = reading.names("alerts");
        let tables = names
            .iter()
            .filter_map(|name| Some((name, reading.file.alerts.get(name)?)));
        tables
            .map(|(name, table)| self.alert(name, table, engine, zone))
            .collect()
    }

    fn alert(
        &mut self,
        name: &str,
        table: &AlertTable,
        engine: &Engine,
        zone: &TimeZone,
    ) -> AlertPlan {
        let path = Path::of(&["alerts", name]);
        if table.on.is_empty() {
            let help = "what opens an incident: on = [\"device.offline\"]";
            self.missing(path.join("on"), help);
        }
        if let Some(condition) = &table.condition {
            if condition.trim().is_empty() {
                self.flaw(Flaw::value(path.join("where"), "an empty expression"));
            } else {
                self.expression(path.join("where"), engine, condition);
            }
        }
        self.templates(&path, table, zone);
        let plan = AlertPlan {
            name: name.into(),
            on: self.watched(&path.join("on"), &table.on),
            resolve_on: self.watched(&path.join("resolve_on"), &table.resolve_on),
            condition: table.condition.clone(),
            key: table.key.clone(),
            hold: table.hold.map_or(Duration::ZERO, |span| span.0),
            group_by: self.group_by(&path, table, zone),
            group_wait: table.group_wait.map_or(Duration::ZERO, |span| span.0),
            repeat: self.some_time(path.join("repeat"), table.repeat),
            limit: self.limit(path.join("limit"), table.limit.as_deref()),
            flap: table
                .flap
                .as_ref()
                .and_then(|flap| self.flap(&path.join("flap"), flap)),
            quiet: table
                .quiet
                .as_ref()
                .and_then(|quiet| self.quiet(&path.join("quiet"), quiet)),
            resolve_after: self.some_time(path.join("resolve_after"), table.resolve_after),
            inhibit_by: self.inhibitors(name, &path.join("inhibit_by"), &table.inhibit_by),
            mute_while: table
                .mute_while
                .as_ref()
                .and_then(|mute| self.mute(&path.join("mute_while"), mute)),
            wait_for: table
                .wait_for
                .as_ref()
                .and_then(|wait| self.wait(&path.join("wait_for"), wait)),
            severity: table.severity,
            title: table.title.clone(),
            body: table.body.clone(),
            title_resolved: table.title_resolved.clone(),
            body_resolved: table.body_resolved.clone(),
            pass: table.pass,
        };
        self.idle_keys(name, table, &plan);
        plan
    }

    fn templates(&mut self, path: &Path, table: &AlertTable, zone: &TimeZone) {
        let templates = [
            ("key", &table.key, Purpose::Key),
            ("title", &table.title, Purpose::Text),
            ("body", &table.body, Purpose::Text),
            ("title_resolved", &table.title_resolved, Purpose::Text),
            ("body_resolved", &table.body_resolved, Purpose::Text),
        ];
        for (key, source, purpose) in templates {
            let Some(source) = source else { continue };
            if let Err(message) = Template::new(source, purpose, zone) {
                self.flaw(Flaw::value(path.join(key), message));
            }
        }
        let key = table.key.as_deref();
        if key.is_some_and(|key| !key.contains("{{") && !key.contains("{%")) {
            let flaw = Flaw::value(
                path.join("key"),
                "a key without `{{ }}` is the same for every event",
            );
            self.flaw(flaw.help("write key = \"{{ event.device.mac }}\"".to_owned()));
        }
    }

    /// Templates of what is told together, a field standing for its value.
    fn group_by(&mut self, path: &Path, table: &AlertTable, zone: &TimeZone) -> Vec<String> {
        let path = path.join("group_by");
        let Some(parts) = &table.group_by else {
            return Vec::new();
        };
        let mut templates = Vec::new();
        for (index, part) in parts.texts().iter().enumerate() {
            let field = part.strip_prefix("event.").unwrap_or(part);
            let checked = if part.contains("{{") {
                templates.push(part.clone());
                Template::new(part, Purpose::Key, zone).map(drop)
            } else {
                templates.push(format!("{{{{ event.{field} }}}}"));
                check_event_field(field)
            };
            if let Err(message) = checked {
                let path = match parts.is_list() {
                    true => path.join(index.to_string()),
                    false => path.clone(),
                };
                self.flaw(Flaw::value(path, message));
            }
        }
        templates
    }

    /// The kinds that `patterns` admit, without those that alerts and digests say themselves.
    fn watched(&mut self, path: &Path, patterns: &[String]) -> Vec<Kind> {
        let said = |kind: &Kind| matches!(kind.category(), "alert" | "digest");
        for (index, pattern) in patterns.iter().enumerate() {
            let mut kinds = Kind::ALL.iter();
            if kinds.any(|kind| {
                said(kind)
                    && kind.as_str().starts_with(pattern.trim_end_matches('*'))
                    && pattern.contains('.')
            }) {
                let message = "alerts do not watch what alerts and digests say";
                self.flaw(Flaw::value(path.join(index.to_string()), message));
            }
        }
        let mut kinds = self.kinds(path, patterns);
        kinds.retain(|kind| !said(kind));
        kinds
    }

    /// A length of time that is not nothing.
    fn some_time(&mut self, path: Path, span: Option<Span>) -> Option<Duration> {
        let Span(time) = span?;
        if time.is_zero() {
            self.flaw(Flaw::value(path, "expected more than \"0s\""));
        }
        Some(time)
    }

    /// `1/10m`
    fn limit(&mut self, path: Path, text: Option<&str>) -> Option<RatePlan> {
        let text = text?;
        let rate = text.split_once('/').and_then(|(max, within)| {
            let max = max.trim().parse().ok()?;
            let Span(within) = within.trim().parse().ok()?;
            ((1..=MOST).contains(&max) && !within.is_zero()).then_some(RatePlan { max, within })
        });
        if rate.is_none() {
            let message = format!("`{text}` is not a limit");
            let help = format!("write how many (1 to {MOST}) in how long: \"1/10m\"");
            self.flaw(Flaw::value(path, message).help(help));
        }
        rate
    }

    fn flap(&mut self, path: &Path, table: &FlapTable) -> Option<RatePlan> {
        if table.max.is_none() {
            self.missing(path.join("max"), "how often it may open: max = 4");
        }
        if table.within.is_none() {
            self.missing(path.join("within"), "in how long: within = \"5m\"");
        }
        let (max, within) = (
            table.max?,
            self.some_time(path.join("within"), table.within)?,
        );
        if !(1..=MOST).contains(&max) {
            self.flaw(Flaw::value(
                path.join("max"),
                format!("expected 1 to {MOST}"),
            ));
        }
        Some(RatePlan { max, within })
    }

    fn quiet(&mut self, path: &Path, table: &QuietTable) -> Option<QuietPlan> {
        let then = match table.then.as_deref() {
            None | Some("drop") => QuietThen::Drop,
            Some(name) => {
                let digests = self.reading.names("digests");
                match digests.iter().position(|known| known == name) {
                    Some(position) => QuietThen::Digest(position),
                    None => {
                        self.unknown(path.join("then"), "digest", name, "digests");
                        QuietThen::Drop
                    }
                }
            }
        };
        let Some(hours) = &table.hours else {
            self.missing(
                path.join("hours"),
                "when nobody is told: hours = \"22:00-07:00\"",
            );
            return None;
        };
        match Hours::parse(hours) {
            Ok(hours) => Some(QuietPlan { hours, then }),
            Err(message) => {
                self.flaw(Flaw::value(path.join("hours"), message));
                None
            }
        }
    }

    fn inhibitors(&mut self, own: &str, path: &Path, names: &[String]) -> Vec<Inhibitor> {
        let mut inhibitors = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let path = path.join(index.to_string());
            match name.strip_prefix("alert:") {
                None if name == "uplink" => inhibitors.push(Inhibitor::Uplink),
                None => {
                    let help = "write \"uplink\", or \"alert:NAME\"".to_owned();
                    self.flaw(Flaw::value(path, format!("`{name}` explains nothing")).help(help));
                }
                Some(name) if name == own => {
                    self.flaw(Flaw::value(path, "an alert does not explain itself"));
                }
                Some(name) => {
                    let alerts = self.reading.names("alerts");
                    match alerts.iter().position(|known| known == name) {
                        Some(position) => inhibitors.push(Inhibitor::Alert(position)),
                        None => self.unknown(path, "alert", name, "alerts"),
                    }
                }
            }
        }
        inhibitors
    }

    fn mute(&mut self, path: &Path, table: &MuteTable) -> Option<MutePlan> {
        if table.from.is_empty() {
            let help = "what begins the work: from = [\"device.upgrading\"]";
            self.missing(path.join("from"), help);
        }
        if table.max.is_none() {
            self.missing(path.join("max"), "how long it may take: max = \"20m\"");
        }
        Some(MutePlan {
            from: self.watched(&path.join("from"), &table.from),
            until: self.watched(&path.join("until"), &table.until),
            max: self.some_time(path.join("max"), table.max)?,
        })
    }

    fn wait(&mut self, path: &Path, table: &WaitTable) -> Option<WaitPlan> {
        let Some(field) = &table.field else {
            self.missing(
                path.join("field"),
                "what is worth waiting for: field = \"client.ip\"",
            );
            return None;
        };
        let field = field.strip_prefix("event.").unwrap_or(field);
        if let Err(message) = check_event_field(field) {
            self.flaw(Flaw::value(path.join("field"), message));
        }
        Some(WaitPlan {
            field: field.to_owned(),
            max: self.some_time(path.join("max"), Some(table.max))?,
        })
    }

    /// Warn of keys that do nothing as long as others are not there, and of what works against itself.
    fn idle_keys(&mut self, name: &str, table: &AlertTable, plan: &AlertPlan) {
        let closes_at_once = !plan.lasts();
        let idle = [
            ("repeat", table.repeat.is_some() && closes_at_once),
            ("flap", table.flap.is_some() && closes_at_once),
            (
                "title_resolved",
                table.title_resolved.is_some() && closes_at_once,
            ),
            (
                "body_resolved",
                table.body_resolved.is_some() && closes_at_once,
            ),
        ];
        for (key, _) in idle.iter().filter(|(_, idle)| *idle) {
            self.warnings.push(format!(
                "alerts.{name}.{key} does nothing: without `resolve_on` and `resolve_after` an incident is over at once"
            ));
        }
        // With a condition they are two: what opens, and what does not and ends.
        let both = plan.on.iter().find(|kind| plan.resolve_on.contains(kind));
        if let Some(kind) = both.filter(|_| table.condition.is_none()) {
            self.warnings.push(format!(
                "alerts.{name}: {kind} is in `on` and in `resolve_on`: each one ends the incident and opens another"
            ));
        }
        if table.group_wait.is_some() && table.group_by.is_none() {
            self.warnings.push(format!(
                "alerts.{name}.group_wait does nothing without `group_by`"
            ));
        }
    }

    pub(super) fn digests(&mut self) -> Vec<DigestPlan> {
        let reading = self.reading;
        let names = reading.names("digests");
        let tables = names
            .iter()
            .filter_map(|name| Some((name, reading.file.digests.get(name)?)));
        tables
            .map(|(name, table)| self.digest(name, table))
            .collect()
    }

    fn digest(&mut self, name: &str, table: &DigestTable) -> DigestPlan {
        let path = Path::of(&["digests", name, "at"]);
        let at = match &table.at {
            None => {
                self.missing(path, "the time of the day: at = \"07:30\"");
                None
            }
            Some(text) => {
                let time = time_of_day(text);
                if time.is_none() {
                    let flaw = Flaw::value(path, format!("`{text}` is not a time of the day"));
                    self.flaw(flaw.help("write it as \"07:30\"".to_owned()));
                }
                time
            }
        };
        DigestPlan {
            name: name.into(),
            at: at.unwrap_or_default(),
            skip_empty: table.skip_empty,
        }
    }

    /// See that the alert or digest of a step is there; its position.
    pub(super) fn position(
        &mut self,
        path: Path,
        what: &str,
        name: &str,
        table: &str,
    ) -> Option<usize> {
        let names = self.reading.names(table);
        let position = names.iter().position(|known| known == name);
        if position.is_none() {
            self.unknown(path, what, name, table);
        }
        position
    }
}

fn time_of_day(text: &str) -> Option<jiff::civil::Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| -> Option<i8> {
        let digits =
            (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok())?
    };
    jiff::civil::Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}
