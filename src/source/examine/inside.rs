//! What a controller tells to whoever is logged in: sites, role, version, time, histories.

use super::{Fault, Finding};
use crate::clock::Clock;
use crate::config::{ControllerPlan, Sites};
use crate::source::account::{Account, Failure};
use crate::source::driver;
use crate::source::http::{LIST, SMALL};
use crate::unifi::answer::Verdict;
use crate::unifi::history::{
    LEGACY_PAGE, Page, legacy_body, legacy_path, system_log_body, system_log_path,
};
use crate::unifi::{Site, endpoint, sites};
use serde::Deserialize;
use std::time::Duration;

/// How far back the histories are asked.
const DAY: Duration = Duration::from_hours(24);
/// A difference of clocks in milliseconds that shifts events among each other.
const SKEW: i64 = 5_000;
/// Names of roles that may only look.
const LOOKING: [&str; 3] = ["readonly", "viewer", "view_only"];

/// The sites to listen to, and what the account may do, by the role that each site of the list names.
pub(super) async fn sites(
    plan: &ControllerPlan,
    account: &Account,
) -> Result<(Vec<Site>, Finding), Finding> {
    let answer = account
        .get(endpoint::sites_path, SMALL)
        .await
        .map_err(|failure| {
            Finding::of_sentence(
                "sites",
                fault(&failure),
                &failure.sentence("the list of sites"),
            )
        })?;
    let known = sites::parse(&answer.body)
        .map_err(|error| Finding::of_sentence("sites", Fault::Way, &error.to_string()))?;
    let resolved = sites::resolve(&plan.sites, &known);
    if !resolved.unknown.is_empty() || (plan.sites == Sites::All && known.is_empty()) {
        let sentence = sites::unknown_sentence(&resolved.unknown, &known);
        return Err(Finding::of_sentence("sites", Fault::Account, &sentence));
    }
    Ok((resolved.found, role(&answer.body)))
}

fn fault(failure: &Failure) -> Fault {
    match failure {
        Failure::Verdict(Verdict::NoPermission | Verdict::LoginRequired) => Fault::Account,
        Failure::Verdict(_) | Failure::Unreachable(_) => Fault::Way,
    }
}

#[derive(Deserialize)]
struct Roles {
    data: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    role: Option<String>,
}

fn role(list: &[u8]) -> Finding {
    let roles = serde_json::from_slice::<Roles>(list).map(|roles| roles.data);
    let roles = roles.unwrap_or_default();
    let mut named = roles.iter().filter_map(|site| site.role.as_deref());
    let writes = named
        .clone()
        .find(|role| !LOOKING.contains(&role.to_lowercase().as_str()));
    match (writes, named.next()) {
        (Some(role), _) => Finding::warning(
            "role",
            format!("the account may change things (role {:?})", short(role)),
            "herald only reads: give the account View Only rights for Network",
        ),
        (None, Some(_)) => Finding::ok("role", "the account may only look"),
        (None, None) => Finding::ok("role", "the controller does not tell it"),
    }
}

/// The version of the Network application.
pub(super) async fn version(account: &Account, site: &Site) -> Finding {
    match driver::version(account, &site.name).await {
        Some(version) => Finding::ok("version", format!("Network {version}")),
        None => Finding::warning(
            "version",
            "the controller does not tell its version",
            "nothing works less for it; give the account rights for the site if other lines complain too",
        ),
    }
}

/// How far apart the two clocks are, by the date of the controller's answers.
pub(super) fn clocks(account: &Account, clock: &Clock) -> Finding {
    let ahead = account.controller_time().as_millis() - clock.wall().as_millis();
    let seconds = ahead.abs() / 1000;
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    if ahead.abs() < SKEW {
        return Finding::ok("clock", "the two clocks agree");
    }
    Finding::warning(
        "clock",
        format!("the controller's clock is {seconds} s {side} this machine's"),
        "let both take their time from NTP: events carry the controller's time, rules about time of day use it",
    )
}

/// The histories that fill holes in the stream.
pub(super) async fn history(account: &Account, clock: &Clock, site: &Site) -> Finding {
    let name = format!("history {}", site.name);
    let now = clock.wall();
    let body = system_log_body(now - DAY, now, 0, 1);
    let newer = count(account, |kind| system_log_path(kind, &site.name), &body).await;
    let older = count(
        account,
        |kind| legacy_path(kind, &site.name),
        &legacy_body(24, 0, LEGACY_PAGE),
    )
    .await;
    match (newer, older) {
        (Some(newer), Some(older)) => Finding::ok(
            name,
            format!("system log ({newer} entries in 24 h) and stat/event ({older}) answer"),
        ),
        (Some(newer), None) => Finding::ok(
            name,
            format!("the system log answers ({newer} entries in 24 h)"),
        ),
        (None, Some(older)) => Finding::ok(
            name,
            format!("stat/event answers ({older} entries in 24 h)"),
        ),
        (None, None) => Finding::warning(
            name,
            "neither the system log nor stat/event can be read",
            "what happens while herald is disconnected cannot be fetched later and becomes a herald.gap: give the \
             account View Only rights for Network, or update the Network application",
        ),
    }
}

async fn count(
    account: &Account,
    path: impl Fn(crate::config::ControllerKind) -> String,
    body: &serde_json::Value,
) -> Option<u64> {
    let answer = account.post(path, body, LIST).await.ok()?;
    let page = Page::read(&answer.body).ok()?;
    Some(page.total.unwrap_or(page.items.len() as u64))
}

/// A name that a stranger chose, short enough for a line.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
