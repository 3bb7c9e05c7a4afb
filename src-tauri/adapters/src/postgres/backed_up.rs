//! What cannot be taken back must be in a backup: looked at while the transaction is still open, by
//! the locks that it holds. They are on everything that it changed, whatever the statement's text
//! says: rows that a cascade deletes, what a trigger writes, tables that it drops.

use ratiba_core::{playbook::step::BackupOf, ports::ChangeError};
use sqlx::{PgConnection, Row};

use super::{change::source, connections::Connections};

const ATTEMPTED: &str = "see what a transaction changes in Postgres";

/// The weakest lock of a change is that of INSERT, UPDATE and DELETE. What has no rows of its own can
/// only be dropped, which takes the strongest one. Catalogs and temporary tables are no data.
const CHANGED: &str = "\
    SELECT DISTINCT n.nspname::text, c.relname::text, c.relkind::text \
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE l.locktype = 'relation' AND l.granted AND l.pid = $1 \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
    AND (c.relkind IN ('r', 'f') \
         AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') \
         OR c.relkind IN ('v', 'm', 'S', 'p') AND l.mode = 'AccessExclusiveLock') \
    ORDER BY 1, 2";

/// Refuses a transaction that changed what none of `backups` has.
pub(super) async fn check(
    connection: &mut PgConnection,
    connections: &Connections,
    backups: &[BackupOf],
) -> Result<(), ChangeError> {
    // What a deferred trigger would do in the commit happens now.
    sqlx::query("SET CONSTRAINTS ALL IMMEDIATE").execute(&mut *connection).await.map_err(|e| source(&e))?;
    let asked = sqlx::query("SELECT pg_backend_pid()").fetch_one(&mut *connection).await;
    let pid: i32 = asked.and_then(|row| row.try_get(0)).map_err(|e| source(&e))?;
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
    if tables.is_empty() { Ok(()) } else { Err(ChangeError::NotBackedUp { tables }) }
}
