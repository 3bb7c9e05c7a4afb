//! The tables that a backup has, what is in them, and what a person needs to bring rows back.

use ratiba_core::{playbook::step::BackupOf, ports::BackupError};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::of_sqlx;

/// A table, and a sum of its rows: how many, and two sums over all of them that do not depend on their
/// order. One that is partitioned has none of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub schema: String,
    pub name: String,
    pub is_partitioned: bool,
    pub sum: String,
}

/// What a person needs to copy rows of a table.
pub(super) struct Columns {
    /// Those that can be written, quoted.
    pub all: String,
    /// Those of its primary key; `None`: it has none, or the server computes a part of it.
    pub key: Option<String>,
}

impl Table {
    /// As the server reads it.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    pub(super) fn is(&self, of: &BackupOf) -> bool {
        matches!(of, BackupOf::Table { schema, table } if *schema == self.schema && *table == self.name)
    }

    pub(super) async fn columns(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Option<Columns>, BackupError> {
        let row = sqlx::query(
            "SELECT (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute \
             WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''), \
             (SELECT CASE WHEN bool_and(a.attgenerated = '') \
             THEN string_agg(quote_ident(a.attname), ', ' ORDER BY k.n) END FROM pg_index i \
             CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, n) \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
             WHERE i.indrelid = t.oid AND i.indisprimary) \
             FROM (SELECT $1::text::regclass AS oid) AS t",
        )
        .bind(self.quoted())
        .fetch_one(connection)
        .await
        .map_err(|e| of_sqlx(&e))?;
        let text = |i: usize| row.try_get::<Option<String>, _>(i).map_err(|e| of_sqlx(&e));
        let key = text(1)?;
        Ok(text(0)?.map(|all| Columns { all, key }))
    }
}

/// A name as the server quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The tables that are backed up. Rows of a table are also those of its partitions, and of tables that
/// inherit from it: `DELETE FROM parent` deletes them.
const LISTED: &str = "\
    WITH RECURSIVE family AS ( \
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname = $1 AND c.relname = $2 \
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid) \
    SELECT n.nspname::text, c.relname::text, c.relkind = 'p' \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
    AND ($1::text IS NULL OR $2::text IS NULL AND n.nspname = $1 OR c.oid IN (SELECT oid FROM family)) \
    ORDER BY 1, 2";

/// Every table with its rows summed up. `in_transaction`: then each table's locks are given back at once,
/// for a transaction that keeps those of all tables and their indexes may need more than the server has.
pub(super) async fn summed(
    connection: &mut PgConnection,
    of: &BackupOf,
    in_transaction: bool,
) -> Result<Vec<Table>, BackupError> {
    let (schema, table) = match of {
        BackupOf::Schema { schema } => (Some(schema), None),
        BackupOf::Table { schema, table } => (Some(schema), Some(table)),
        _ => (None, None),
    };
    let listed = sqlx::query(LISTED).bind(schema).bind(table).fetch_all(&mut *connection).await;
    let mut found = Vec::new();
    for row in listed.map_err(|e| of_sqlx(&e))? {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(|e| of_sqlx(&e));
        let is_partitioned = row.try_get(2).map_err(|e| of_sqlx(&e))?;
        let mut table = Table { schema: text(0)?, name: text(1)?, is_partitioned, sum: String::new() };
        if in_transaction {
            connection.execute("SAVEPOINT ratiba_sum").await.map_err(|e| of_sqlx(&e))?;
        }
        table.sum = sum(connection, &table).await?;
        if in_transaction {
            let back = "ROLLBACK TO SAVEPOINT ratiba_sum; RELEASE SAVEPOINT ratiba_sum";
            connection.execute(back).await.map_err(|e| of_sqlx(&e))?;
        }
        found.push(table);
    }
    Ok(found)
}

/// Whether there is a schema of that name to back up. It may be one without a table.
pub(super) async fn is_schema(connection: &mut PgConnection, of: &BackupOf) -> Result<bool, BackupError> {
    let BackupOf::Schema { schema } = of else { return Ok(false) };
    let asked = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname = $1").bind(schema);
    asked.fetch_optional(connection).await.map(|row| row.is_some()).map_err(|e| of_sqlx(&e))
}

async fn sum(connection: &mut PgConnection, table: &Table) -> Result<String, BackupError> {
    let half = |at: u8| {
        format!(
            "coalesce(sum(('x' || substr(md5(ratiba_row::text), {at}, 16))::bit(64)::bigint::numeric), 0)"
        )
    };
    let sql = format!(
        "SELECT concat_ws('/', count(*), {}, {}) FROM ONLY {} AS ratiba_row",
        half(1),
        half(17),
        table.quoted()
    );
    let row = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_one(connection).await;
    row.and_then(|r| r.try_get(0)).map_err(|e| of_sqlx(&e))
}

/// What `pg_dump` is told to leave without its rows, so that of the whole database it dumps how
/// everything is made, and the rows of `tables` alone.
pub(super) async fn without_rows_of_others(
    connection: &mut PgConnection,
    tables: &[Table],
) -> Result<Vec<String>, BackupError> {
    let listed = sqlx::query(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' \
         AND n.nspname <> 'information_schema' ORDER BY 1, 2",
    )
    .fetch_all(connection)
    .await
    .map_err(|e| of_sqlx(&e))?;
    let mut patterns = vec!["--no-blobs".to_owned()];
    for row in listed {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(|e| of_sqlx(&e));
        let (schema, name) = (text(0)?, text(1)?);
        let pattern = if tables.iter().all(|t| t.schema != schema) {
            format!("{}.*", quoted(&schema))
        } else if tables.iter().all(|t| (&t.schema, &t.name) != (&schema, &name)) {
            format!("{}.{}", quoted(&schema), quoted(&name))
        } else {
            continue;
        };
        let pattern = format!("--exclude-table-data={pattern}");
        if patterns.last() != Some(&pattern) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}
