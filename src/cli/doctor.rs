//! `herald doctor`

use super::load::Loader;
use super::output::{plain, print};
use super::{Exit, log, online};
use crate::clock::Clock;
use crate::config::Plan;
use crate::registry::Registry;
use crate::source::{Fault, Finding, Health, examine};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// Longest a controller may take to answer everything it is asked.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a socket may take to bring its first frame: consoles greet at once, old controllers do not.
const FIRST_FRAME: Duration = Duration::from_secs(20);

/// Examine everything herald depends on, and name the fix of what is wrong.
///
/// One line for each step: name and address of each controller, its certificate, what it is, the login and the rights
/// of the account, its version and clock, a frame on the socket and a history of each site, the folder of the store,
/// the destination of each sink and what each source reads. It logs in once for each controller and changes nothing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing failed (warnings do not count), 1 a sink or the store failed,
69 a controller is unavailable, 77 a login or a permission was refused, 78 the configuration is wrong.

Examples:
  herald doctor
  herald doctor --json | jq '.checks[] | select(.status != \"ok\")'"
)]
pub(super) struct Doctor {
    /// Write one JSON object: {\"checks\": [{\"name\", \"status\", \"detail\", \"fix\"}]}.
    #[arg(long)]
    json: bool,
}

/// One line of the result.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    status: Health,
    detail: String,
    fix: String,
}

#[derive(Debug, Serialize)]
struct Checks {
    checks: Vec<Check>,
}

impl Doctor {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let plan = match loader.plan() {
            Ok(plan) => plan,
            Err(exit) => return exit,
        };
        log::start(&plan.log);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "cannot start a runtime");
                return Exit::Failed;
            }
        };
        let mut ward = Ward {
            json: self.json,
            checks: Vec::new(),
            worst: Exit::Done,
        };
        runtime.block_on(ward.round(&plan, &loader.registry));
        ward.discharge()
    }
}

/// What was found so far.
struct Ward {
    json: bool,
    checks: Vec<Check>,
    worst: Exit,
}

impl Ward {
    async fn round(&mut self, plan: &Plan, registry: &Registry) {
        for warning in &plan.warnings {
            self.tell("config", Health::Warning, warning, "", Exit::Done);
        }
        let clock = Clock::system();
        for controller in &plan.controllers {
            let name = controller.name.clone();
            let looked = examine(controller, &clock, FIRST_FRAME, |finding| {
                self.of_controller(&name, &finding);
            });
            if timeout(PATIENCE, looked).await.is_err() {
                let detail = "it did not answer in time";
                let fix = "look at its load, and at the network in between";
                self.tell(&name, Health::Failed, detail, fix, Exit::Unavailable);
            }
        }
        self.store(plan);
        online::try_sinks(plan, registry, |name, tried| {
            let well = "its destination answers";
            let fix = "check the sink's options and its destination";
            self.of_plugin(&format!("sink {name}"), tried, (well, fix));
        })
        .await;
        online::try_sources(plan, registry, |name, tried| {
            let (well, fix) = ("it would be received", "check the source's options");
            self.of_plugin(&format!("source {name}"), tried, (well, fix));
        })
        .await;
    }

    /// What is said when all is well, and the fix where the trouble names none.
    fn of_plugin(&mut self, name: &str, tried: Result<(), (String, Exit)>, said: (&str, &str)) {
        match tried {
            Ok(()) => self.tell(name, Health::Ok, said.0, "", Exit::Done),
            Err((sentence, exit)) => {
                let (detail, fix) = sentence.split_once(": ").unwrap_or((&sentence, ""));
                let fix = if fix.is_empty() { said.1 } else { fix };
                self.tell(name, Health::Failed, detail, fix, exit);
            }
        }
    }

    fn of_controller(&mut self, controller: &str, finding: &Finding) {
        let exit = match (finding.health, finding.fault) {
            (Health::Ok | Health::Warning, _) => Exit::Done,
            (Health::Failed, Fault::Way) => Exit::Unavailable,
            (Health::Failed, Fault::Account) => Exit::Refused,
        };
        let name = format!("{controller}: {}", finding.name);
        self.tell(&name, finding.health, &finding.detail, &finding.fix, exit);
    }

    /// Whether the folder of the store takes a file.
    fn store(&mut self, plan: &Plan) {
        let dir = &plan.store.dir;
        let tried = std::fs::create_dir_all(dir).and_then(|()| {
            let probe = dir.join(".herald-doctor");
            std::fs::write(&probe, b"")?;
            std::fs::remove_file(&probe)
        });
        match tried {
            Ok(()) => {
                let detail = format!("{} can be written to", dir.display());
                self.tell("store", Health::Ok, &detail, "", Exit::Done);
            }
            Err(error) => {
                let detail = format!("{} cannot be written to ({error})", dir.display());
                let fix = "make the folder writable for this user, or set [store] dir";
                self.tell("store", Health::Failed, &detail, fix, Exit::Failed);
            }
        }
    }

    /// Note a check; without --json it is on the screen at once.
    fn tell(&mut self, name: &str, status: Health, detail: &str, fix: &str, exit: Exit) {
        if self.worst == Exit::Done {
            self.worst = exit;
        }
        if !self.json {
            let status = match status {
                Health::Ok => "ok     ",
                Health::Warning => "warning",
                Health::Failed => "failed ",
            };
            let mut line = format!("{status}  {}: {}\n", plain(name), plain(detail));
            if !fix.is_empty() {
                line.push_str(&format!("         fix: {}\n", plain(fix)));
            }
            let printed = print(&line);
            if self.worst == Exit::Done {
                self.worst = printed;
            }
        }
        self.checks.push(Check {
            name: name.to_owned(),
            status,
            detail: detail.to_owned(),
            fix: fix.to_owned(),
        });
    }

    fn discharge(self) -> Exit {
        if !self.json {
            return self.worst;
        }
        let all = Checks {
            checks: self.checks,
        };
        // Every part of it is text.
        let json = serde_json::to_string_pretty(&all).unwrap_or_default();
        match print(&format!("{json}\n")) {
            Exit::Done => self.worst,
            exit => exit,
        }
    }
}
