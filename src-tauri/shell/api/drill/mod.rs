//! The practice lab: faults that are caused for real, proven to be visible, and reverted.

mod act;
mod dotenv;
mod file;
mod files;
mod fill;
mod heal;
mod kept;
mod lab;
mod visible;
mod world;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use ratiba_core::{
    model::{Subject, VerdictKind},
    observe::moment,
    wire::WireError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use act::Act;
pub use file::{Drill, DrillFile};
use fill::Scene;
pub use heal::heal;
use kept::Kept;
pub use lab::{Lab, LabStatus};
use visible::Visible;
pub use world::World;

use super::{Console, failed, not_found, usage};

/// How long a fault may take until it can be seen.
const VISIBLE_WITHIN: Duration = Duration::from_secs(90);

/// One line of `drill list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillView {
    /// The playbook that must find it.
    pub id: String,
    /// The way it is caused.
    pub variant: String,
    /// What it does, in words.
    pub title: String,
    /// What its playbook must say.
    pub verdict: VerdictKind,
    /// Playbooks that must be ranked, in this order; empty where its playbook must stay absent.
    pub expects: Vec<String>,
    /// Playbooks that may be present or suspected besides.
    pub also_allowed: Vec<String>,
    /// Playbooks that must be unknown.
    pub unknown: Vec<String>,
}

/// A fault that was caused and not reverted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// The drill.
    pub id: String,
    /// Its variant.
    pub variant: String,
    /// Since when.
    pub since: Timestamp,
}

/// All drills, from the folder beside the lab.
pub fn list(lab: &Lab) -> Result<Vec<DrillView>, WireError> {
    let files = lab.drills()?;
    let mut views = Vec::new();
    for file in &files {
        for drill in &file.variant {
            let name = format!("{}/{}", file.id, drill.name);
            let elsewhere = files.iter().filter(|f| f.also_in.contains(&name)).map(|f| f.id.clone());
            views.push(DrillView {
                id: file.id.clone(),
                variant: drill.name.clone(),
                title: drill.title.clone(),
                verdict: drill.verdict,
                expects: drill.expected_order(&file.id),
                also_allowed: drill.also_allowed.iter().cloned().chain(elsewhere).collect(),
                unknown: drill.unknown.clone(),
            });
        }
    }
    Ok(views)
}

fn find(lab: &Lab, name: &str) -> Result<(String, Drill), WireError> {
    let (id, variant) = match name.split_once('/') {
        Some((id, variant)) => (id, Some(variant)),
        None => (name, None),
    };
    let file = match lab.drills_of(id)? {
        Some(file) => file,
        None => {
            let known: Vec<String> = lab.drills()?.into_iter().map(|f| f.id).collect();
            return Err(not_found(
                format!("there is no drill `{id}`"),
                format!("There are: {}.", known.join(", ")),
            ));
        }
    };
    let drill = match variant {
        None => file.variant.first(),
        Some(variant) => file.variant.iter().find(|d| d.name == variant),
    };
    let drill = drill.ok_or_else(|| {
        let names: Vec<&str> = file.variant.iter().map(|d| d.name.as_str()).collect();
        not_found(
            format!("drill {id} has no variant `{}`", variant.unwrap_or_default()),
            format!("It has: {}.", names.join(", ")),
        )
    })?;
    Ok((id.to_owned(), drill.clone()))
}

/// A fault that was caused, and what its drill says about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Injected {
    /// Which.
    pub injected: Active,
    /// What the console must say, everything in braces filled in.
    pub expected: Expected,
    /// The lab as it was before its first fault.
    pub before: PathBuf,
}

/// What a drill says about its fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expected {
    /// Whom the first finding must name.
    pub subject: Subject,
    /// What its reason must say.
    pub says: Option<String>,
    /// What its evidence must hold.
    pub shows: Vec<String>,
    /// Parameters of the plan, as on a command line.
    pub params: BTreeMap<String, String>,
    /// What the plan must be refused with.
    pub refused: Option<String>,
    /// What the run may change.
    pub may_change: Vec<String>,
}

/// Causes a fault and waits until it can be seen. A fault that can't be caused stays on record, for
/// `heal`.
pub async fn inject(console: &Arc<Console>, lab: &Lab, name: &str) -> Result<Injected, WireError> {
    let (id, drill) = find(lab, name)?;
    let unwritten = drill.unwritten();
    if !unwritten.is_empty() {
        return Err(failed(
            format!("inject {id}/{}: it is not written yet: {}", drill.name, unwritten.join("; ")),
            format!("Write it in tests/drills/{id}.toml; tests/lab/README.md has every act."),
        ));
    }
    let mut active = lab.active()?;
    if let Some(one) = active.iter().find(|a| a.id == id && a.variant == drill.name) {
        return Err(failed(
            format!("inject {id}/{}: it is active since {}", one.variant, moment(one.since)),
            "Heal first: `ratibactl drill heal`.",
        ));
    }
    let one = Active { id: id.clone(), variant: drill.name.clone(), since: console.sources.clock.now() };
    let scene = Scene { console, lab, since: one.since };
    let kept = begin(&scene, &mut active, one.clone()).await?;
    for act in &drill.inject {
        act::perform(&scene, act).await?;
    }
    wait_visible(&scene, &drill.visible).await.map_err(|seen| {
        failed(
            format!(
                "inject {id}/{}: the fault can't be seen after {} s: {seen}",
                drill.name,
                VISIBLE_WITHIN.as_secs()
            ),
            "Heal, and look at the lab with `ratibactl status`.",
        )
    })?;
    Ok(Injected { injected: one, expected: expected(&scene, &drill).await?, before: kept.world_file() })
}

/// Keeps the lab as it is before its first fault, and puts a fault on record before it is caused:
/// whatever happens, `heal` knows.
async fn begin(scene: &Scene<'_>, active: &mut Vec<Active>, one: Active) -> Result<Kept, WireError> {
    let kept = Kept::in_dir(kept::dir_in(&scene.lab.state_dir()));
    if active.is_empty() {
        if kept.is_there() {
            return Err(failed(
                format!("inject {}/{}: the lab is not healed yet", one.id, one.variant),
                "Heal first: `ratibactl drill heal`.",
            ));
        }
        kept.keep(scene).await?;
    }
    active.push(one);
    scene.lab.keep_active(active)?;
    Ok(kept)
}

/// What stands on record for customers: no drill has this id.
const TRAFFIC: &str = "traffic";

/// Lets each of the lab's customers write or call every so many seconds; 0: nobody. `heal` reverts it.
pub async fn traffic(console: &Arc<Console>, lab: &Lab, seconds: u32) -> Result<Active, WireError> {
    let mut active = lab.active()?;
    let variant = seconds.to_string();
    let one = Active { id: TRAFFIC.into(), variant, since: console.sources.clock.now() };
    let scene = Scene { console, lab, since: one.since };
    begin(&scene, &mut active, one.clone()).await?;
    for act in [
        Act::Env("LAB_TRAFFIC_SECONDS".into(), one.variant.clone()),
        Act::TryRecreate("outside".into()),
        Act::Wait(Visible::Health { service: "outside".into(), is: "healthy".into() }),
    ] {
        act::perform(&scene, &act).await?;
    }
    Ok(one)
}

async fn expected(scene: &Scene<'_>, drill: &Drill) -> Result<Expected, WireError> {
    let filled = async |text: &Option<String>| match text {
        Some(text) => scene.fill(text).await.map(Some),
        None => Ok(None),
    };
    let mut params = BTreeMap::new();
    for (name, value) in &drill.params {
        params.insert(name.clone(), as_word(&act::filled(scene, value).await?));
    }
    let named = &drill.subject;
    Ok(Expected {
        subject: Subject {
            service: filled(&named.service).await?,
            tenant: filled(&named.tenant).await?,
            thread: filled(&named.thread).await?,
            payment: filled(&named.payment).await?,
            schema: filled(&named.schema).await?,
        },
        says: filled(&drill.says).await?,
        shows: scene.fill_all(&drill.shows).await?,
        params,
        refused: filled(&drill.refused).await?,
        may_change: scene.fill_all(&drill.may_change).await?,
    })
}

/// A parameter's value as it is given on the command line.
fn as_word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(as_word).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Does what a person would do meanwhile, where a plan has a step for one.
pub async fn by_hand(console: &Arc<Console>, lab: &Lab, name: &str) -> Result<(), WireError> {
    let is_meant = |one: &Active| one.id == name || format!("{}/{}", one.id, one.variant) == name;
    let active = lab.active()?.into_iter().rev().find(is_meant);
    let since = active.as_ref().map_or_else(|| console.sources.clock.now(), |one| one.since);
    let name = active.map_or_else(|| name.to_owned(), |one| format!("{}/{}", one.id, one.variant));
    let (id, drill) = find(lab, &name)?;
    if drill.by_hand.is_empty() {
        return Err(usage(
            format!("do {id}/{} by hand: its plan has no step for a person", drill.name),
            "`ratibactl drill status` says which faults are active.",
        ));
    }
    let scene = Scene { console, lab, since };
    for act in &drill.by_hand {
        act::perform(&scene, act).await?;
    }
    Ok(())
}

/// The lab's world now.
pub async fn world(console: &Arc<Console>, lab: &Lab) -> Result<World, WireError> {
    world::read(&Scene { console, lab, since: console.sources.clock.now() }).await
}

fn waited(console: &Console, began_ms: u64) -> Duration {
    Duration::from_millis(console.sources.clock.monotonic_ms().saturating_sub(began_ms))
}

/// Waits until all of it can be seen; if not, what is seen instead.
async fn wait_visible(scene: &Scene<'_>, wanted: &[Visible]) -> Result<(), String> {
    let began = scene.console.sources.clock.monotonic_ms();
    for one in wanted {
        // Asked again and again: most of it is told by no event.
        while let Err(seen) = visible::is_visible(scene, one).await {
            if waited(scene.console, began) >= VISIBLE_WITHIN {
                return Err(seen);
            }
            scene.console.sources.clock.sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}
