//! The beginning of a run: what is on disk, or on a full disk what goes on without it.

use super::commit::Pen;
use super::{OpenError, Reader, reserve, schema, sinks, untold};
use crate::buffer::Loss;
use crate::clock::Clock;
use crate::config::StorePlan;
use crate::store::Books;
use rusqlite::Connection;
use unifi_herald_plugin::Text;

/// What a store begins with.
pub(super) struct Begun {
    pub(super) connection: Connection,
    pub(super) pen: Pen,
    pub(super) books: Vec<Books>,
    pub(super) next_seq: u64,
    pub(super) reader: Reader,
    /// What was lost before and no event has told.
    pub(super) untold: Vec<Loss>,
    /// Why all of this is empty and in memory: a new store found no room.
    pub(super) in_memory: Option<OpenError>,
}

/// Begin a run in the folder of `plan`, which is locked and this run's.
pub(super) fn begin(plan: &StorePlan, names: &[Text], clock: &Clock) -> Result<Begun, OpenError> {
    match on_disk(plan, names, clock) {
        Ok(begun) => {
            reserve::keep(&plan.dir);
            return Ok(begun);
        }
        // What was put by is for this: an old store is opened, and what comes next finds the disk full again.
        Err(OpenError::Full { .. }) if reserve::release(&plan.dir) => {}
        Err(OpenError::Full { dir }) => {
            return in_memory(plan, names, clock, OpenError::Full { dir });
        }
        Err(error) => return Err(error),
    }
    on_disk(plan, names, clock).or_else(|error| match error {
        OpenError::Full { .. } => in_memory(plan, names, clock, error),
        _ => Err(error),
    })
}

fn on_disk(plan: &StorePlan, names: &[Text], clock: &Clock) -> Result<Begun, OpenError> {
    let connection = schema::open(&plan.dir, plan.sync)?;
    let file = schema::database_path(&plan.dir);
    let failed = |error| OpenError::database(&file, error);
    schema::limit_log(&connection, plan.max_size).map_err(failed)?;
    let next_seq = sinks::begin_run(&connection).map_err(failed)?;
    let (pen, books) = sinks::pen(&connection, &rows(names), clock.wall()).map_err(failed)?;
    Ok(Begun {
        untold: untold::load(&connection).map_err(failed)?,
        connection,
        pen,
        books,
        next_seq,
        reader: Reader::open(&plan.dir)?,
        in_memory: None,
    })
}

/// Without a disk. Only a store that is not there yet can be done without: nothing of an old one may be forgotten.
pub(super) fn in_memory(
    plan: &StorePlan,
    names: &[Text],
    clock: &Clock,
    why: OpenError,
) -> Result<Begun, OpenError> {
    if !matches!(Reader::open(&plan.dir), Err(OpenError::Missing { .. })) {
        return Err(why);
    }
    let file = schema::database_path(&plan.dir);
    let failed = |error| OpenError::database(&file, error);
    let connection = schema::in_memory().map_err(failed)?;
    let (pen, books) = sinks::pen(&connection, &rows(names), clock.wall()).map_err(failed)?;
    Ok(Begun {
        untold: Vec::new(),
        connection,
        pen,
        books,
        next_seq: 1,
        reader: Reader::in_memory().map_err(failed)?,
        in_memory: Some(why),
    })
}

fn rows(names: &[Text]) -> Vec<(&str, bool)> {
    names.iter().map(|name| (&**name, false)).collect()
}
