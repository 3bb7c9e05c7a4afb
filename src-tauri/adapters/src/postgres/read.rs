//! Reading: one statement, or the same one for many tenants in batches.

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName, TenantRef, TenantSlug},
    ports::{Database, Read, SqlRead, TenantRows, TransactionFate},
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, Transaction};

use super::{Postgres, error, params, rows};

/// A union over more tenants takes a lock for each of its tables, and the server has a limit.
const TENANTS_IN_A_STATEMENT: usize = 100;

impl Postgres {
    async fn rows(&self, attempted: &str, sql: &str, values: &[Value]) -> Read<Vec<Value>> {
        let connections = self.reads.as_ref().map_err(Clone::clone)?;
        let wrapped = rows::as_json(sql);
        connections
            .with(attempted, async |connection| {
                let mut transaction = read_only(attempted, connection).await?;
                let query = sqlx::query(AssertSqlSafe(wrapped)).persistent(false);
                let row = params::bind(query, values).fetch_one(&mut *transaction).await;
                let text: String =
                    row.and_then(|row| row.try_get(0)).map_err(|e| error::of(attempted, &e))?;
                transaction.rollback().await.map_err(|e| error::of(attempted, &e))?;
                json_rows(attempted, &text)
            })
            .await
    }

    async fn batch(&self, tenants: &[TenantSlug], sql: &str) -> Read<Vec<TenantRows>> {
        let attempted = "read all tenants";
        let parts: Vec<String> = tenants
            .iter()
            .map(|slug| {
                // A slug is `[a-z][a-z0-9_]*`: it can't end a literal or an identifier.
                let own = sql.replace("{tenant}", &format!("\"{}\"", slug.schema()));
                format!("SELECT '{slug}'::text AS tenant, ({}) AS rows", rows::as_json(&own))
            })
            .collect();
        let connections = self.reads.as_ref().map_err(Clone::clone)?;
        let statement = parts.join("\nUNION ALL\n");
        connections
            .with(attempted, async |connection| {
                let mut transaction = read_only(attempted, connection).await?;
                let query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
                let rows = query.fetch_all(&mut *transaction).await.map_err(|e| error::of(attempted, &e))?;
                transaction.rollback().await.map_err(|e| error::of(attempted, &e))?;
                let mut found = Vec::new();
                for (row, slug) in rows.iter().zip(tenants) {
                    let text: String = row.try_get("rows").map_err(|e| error::of(attempted, &e))?;
                    found.push((slug.clone(), json_rows(attempted, &text).map_err(|e| e.to_string())));
                }
                Ok(found)
            })
            .await
    }
}

/// Read-only by the transaction itself: a session's default could be switched off by a statement
/// that only reads, and the connection is used again. Rolled back, so that no setting outlives it.
async fn read_only<'c>(
    attempted: &str,
    connection: &'c mut PgConnection,
) -> Read<Transaction<'c, sqlx::Postgres>> {
    connection.begin_with("BEGIN READ ONLY").await.map_err(|e| error::of(attempted, &e))
}

fn json_rows(attempted: &str, text: &str) -> Read<Vec<Value>> {
    rows::read(text).map_err(|e| SourceError {
        source_name: SourceName::Postgres,
        kind: SourceErrorKind::Invalid,
        attempted: attempted.to_owned(),
        happened: format!("the answer could not be read: {e}"),
        hint: "Correct the statement; if it is none of yours, please report it.".into(),
    })
}

/// Whether the failure is the statement's, and not the connection's: only then is it worth looking
/// for the tenant that caused it.
fn is_about_a_tenant(error: &SourceError) -> bool {
    matches!(error.kind, SourceErrorKind::Missing | SourceErrorKind::Invalid)
        || (error.kind == SourceErrorKind::Denied && error.hint.contains("right to read"))
}

#[async_trait]
impl Database for Postgres {
    async fn tenants(&self) -> Read<Vec<TenantRef>> {
        let attempted = "find the tenants";
        let schemas = "SELECT substr(nspname, 8) AS slug, NULL::text AS name, NULL::text AS vertical, \
                       false AS registered, true AS has_schema FROM pg_catalog.pg_namespace \
                       WHERE nspname LIKE 'tenant\\_%' ESCAPE '\\'";
        let r = &self.registry;
        let both = format!(
            "SELECT coalesce(s.slug, t.{slug}::text) AS slug, coalesce(t.{name}::text, '') AS name, \
             coalesce(t.{vertical}::text, '') AS vertical, t.{slug} IS NOT NULL AS registered, \
             s.slug IS NOT NULL AS has_schema FROM ({schemas}) s FULL JOIN {table} t ON t.{slug}::text = s.slug ORDER BY 1",
            slug = r.slug,
            name = r.name,
            vertical = r.vertical,
            table = r.table,
        );
        let rows = match self.rows(attempted, &both, &[]).await {
            // Without a registry the schemas themselves say who there is.
            Err(error) if error.kind == SourceErrorKind::Missing && !error.hint.contains("database") => {
                self.rows(attempted, schemas, &[]).await?
            }
            other => other?,
        };
        let text =
            |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |row: &Value, key: &str| row.get(key).and_then(Value::as_bool).unwrap_or(false);
        // What is in no way a slug can't be asked about, and is left out.
        let tenants = rows.iter().filter_map(|row| {
            Some(TenantRef {
                slug: TenantSlug::parse(&text(row, "slug")).ok()?,
                name: text(row, "name"),
                vertical: text(row, "vertical"),
                registered: flag(row, "registered"),
                has_schema: flag(row, "has_schema"),
            })
        });
        Ok(tenants.collect())
    }

    async fn query(&self, read: &SqlRead) -> Read<Vec<Value>> {
        self.rows("read from Postgres", &read.sql, &read.params).await
    }

    async fn each_tenant(&self, tenants: &[TenantSlug], sql: &str) -> Read<Vec<TenantRows>> {
        let mut found: Vec<TenantRows> = Vec::with_capacity(tenants.len());
        let mut batches: Vec<&[TenantSlug]> = tenants.chunks(TENANTS_IN_A_STATEMENT).rev().collect();
        while let Some(batch) = batches.pop() {
            match self.batch(batch, sql).await {
                Ok(rows) => found.extend(rows),
                Err(error) if is_about_a_tenant(&error) => match batch {
                    [one] => found.push((one.clone(), Err(error::limit(&one.schema(), &error)))),
                    several => {
                        // One broken schema fails the whole union: halves find it.
                        let (left, right) = several.split_at(several.len() / 2);
                        batches.push(right);
                        batches.push(left);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn identity(&self) -> Read<(String, String)> {
        let sql = "SELECT (SELECT system_identifier::text FROM pg_control_system()) AS id, current_database()::text AS db";
        let rows = self.rows("read the database's identity", sql, &[]).await?;
        let field = |key: &str| {
            rows.first().and_then(|r| r.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        Ok((field("id"), field("db")))
    }

    async fn transaction(&self, xid: &str) -> Read<TransactionFate> {
        let attempted = format!("ask what became of transaction {xid}");
        let sql = "SELECT pg_xact_status($1::xid8) AS status";
        let rows = self.rows(&attempted, sql, &[xid.into()]).await?;
        Ok(match rows.first().and_then(|r| r.get("status")).and_then(Value::as_str) {
            Some("committed") => TransactionFate::Committed,
            Some("aborted") => TransactionFate::Aborted,
            Some(_) => TransactionFate::InProgress,
            None => TransactionFate::Forgotten,
        })
    }
}
