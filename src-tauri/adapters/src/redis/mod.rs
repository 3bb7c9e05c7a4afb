//! The stack's Redis: FSM threads by SCAN and pipelined reads, single values, and compare-and-set
//! for confirmed plans. Reading sends SCAN, TYPE, GET, HGET, HGETALL, HKEYS, ZRANGE, EXISTS, PTTL, INFO and
//! what counts a key's members only.

mod backup;
mod look;
mod restoring;
mod value;

use std::{collections::HashMap, future::Future, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    model::{FsmThread, SourceError, SourceErrorKind, SourceName, ThreadRecord},
    ports::{Read, RedisKey, RedisScore, RedisServer, RedisValue, Threads},
};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError,
    aio::MultiplexedConnection,
};
use serde_json::Value;
use tokio::sync::Mutex;

pub use backup::RedisBackups;

use crate::deadline::within;

const CONNECT: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(8);
const SCAN_COUNT: usize = 1_000;

/// One Redis, and the prefix of its thread keys.
pub struct Redis {
    client: Result<Client, SourceError>,
    prefix: String,
    connected: Mutex<Option<MultiplexedConnection>>,
}

impl Redis {
    /// The server at `url` (without a password). Connects at the first use.
    pub fn new(url: &str, password: Option<&str>, prefix: &str) -> Self {
        let client = url
            .into_connection_info()
            .map(|info| with_password(info, password))
            .and_then(Client::open)
            .map_err(|e| SourceError {
                source_name: SourceName::Redis,
                kind: SourceErrorKind::Invalid,
                attempted: "read [redis] url".into(),
                happened: e.to_string(),
                hint: "Write it as redis://host:port/db.".into(),
            });
        Self { client, prefix: prefix.to_owned(), connected: Mutex::new(None) }
    }

    async fn connection(&self, attempted: &str) -> Read<MultiplexedConnection> {
        let mut connected = self.connected.lock().await;
        if let Some(connection) = connected.as_ref() {
            return Ok(connection.clone());
        }
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        let connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(|e| {
            let error = trouble(attempted, &e);
            let at = client.get_connection_info().addr();
            SourceError { happened: format!("{} ({at})", error.happened), ..error }
        })?;
        *connected = Some(connection.clone());
        Ok(connection)
    }

    /// A connection that answers, for what must not be tried twice.
    async fn fresh(&self, attempted: &str) -> Read<MultiplexedConnection> {
        self.with(attempted, |mut connection| async move {
            redis::cmd("PING").query_async::<String>(&mut connection).await
        })
        .await?;
        self.connection(attempted).await
    }

    /// Runs `work`; a connection that met an error is not used again, and a kept one that the
    /// server closed in the meantime is replaced once.
    async fn with<T, F>(&self, attempted: &str, work: impl Fn(MultiplexedConnection) -> F) -> Read<T>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        within(SourceName::Redis, attempted, DEADLINE, async {
            let was_kept = self.connected.lock().await.is_some();
            let first = work(self.connection(attempted).await?).await;
            let error = match first {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            *self.connected.lock().await = None;
            if !was_kept || error.is_timeout() {
                return Err(trouble(attempted, &error));
            }
            let again = work(self.connection(attempted).await?).await;
            if again.is_err() {
                *self.connected.lock().await = None;
            }
            again.map_err(|e| trouble(attempted, &e))
        })
        .await
    }

    fn record(&self, key: &str, value: Fetched) -> ThreadRecord {
        let unreadable = |why: String| ThreadRecord::Unreadable { key: key.to_owned(), why };
        let id = key.strip_prefix(&self.prefix).unwrap_or(key);
        match value {
            Fetched::Text(text) => match serde_json::from_slice::<Value>(&text) {
                Ok(json) => thread(id, |field| json.get(field).cloned()).unwrap_or_else(unreadable),
                Err(error) => unreadable(format!("its value is not JSON ({error})")),
            },
            Fetched::Hash(map) => thread(id, |field| map.get(field).map(|v| Value::String(v.clone())))
                .unwrap_or_else(unreadable),
            Fetched::Other(kind) => unreadable(format!("it is a {kind}, not a string or hash")),
        }
    }
}

fn with_password(info: ConnectionInfo, password: Option<&str>) -> ConnectionInfo {
    let Some(password) = password else { return info };
    let settings = info.redis_settings().clone().set_password(password);
    info.set_redis_settings(settings)
}

enum Fetched {
    Text(Vec<u8>),
    Hash(HashMap<String, String>),
    Other(String),
}

/// A thread from its fields, or why it is none.
fn thread(id: &str, field: impl Fn(&str) -> Option<Value>) -> Result<ThreadRecord, String> {
    let text = |name: &str| match field(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let time = |name: &str| -> Option<Timestamp> { text(name).parse().ok() };
    let state = text("state");
    if state.is_empty() {
        return Err("it has no state".into());
    }
    let reprompts = match field("reprompts") {
        Some(Value::Number(n)) => n.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    Ok(ThreadRecord::Thread(FsmThread {
        id: id.to_owned(),
        state,
        tenant_slug: text("tenant_slug"),
        channel: text("channel"),
        intent: text("intent"),
        reprompts: reprompts.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        entered_at: time("entered_at"),
        updated_at: time("updated_at"),
        payment_id: Some(text("payment_id")).filter(|id| !id.is_empty()),
    }))
}

/// Values of these keys. A key that expired in between is left out.
async fn fetch(
    connection: &mut MultiplexedConnection,
    keys: &[String],
) -> Result<Vec<(String, Fetched)>, RedisError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut types = redis::pipe();
    for key in keys {
        types.cmd("TYPE").arg(key);
    }
    let types: Vec<String> = types.query_async(connection).await?;
    let mut values = redis::pipe();
    for (key, kind) in keys.iter().zip(&types) {
        match kind.as_str() {
            "string" => values.cmd("GET").arg(key),
            "hash" => values.cmd("HGETALL").arg(key),
            // Keeps places aligned without reading anything large.
            _ => values.cmd("TYPE").arg(key),
        };
    }
    let values: Vec<redis::Value> = values.query_async(connection).await?;
    let mut found = Vec::with_capacity(keys.len());
    for ((key, kind), value) in keys.iter().zip(types).zip(values) {
        let fetched = match kind.as_str() {
            "none" => continue,
            "string" => match redis::from_redis_value::<Option<Vec<u8>>>(value)? {
                Some(bytes) => Fetched::Text(bytes),
                None => continue,
            },
            "hash" => Fetched::Hash(redis::from_redis_value(value)?),
            _ => Fetched::Other(kind),
        };
        found.push((key.clone(), fetched));
    }
    Ok(found)
}

async fn fetch_one(
    mut connection: MultiplexedConnection,
    key: String,
) -> Result<Vec<(String, Fetched)>, RedisError> {
    fetch(&mut connection, &[key]).await
}

/// All keys that match, with their values. SCAN may give a key twice.
async fn scan(
    mut connection: MultiplexedConnection,
    pattern: String,
) -> Result<HashMap<String, Fetched>, RedisError> {
    let mut found = HashMap::new();
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(&pattern)
            .arg("COUNT")
            .arg(SCAN_COUNT)
            .query_async(&mut connection)
            .await?;
        found.extend(fetch(&mut connection, &keys).await?);
        cursor = next;
        if cursor == 0 {
            return Ok(found);
        }
    }
}

/// Characters that SCAN's pattern would take for more than themselves.
fn literal_pattern(prefix: &str) -> String {
    let mut out = String::new();
    for c in prefix.chars() {
        if "*?[]^\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[async_trait]
impl Threads for Redis {
    async fn all(&self) -> Read<Vec<ThreadRecord>> {
        let pattern = format!("{}*", literal_pattern(&self.prefix));
        let mut found = self
            .with("read the threads", |connection| scan(connection, pattern.clone()))
            .await?
            .into_iter()
            .collect::<Vec<_>>();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found.into_iter().map(|(key, value)| self.record(&key, value)).collect())
    }

    async fn one(&self, ulid: &str) -> Read<Option<ThreadRecord>> {
        let key = format!("{}{ulid}", self.prefix);
        let found = self.with("read a thread", |connection| fetch_one(connection, key.clone())).await?;
        Ok(found.into_iter().next().map(|(key, value)| self.record(&key, value)))
    }

    async fn value(&self, key: &str, field: Option<&str>) -> Read<RedisValue> {
        self.read_value(key, field).await
    }

    async fn key(&self, key: &str) -> Read<RedisKey> {
        self.look_at(key).await
    }

    async fn fields(&self, key: &str) -> Read<Vec<String>> {
        self.fields_of(key).await
    }

    async fn lowest(&self, key: &str, count: u32) -> Read<Vec<RedisScore>> {
        self.lowest_of(key, count).await
    }

    async fn there(&self, keys: &[String]) -> Read<Vec<bool>> {
        self.which_are_there(keys).await
    }

    async fn server(&self) -> Read<RedisServer> {
        let info = self
            .with("read the server's run_id", |mut connection| async move {
                redis::cmd("INFO").arg("server").query_async::<String>(&mut connection).await
            })
            .await?;
        let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let seconds = field("uptime_in_seconds:").and_then(|s| s.parse().ok()).unwrap_or(u64::MAX);
        Ok(RedisServer {
            run_id: field("run_id:").unwrap_or_default().to_owned(),
            up_for: Duration::from_secs(seconds),
        })
    }
}

fn trouble(attempted: &str, error: &RedisError) -> SourceError {
    let text = error.to_string();
    let denied = error.kind() == ErrorKind::AuthenticationFailed
        || ["NOAUTH", "WRONGPASS", "NOPERM"]
            .iter()
            .any(|word| text.contains(word) || error.code() == Some(word));
    let (kind, happened, hint) = if denied {
        (
            SourceErrorKind::Denied,
            "wrong password, or none".into(),
            "Correct the password that [redis] password refers to.",
        )
    } else if error.is_timeout() {
        (
            SourceErrorKind::TimedOut,
            format!("no answer within {} s", CONNECT.as_secs()),
            "Something accepts the connection but does not answer: look at the redis service itself.",
        )
    } else if error.is_connection_refusal() {
        (
            SourceErrorKind::Unreachable,
            "connection refused".into(),
            "Is the redis service up, and the port in [redis] url right?",
        )
    } else if error.is_io_error() || error.is_connection_dropped() {
        (
            SourceErrorKind::Unreachable,
            "the connection was closed".into(),
            "Is the redis service up, and the port in [redis] url right?",
        )
    } else {
        (SourceErrorKind::Invalid, text, "Is that a Redis?")
    };
    SourceError {
        source_name: SourceName::Redis,
        kind,
        attempted: attempted.to_owned(),
        happened,
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_matches_only_itself() {
        assert_eq!(literal_pattern("a*[b]:"), "a\\*\\[b\\]:");
    }

    #[test]
    fn what_is_no_thread_is_kept_with_its_reason() {
        let redis = Redis::new("redis://127.0.0.1:1/0", None, "p:");
        let record = |text: &str| redis.record("p:X", Fetched::Text(text.into()));
        assert!(matches!(record("{oops"), ThreadRecord::Unreadable { why, .. } if why.contains("not JSON")));
        assert!(matches!(record("[]"), ThreadRecord::Unreadable { why, .. } if why.contains("no state")));
        let ThreadRecord::Thread(thread) =
            record(r#"{"state":"GREET","reprompts":2,"entered_at":"2026-11-24T08:00:00Z"}"#)
        else {
            panic!("a thread");
        };
        assert_eq!((thread.id.as_str(), thread.reprompts, thread.entered_at.is_some()), ("X", 2, true));
        let hash = HashMap::from([
            ("state".to_owned(), "GREET".to_owned()),
            ("reprompts".to_owned(), "3".to_owned()),
        ]);
        assert!(
            matches!(redis.record("p:Y", Fetched::Hash(hash)), ThreadRecord::Thread(t) if t.reprompts == 3)
        );
    }
}
