//! The lab's world: a name and a fingerprint for everything that a fault, a repair or anything else could
//! change in it. Two of them say what changed between.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hasher},
    path::Path,
    sync::Arc,
    time::Duration,
};

use ratiba_core::{playbook::step::HttpCall, wire::WireError};
use serde::{Deserialize, Serialize};

use super::{
    super::{Console, failed},
    act::succeeded,
    dotenv, files,
    fill::Scene,
};
use crate::lab_stores::{self, Found};

/// The services that somebody else provides, in the lab: what they were told, and what was asked of them.
pub(super) const STAND_INS: [&str; 5] = ["daraja", "elevenlabs", "meta", "ngrok", "livekit"];

/// A stand-in that is well answers at once; one that a drill froze does not.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Names and fingerprints. A part that can't be read has one name, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct World {
    /// What is there.
    pub there: BTreeMap<String, String>,
    /// Parts that can't be read: `postgres`, `redis`.
    pub unread: BTreeMap<String, String>,
}

impl World {
    /// Names that are in one and not in the other, or are another thing there.
    pub fn differences(&self, other: &Self) -> BTreeSet<String> {
        let names = self.there.keys().chain(other.there.keys());
        let is_other = |name: &&String| self.there.get(*name) != other.there.get(*name);
        let parts = self.unread.keys().chain(other.unread.keys());
        let is_unread = |part: &&String| self.unread.contains_key(*part) != other.unread.contains_key(*part);
        names.filter(is_other).chain(parts.filter(is_unread)).cloned().collect()
    }

    /// What `earlier` knows of the parts that can't be read now.
    #[must_use]
    pub fn with_unread_from(mut self, earlier: &Self) -> Self {
        for part in std::mem::take(&mut self.unread).into_keys() {
            let of_part = |name: &String| parts_of(&part).iter().any(|prefix| name.starts_with(prefix));
            let known = earlier.there.iter().filter(|(name, _)| of_part(name));
            self.there.extend(known.map(|(name, print)| (name.clone(), print.clone())));
        }
        self
    }
}

fn parts_of(part: &str) -> &'static [&'static str] {
    match part {
        "postgres" => &["postgres/", "objects/", "database/", "role/"],
        "redis" => &["redis/"],
        _ => &["standin/"],
    }
}

/// A fingerprint: it tells two contents apart, and says nothing about them.
pub(super) fn print_of(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}

/// Reads all of it.
pub(super) async fn read(scene: &Scene<'_>) -> Result<World, WireError> {
    let mut world = World::default();
    let checkout = dotenv::checkout(scene.console)?;
    let (postgres, redis, stand_ins, containers, volumes, git) = tokio::join!(
        of_postgres(scene),
        of_redis(scene),
        of_stand_ins(scene.console),
        of_containers(scene),
        of_volumes(scene),
        of_git(&checkout),
    );
    for (part, found) in [("postgres", postgres), ("redis", redis)] {
        match found {
            Ok(found) => world.there.extend(found),
            Err(error) => {
                world.unread.insert(part.to_owned(), error.message);
            }
        }
    }
    world.there.extend(stand_ins);
    world.there.extend(containers?);
    world.there.extend(volumes?);
    world.there.extend(git?);
    world.there.extend(of_env(&checkout)?);
    for (path, file) in files::all_below(&checkout, &[".git", ".env"])? {
        world.there.insert(format!("checkout/{path}"), format!("{:o} {}", file.mode, print_of(&file.bytes)));
    }
    Ok(world)
}

/// Only what is in Postgres and Redis.
pub(super) async fn read_data(scene: &Scene<'_>) -> Result<BTreeMap<String, String>, WireError> {
    let (postgres, redis) = tokio::join!(of_postgres(scene), of_redis(scene));
    let mut all = postgres?;
    all.extend(redis?);
    Ok(all)
}

async fn of_postgres(scene: &Scene<'_>) -> Result<BTreeMap<String, String>, WireError> {
    let (objects, rows) = (include_str!("world.sql"), include_str!("world_rows.sql"));
    let read = lab_stores::postgres(scene.postgres()?.at(), objects, rows).await;
    let Found { lines, failed } = read.map_err(|why| unread("Postgres", &why))?;
    let named =
        |line: &String| line.split_once('\t').map(|(name, print)| (name.to_owned(), print.to_owned()));
    let mut found: BTreeMap<String, String> = lines.iter().filter_map(named).collect();
    found.extend(failed.into_iter().map(|(table, why)| (table, format!("unreadable: {why}"))));
    Ok(found)
}

async fn of_redis(scene: &Scene<'_>) -> Result<BTreeMap<String, String>, WireError> {
    let said = redis_script(scene, include_str!("world.lua"), &[]).await?;
    let keys: Vec<(String, String)> = match said.trim() {
        // What cjson makes of no keys at all.
        "{}" => Vec::new(),
        text => serde_json::from_str(text).map_err(|e| unread("Redis", &format!("{e}: {text}")))?,
    };
    Ok(keys.into_iter().map(|(key, print)| (format!("redis/{key}"), print)).collect())
}

/// What a script says in Redis.
pub(super) async fn redis_script(
    scene: &Scene<'_>,
    script: &str,
    argument: &[u8],
) -> Result<String, WireError> {
    let said = lab_stores::redis(scene.redis()?.at(), script, argument).await;
    said.map_err(|why| unread("Redis", &why))
}

fn unread(store: &str, why: &str) -> WireError {
    failed(format!("read what is in {store}: {why}"), format!("Look at {store}: `ratibactl status`."))
}

async fn of_stand_ins(console: &Arc<Console>) -> BTreeMap<String, String> {
    let asked = STAND_INS.map(|name| async move {
        let call = HttpCall::Endpoint {
            endpoint: name.to_owned(),
            method: "GET".into(),
            path: "/_control".into(),
            body: serde_json::Value::Null,
        };
        let asked = async {
            match console.acts() {
                Ok(acts) => acts.http.call(&call).await.ok(),
                Err(_) => None,
            }
        };
        let print = match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
            Ok(Some(answer)) => print_of(answer.body.to_string().as_bytes()),
            Ok(None) | Err(_) => "does not answer".to_owned(),
        };
        (format!("standin/{name}"), print)
    });
    futures_util::future::join_all(asked).await.into_iter().collect()
}

async fn of_containers(scene: &Scene<'_>) -> Result<BTreeMap<String, String>, WireError> {
    let containers = scene.containers().await?;
    let mut found = BTreeMap::new();
    for facts in &containers {
        let kind = if facts.oneoff { "oneoff" } else { "container" };
        let name = if facts.oneoff { &facts.name } else { &facts.service };
        let started = facts.started_at.map(|at| at.to_string()).unwrap_or_default();
        // What the service is, and which container that is: a restart makes another start, no more.
        found.insert(
            format!("{kind}/{name}"),
            format!("{} {} {}", facts.state.as_str(), facts.config_hash, facts.image),
        );
        found.insert(format!("started/{name}"), format!("{} {started}", facts.id));
    }
    let mine = scene.fill("label=drill={project}").await?;
    let args = ["ps", "-a", "--format", "{{.Names}} {{.State}}", "--filter", &mine].map(str::to_owned);
    for line in succeeded("docker", &args).await?.lines() {
        found.insert(format!("drill/{line}"), "there".into());
    }
    Ok(found)
}

async fn of_volumes(scene: &Scene<'_>) -> Result<BTreeMap<String, String>, WireError> {
    let prefix = scene.fill("{project}_").await?;
    let names = succeeded("docker", &["volume", "ls", "--format", "{{.Name}}"].map(str::to_owned)).await?;
    let mine = names.lines().filter_map(|name| name.strip_prefix(&prefix));
    Ok(mine
        .map(|name| {
            // A copy that a backup made is the console's, and not the stack's.
            let kind = if name.contains("-ratiba-") { "backup" } else { "volume" };
            (format!("{kind}/{name}"), "there".into())
        })
        .collect())
}

async fn of_git(checkout: &Path) -> Result<BTreeMap<String, String>, WireError> {
    let git = |words: &[&str]| {
        let mut args = vec!["-C".to_owned(), checkout.display().to_string()];
        args.extend(words.iter().map(|w| (*w).to_owned()));
        async move { succeeded("git", &args).await }
    };
    let (head, refs, index) = tokio::join!(
        git(&["rev-parse", "--symbolic-full-name", "HEAD", "HEAD^{commit}"]),
        git(&["for-each-ref", "--format=%(refname) %(objectname)"]),
        git(&["ls-files", "-s"]),
    );
    let mut found = BTreeMap::from([
        ("git/HEAD".to_owned(), head?.trim().replace('\n', " ")),
        ("git/index".to_owned(), print_of(index?.as_bytes())),
    ]);
    for line in refs?.lines() {
        if let Some((name, at)) = line.split_once(' ') {
            found.insert(format!("git/{name}"), at.to_owned());
        }
    }
    Ok(found)
}

fn of_env(checkout: &Path) -> Result<BTreeMap<String, String>, WireError> {
    let file = files::read(&checkout.join(".env"))?;
    let text = String::from_utf8_lossy(&file.bytes);
    let mut of_keys: BTreeMap<&str, String> = BTreeMap::new();
    let mut rest = format!("{:o}\n", file.mode);
    for line in text.split_inclusive('\n') {
        match line.split_once('=') {
            Some((key, _)) if !line.starts_with('#') => {
                of_keys.entry(key.trim()).or_default().push_str(line);
                rest += &format!("{key}\n");
            }
            _ => rest += line,
        }
    }
    let mut found: BTreeMap<String, String> =
        of_keys.into_iter().map(|(key, lines)| (format!("env/{key}"), print_of(lines.as_bytes()))).collect();
    found.insert("env".into(), print_of(rest.as_bytes()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::World;

    fn world(there: &[(&str, &str)], unread: &[&str]) -> World {
        World {
            there: there.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            unread: unread.iter().map(|part| ((*part).to_owned(), "no answer".to_owned())).collect(),
        }
    }

    #[test]
    fn what_came_went_or_became_another_is_a_difference() {
        let before = world(&[("a", "1"), ("b", "1"), ("c", "1")], &[]);
        let after = world(&[("a", "1"), ("b", "2"), ("d", "1")], &["redis"]);
        assert_eq!(Vec::from_iter(before.differences(&after)), ["b", "c", "d", "redis"]);
        assert!(before.differences(&before).is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_what_it_was_before() {
        let earlier = world(&[("redis/a", "1"), ("objects/x", "1")], &[]);
        let now = world(&[("objects/x", "2")], &["redis"]).with_unread_from(&earlier);
        assert_eq!(now, world(&[("objects/x", "2"), ("redis/a", "1")], &[]));
    }
}
