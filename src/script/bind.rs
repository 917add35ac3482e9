//! Puts the event, its absent parts and `params` into the language.

use super::context::Context;
use super::error::{refuse, too_large};
use super::limits::MAX_EVENTS;
use super::names::Property;
use super::node::{At, Node};
use super::{derive, redact, write};
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map};
use std::any::TypeId;
use std::sync::Arc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Rhai's own name of the function behind `a[b] = c`; it has no constant for it.
const INDEX_SET: &str = "index$set$";

/// What `iter` over a part of `raw`, and `keys`, give at most.
const MAX_LISTED: usize = 1024;

/// Most arguments of `redact`.
const MAX_REDACTED: usize = 16;

/// The parameters of a script; a copy is a reference count.
#[derive(Clone, Debug)]
pub(super) struct Params(pub(super) Arc<Map>);

pub(super) fn register(engine: &mut Engine, context: &Arc<Context>, params: &Params) {
    event_type(engine, context);
    redact_fn(engine);
    absent(engine);
    params_type(engine, params);
}

fn event_type(engine: &mut Engine, context: &Arc<Context>) {
    engine.register_type_with_name::<Node>("event");
    for name in Property::ALL {
        engine.register_get(name.as_str(), move |node: &mut Node| node.get(*name));
    }
    engine.register_indexer_get(|node: &mut Node, name: &str| node.get_text(name));
    engine.register_indexer_get(|node: &mut Node, index: i64| node.get_index(index));
    engine.register_indexer_set(
        |node: &mut Node, name: &str, value: Dynamic| -> Fallible<()> {
            write::set(node, name, &value).map_err(write::Refused::into_error)
        },
    );
    engine.register_iterator::<Node>();
    engine.register_fn("contains", |node: &mut Node, name: &str| {
        !node.get_text(name).is_unit()
    });
    engine.register_fn("keys", |node: &mut Node| -> Array {
        node.keys(MAX_LISTED)
            .into_iter()
            .map(Dynamic::from)
            .collect()
    });
    engine.register_fn("len", |node: &mut Node| -> Fallible<i64> {
        let len = node
            .len()
            .ok_or_else(|| refuse("only `fields` and what is in `raw` have a length"))?;
        Ok(i64::try_from(len).unwrap_or(i64::MAX))
    });
    engine.register_fn("==", |a: &mut Node, b: Node| {
        a.is(&b) || a.to_json() == b.to_json()
    });
    engine.register_fn("!=", |a: &mut Node, b: Node| {
        !a.is(&b) && a.to_json() != b.to_json()
    });
    engine.register_fn("to_string", |node: &mut Node| in_text(node));
    engine.register_fn("to_debug", |node: &mut Node| in_text(node));
    engine.register_fn("print", |node: &mut Node| in_text(node));
    engine.register_fn("debug", |node: &mut Node| in_text(node));

    let context = Arc::clone(context);
    engine.register_fn("derive", move |node: &mut Node| -> Fallible<Node> {
        if node.at != At::Event {
            return Err(refuse("only an event can be copied by `derive`"));
        }
        let mut run = context.run();
        run.copies += 1;
        if run.copies > MAX_EVENTS {
            return Err(too_large(format!(
                "more than {MAX_EVENTS} copies of an event"
            )));
        }
        Ok(derive::copy(node, &run.salt))
    });
}

/// The event's summary, or a part as JSON.
fn in_text(node: &Node) -> String {
    match node.at {
        At::Event => node.event().to_string(),
        _ => node.to_json().to_string(),
    }
}

impl IntoIterator for Node {
    type Item = Dynamic;
    type IntoIter = std::vec::IntoIter<Dynamic>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements(MAX_LISTED).into_iter()
    }
}

fn redact_fn(engine: &mut Engine) {
    fn redact<'p>(node: &Node, paths: impl Iterator<Item = &'p Dynamic>) -> Fallible<()> {
        if node.at != At::Event {
            return Err(refuse("`redact` belongs to the event, not to a part of it"));
        }
        for path in paths {
            let path = path.read_lock::<ImmutableString>();
            let path = path
                .ok_or_else(|| refuse("`redact` takes names of fields, such as \"client.name\""))?;
            node.change(|event| redact::redact(event, &path))
                .map_err(refuse)?;
        }
        Ok(())
    }

    let text = TypeId::of::<ImmutableString>();
    for paths in 1..=MAX_REDACTED {
        let types: Vec<_> = std::iter::once(TypeId::of::<Node>())
            .chain(std::iter::repeat_n(text, paths))
            .collect();
        engine.register_raw_fn("redact", types, |_, args| {
            let Some((node, paths)) = args.split_first() else {
                return Ok(());
            };
            let node = node.clone_cast::<Node>();
            redact(&node, paths.iter().map(|path| &**path))
        });
    }
    engine.register_fn("redact", |node: &mut Node, paths: Array| {
        redact(node, paths.iter())
    });
}

/// An absent field is `()`, and so is whatever would be in it. Asking about it is false; asking for more of it
/// gives `()` again. Comparisons need nothing here: the language itself finds `()` equal to nothing else, and
/// neither before nor after it.
fn absent(engine: &mut Engine) {
    for name in Property::ALL {
        engine.register_get(name.as_str(), |_: &mut ()| ());
    }
    engine.register_indexer_get(|_: &mut (), _: &str| ());
    engine.register_indexer_get(|_: &mut (), _: i64| ());
    for question in ["contains", "starts_with", "ends_with"] {
        engine.register_fn(question, |_: (), _: Dynamic| false);
    }
    for same in ["to_upper", "to_lower", "trim"] {
        engine.register_fn(same, |_: ()| ());
    }
    engine.register_fn("len", |_: ()| 0_i64);
    engine.register_fn("is_empty", |_: ()| true);
    engine.register_fn("!", |_: ()| true);
    // Writing into what is absent makes a map of it, so that `event.fields.a.b = 1` needs no `a`. Everywhere else
    // the map meets a field that refuses it.
    let types = [
        TypeId::of::<()>(),
        TypeId::of::<ImmutableString>(),
        TypeId::of::<Dynamic>(),
    ];
    engine.register_raw_fn(INDEX_SET, types, |_, args| {
        if let [target, name, value] = args
            && !value.is_unit()
        {
            let name = name.clone_cast::<ImmutableString>();
            let value = value.take();
            **target = Map::from([(name.into(), value)]).into();
        }
        Ok(())
    });
}

fn params_type(engine: &mut Engine, params: &Params) {
    engine.register_type_with_name::<Params>("params");
    for (key, value) in params.0.iter() {
        let value = value.clone();
        engine.register_get(key.as_str(), move |_: &mut Params| value.clone());
    }
    engine.register_indexer_get(|params: &mut Params, name: &str| {
        params.0.get(name).cloned().unwrap_or_default()
    });
    engine.register_indexer_set(
        |params: &mut Params, name: &str, value: Dynamic| -> Fallible<()> {
            // Rhai writes back what a method may have changed; that is no assignment when it did not.
            let unchanged = params
                .0
                .get(name)
                .is_some_and(|before| write::same(before, &value));
            if unchanged {
                Ok(())
            } else {
                Err(refuse("`params` cannot be changed"))
            }
        },
    );
    engine.register_fn("contains", |params: &mut Params, name: &str| {
        params.0.contains_key(name)
    });
    engine.register_fn("keys", |params: &mut Params| -> Array {
        params.0.keys().map(|key| key.as_str().into()).collect()
    });
}
