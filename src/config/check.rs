//! The second stage: demands what is missing, follows references, reads files, and makes the plan.

mod alerts;
mod chains;
mod cluster;
mod controllers;
mod heartbeat;
mod scripts;
mod server;
mod sinks;
mod sources;

pub(crate) use controllers::is_loopback;

use super::locate::Locator;
use super::read::Flaw;
use super::tree::Path;
use super::{
    BufferPlan, ConfigError, ConfigErrors, LogPlan, Outline, Plan, Reading, StorePlan, suggest,
};
use crate::registry::Registry;
use std::path::PathBuf;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;
use unifi_herald_plugin::Services;

/// Make the plan of what was read.
pub(super) fn plan(
    reading: &Reading,
    locator: &Locator,
    registry: &Registry,
    services: &Arc<dyn Services>,
) -> Result<Plan, ConfigErrors> {
    let mut check = Check::new(reading, locator, registry, services);
    check.names();
    let buffer = check.buffer();
    let zone = check.zone();
    let engine = check.engine(zone.clone());
    let plan = Plan {
        base: reading.base.clone(),
        controllers: check.controllers(),
        sources: check.sources(),
        buffer,
        store: check.store(),
        scripts: check.scripts(&engine),
        filters: check.filters(),
        alerts: check.alerts(&engine, &zone),
        digests: check.digests(),
        sinks: check.sinks(),
        chains: check.chains(&engine),
        zone,
        heartbeat: check.heartbeat(),
        log: check.log(),
        server: check.server(),
        warnings: Vec::new(),
    };
    check.unused();
    let Check {
        flaws,
        mut elsewhere,
        warnings,
        ..
    } = check;
    elsewhere.extend(
        registry
            .misnamed()
            .into_iter()
            .map(|message| ConfigError::unplaced(String::new(), message, None)),
    );
    if reading.flaws.is_empty() && flaws.is_empty() && elsewhere.is_empty() {
        Ok(Plan { warnings, ..plan })
    } else {
        let errors = reading.errors(flaws);
        Err(ConfigErrors::new(
            errors.iter().cloned().chain(elsewhere).collect(),
        ))
    }
}

/// The outline of what was read; only what it is made of must be right.
pub(super) fn outline(
    reading: &Reading,
    locator: &Locator,
    registry: &Registry,
    services: &Arc<dyn Services>,
) -> Result<Outline, ConfigErrors> {
    let mut check = Check::new(reading, locator, registry, services);
    let file = &reading.file;
    let scripts = file.scripts.iter().filter_map(|(name, table)| {
        let file = check.path(table.file.as_ref()?);
        Some((name.as_str().into(), file))
    });
    let scripts = scripts.collect();
    let controllers = reading.names("controllers").into_iter();
    let sources = reading.names("sources").into_iter();
    let sinks = reading.names("sinks").into_iter();
    let outline = Outline {
        store: check.store(),
        controllers: controllers
            .map(|name| {
                let kind = file.controllers.get(&name).and_then(|table| table.kind());
                (name.into(), kind)
            })
            .collect(),
        sources: sources.map(Into::into).collect(),
        sinks: sinks.map(Into::into).collect(),
        scripts,
        zone: check.zone(),
    };
    let ours = ["store", "host", "time"].map(|table| Path::of(&[table]));
    let struck = reading.flaws.iter();
    let struck = struck.filter(|flaw| ours.iter().any(|table| table.leads_to(&flaw.path)));
    let flaws: Vec<Flaw> = struck.cloned().chain(check.flaws).collect();
    if flaws.is_empty() {
        Ok(outline)
    } else {
        Err(reading.only(flaws))
    }
}

/// What the checks share.
struct Check<'a> {
    reading: &'a Reading,
    locator: &'a Locator,
    registry: &'a Registry,
    services: &'a Arc<dyn Services>,
    flaws: Vec<Flaw>,
    /// Errors in other files than the configuration.
    elsewhere: Vec<ConfigError>,
    warnings: Vec<String>,
}

impl<'a> Check<'a> {
    fn new(
        reading: &'a Reading,
        locator: &'a Locator,
        registry: &'a Registry,
        services: &'a Arc<dyn Services>,
    ) -> Self {
        Self {
            reading,
            locator,
            registry,
            services,
            flaws: Vec::new(),
            elsewhere: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl Check<'_> {
    /// Note a mistake, unless something about the same key was found before.
    fn flaw(&mut self, flaw: Flaw) {
        if !self.reading.is_struck(&flaw.path) {
            self.flaws.push(flaw);
        }
    }

    /// Note that a required key is missing.
    fn missing(&mut self, path: Path, help: &str) {
        self.flaw(Flaw::key(path, "missing").help(help.to_owned()));
    }

    /// Note a reference to `name`, which is not among those of `table`.
    fn unknown(&mut self, path: Path, what: &str, name: &str, table: &str) {
        let known = self.reading.names(table);
        let help = suggest::help(name, known.iter().map(String::as_str), "there are")
            .unwrap_or_else(|| format!("add a table [{table}.{name}]"));
        self.flaw(Flaw::value(path, format!("there is no {what} `{name}`")).help(help));
    }

    /// A path in the configuration, absolute.
    fn path(&self, path: &std::path::Path) -> PathBuf {
        self.reading.base.join(path)
    }

    fn names(&mut self) {
        for table in [
            "controllers",
            "sources",
            "scripts",
            "filters",
            "alerts",
            "digests",
            "sinks",
            "chains",
        ] {
            for name in self.reading.names(table) {
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                if name.is_empty() || !name.chars().all(allowed) {
                    let flaw = Flaw::key(Path::of(&[table, &name]), "not a name")
                        .help("a name has lower-case letters, digits and `_`".to_owned());
                    self.flaws.push(flaw);
                }
            }
        }
    }

    fn buffer(&mut self) -> BufferPlan {
        let table = &self.reading.file.buffer;
        let path = |key| Path::of(&["buffer", key]);
        if !(1..=10_000_000).contains(&table.capacity) {
            self.flaw(Flaw::value(
                path("capacity"),
                "expected 1 to 10000000 events",
            ));
        }
        if table.max_bytes.0 < 1 << 20 {
            self.flaw(Flaw::value(path("max_bytes"), "expected at least \"1MiB\""));
        }
        BufferPlan {
            capacity: table.capacity,
            when_full: table.when_full,
            max_wait: table.max_wait.0,
            max_bytes: table.max_bytes.0,
        }
    }

    fn store(&mut self) -> StorePlan {
        let jetstream = self.jetstream();
        let table = &self.reading.file.store;
        let state = self.locator.environment.get("STATE_DIRECTORY");
        // systemd separates several folders by colons; the first is ours.
        let state = state.and_then(|list| list.split(':').find(|folder| !folder.is_empty()));
        let dir = match (&table.dir, state) {
            (Some(dir), _) => self.path(dir),
            (None, Some(folder)) => PathBuf::from(folder),
            (None, None) => self.path("herald-data".as_ref()),
        };
        let runtime = self.locator.environment.get("XDG_RUNTIME_DIR");
        let plan = StorePlan {
            sync: table.sync,
            keep: table.keep.0,
            max_size: table.max_size.0,
            jetstream,
            ..StorePlan::new(table.mode, dir)
        };
        plan.with_runtime_dir(runtime.map(String::as_str))
    }

    fn zone(&mut self) -> jiff::tz::TimeZone {
        let Some(name) = &self.reading.file.time.zone else {
            return jiff::tz::TimeZone::system();
        };
        jiff::tz::TimeZone::get(name).unwrap_or_else(|_| {
            let help = jiff::tz::db()
                .available()
                .find(|known| known.as_str().eq_ignore_ascii_case(&name.replace(' ', "_")))
                .map_or_else(
                    || "write it as in the tz database: `Europe/Berlin`, `UTC`".to_owned(),
                    |known| format!("did you mean `{}`?", known.as_str()),
                );
            let flaw = Flaw::value(
                Path::of(&["time", "zone"]),
                format!("there is no time zone `{name}`"),
            );
            self.flaw(flaw.help(help));
            jiff::tz::TimeZone::UTC
        })
    }

    fn log(&mut self) -> LogPlan {
        let table = &self.reading.file.log;
        if !is_filter(&table.level) {
            let flaw = Flaw::value(Path::of(&["log", "level"]), "not a log level");
            self.flaw(flaw.help(LEVELS.to_owned()));
        }
        LogPlan {
            filter: table.level.clone(),
            format: table.format,
        }
    }

    /// Warn of what is there and does nothing.
    fn unused(&mut self) {
        let added = &self.reading.added;
        self.warnings.extend(added.warnings.iter().cloned());
        let file = &self.reading.file;
        let steps = || file.chains.values().flat_map(|chain| &chain.steps);
        type Used<'a> = Vec<&'a String>;
        let scripts: Used<'_> = steps().filter_map(|step| step.script.as_ref()).collect();
        let filters: Used<'_> = steps().filter_map(|step| step.filter.as_ref()).collect();
        let alerts: Used<'_> = steps().filter_map(|step| step.alert.as_ref()).collect();
        let digests: Used<'_> = steps().filter_map(|step| step.digest.as_ref()).collect();
        let sinks: Used<'_> = steps().filter_map(|step| step.sink.as_ref()).collect();
        for (table, what, used) in [
            ("scripts", "script", scripts),
            ("filters", "filter", filters),
            ("alerts", "alert", alerts),
            ("digests", "digest", digests),
            ("sinks", "sink", sinks),
        ] {
            for name in self.reading.names(table) {
                if !used.contains(&&name) {
                    self.warnings
                        .push(format!("no chain uses the {what} `{name}`"));
                }
            }
        }
        if file.chains.is_empty() {
            self.warnings
                .push("there is no chain, so no event goes anywhere".to_owned());
        }
    }
}

/// What a log level may be.
pub(super) const LEVELS: &str = "one of error, warn, info, debug, trace, off; and per module: \"info,unifi_herald::source=debug\"";

/// Whether `level` is a level or a list of levels per module.
pub(crate) fn is_filter(level: &str) -> bool {
    // `EnvFilter` takes a word it does not know for the name of a module.
    let known = |word: &str| {
        word.parse::<tracing_subscriber::filter::LevelFilter>()
            .is_ok()
    };
    let named = |part: &str| match part.split_once('=') {
        Some((module, level)) => !module.trim().is_empty() && known(level.trim()),
        None => known(part.trim()),
    };
    level.split(',').all(named) && EnvFilter::builder().parse(level).is_ok()
}
