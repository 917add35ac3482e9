//! A close look at one controller, step by step from its name to a frame on its socket, for `herald doctor`.

mod inside;
mod stream;
mod way;

use super::account::{Account, is_about_login};
use crate::clock::Clock;
use crate::config::ControllerPlan;
use crate::unifi::Site;
use crate::unifi::login::Outcome;
use serde::Serialize;
use std::time::Duration;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should.
    Ok,
    /// It works, and something about it deserves a word.
    Warning,
    /// It does not work.
    Failed,
}

/// Where the fault of a failed step lies, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The controller, or the way to it.
    Way,
    /// The login or the rights of the account.
    Account,
}

/// What one step found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step: `dns`, `tcp`, `tls`, `kind`, `login`, `role`, `version`, `clock`, `socket default`, …
    pub name: String,
    /// How it went.
    pub health: Health,
    /// What was seen.
    pub detail: String,
    /// What to do about it; empty when there is nothing to do.
    pub fix: String,
    /// Where the fault lies if it failed.
    pub fault: Fault,
}

impl Finding {
    fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            health: Health::Ok,
            detail: detail.into(),
            fix: String::new(),
            fault: Fault::Way,
        }
    }

    fn warning(name: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            health: Health::Warning,
            fix: fix.into(),
            ..Self::ok(name, detail)
        }
    }

    fn failed(
        name: impl Into<String>,
        fault: Fault,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Failed,
            fault,
            ..Self::warning(name, detail, fix)
        }
    }

    /// Out of a sentence that names the fix behind its colon, as herald's all do.
    fn of_sentence(name: impl Into<String>, fault: Fault, sentence: &str) -> Self {
        let (detail, fix) = split(sentence);
        Self::failed(name, fault, detail, fix)
    }
}

/// At the first colon that is not within parentheses: there stand a controller's own words.
fn split(sentence: &str) -> (&str, &str) {
    let mut depth = 0_u32;
    for (at, character) in sentence.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && sentence[at..].starts_with(": ") => {
                return (&sentence[..at], &sentence[at + 2..]);
            }
            _ => {}
        }
    }
    (sentence, "")
}

/// Examine a controller, telling each finding as it is made; what depends on a failed step is not tried. One login,
/// one socket for each site, which may take `first_frame` to bring its first; nothing is changed.
pub async fn examine(
    plan: &ControllerPlan,
    clock: &Clock,
    first_frame: Duration,
    mut tell: impl FnMut(Finding),
) {
    let account = match Account::detached(plan, clock) {
        Ok(account) => account,
        Err(sentence) => return tell(Finding::of_sentence("setup", Fault::Way, &sentence)),
    };
    if !way::walk(plan, &account, &mut tell).await {
        return;
    }
    let outcome = account.attempt().await;
    let Some(kind) = account.kind() else {
        return tell(Finding::of_sentence(
            "kind",
            Fault::Way,
            &outcome.sentence(),
        ));
    };
    let source = match plan.kind {
        Some(_) => "as the configuration says",
        None => "found out",
    };
    tell(Finding::ok("kind", format!("{}, {source}", kind.as_str())));
    if !matches!(outcome, Outcome::LoggedIn(_)) {
        let fault = if is_about_login(&outcome) {
            Fault::Account
        } else {
            Fault::Way
        };
        return tell(Finding::of_sentence("login", fault, &outcome.sentence()));
    }
    account.adopt(&outcome);
    tell(Finding::ok("login", format!("as {}", plan.auth.username)));
    look_inside(plan, &account, clock, first_frame, &mut tell).await;
    account.log_out().await;
}

async fn look_inside(
    plan: &ControllerPlan,
    account: &Account,
    clock: &Clock,
    first_frame: Duration,
    tell: &mut impl FnMut(Finding),
) {
    let (sites, role): (Vec<Site>, Finding) = match inside::sites(plan, account).await {
        Ok((sites, role)) => {
            let names: Vec<&str> = sites.iter().map(|site| &*site.display).collect();
            tell(Finding::ok("sites", names.join(", ")));
            (sites, role)
        }
        Err(finding) => return tell(finding),
    };
    tell(role);
    if let Some(site) = sites.first() {
        tell(inside::version(account, site).await);
    }
    tell(inside::clocks(account, clock));
    for site in &sites {
        tell(stream::socket(plan, account, clock, first_frame, site).await);
        tell(inside::history(account, clock, site).await);
    }
}

#[cfg(test)]
mod tests;
