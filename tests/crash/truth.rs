//! What is so on the engines, read past the journal: how often each step has had its effect.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, PoisonError},
};

use ratiba_core::{
    observe::worst_container,
    ports::{Containers, Database, SqlRead, Threads},
};
use ratiba_testkit::lab;
use serde_json::json;

use super::{
    cases::{Kind, LINES, PAUSED},
    world::{self, Engines, Place},
};

const TABLES: &str = "DROP SCHEMA IF EXISTS ratiba_crash CASCADE; CREATE SCHEMA ratiba_crash; \
    CREATE TABLE ratiba_crash.effects (id bigserial PRIMARY KEY, key text NOT NULL); \
    CREATE TABLE ratiba_crash.counters (key text PRIMARY KEY, n int NOT NULL DEFAULT 0);";

const DOTENV: &str = "# before\nOTHER='x y'\r\nCRASH=old # a comment\n";

/// The tables of all runs; dropped by the last who holds them.
pub struct Tables;

static HOLDERS: Mutex<usize> = Mutex::new(0);

impl Tables {
    pub fn held() -> Self {
        let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        *holders += 1;
        if *holders > 1 {
            return Self;
        }
        lab::psql("ratiba", TABLES);
        lab::docker(&["exec", &lab::container_of("redis"), "rm", "-f", LINES]);
        Self
    }

    /// How many keys have more than one row, or were counted up more than once.
    pub fn doubles(&self) -> String {
        lab::psql(
            "ratiba",
            "SELECT (SELECT count(*) FROM (SELECT key FROM ratiba_crash.effects GROUP BY key HAVING count(*) > 1) q) \
             + (SELECT count(*) FROM ratiba_crash.counters WHERE n NOT IN (0, 1))",
        )
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        lab::psql("ratiba", "DROP SCHEMA IF EXISTS ratiba_crash CASCADE");
        // What killed backups left; a console drops them an hour later.
        let left = "SELECT datname FROM pg_database WHERE datname LIKE 'ratiba\\_trial\\_%'";
        for name in lab::psql("ratiba", left).lines() {
            lab::psql("ratiba", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
        lab::docker(&["exec", &lab::container_of("redis"), "rm", "-f", LINES]);
    }
}

/// How often each step's effect is there.
pub type Effects = BTreeMap<u32, u64>;

/// Looks at one run's effects.
pub struct Truth {
    pub engines: Engines,
}

impl Truth {
    pub fn new() -> Self {
        Self { engines: Engines::at(world::lab().postgres) }
    }

    /// Makes what a run needs.
    pub fn prepare(&self, place: &Place) {
        fs::create_dir_all(place.dotenv().parent().unwrap()).unwrap();
        fs::write(place.dotenv(), DOTENV).unwrap();
    }

    async fn number(&self, sql: &str, key: &str) -> u64 {
        let read = SqlRead { sql: sql.into(), params: vec![json!(key)] };
        self.engines.postgres.query(&read).await.unwrap()[0]["n"].as_u64().unwrap()
    }

    pub async fn effects(&self, place: &Place) -> Effects {
        let key = &place.key;
        match place.kind {
            Kind::Data => {
                let rows = "SELECT count(*)::int AS n FROM ratiba_crash.effects WHERE key = $1";
                let counted =
                    "SELECT coalesce(sum(n), 0)::int AS n FROM ratiba_crash.counters WHERE key = $1";
                let value = self.engines.redis.value(&format!("crash:{key}"), None).await.unwrap().value;
                let value = value.unwrap_or_default();
                assert!(["old", "new"].contains(&value.as_str()), "crash:{key} is {value:?}");
                let file = fs::read_to_string(place.dotenv()).unwrap();
                let changed = DOTENV.replace("=old", &format!("={key}"));
                assert!(file == DOTENV || file == changed, "half a file: {file:?}");
                [
                    (1, self.number(rows, key).await),
                    (2, u64::from(value == "new")),
                    (3, self.number(counted, key).await),
                    (4, u64::from(file == changed)),
                ]
                .into()
            }
            Kind::Files => unreachable!("its effects are looked at file by file"),
            Kind::Engine => {
                let containers = self.engines.docker.list().await.unwrap();
                let state = worst_container(&containers, PAUSED).unwrap().state.as_str().to_owned();
                let redis = lab::container_of("redis");
                let lines =
                    lab::docker(&["exec", &redis, "sh", "-c", "cat \"$0\" 2>/dev/null || true", LINES]);
                let written = lines.lines().filter(|l| l == key).count() as u64;
                [(1, u64::from(state == "paused")), (2, written)].into()
            }
        }
    }

    /// Files of the console's that stand beside the `.env`.
    pub fn beside_dotenv(&self, place: &Place) -> Vec<String> {
        let names = fs::read_dir(place.dotenv().parent().unwrap()).unwrap();
        let names = names.map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name != ".env").collect()
    }
}

/// Sets what a plan of rows counts on, for many runs at once.
pub fn before(keys: &[String]) {
    let values: Vec<String> = keys.iter().map(|k| format!("('{k}')")).collect();
    lab::psql("ratiba", &format!("INSERT INTO ratiba_crash.counters (key) VALUES {}", values.join(",")));
    let set: Vec<String> = keys.iter().map(|k| format!("redis.call('SET', 'crash:{k}', 'old')")).collect();
    lab::redis_eval(&set.join("\n"));
}

/// Removes what runs of rows left in Redis.
pub fn after(keys: &[String]) {
    let gone: Vec<String> = keys.iter().map(|k| format!("redis.call('DEL', 'crash:{k}')")).collect();
    lab::redis_eval(&gone.join("\n"));
}
