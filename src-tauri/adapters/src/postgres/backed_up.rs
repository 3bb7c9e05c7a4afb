//! What cannot be taken back must be in a backup: looked at while the transaction is still open, by
//! the locks that it holds. They are on everything that it changed, whatever the statement's text
//! says: rows that a cascade deletes, what a trigger writes, tables that it drops.

use ratiba_core::{playbook::step::BackupOf, ports::ChangeError};
use sqlx::{PgConnection, Row};

use super::{change::source, connections::Connections};

const ATTEMPTED: &str = "see what a transaction changes in Postgres";

/// The weakest lock of a change is that of INSERT, UPDATE and DELETE, and of setting a sequence. What has
/// no rows of its own can only be dropped, which takes the strongest one. Catalogs and temporary tables
/// are no data.
const CHANGED: &str = "\
    SELECT DISTINCT n.nspname::text, c.relname::text, c.relkind::text \
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE l.locktype = 'relation' AND l.granted AND l.pid = $1 \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
    AND (c.relkind IN ('r', 'f', 'S') \
         AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') \
         OR c.relkind IN ('v', 'm', 'p') AND l.mode = 'AccessExclusiveLock') \
    ORDER BY 1, 2";

/// What is nowhere else and in no table of anybody's: the server keeps no lock on the catalogs for
/// these, but their old rows bear the transaction's number.
const DROPPED: &str = "\
    SELECT EXISTS (SELECT 1 FROM pg_proc WHERE xmax = $1::xid8::xid), \
           EXISTS (SELECT 1 FROM pg_largeobject_metadata WHERE xmax = $1::xid8::xid)";

/// Rows that were there before and that a transaction changed or deleted, by table.
const CHANGED_ROWS: &str = "\
    SELECT format('%I.%I', n.nspname, c.relname)::text, \
           (pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid))::bigint \
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_backend_pid() AND c.relkind = 'r' \
    AND l.mode = 'RowExclusiveLock' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1";

/// What a deferred trigger would do in the commit happens now.
async fn fire_deferred(connection: &mut PgConnection) -> Result<(), ChangeError> {
    let fired = sqlx::query("SET CONSTRAINTS ALL IMMEDIATE").execute(connection).await;
    fired.map(|_| ()).map_err(|e| source(&e))
}

/// Refuses a transaction that did more than its statement says: an undo brings back the statement's
/// rows, and not what a trigger or a foreign key did beside it.
pub(super) async fn check_alone(connection: &mut PgConnection, expected: u64) -> Result<(), ChangeError> {
    fire_deferred(connection).await?;
    let rows = sqlx::query(CHANGED_ROWS).fetch_all(&mut *connection).await.map_err(|e| source(&e))?;
    let (mut changed, mut tables) = (0_u64, Vec::new());
    for row in rows {
        let (table, n): (String, i64) =
            (row.try_get(0).map_err(|e| source(&e))?, row.try_get(1).map_err(|e| source(&e))?);
        if n > 0 {
            changed += n.unsigned_abs();
            tables.push(format!("{n} in {table}"));
        }
    }
    if changed <= expected { Ok(()) } else { Err(ChangeError::MoreRows { expected, tables }) }
}

/// Refuses a transaction that changed what none of `backups` has.
pub(super) async fn check(
    connection: &mut PgConnection,
    connections: &Connections,
    backups: &[BackupOf],
) -> Result<(), ChangeError> {
    fire_deferred(connection).await?;
    let asked = sqlx::query("SELECT pg_backend_pid(), pg_current_xact_id()::text");
    let own = asked.fetch_one(&mut *connection).await.map_err(|e| source(&e))?;
    let pid: i32 = own.try_get(0).map_err(|e| source(&e))?;
    let xid: String = own.try_get(1).map_err(|e| source(&e))?;
    // From outside: the transaction itself no longer sees what it dropped.
    let mut outside = connections.own(ATTEMPTED, None).await?;
    let changed = sqlx::query(CHANGED).bind(pid).fetch_all(&mut outside).await.map_err(|e| source(&e))?;
    let mut tables = Vec::new();
    for row in changed {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(|e| source(&e));
        let (schema, name, kind) = (text(0)?, text(1)?, text(2)?);
        // What is in a foreign table is elsewhere, and no dump has it.
        if kind == "f" || !backups.iter().any(|backup| backup.has_table(&schema, &name)) {
            tables.push(format!("{schema}.{name}"));
        }
    }
    let dropped = sqlx::query(DROPPED).bind(xid).fetch_one(&mut outside).await.map_err(|e| source(&e))?;
    let is = |i: usize| dropped.try_get::<bool, _>(i).map_err(|e| source(&e));
    let whole = |backup: &BackupOf| *backup == BackupOf::Database;
    let has_functions = |backup: &BackupOf| whole(backup) || matches!(backup, BackupOf::Schema { .. });
    if is(0)? && !backups.iter().any(has_functions) {
        tables.push("functions".into());
    }
    if is(1)? && !backups.iter().any(whole) {
        tables.push("large objects".into());
    }
    if tables.is_empty() { Ok(()) } else { Err(ChangeError::NotBackedUp { tables }) }
}
