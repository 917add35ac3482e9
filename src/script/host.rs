//! The functions a script may call.

use super::context::Context;
use super::error::{refuse, too_large};
use super::hours::Hours;
use super::limits::{MAX_COMPILED, MAX_PATTERN};
use super::log_gate::printable;
use super::state;
use crate::glob;
use regex::{Regex, RegexBuilder};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Position};
use std::sync::Arc;
use unifi_herald_plugin::Mac;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine, context: &Arc<Context>) {
    time(engine, context);
    text(engine, context);
    state::register(engine, context);
    log(engine, context);
    replacements(engine);
}

fn time(engine: &mut Engine, context: &Arc<Context>) {
    let cx = Arc::clone(context);
    engine.register_fn("now", move || cx.run().now.as_millis());
    let cx = Arc::clone(context);
    engine.register_fn(
        "in_hours",
        move |hours: ImmutableString| -> Fallible<bool> {
            let mut run = cx.run();
            let now = run.now;
            let hours = run
                .hours
                .get_or_make(&hours, Hours::parse)
                .map_err(refuse)?;
            Ok(hours.contains(now, &cx.zone))
        },
    );
}

fn text(engine: &mut Engine, context: &Arc<Context>) {
    let cx = Arc::clone(context);
    engine.register_fn(
        "matches",
        move |text: ImmutableString, pattern: ImmutableString| -> Fallible<bool> {
            let mut run = cx.run();
            if !run.patterns.contains(&pattern) {
                drop(run);
                // Compiling is the one thing that takes long but counts as a single operation.
                if cx.out_of_time() {
                    return Err(
                        EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into(),
                    );
                }
                run = cx.run();
            }
            let regex = run.patterns.get_or_make(&pattern, compile)?;
            Ok(regex.is_match(&text))
        },
    );
    engine.register_fn("matches", |_: (), _: Dynamic| false);
    engine.register_fn("glob", |text: &str, pattern: &str| {
        glob::matches(pattern, text)
    });
    engine.register_fn("glob", |_: (), _: Dynamic| false);
    engine.register_fn("is_private_mac", |mac: &str| {
        mac.parse().is_ok_and(Mac::is_random)
    });
    engine.register_fn("is_private_mac", |_: ()| false);
}

fn compile(pattern: &str) -> Fallible<Regex> {
    if pattern.len() > MAX_PATTERN {
        return Err(too_large(format!(
            "a regular expression may have {MAX_PATTERN} bytes"
        )));
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .build();
    regex.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            too_large(format!("the regular expression `{pattern}` is too large"))
        }
        other => {
            // The last line says what is wrong; those before it draw the pattern with a marker.
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default();
            refuse(format!(
                "`{pattern}` is not a regular expression: {}",
                reason.trim_start_matches("error: ")
            ))
        }
    })
}

fn log(engine: &mut Engine, context: &Arc<Context>) {
    fn write(cx: &Context, text: &str) {
        let mut run = cx.run();
        let now = run.instant;
        if let Some(suppressed) = run.log.admit(now) {
            tracing::info!(
                script = &*cx.name,
                text = printable(text),
                suppressed,
                "script wrote"
            );
        }
    }

    let cx = Arc::clone(context);
    engine.register_fn("log", move |text: &str| write(&cx, text));
    let cx = Arc::clone(context);
    engine.register_fn("log", move |value: Dynamic| write(&cx, &value.to_string()));
    let cx = Arc::clone(context);
    engine.on_print(move |text| write(&cx, text));
    let cx = Arc::clone(context);
    engine.on_debug(move |text, _, _| write(&cx, text));
}

/// Functions of the standard library that would not be bounded.
fn replacements(engine: &mut Engine) {
    fn too_long(engine: &Engine, text: &str, found: usize, old: usize, new: usize) -> bool {
        let len = text.len() - found * old;
        len.saturating_add(found.saturating_mul(new)) > engine.max_string_size()
    }
    fn replace(
        cx: &rhai::NativeCallContext<'_>,
        text: &mut ImmutableString,
        old: &str,
        new: &str,
    ) -> Fallible<()> {
        if too_long(
            cx.engine(),
            text,
            text.matches(old).count(),
            old.len(),
            new.len(),
        ) {
            let what = "Length of string".to_owned();
            return Err(EvalAltResult::ErrorDataTooLarge(what, Position::NONE).into());
        }
        *text = text.replace(old, new).into();
        Ok(())
    }
    fn one(c: char) -> String {
        c.to_string()
    }

    type Cx<'a> = rhai::NativeCallContext<'a>;
    engine
        .register_fn(
            "replace",
            |cx: Cx<'_>, text: &mut ImmutableString, old: &str, new: &str| {
                replace(&cx, text, old, new)
            },
        )
        .register_fn(
            "replace",
            |cx: Cx<'_>, text: &mut ImmutableString, old: &str, new: char| {
                replace(&cx, text, old, &one(new))
            },
        )
        .register_fn(
            "replace",
            |cx: Cx<'_>, text: &mut ImmutableString, old: char, new: &str| {
                replace(&cx, text, &one(old), new)
            },
        )
        .register_fn(
            "replace",
            |cx: Cx<'_>, text: &mut ImmutableString, old: char, new: char| {
                replace(&cx, text, &one(old), &one(new))
            },
        )
        .register_fn("sleep", |_: i64| -> Fallible<()> {
            Err(refuse("a script cannot wait"))
        })
        .register_fn("sleep", |_: f64| -> Fallible<()> {
            Err(refuse("a script cannot wait"))
        });
}
