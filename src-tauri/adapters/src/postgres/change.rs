//! One guarded change in one transaction: identity, lock, guards, statement, row count, commit.

use std::time::Duration;

use async_trait::async_trait;
use ratiba_core::{
    model::SourceError,
    ports::{BeforeCommit, ChangeError, DatabaseChanges, SqlChange},
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tokio::time::timeout;

use super::{Postgres, backed_up, connections::Connections, error, params, rows};

const ATTEMPTED: &str = "change rows in Postgres";
/// Time for the answer to a commit.
const COMMIT: Duration = Duration::from_secs(8);

pub(super) fn source(e: &sqlx::Error) -> ChangeError {
    ChangeError::Source(error::of(ATTEMPTED, e))
}

#[async_trait]
impl DatabaseChanges for Postgres {
    async fn change(&self, change: &SqlChange, before: &dyn BeforeCommit) -> Result<Vec<Value>, ChangeError> {
        let connections = self.changes.as_ref().map_err(|e: &SourceError| ChangeError::Source(e.clone()))?;
        // The commit has a deadline of its own: what times out before it did not happen.
        let ended = connections
            .lend(ATTEMPTED, async |connection| in_transaction(connection, connections, change, before).await)
            .await?;
        let (rows, xid, mut connection) = match ended {
            (Ok((rows, xid)), connection) => (rows, xid, connection),
            (Err(refused), connection) => {
                if !has_changed_rows(&refused) {
                    connections.give_back(connection);
                }
                return Err(refused);
            }
        };
        let lost = |why: String| ChangeError::Unknown { xid, why, rows: rows.clone() };
        match timeout(COMMIT, sqlx::query("COMMIT").execute(&mut connection)).await {
            // A transaction that was aborted before answers COMMIT with a rollback, and no error.
            Ok(Ok(_)) => Ok(rows),
            // A refusal is an answer; silence is not.
            Ok(Err(sqlx::Error::Database(refused))) => Err(source(&sqlx::Error::Database(refused))),
            Ok(Err(error)) => Err(lost(format!("the connection was lost in the commit: {error}"))),
            Err(_) => Err(lost(format!("the commit was not answered within {} s", COMMIT.as_secs()))),
        }
    }
}

/// Whether a statement ran that changes rows. The server's count of a transaction's rows has in it what
/// the same session did shortly before: such a connection is used for no other change.
fn has_changed_rows(refused: &ChangeError) -> bool {
    !matches!(
        refused,
        ChangeError::Locked { .. } | ChangeError::OtherTarget { .. } | ChangeError::GuardChanged { .. }
    )
}

/// What is to be committed, or why not: then it was rolled back, and the connection is as before.
type Prepared = Result<(Vec<Value>, String), ChangeError>;

async fn in_transaction(
    connection: &mut PgConnection,
    connections: &Connections,
    change: &SqlChange,
    before: &dyn BeforeCommit,
) -> Result<Prepared, ChangeError> {
    // The session's, not the transaction's: who finds the lock taken must never read it before it is
    // set, or when it has just been set back.
    let named = sqlx::query("SELECT set_config('application_name', left($1, 63), false)");
    named.bind(change.holder.clone()).execute(&mut *connection).await.map_err(|e| source(&e))?;
    run(connection, "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
    let done = match whole(connection, connections, change).await {
        Ok((rows, xid)) => match before.prepared(&xid, &rows).await {
            Ok(()) => Ok((rows, xid)),
            Err(why) => Err(ChangeError::NotRecorded(why)),
        },
        Err(failure) => Err(failure),
    };
    let failure = match done {
        Ok(prepared) => return Ok(Ok(prepared)),
        Err(failure) => failure,
    };
    // A connection that met an error is dropped, which rolls back as well.
    match (sqlx::query("ROLLBACK").execute(&mut *connection).await, &failure) {
        (Ok(_), ChangeError::Source(_)) | (Err(_), _) => Err(failure),
        (Ok(_), _) => Ok(Err(failure)),
    }
}

async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), ChangeError> {
    sqlx::query(sql).execute(connection).await.map(|_| ()).map_err(|e| source(&e))
}

/// The change, and that what it lost is backed up.
async fn whole(
    connection: &mut PgConnection,
    connections: &Connections,
    change: &SqlChange,
) -> Result<(Vec<Value>, String), ChangeError> {
    let done = guarded(connection, change).await?;
    if let Some(backups) = &change.backed_up {
        backed_up::check(connection, connections, backups).await?;
    }
    if change.has_undo {
        backed_up::check_alone(connection, change.expect_rows).await?;
    }
    Ok(done)
}

async fn guarded(
    connection: &mut PgConnection,
    change: &SqlChange,
) -> Result<(Vec<Value>, String), ChangeError> {
    let here = sqlx::query(
        "SELECT (SELECT system_identifier::text FROM pg_control_system()), current_database()::text, \
         pg_current_xact_id()::text, pg_try_advisory_xact_lock(hashtext($1))",
    )
    .bind(change.lock.clone())
    .fetch_one(&mut *connection)
    .await
    .map_err(|e| source(&e))?;
    let text = |i: usize| here.try_get::<String, _>(i).map_err(|e| source(&e));
    let now = (text(0)?, text(1)?);
    if now != change.identity {
        return Err(ChangeError::OtherTarget { now: format!("system {} database {}", now.0, now.1) });
    }
    if !here.try_get::<bool, _>(3).map_err(|e| source(&e))? {
        return Err(ChangeError::Locked { holder: holder(connection, &change.lock).await });
    }
    for guard in &change.guards {
        let rows = json_rows(connection, &rows::as_json(&guard.read.sql), &guard.read.params).await?;
        if !same_rows(&rows, &guard.expect) {
            return Err(ChangeError::GuardChanged {
                what: guard.what.clone(),
                planned: guard.expect.clone(),
                now: rows,
            });
        }
    }
    let rows = if returns_rows(&change.sql) {
        let rows = json_rows(connection, &rows::returned_as_json(&change.sql), &change.params).await?;
        expect(rows.len() as u64, change.expect_rows)?;
        rows
    } else {
        let query = sqlx::query(AssertSqlSafe(change.sql.clone())).persistent(false);
        let done =
            params::bind(query, &change.params).execute(&mut *connection).await.map_err(|e| source(&e))?;
        expect(done.rows_affected(), change.expect_rows)?;
        Vec::new()
    };
    Ok((rows, text(2)?))
}

fn expect(touched: u64, expected: u64) -> Result<(), ChangeError> {
    if touched == expected { Ok(()) } else { Err(ChangeError::RowCount { expected, touched }) }
}

async fn json_rows(
    connection: &mut PgConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Value>, ChangeError> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    let row = params::bind(query, values).fetch_one(connection).await.map_err(|e| source(&e))?;
    let text: String = row.try_get(0).map_err(|e| source(&e))?;
    rows::read(&text).map_err(|e| source(&sqlx::Error::Decode(Box::new(e))))
}

/// Who holds the advisory lock, as far as the server tells. It keeps the lock's 64 bits in two
/// halves.
async fn holder(connection: &mut PgConnection, lock: &str) -> String {
    let asked = sqlx::query(
        "SELECT a.application_name || ', since ' || to_char(a.xact_start AT TIME ZONE 'UTC', \
         'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtext($1)::bigint LIMIT 1",
    )
    .bind(lock.to_owned())
    .fetch_optional(connection)
    .await;
    match asked {
        Ok(Some(row)) => row.try_get(0).unwrap_or_else(|_| "unknown".into()),
        Ok(None) | Err(_) => "unknown".into(),
    }
}

/// Whether the statement has a RETURNING clause: not in a text, a quoted name or a comment.
fn returns_rows(sql: &str) -> bool {
    without_quoted(sql)
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| word.eq_ignore_ascii_case("returning"))
}

/// The statement without texts, quoted names and comments, as far as PostgreSQL's plain forms go.
fn without_quoted(sql: &str) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => Some("'"),
            '"' => Some("\""),
            _ if rest.starts_with("--") => Some("\n"),
            _ if rest.starts_with("/*") => Some("*/"),
            _ => None,
        };
        let opening = if rest.starts_with("/*") || rest.starts_with("--") { 2 } else { first.len_utf8() };
        let behind = rest.get(opening..).unwrap_or_default();
        rest = match end {
            // Quotes that are doubled end one text and begin the next one.
            Some(end) => behind.split_once(end).map_or("", |(_, rest)| rest),
            None => behind,
        };
        out.push(if end.is_some() { ' ' } else { first });
    }
    out
}

/// Rows are a set: the database promises no order.
fn same_rows(a: &[Value], b: &[Value]) -> bool {
    let sorted = |rows: &[Value]| {
        let mut texts: Vec<String> = rows.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    };
    sorted(a) == sorted(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_compared_as_a_set() {
        assert!(same_rows(&[json!({"id": 1}), json!({"id": 2})], &[json!({"id": 2}), json!({"id": 1})]));
        assert!(!same_rows(&[json!({"id": 1})], &[json!({"id": 1}), json!({"id": 1})]));
    }

    #[test]
    fn returning_is_a_word_and_not_a_part_of_one() {
        assert!(returns_rows("DELETE FROM a\nRETURNING id"));
        assert!(!returns_rows("DELETE FROM returning_customers"));
        assert!(!returns_rows(
            "UPDATE a SET name = 'Returning ''customer', \"returning\" = 1 -- returning\n"
        ));
        assert!(!returns_rows("DELETE /* returning */ FROM a"));
        assert!(returns_rows("UPDATE a SET name = 'it''s' RETURNING id"));
    }
}
