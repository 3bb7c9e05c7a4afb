//! The lab as it was before the first fault, kept beside it, and brought back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ratiba_core::{playbook::step::HttpCall, wire::WireError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::failed,
    World,
    act::{self, Said, run_with},
    dotenv::{self, trouble},
    files,
    fill::Scene,
    world::{self, redis_script},
};

const HINT: &str = "Take the lab down and up again: `ratibactl drill down`, then `drill up`.";

/// Where it is kept.
pub(super) struct Kept {
    dir: PathBuf,
}

/// A key of Redis: its name, milliseconds it has left to live, what it holds in hex.
#[derive(Serialize, Deserialize)]
struct Key(String, i64, String);

impl Kept {
    pub fn in_dir(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub fn is_there(&self) -> bool {
        self.world_file().is_file()
    }

    pub fn world_file(&self) -> PathBuf {
        self.dir.join("world.json")
    }

    /// The world as it was.
    pub fn world(&self) -> Result<World, WireError> {
        let text = self.text("world.json")?;
        serde_json::from_str(&text).map_err(|e| failed(format!("read the lab that was kept: {e}"), HINT))
    }

    fn text(&self, name: &str) -> Result<String, WireError> {
        let path = self.dir.join(name);
        fs::read_to_string(&path).map_err(trouble(format!("read {}", path.display())))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), WireError> {
        let path = self.dir.join(name);
        fs::write(&path, bytes).map_err(trouble(format!("write {}", path.display())))
    }

    /// Keeps the lab as it is now. Nothing of it is changed.
    pub async fn keep(&self, scene: &Scene<'_>) -> Result<(), WireError> {
        self.forget()?;
        let made = fs::create_dir_all(&self.dir)
            .and_then(|()| fs::set_permissions(&self.dir, fs::Permissions::from_mode(0o700)))
            .and_then(|()| fs::create_dir(self.dir.join("checkout")));
        made.map_err(trouble(format!("make {}", self.dir.display())))?;
        files::make_same(&self.dir.join("checkout"), &dotenv::checkout(scene.console)?, &[])?;
        let id = scene.container("postgres").await?;
        let dump = ["exec", &id, "pg_dump", "-U", "ratiba", "-Fc", "-Z0", "ratiba"].map(str::to_owned);
        let (dump, keys, world) = tokio::join!(
            run_with("docker", &dump, None),
            redis_script(scene, include_str!("keep.lua"), b""),
            world::read(scene),
        );
        let dump = dump?;
        if dump.code != 0 {
            return Err(dump.failed("keep what is in Postgres"));
        }
        let world = world?;
        if let Some((part, why)) = world.unread.first_key_value() {
            return Err(failed(
                format!("keep what is in {part}: {why}"),
                "Heal the lab first: `ratibactl drill heal`.",
            ));
        }
        self.put("postgres.dump", &dump.bytes)?;
        self.put("redis.json", keys?.as_bytes())?;
        // The last one: it says that all is there.
        self.put("world.json", serde_json::to_string(&world).unwrap_or_default().as_bytes())
    }

    /// Nothing is kept any more.
    pub fn forget(&self) -> Result<(), WireError> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(trouble(format!("remove {}", self.dir.display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// Brings `.env` and checkout back.
    pub fn restore_files(&self, scene: &Scene<'_>) -> Result<(), WireError> {
        files::make_same(&dotenv::checkout(scene.console)?, &self.dir.join("checkout"), &[])
    }

    /// Brings rows, schemas and keys back, where they are others now.
    pub async fn restore_data(&self, scene: &Scene<'_>) -> Result<(), WireError> {
        let was = self.world()?;
        // Sessions that a fault left open, with their locks: whoever belongs to the stack says so.
        let strangers = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \
                         AND application_name NOT LIKE 'ratiba-%'";
        if act::sql(scene, strangers).await.is_err() {
            // A heal that was cut short between the old database and the one that takes its place.
            self.restore_all(scene).await?;
        }
        let now = world::read_data(scene).await?;
        let of_postgres = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let is_data =
                |name: &str| ["postgres/", "objects/", "database/"].iter().any(|p| name.starts_with(p));
            all.iter().filter(|(name, _)| is_data(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        let [had, has] = [&was.there, &now].map(of_postgres);
        let names: BTreeSet<&String> = had.keys().chain(has.keys()).collect();
        let moved: Vec<&str> =
            names.into_iter().filter(|name| had.get(*name) != has.get(*name)).map(String::as_str).collect();
        if !moved.is_empty() {
            self.restore_postgres(scene, &moved).await?;
        }
        self.restore_redis(scene, &was.there, &now).await
    }

    /// Rows while everybody stays connected; more than rows, or what can't be locked, as a whole.
    async fn restore_postgres(&self, scene: &Scene<'_>, moved: &[&str]) -> Result<(), WireError> {
        let schemas: Option<BTreeSet<&str>> = moved.iter().map(|name| schema_of_rows(name)).collect();
        if let Some(schemas) = schemas {
            let schemas: Vec<&str> = schemas.into_iter().collect();
            if self.with_dump(scene, include_str!("restore_rows.sh"), &schemas).await?.code == 0 {
                return Ok(());
            }
        }
        self.restore_all(scene).await
    }

    /// The whole database anew, whatever there is now.
    async fn restore_all(&self, scene: &Scene<'_>) -> Result<(), WireError> {
        let said = self.with_dump(scene, include_str!("restore.sh"), &[]).await?;
        if said.code == 0 { Ok(()) } else { Err(said.failed("bring back what was in Postgres")) }
    }

    /// Runs a script in Postgres's container; it reads the dump.
    async fn with_dump(&self, scene: &Scene<'_>, script: &str, words: &[&str]) -> Result<Said, WireError> {
        let path = self.dir.join("postgres.dump");
        let dump = fs::read(&path).map_err(trouble(format!("read {}", path.display())))?;
        let id = scene.container("postgres").await?;
        let mut args = ["exec", "-i", &id, "bash", "-c", script, "restore"].map(str::to_owned).to_vec();
        args.extend(words.iter().map(|word| (*word).to_owned()));
        run_with("docker", &args, Some(&dump)).await
    }

    async fn restore_redis(
        &self,
        scene: &Scene<'_>,
        was: &BTreeMap<String, String>,
        now: &BTreeMap<String, String>,
    ) -> Result<(), WireError> {
        let kept: Vec<Key> = match self.text("redis.json")?.trim() {
            "{}" => Vec::new(),
            text => serde_json::from_str(text)
                .map_err(|e| failed(format!("read the keys that were kept: {e}"), HINT))?,
        };
        let of_stand_ins = |key: &str| key.starts_with("lab:");
        let is_other = |key: &str| {
            let name = format!("redis/{key}");
            of_stand_ins(key) || was.contains_key(&name) && was.get(&name) != now.get(&name)
        };
        let back: Vec<&Key> = kept.iter().filter(|Key(key, ..)| is_other(key)).collect();
        let gone: Vec<&str> = now
            .keys()
            .filter(|name| !was.contains_key(*name))
            .filter_map(|name| name.strip_prefix("redis/"))
            .collect();
        let wanted = json!({ "back": back, "gone": gone }).to_string();
        redis_script(scene, include_str!("restore.lua"), wanted.as_bytes()).await.map(|_| ())
    }
}

/// Puts every stand-in's settings back, and makes it forget what it was asked.
pub(super) async fn reset_stand_ins(scene: &Scene<'_>) -> Result<(), WireError> {
    let asked = world::STAND_INS.map(|name| async move {
        let call = HttpCall::Endpoint {
            endpoint: name.to_owned(),
            method: "DELETE".into(),
            path: "/_control".into(),
            body: Value::Null,
        };
        scene.console.acts()?.http.call(&call).await.map_err(|e| super::super::unreachable(&e))
    });
    futures_util::future::try_join_all(asked).await.map(|_| ())
}

/// The schema of a table that has other rows; `None`: it is more than that.
fn schema_of_rows(name: &str) -> Option<&str> {
    let (schema, table) = name.strip_prefix("postgres/")?.split_once('/')?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!table.is_empty() && schema.chars().all(is_plain)).then_some(schema)
}

/// Where a lab's state is kept.
pub(super) fn dir_in(state: &Path) -> PathBuf {
    state.join("kept")
}
