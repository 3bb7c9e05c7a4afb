//! Keys beside the threads: what they are, and what of them is no secret.

use ratiba_core::ports::{Read, RedisKey, RedisScore};
use redis::{RedisError, aio::MultiplexedConnection};

use super::Redis;

async fn key(mut connection: MultiplexedConnection, key: String) -> Result<RedisKey, RedisError> {
    let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await?;
    let size = match kind.as_str() {
        "string" => "STRLEN",
        "hash" => "HLEN",
        "list" => "LLEN",
        "set" => "SCARD",
        "zset" => "ZCARD",
        "stream" => "XLEN",
        _ => return Ok(RedisKey { kind, size: 0, ttl_ms: None }),
    };
    let size: u64 = redis::cmd(size).arg(&key).query_async(&mut connection).await?;
    let ttl: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await?;
    Ok(RedisKey { kind, size, ttl_ms: (ttl >= 0).then_some(ttl) })
}

async fn fields(mut connection: MultiplexedConnection, key: String) -> Result<Vec<String>, RedisError> {
    redis::cmd("HKEYS").arg(key).query_async(&mut connection).await
}

async fn lowest(
    mut connection: MultiplexedConnection,
    key: String,
    count: u32,
) -> Result<Vec<(String, f64)>, RedisError> {
    redis::cmd("ZRANGE")
        .arg(key)
        .arg(0)
        .arg(i64::from(count) - 1)
        .arg("WITHSCORES")
        .query_async(&mut connection)
        .await
}

async fn there(mut connection: MultiplexedConnection, keys: Vec<String>) -> Result<Vec<bool>, RedisError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut asked = redis::pipe();
    for key in &keys {
        asked.cmd("EXISTS").arg(key);
    }
    asked.query_async(&mut connection).await
}

impl Redis {
    pub(super) async fn look_at(&self, name: &str) -> Read<RedisKey> {
        self.with(&format!("look at {name}"), |connection| key(connection, name.to_owned())).await
    }

    pub(super) async fn fields_of(&self, name: &str) -> Read<Vec<String>> {
        let mut found =
            self.with(&format!("read the fields of {name}"), |c| fields(c, name.to_owned())).await?;
        found.sort();
        Ok(found)
    }

    pub(super) async fn lowest_of(&self, name: &str, count: u32) -> Read<Vec<RedisScore>> {
        let found =
            self.with(&format!("read the first of {name}"), |c| lowest(c, name.to_owned(), count)).await?;
        Ok(found.into_iter().map(|(member, score)| RedisScore { member, score }).collect())
    }

    pub(super) async fn which_are_there(&self, keys: &[String]) -> Read<Vec<bool>> {
        self.with("look which keys are there", |connection| there(connection, keys.to_vec())).await
    }
}
