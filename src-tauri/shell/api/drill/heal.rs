//! Bringing the lab back to how it was before its faults.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    model::{ContainerFacts, ContainerState, HealthStatus},
    observe::worst_container,
    wire::WireError,
};

use super::{
    super::{Console, failed, unreachable},
    Active, Lab, TRAFFIC, VISIBLE_WITHIN,
    act::{self, run_with, succeeded},
    fill::Scene,
    find,
    kept::{self, Kept},
    waited,
};

/// How long a service whose check fails may take to come round by itself: the worker reports every 5 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// Reverts all faults, the latest first, and brings everything back that was kept; then waits until
/// all is well.
pub async fn heal(console: &Arc<Console>, lab: &Lab) -> Result<Vec<Active>, WireError> {
    let kept = Kept::in_dir(kept::dir_in(&lab.state_dir()));
    let scene = Scene { console, lab, since: console.sources.clock.now() };
    // Files first: a container that is made anew is made from them.
    if kept.is_there() {
        kept.restore_files(&scene)?;
    }
    let mut active = lab.active()?;
    let mut healed = Vec::new();
    while let Some(one) = active.pop() {
        if one.id != TRAFFIC {
            let (_, drill) = find(lab, &format!("{}/{}", one.id, one.variant))?;
            let scene = Scene { console, lab, since: one.since };
            for act in &drill.heal {
                act::perform(&scene, act).await?;
            }
        }
        lab.keep_active(&active)?;
        healed.push(one);
    }
    remove_strangers(&scene).await?;
    let wanted = wanted(&scene, &kept).await?;
    bring_up(&scene, &wanted, &["postgres", "redis", "outside", "livekit"]).await?;
    if kept.is_there() {
        kept.restore_data(&scene).await?;
        kept::reset_stand_ins(&scene).await?;
    }
    bring_up(&scene, &wanted, &[]).await?;
    if kept.is_there() {
        kept.forget()?;
    }
    Ok(healed)
}

/// Containers that drills made, one-off ones, and copies of volumes that backups made.
async fn remove_strangers(scene: &Scene<'_>) -> Result<(), WireError> {
    let mine = scene.fill("label=drill={project}").await?;
    let args = ["ps", "-aq", "--filter", &mine].map(str::to_owned);
    let mut ids: Vec<String> = succeeded("docker", &args).await?.lines().map(str::to_owned).collect();
    ids.extend(scene.containers().await?.into_iter().filter(|c| c.oneoff).map(|c| c.id));
    if !ids.is_empty() {
        let args = ["rm", "-f", "-v"].map(str::to_owned).into_iter().chain(ids);
        succeeded("docker", &args.collect::<Vec<_>>()).await?;
    }
    let prefix = scene.fill("{project}_").await?;
    let names = succeeded("docker", &["volume", "ls", "-q"].map(str::to_owned)).await?;
    let copies: Vec<String> = names
        .lines()
        .filter(|name| name.starts_with(&prefix) && name.contains("-ratiba-"))
        .map(str::to_owned)
        .collect();
    if !copies.is_empty() {
        let args = ["volume", "rm", "-f"].map(str::to_owned).into_iter().chain(copies);
        succeeded("docker", &args.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// The services there must be, each with the configuration it had.
type Wanted = BTreeMap<String, Option<String>>;

async fn wanted(scene: &Scene<'_>, kept: &Kept) -> Result<Wanted, WireError> {
    if !kept.is_there() {
        let declared = scene.console.sources.compose.declared_services().await;
        return Ok(declared.map_err(|e| unreachable(&e))?.into_iter().map(|s| (s, None)).collect());
    }
    let of = |(name, print): (&String, &String)| {
        let service = name.strip_prefix("container/")?.to_owned();
        // State, configuration, image.
        Some((service, print.split(' ').nth(1).map(str::to_owned)))
    };
    Ok(kept.world()?.there.iter().filter_map(of).collect())
}

/// What a service lacks to be up.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// Its container, or one of this configuration.
    Container,
    Start(String),
    Thaw(String),
    Restart(String),
    /// Time, and a restart if that does not help: its store may have been away until a moment ago.
    Patience(String),
    /// Nothing: it is on its way.
    Time,
}

/// Brings the named services up, or all, and waits until they are well.
async fn bring_up(scene: &Scene<'_>, wanted: &Wanted, only: &[&str]) -> Result<(), WireError> {
    let clock = &scene.console.sources.clock;
    let began = clock.monotonic_ms();
    let mut tried: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        let lacks = lacking(scene, wanted).await?;
        let first: Vec<&str> = lacks
            .iter()
            .map(|(service, _)| service.as_str())
            .filter(|service| only.is_empty() || only.contains(service))
            .collect();
        if first.is_empty() {
            return Ok(());
        }
        if waited(scene.console, began) >= VISIBLE_WITHIN {
            return Err(failed(
                format!(
                    "heal the lab: after {} s these are still not up: {}",
                    VISIBLE_WITHIN.as_secs(),
                    first.join(", ")
                ),
                "Start it afresh: `ratibactl drill down`, then `drill up`.",
            ));
        }
        // All at once, those that are waited for later too.
        let mut anew = Vec::new();
        let mut commands = Vec::new();
        for (service, lack) in &lacks {
            let tries = tried.entry(service.clone()).or_default();
            let words: &[&str] = match lack {
                // A failed start leaves a container that only a new one mends.
                Lack::Start(_) if *tries >= 2 => {
                    anew.push(service.clone());
                    continue;
                }
                Lack::Container => {
                    anew.push(service.clone());
                    continue;
                }
                Lack::Start(id) => &["start", id],
                Lack::Thaw(id) => &["unpause", id],
                Lack::Restart(id) => &["restart", "-t", "3", id],
                Lack::Patience(id) if waited(scene.console, began) >= PATIENCE => &["restart", "-t", "3", id],
                Lack::Patience(_) | Lack::Time => continue,
            };
            *tries += 1;
            commands.push(words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        }
        let acted = !anew.is_empty() || !commands.is_empty();
        // One that fails is looked at again.
        let commands = commands.iter().map(|words| run_with("docker", words, None));
        tokio::join!(futures_util::future::join_all(commands), act::up_anew(scene.console, &anew));
        if !acted {
            clock.sleep(Duration::from_millis(300)).await;
        }
    }
}

async fn lacking(scene: &Scene<'_>, wanted: &Wanted) -> Result<Vec<(String, Lack)>, WireError> {
    let containers = scene.containers().await?;
    let now = scene.console.sources.clock.now();
    let judged = wanted.iter().map(|(service, hash)| {
        let facts = worst_container(&containers, service);
        async move { lack_of(facts, service, hash.as_deref(), now).await.map(|lack| (service.clone(), lack)) }
    });
    Ok(futures_util::future::join_all(judged).await.into_iter().flatten().collect())
}

async fn lack_of(
    facts: Option<&ContainerFacts>,
    service: &str,
    hash: Option<&str>,
    now: Timestamp,
) -> Option<Lack> {
    let Some(facts) = facts else { return Some(Lack::Container) };
    if hash.is_some_and(|hash| hash != facts.config_hash) {
        return Some(Lack::Container);
    }
    let id = facts.id.clone();
    match (&facts.state, facts.live_health()) {
        (ContainerState::Paused, _) => Some(Lack::Thaw(id)),
        (ContainerState::Running, _) if facts.oom_killed => Some(Lack::Restart(id)),
        (ContainerState::Running, Some(HealthStatus::Healthy)) => None,
        // The engine asks a service's own check every few seconds; asked by hand it answers at once.
        (ContainerState::Running, Some(HealthStatus::Starting)) => {
            if checks_well(&id, service).await {
                None
            } else {
                Some(Lack::Time)
            }
        }
        // What it says is as old as the engine's last look.
        (ContainerState::Running, Some(HealthStatus::Unhealthy)) => {
            if checks_well(&id, service).await {
                Some(Lack::Time)
            } else {
                Some(Lack::Patience(id))
            }
        }
        // LiveKit has no check of its own, and that it runs says nothing.
        (ContainerState::Running, None) => {
            // One that was just started is on its way.
            let is_young =
                |at| now.duration_since(at) < SignedDuration::try_from(PATIENCE).unwrap_or_default();
            if checks_well(&id, service).await {
                None
            } else if facts.started_at.is_some_and(is_young) {
                Some(Lack::Time)
            } else {
                Some(Lack::Patience(id))
            }
        }
        _ => Some(Lack::Start(id)),
    }
}

async fn checks_well(id: &str, service: &str) -> bool {
    let args = ["exec", id, "healthy", service].map(str::to_owned);
    run_with("docker", &args, None).await.is_ok_and(|said| said.code == 0)
}
