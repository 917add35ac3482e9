//! The functions by which a script remembers.

use super::context::Context;
use super::convert;
use super::error::{refuse, too_large};
use super::memory::{Memory, MemoryError};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Span, Timestamp};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine, context: &Arc<Context>) {
    let cx = Arc::clone(context);
    engine.register_fn("first_seen", move |key: Dynamic| -> Fallible<bool> {
        let key = key_of(&key)?;
        remember(&cx, |memory, now| memory.first_seen(&key, now))
    });
    let cx = Arc::clone(context);
    engine.register_fn(
        "count",
        move |key: Dynamic, window: Dynamic| -> Fallible<i64> {
            let (key, window) = (key_of(&key)?, span_of(&window, "window")?);
            let count = remember(&cx, |memory, now| memory.count(&key, window, now))?;
            Ok(i64::try_from(count).unwrap_or(i64::MAX))
        },
    );
    let cx = Arc::clone(context);
    engine.register_fn(
        "throttle",
        move |key: Dynamic, window: Dynamic| -> Fallible<bool> {
            let (key, window) = (key_of(&key)?, span_of(&window, "window")?);
            remember(&cx, |memory, now| memory.throttle(&key, window, now))
        },
    );
    let cx = Arc::clone(context);
    engine.register_fn("get", move |key: Dynamic| -> Fallible<Dynamic> {
        let key = key_of(&key)?;
        let (memory, now) = cx.memory();
        let mut memory = memory.lock();
        let json = memory.get(&key, now);
        Ok(json.map_or(Dynamic::UNIT, convert::from_scalar))
    });
    let cx = Arc::clone(context);
    engine.register_fn("set", move |key: Dynamic, value: Dynamic| {
        set(&cx, &key, &value, None)
    });
    let cx = Arc::clone(context);
    engine.register_fn("set", move |key: Dynamic, value: Dynamic, ttl: Dynamic| {
        let ttl = span_of(&ttl, "time to live")?;
        set(&cx, &key, &value, Some(ttl))
    });
    let cx = Arc::clone(context);
    engine.register_fn("forget", move |key: Dynamic| -> Fallible<bool> {
        let key = key_of(&key)?;
        remember(&cx, |memory, _| memory.forget(&key))
    });
}

fn remember<T>(
    cx: &Context,
    change: impl FnOnce(&mut Memory, Timestamp) -> Result<T, MemoryError>,
) -> Fallible<T> {
    let (memory, now) = cx.memory();
    let result = change(&mut memory.lock(), now);
    result.map_err(|error| too_large(error.to_string()))
}

fn set(cx: &Context, key: &Dynamic, value: &Dynamic, ttl: Option<Duration>) -> Fallible<()> {
    let key = key_of(key)?;
    let json = match value.is_unit() {
        true => None,
        false => Some(convert::to_json(value).map_err(refuse)?.to_string()),
    };
    remember(cx, |memory, now| {
        memory.set(&key, json.as_deref(), ttl, now)
    })
}

/// A number is the same key as its text.
fn key_of(key: &Dynamic) -> Fallible<ImmutableString> {
    if let Some(text) = key.read_lock::<ImmutableString>() {
        return Ok(text.clone());
    }
    if key.is_int() || key.is_float() {
        return Ok(key.to_string().into());
    }
    Err(refuse(if key.is_unit() {
        "the key is `()`, an absent field: a key is text or a number".to_owned()
    } else {
        format!("a key is text or a number, not {}", key.type_name())
    }))
}

fn span_of(span: &Dynamic, what: &str) -> Fallible<Duration> {
    let text = span.read_lock::<ImmutableString>();
    let span = text.as_ref().and_then(|text| text.parse::<Span>().ok());
    match span {
        Some(Span(span)) if !span.is_zero() => Ok(span),
        _ => Err(refuse(format!(
            "a {what} is text such as \"90s\", \"10m\" or \"7d\""
        ))),
    }
}
