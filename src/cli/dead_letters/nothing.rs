//! Why there was no dead letter to tell of, or to do something to.

use super::{Deed, Exit, Letters, Outline, complain, each, plain};
use crate::cli::status;
use crate::config::suggest;

/// Go on only with a sink that there is, or was: one of the configuration, of the running host, or with dead letters.
pub(super) fn known(outline: &Outline, sink: Option<&str>) -> Result<(), Exit> {
    let Some(sink) = sink else { return Ok(()) };
    if outline.sinks.iter().any(|known| **known == *sink) {
        return Ok(());
    }
    let running = status::running(outline)?.map_or_else(Vec::new, |facts| facts.sinks);
    let kept = || {
        let of_it = Letters {
            sink: Some(sink.to_owned()),
            id: None,
        };
        any(outline, &of_it)
    };
    if running.iter().any(|known| known.name == sink) || kept()? {
        return Ok(());
    }
    let running = running.iter().map(|sink| &*sink.name);
    let mut names: Vec<&str> = outline.sinks.iter().map(|name| &**name).collect();
    names.extend(running.filter(|name| !outline.sinks.iter().any(|known| **known == **name)));
    let help = suggest::help(sink, names, "there are");
    complain(&format!(
        "error: there is no sink `{}`, nor a dead letter of one; {}",
        plain(sink),
        help.unwrap_or_else(|| "the configuration has no sinks".to_owned())
    ));
    Err(Exit::Usage)
}

/// Why nothing was done to the event `id`.
pub(super) fn done(
    outline: &Outline,
    filter: &Letters,
    id: &str,
    deed: Deed,
) -> Result<String, Exit> {
    if matches!(deed, Deed::Retry) && any(outline, filter)? {
        return Ok(format!(
            "there is no room for the dead letter of the event `{}` among what is pending; try again later",
            plain(id)
        ));
    }
    Ok(found(id, filter.sink.as_deref()))
}

/// That the event `id` has no dead letter.
pub(super) fn found(id: &str, sink: Option<&str>) -> String {
    let of = sink.map_or_else(String::new, |sink| {
        format!(" for the sink `{}`", plain(sink))
    });
    format!("there is no dead letter of the event `{}`{of}", plain(id))
}

/// Whether `filter` describes any.
fn any(outline: &Outline, filter: &Letters) -> Result<bool, Exit> {
    let mut any = false;
    // The first one ends it.
    let told = each(outline, filter, |_| {
        any = true;
        Err(Exit::Done)
    });
    if any { Ok(true) } else { told.map(|()| false) }
}
