//! Backups of keys: a file of `RESTORE` commands in Redis's own protocol, which `redis-cli --pipe`
//! reads. Each is restored for trial under another name, compared and removed.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use ratiba_core::{
    model::counted,
    ports::{BackupError, BackupMade, CommandLimits, ContainerCommands, Containers},
};
use redis::{RedisError, aio::MultiplexedConnection};
use tokio::time::Instant;

use super::{Redis, SCAN_COUNT, literal_pattern, trouble};
use crate::{
    backup_failed::{failed, of_source},
    file_sum::{self, sum_of},
    for_a_shell::ForAShell,
    private,
};

const ATTEMPTED: &str = "back up from Redis";
/// Milliseconds after which a trial key goes by itself, should the console not live to remove it.
const TRIAL_TTL_MS: i64 = 60_000;

/// Backups of one Redis.
pub struct RedisBackups {
    /// The server.
    pub redis: Arc<Redis>,
    /// The compose service that runs it.
    pub service: String,
    /// To find its container.
    pub containers: Arc<dyn Containers>,
    /// To try there what a person is told to run.
    pub commands: Arc<dyn ContainerCommands>,
    /// How a person reaches it.
    pub shell: ForAShell,
    /// Where the files go.
    pub dir: PathBuf,
}

fn of_redis(error: &RedisError) -> BackupError {
    of_source(&trouble(ATTEMPTED, error))
}

/// A command as the server reads it.
fn encoded(words: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend(format!("${}\r\n", word.len()).into_bytes());
        out.extend(*word);
        out.extend(b"\r\n");
    }
    out
}

impl RedisBackups {
    /// Where the backup `name` would be.
    pub fn place(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.redis"))
    }

    /// Looks whether a backup is there as it was made.
    pub fn check(&self, made: &BackupMade) -> Result<(), String> {
        file_sum::check(made)
    }

    /// Backs up all keys that begin with `prefix`.
    pub async fn make(
        &self,
        prefix: &str,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        let ends = Instant::now() + limits.deadline;
        let part = self.place(name).with_extension("part");
        let made = tokio::select! {
            made = self.work(prefix, name, &part, line) => made,
            () = tokio::time::sleep_until(ends) => Err(failed("not done within its time; nothing is kept")),
            () = limits.stop => Err(BackupError::Stopped("no backup is kept".into())),
        };
        made.map_err(|error| error.and(&private::discard(&part)))
    }

    async fn work(
        &self,
        prefix: &str,
        name: &str,
        part: &Path,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        private::folder(&self.dir).map_err(failed)?;
        let mut connection = self.redis.fresh(ATTEMPTED).await.map_err(|e| of_source(&e))?;
        let keys = keys(&mut connection, prefix).await.map_err(|e| of_redis(&e))?;
        if keys.is_empty() {
            return Err(failed(format!("there is no key to back up that begins with \"{prefix}\"")));
        }
        let mut file = std::io::BufWriter::new(private::file(part).map_err(failed)?);
        let mut kept = 0_usize;
        for key in &keys {
            let trial = [b"ratiba:trial:", name.as_bytes(), b":", key].concat();
            let Some((ttl, dump)) = copied(&mut connection, key, &trial).await? else { continue };
            let ttl = ttl.max(0).to_string();
            let words: [&[u8]; 5] = [b"RESTORE", key, ttl.as_bytes(), &dump, b"REPLACE"];
            file.write_all(&encoded(&words)).map_err(failed)?;
            kept += 1;
            if kept.is_multiple_of(10_000) {
                line(format!("{kept} keys"));
            }
        }
        if kept == 0 {
            return Err(failed(format!("every key that begins with \"{prefix}\" went while it was copied")));
        }
        file.flush().map_err(failed)?;
        file.into_inner().map_err(|e| failed(e.error()))?.sync_all().map_err(failed)?;
        let restore = self.restore(&self.place(name)).await;
        let (bytes, sha256) = sum_of(part).map_err(failed)?;
        private::give_name(part, &self.place(name)).map_err(failed)?;
        let place = self.place(name).display().to_string();
        Ok(BackupMade {
            restore,
            place,
            also: Vec::new(),
            bytes,
            sha256,
            holds: counted(kept, "key"),
            trial: format!("{} restored under another name, compared, removed", counted(kept, "key")),
        })
    }
}

async fn keys(connection: &mut MultiplexedConnection, prefix: &str) -> Result<Vec<Vec<u8>>, RedisError> {
    let pattern = format!("{}*", literal_pattern(prefix));
    let mut found = std::collections::BTreeSet::new();
    let mut cursor = 0_u64;
    loop {
        let (next, some): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(&pattern)
            .arg("COUNT")
            .arg(SCAN_COUNT)
            .query_async(connection)
            .await?;
        // What a trial that was cut short left is no data.
        found.extend(some.into_iter().filter(|key| !key.starts_with(b"ratiba:trial:")));
        cursor = next;
        if cursor == 0 {
            return Ok(found.into_iter().collect());
        }
    }
}

/// Time to live and dump of a key, restored once under `trial`; `None`: it went meanwhile. The
/// value may change between dump and look: then both are made again.
async fn copied(
    connection: &mut MultiplexedConnection,
    key: &[u8],
    trial: &[u8],
) -> Result<Option<(i64, Vec<u8>)>, BackupError> {
    for _ in 0..5 {
        let before = value(connection, key).await.map_err(|e| of_redis(&e))?;
        let mut both = redis::pipe();
        both.cmd("PTTL").arg(key).cmd("DUMP").arg(key);
        let (ttl, dump): (i64, Option<Vec<u8>>) =
            both.query_async(connection).await.map_err(|e| of_redis(&e))?;
        let Some(dump) = dump else { return Ok(None) };
        let mut restore = redis::cmd("RESTORE");
        restore.arg(trial).arg(TRIAL_TTL_MS).arg(&dump).arg("REPLACE");
        restore.query_async::<()>(connection).await.map_err(|e| of_redis(&e))?;
        let restored = value(connection, trial).await;
        redis::cmd("UNLINK").arg(trial).query_async::<()>(connection).await.map_err(|e| of_redis(&e))?;
        if restored.map_err(|e| of_redis(&e))? == before {
            return Ok(Some((ttl, dump)));
        }
    }
    let key = String::from_utf8_lossy(key).into_owned();
    Err(failed(format!("{key} restored for trial was not as it had been: it is written to all the time")))
}

/// What a key holds, with what has no order sorted.
async fn value(
    connection: &mut MultiplexedConnection,
    key: &[u8],
) -> Result<(String, Vec<Vec<u8>>), RedisError> {
    let kind: String = redis::cmd("TYPE").arg(key).query_async(connection).await?;
    let mut cmd = match kind.as_str() {
        "string" => redis::cmd("GET"),
        "hash" => redis::cmd("HGETALL"),
        "set" => redis::cmd("SMEMBERS"),
        "list" => redis::cmd("LRANGE"),
        "zset" => redis::cmd("ZRANGE"),
        "stream" => redis::cmd("XRANGE"),
        _ => return Ok((kind, Vec::new())),
    };
    cmd.arg(key);
    match kind.as_str() {
        "list" => drop(cmd.arg(0).arg(-1)),
        "zset" => drop(cmd.arg(0).arg(-1).arg("WITHSCORES")),
        "stream" => drop(cmd.arg("-").arg("+")),
        _ => {}
    }
    let answer: redis::Value = cmd.query_async(connection).await?;
    let mut parts: Vec<Vec<u8>> = match (kind.as_str(), answer) {
        ("hash", answer) => {
            let fields: std::collections::BTreeMap<Vec<u8>, Vec<u8>> = redis::from_redis_value(answer)?;
            return Ok((kind, fields.into_iter().flat_map(|(f, v)| [f, v]).collect()));
        }
        (_, redis::Value::Array(parts)) => parts.into_iter().map(|p| format!("{p:?}").into_bytes()).collect(),
        (_, other) => vec![format!("{other:?}").into_bytes()],
    };
    if kind == "set" {
        parts.sort();
    }
    Ok((kind, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_written_as_the_server_reads_it() {
        assert_eq!(
            encoded(&[b"RESTORE", b"a\r\n", b""]),
            b"*3\r\n$7\r\nRESTORE\r\n$3\r\na\r\n\r\n$0\r\n\r\n"
        );
    }
}
