//! One value, read and compared-and-set.

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{ChangeError, Read, RedisChange, RedisChanges, RedisValue},
};
use redis::{RedisError, Script, aio::MultiplexedConnection};
use serde_json::json;

use super::Redis;

/// Compares and sets in one, on the server that is meant. Answers `ok`, `server` and its run_id,
/// or `changed`, the type and the value. After `ok` come the type and the time to live that it left. A key that is there keeps the time it has left to live.
const COMPARE_AND_SET: &str = r"
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run_id ~= ARGV[1] then return {'server', run_id or ''} end
local kind = redis.call('TYPE', KEYS[1]).ok
local is_hash = ARGV[2] == '1'
local wanted = is_hash and 'hash' or 'string'
local now = false
if kind == wanted then
  if is_hash then now = redis.call('HGET', KEYS[1], ARGV[3]) else now = redis.call('GET', KEYS[1]) end
elseif kind ~= 'none' then
  return {'changed', kind, ''}
end
local expected = ARGV[4] == '1' and ARGV[5] or false
if now ~= expected then return {'changed', kind, now or ''} end
if ARGV[6] == '1' then
  if is_hash then redis.call('HSET', KEYS[1], ARGV[3], ARGV[7])
  else redis.call('SET', KEYS[1], ARGV[7], 'KEEPTTL') end
  if kind == 'none' and ARGV[8] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[8]) end
elseif is_hash then redis.call('HDEL', KEYS[1], ARGV[3])
else redis.call('DEL', KEYS[1]) end
return {'ok', redis.call('TYPE', KEYS[1]).ok, tostring(redis.call('PTTL', KEYS[1]))}
";

fn not_text(key: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Redis,
        kind: SourceErrorKind::Invalid,
        attempted: format!("read {key}"),
        happened: "its value is not text".into(),
        hint: "The console only changes text; look at it with redis-cli.".into(),
    }
}

pub(super) async fn read(
    mut connection: MultiplexedConnection,
    key: String,
    field: Option<String>,
) -> Result<(String, Option<Vec<u8>>, i64), RedisError> {
    let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await?;
    let value: Option<Vec<u8>> = match (kind.as_str(), &field) {
        ("string", None) => redis::cmd("GET").arg(&key).query_async(&mut connection).await?,
        ("hash", Some(field)) => redis::cmd("HGET").arg(&key).arg(field).query_async(&mut connection).await?,
        _ => None,
    };
    let ttl: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await?;
    Ok((kind, value, ttl))
}

impl Redis {
    pub(super) async fn read_value(&self, key: &str, field: Option<&str>) -> Read<RedisValue> {
        let (key, field) = (key.to_owned(), field.map(str::to_owned));
        let (kind, value, ttl) =
            self.with("read a value", |connection| read(connection, key.clone(), field.clone())).await?;
        let value = value.map(String::from_utf8).transpose().map_err(|_| not_text(&key))?;
        Ok(RedisValue { kind, value, ttl_ms: (ttl >= 0).then_some(ttl) })
    }
}

#[async_trait]
impl RedisChanges for Redis {
    async fn set(&self, change: &RedisChange) -> Result<RedisValue, ChangeError> {
        let attempted = format!("change {} in Redis", change.key);
        let flag = |is: bool| if is { "1" } else { "0" };
        let expected = change.expect.value.as_deref();
        let script = Script::new(COMPARE_AND_SET);
        let mut call = script.prepare_invoke();
        call.key(&change.key)
            .arg(&change.run_id)
            .arg(flag(change.field.is_some()))
            .arg(change.field.as_deref().unwrap_or_default())
            .arg(flag(expected.is_some()))
            .arg(expected.unwrap_or_default())
            .arg(flag(change.value.is_some()))
            .arg(change.value.as_deref().unwrap_or_default())
            .arg(change.ttl_ms.map(|ms| ms.to_string()).unwrap_or_default());
        // Never asked twice by itself: an answer that was lost may have been a success.
        let mut connection = self.fresh(&attempted).await?;
        let answer: Vec<String> = match call.invoke_async(&mut connection).await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() || error.is_io_error() || error.is_connection_dropped() => {
                let why = format!("{attempted}: its answer was lost ({error})");
                return Err(ChangeError::Unknown { xid: String::new(), why, rows: Vec::new() });
            }
            Err(error) => return Err(super::trouble(&attempted, &error).into()),
        };
        match answer.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["ok", kind, ttl] => Ok(RedisValue {
                kind: (*kind).to_owned(),
                value: change.value.clone(),
                ttl_ms: ttl.parse().ok().filter(|ms| *ms >= 0),
            }),
            ["server", run_id] => Err(ChangeError::OtherTarget { now: (*run_id).to_owned() }),
            ["changed", kind, value] => Err(ChangeError::GuardChanged {
                what: change.field.clone().unwrap_or_else(|| change.key.clone()),
                planned: vec![json!({ "type": change.expect.kind, "value": change.expect.value })],
                now: vec![json!({ "type": kind, "value": value })],
            }),
            other => Err(ChangeError::Source(SourceError {
                source_name: SourceName::Redis,
                kind: SourceErrorKind::Invalid,
                attempted,
                happened: format!("it answered {other:?}"),
                hint: "Please report it.".into(),
            })),
        }
    }
}
