//! What was lost for want of room and no `herald.gap` has told yet: kept with the books that count it, so that it is told
//! after a restart as well.

use super::commit::write_state;
use crate::buffer::Loss;
use crate::store::StateChange;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::{Gap, Text, Timestamp};

/// Where it is kept, by controller and site.
const SCOPE: &str = "herald/lost";

/// A loss as it is kept.
#[derive(Serialize, Deserialize)]
struct Row {
    controller: Text,
    site: Text,
    site_name: Text,
    from: Timestamp,
    to: Timestamp,
    count: u64,
}

/// Keep these as well.
pub(super) fn add(connection: &Connection, losses: &[Loss]) -> rusqlite::Result<()> {
    for loss in losses {
        let mut all = loss.clone();
        if let Some(kept) = find(connection, loss)? {
            all.take_in(&kept.gap);
        }
        write(connection, &all)?;
    }
    Ok(())
}

/// These are told with this transaction. What was lost meanwhile stays.
pub(super) fn told(connection: &Connection, losses: &[Loss]) -> rusqlite::Result<()> {
    for loss in losses {
        let Some(mut kept) = find(connection, loss)? else {
            continue;
        };
        let told = loss.gap.count.unwrap_or_default();
        let rest = kept.gap.count.unwrap_or_default().saturating_sub(told);
        if rest == 0 {
            let (scope, key) = (SCOPE.into(), key(loss));
            write_state(connection, [&StateChange::Forget { scope, key }])?;
        } else {
            kept.gap.count = Some(rest);
            write(connection, &kept)?;
        }
    }
    Ok(())
}

/// What an earlier run did not tell.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<Loss>> {
    let mut rows = connection.prepare("SELECT value FROM state WHERE scope = ?1")?;
    let rows = rows.query_map([SCOPE], |row| row.get::<_, Vec<u8>>(0))?;
    let losses = rows.map(|value| value.map(|value| read(&value)));
    let losses = losses.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(losses.into_iter().flatten().collect())
}

fn find(connection: &Connection, place: &Loss) -> rusqlite::Result<Option<Loss>> {
    let value = connection
        .prepare_cached("SELECT value FROM state WHERE scope = ?1 AND key = ?2")?
        .query_row((SCOPE, &*key(place)), |row| row.get::<_, Vec<u8>>(0))
        .optional()?;
    Ok(value.and_then(|value| read(&value)))
}

fn write(connection: &Connection, loss: &Loss) -> rusqlite::Result<()> {
    let row = Row {
        controller: loss.controller.clone(),
        site: loss.site.clone(),
        site_name: loss.site_name.clone(),
        from: loss.gap.from,
        to: loss.gap.to,
        count: loss.gap.count.unwrap_or_default(),
    };
    let change = StateChange::Set {
        scope: SCOPE.into(),
        key: key(loss),
        value: serde_json::to_vec(&row).unwrap_or_default(),
        expires: None,
    };
    write_state(connection, [&change])
}

/// What somebody else wrote there is no loss.
fn read(value: &[u8]) -> Option<Loss> {
    let row: Row = serde_json::from_slice(value).ok()?;
    Some(Loss {
        controller: row.controller,
        site: row.site,
        site_name: row.site_name,
        own: false,
        gap: Gap {
            from: row.from,
            to: row.to,
            count: Some(row.count),
        },
    })
}

fn key(loss: &Loss) -> Text {
    format!("{}/{}", loss.controller, loss.site).into()
}
