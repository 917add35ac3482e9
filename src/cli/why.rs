//! `herald events --why`: what became of one event, step by step.

use super::output::{Lines, complain, plain};
use super::{Exit, ask, line};
use crate::config::Outline;
use crate::control::fate::{ChainFate, Fate, fates};
use crate::control::protocol::{Answer, Request};
use crate::control::search::NO_JOURNAL;
use std::fmt::Write;
use unifi_herald_plugin::BufferedEvent;

/// Tell the fate of every event with this id.
pub(super) fn why(outline: &Outline, id: &str, json: bool) -> Result<Exit, Exit> {
    let fates = find(outline, id)?;
    if fates.is_empty() {
        complain(&format!(
            "error: the journal has no event `{id}`; what a controller told in two forms is kept once, under the id that came first"
        ));
        return Ok(Exit::Failed);
    }
    let mut lines = Lines::new();
    for fate in &fates {
        if json {
            // Cannot fail: all its keys are text.
            lines.line(&serde_json::to_string(fate).unwrap_or_default())?;
        } else {
            lines.line(&describe(fate, outline))?;
        }
    }
    lines.flush()?;
    Ok(Exit::Done)
}

fn find(outline: &Outline, id: &str) -> Result<Vec<Fate>, Exit> {
    let request = Request::Why { id: id.to_owned() };
    let mut found = Vec::new();
    if let Some(mut client) = ask::ask(outline, &request)? {
        ask::each(&mut client, |answer| match answer {
            Answer::Fate(fate) => {
                found.push(*fate);
                Ok(())
            }
            _ => Err(ask::misunderstood()),
        })?;
        return Ok(found);
    }
    fates(&ask::journal(outline, NO_JOURNAL)?, id).map_err(|error| {
        complain(&format!("error: {error}"));
        Exit::Failed
    })
}

/// For people: the event, each chain with its steps, each delivery.
fn describe(fate: &Fate, outline: &Outline) -> String {
    let event = serde_json::from_str::<BufferedEvent>(fate.event.get());
    let mut text = event.map_or_else(|_| String::new(), |event| line::line(&event, &outline.zone));
    text.push_str("\n\nchains\n");
    if fate.chains.is_empty() {
        text.push_str(
            "  not recorded: a script or filter made this event and no sink got it, or an older herald routed it\n",
        );
    }
    describe_chains(&fate.chains, &mut text);
    text.push_str("\ndeliveries\n");
    if fate.deliveries.is_empty() {
        text.push_str("  none\n");
    }
    for delivery in &fate.deliveries {
        let state = match &*delivery.state {
            "settled" => "delivered",
            "dead_letter" => "dead letter",
            "too_old" => "not delivered, it had become too old for the sink",
            "merged" => "not delivered, the news of the end was pending as well and tells more",
            "lost" => "lost, there was no room",
            "dropped" => "not delivered, it was a dead letter and was dropped",
            other => other,
        };
        let reason = delivery.reason.as_ref();
        let reason = reason.map_or_else(String::new, |reason| format!(": {}", plain(reason)));
        _ = writeln!(
            text,
            "  {}: {}{reason}",
            plain(&delivery.sink),
            plain(state)
        );
    }
    text
}

/// For people: each chain with its steps, a line for each.
pub(super) fn describe_chains(chains: &[ChainFate], text: &mut String) {
    for chain in chains {
        let passed = if chain.entered {
            ""
        } else {
            ": not for it (`when`)"
        };
        _ = writeln!(text, "  {}{passed}", plain(&chain.chain));
        for step in &chain.steps {
            let indent = 4 + 2 * step.depth.min(8);
            let failed = if step.failed { "failed; " } else { "" };
            let did = in_words(&step.did);
            _ = writeln!(text, "{:indent$}{}: {failed}{did}", "", plain(&step.step));
        }
    }
}

fn in_words(did: &str) -> String {
    match did {
        "kept" => "let it go on".to_owned(),
        "changed" => "changed it and let it go on".to_owned(),
        "dropped" => "let it go no further".to_owned(),
        "replaced" => "put others in its place".to_owned(),
        "dead_letter" => "gave it up for the sinks behind".to_owned(),
        "given" => "got it".to_owned(),
        "had_it" => "had it from an earlier chain".to_owned(),
        "journal_only" => "not sent, it was for the journal only".to_owned(),
        "counted" => "counted it and kept it".to_owned(),
        "collected" => "keeps it for its time".to_owned(),
        "said" => "said it".to_owned(),
        "skipped" => "passed by (`when`)".to_owned(),
        other => plain(other),
    }
}
