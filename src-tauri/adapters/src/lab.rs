//! The practice lab's two stores, read whole: for comparing the lab before and after a drill. It runs what
//! it is given, with all rights and no limits but its own, so no other stack may meet it.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, Row, ValueRef,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::time::timeout;

/// Time to connect, and for all that is asked then.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a store is, on this machine.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    /// The published port.
    pub port: u16,
    /// Its password.
    pub password: &'a str,
}

/// What is in Postgres.
#[derive(Default)]
pub struct Found {
    /// First column of all rows.
    pub lines: Vec<String>,
    /// Statements that failed, by their name, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Runs `statements`, then `makes_more`, and then each statement of its second column; the first one names
/// it. A statement of those that fails keeps no other.
///
/// # Errors
/// In words: it does not answer, or one of the first two failed.
pub async fn postgres(at: Address<'_>, statements: &str, makes_more: &str) -> Result<Found, String> {
    within(async {
        let mut connection = connected(at).await?;
        let mut found = Found { lines: first_column(&mut connection, statements).await?, failed: vec![] };
        let more = sqlx::raw_sql(AssertSqlSafe(makes_more)).fetch_all(&mut connection).await;
        for row in more.map_err(|e| e.to_string())? {
            let (name, statement): (String, String) = (text(&row, 0)?, text(&row, 1)?);
            match first_column(&mut connection, &statement).await {
                Ok(lines) => found.lines.extend(lines),
                Err(why) => found.failed.push((name, why)),
            }
        }
        let _gone = connection.close().await;
        Ok(found)
    })
    .await
}

/// Runs statements as one and gives what psql prints of them, unaligned: columns with `|` between, rows
/// on lines.
///
/// # Errors
/// In words: it does not answer, or one of them failed.
pub async fn sql(at: Address<'_>, statements: &str) -> Result<String, String> {
    within(async {
        let mut connection = connected(at).await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_all(&mut connection).await;
        let lines: Result<Vec<String>, String> =
            rows.map_err(|e| e.to_string())?.iter().map(printed).collect();
        let _gone = connection.close().await;
        Ok(lines?.join("\n"))
    })
    .await
}

fn printed(row: &PgRow) -> Result<String, String> {
    let column = |at| {
        let value = row.try_get_raw(at).map_err(|e| e.to_string())?;
        // In the protocol of simple queries all values are text.
        if value.is_null() { Ok("") } else { value.as_str().map_err(|e| e.to_string()) }
    };
    Ok((0..row.len()).map(column).collect::<Result<Vec<_>, _>>()?.join("|"))
}

async fn connected(at: Address<'_>) -> Result<PgConnection, String> {
    let options = PgConnectOptions::new()
        .host("127.0.0.1")
        .port(at.port)
        .username("ratiba")
        .password(at.password)
        .database("ratiba")
        .application_name("ratiba-world");
    PgConnection::connect_with(&options).await.map_err(|e| e.to_string())
}

async fn first_column(connection: &mut PgConnection, statements: &str) -> Result<Vec<String>, String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_all(connection).await;
    rows.map_err(|e| e.to_string())?.iter().map(|row| text(row, 0)).collect()
}

fn text(row: &PgRow, column: usize) -> Result<String, String> {
    row.try_get(column).map_err(|e| e.to_string())
}

/// What this script says in Redis.
///
/// # Errors
/// In words: it does not answer, or the script failed.
pub async fn redis(at: Address<'_>, script: &str, argument: &[u8]) -> Result<String, String> {
    within(async {
        let mut client =
            redis::Client::open(format!("redis://127.0.0.1:{}", at.port)).map_err(|e| e.to_string())?;
        let info = client.get_connection_info().clone();
        let login = info.redis_settings().clone().set_password(at.password);
        client = redis::Client::open(info.set_redis_settings(login)).map_err(|e| e.to_string())?;
        let mut connection = client.get_multiplexed_async_connection().await.map_err(|e| e.to_string())?;
        let said = redis::cmd("EVAL").arg(script).arg(0).arg(argument).query_async(&mut connection).await;
        said.map_err(|e: redis::RedisError| e.to_string())
    })
    .await
}

async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(PATIENCE, work).await.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
}
