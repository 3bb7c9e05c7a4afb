//! The practice lab: faults that are caused for real, proven to be visible, and reverted.

mod act;
mod file;
mod lab;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use ratiba_core::{
    model::{ContainerState, HealthStatus},
    observe::{moment, worst_container},
    playbook::step::ComposeAction,
    wire::WireError,
};
use serde::{Deserialize, Serialize};

pub use file::{Drill, DrillFile, Visible};
pub use lab::{Lab, LabStatus};

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
    /// Playbooks that must be ranked, in this order.
    pub expects: Vec<String>,
    /// Playbooks that may be present besides.
    pub also_allowed: Vec<String>,
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
    let mut views = Vec::new();
    for file in lab.drills()? {
        for drill in file.variant {
            views.push(DrillView {
                id: file.id.clone(),
                variant: drill.name,
                title: drill.title,
                expects: drill.expects.unwrap_or_else(|| vec![file.id.clone()]),
                also_allowed: drill.also_allowed,
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
    let files = lab.drills()?;
    let known = || files.iter().map(|f| f.id.as_str()).collect::<Vec<_>>().join(", ");
    let file = files
        .iter()
        .find(|f| f.id == id)
        .ok_or_else(|| not_found(format!("there is no drill `{id}`"), format!("There are: {}.", known())))?;
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

/// Causes a fault and waits until it can be seen. A fault that can't be caused is reverted.
pub async fn inject(console: &Arc<Console>, lab: &Lab, name: &str) -> Result<Active, WireError> {
    let (id, drill) = find(lab, name)?;
    let mut active = lab.active()?;
    if let Some(one) = active.iter().find(|a| a.id == id && a.variant == drill.name) {
        return Err(failed(
            format!("inject {id}/{}: it is active since {}", one.variant, moment(one.since)),
            "Heal first: `ratibactl drill heal`.",
        ));
    }
    let one = Active { id: id.clone(), variant: drill.name.clone(), since: console.sources.clock.now() };
    // On record before it is caused: whatever happens, `heal` knows.
    active.push(one.clone());
    lab.keep_active(&active)?;
    for act in &drill.inject {
        act::perform(console, lab, act).await?;
    }
    wait_visible(console, &drill.visible).await.map_err(|seen| {
        failed(
            format!(
                "inject {id}/{}: the fault can't be seen after {} s: {seen}",
                drill.name,
                VISIBLE_WITHIN.as_secs()
            ),
            "Heal, and look at the lab with `ratibactl status`.",
        )
    })?;
    Ok(one)
}

/// Does what a person would do meanwhile, where a plan has a step for one.
pub async fn by_hand(console: &Arc<Console>, lab: &Lab, name: &str) -> Result<(), WireError> {
    let active = lab.active()?.into_iter().rev().find(|one| one.id == name);
    let name = active.map_or_else(|| name.to_owned(), |one| format!("{}/{}", one.id, one.variant));
    let (id, drill) = find(lab, &name)?;
    if drill.by_hand.is_empty() {
        return Err(usage(
            format!("do {id}/{} by hand: its plan has no step for a person", drill.name),
            "`ratibactl drill status` says which faults are active.",
        ));
    }
    for act in &drill.by_hand {
        act::perform(console, lab, act).await?;
    }
    Ok(())
}

/// Reverts all faults, the latest first; then brings up whatever a fault dragged down, and waits
/// until all is well.
pub async fn heal(console: &Arc<Console>, lab: &Lab) -> Result<Vec<Active>, WireError> {
    let mut active = lab.active()?;
    let mut healed = Vec::new();
    while let Some(one) = active.pop() {
        let (_, drill) = find(lab, &format!("{}/{}", one.id, one.variant))?;
        for act in &drill.heal {
            act::perform(console, lab, act).await?;
        }
        lab.keep_active(&active)?;
        healed.push(one);
    }
    let began = console.sources.clock.monotonic_ms();
    loop {
        let down = match not_up(console).await {
            Ok(down) if down.is_empty() => return Ok(healed),
            Ok(down) => down,
            Err(why) => return Err(failed(format!("heal the lab: {why}"), "Look with `ratibactl doctor`.")),
        };
        if waited(console, began) >= VISIBLE_WITHIN {
            let names: Vec<&str> = down.iter().map(|(service, _)| service.as_str()).collect();
            return Err(failed(
                format!(
                    "heal the lab: after {} s these are still not up: {}",
                    VISIBLE_WITHIN.as_secs(),
                    names.join(", ")
                ),
                "Start it afresh: `ratibactl drill down`, then `drill up`.",
            ));
        }
        for (service, remedy) in down {
            if let Some(action) = remedy {
                act::compose(console, &action(service)).await;
            }
        }
        console.sources.clock.sleep(Duration::from_millis(500)).await;
    }
}

type Remedy = fn(String) -> ComposeAction;

/// Services that are not up, each with what brings it up; `None`: it is on its way.
async fn not_up(console: &Console) -> Result<Vec<(String, Option<Remedy>)>, String> {
    let containers = console.sources.containers.list().await.map_err(|e| e.to_string())?;
    let declared = console.sources.compose.declared_services().await.map_err(|e| e.to_string())?;
    let up: Remedy = |service| ComposeAction::Up { service };
    let restart: Remedy = |service| ComposeAction::Restart { service };
    let unpause: Remedy = |service| ComposeAction::Unpause { service };
    let judged = declared.into_iter().filter_map(|service| {
        let facts = worst_container(&containers, &service);
        let Some(facts) = facts else { return Some((service, Some(up))) };
        match (&facts.state, facts.live_health()) {
            (ContainerState::Paused, _) => Some((service, Some(unpause))),
            (ContainerState::Running, _) if facts.oom_killed => Some((service, Some(restart))),
            (ContainerState::Running, Some(HealthStatus::Unhealthy)) => Some((service, Some(restart))),
            (ContainerState::Running, Some(HealthStatus::Starting)) => Some((service, None)),
            (ContainerState::Running, Some(HealthStatus::Healthy) | None) => None,
            _ => Some((service, Some(up))),
        }
    });
    Ok(judged.collect())
}

fn waited(console: &Console, began_ms: u64) -> Duration {
    Duration::from_millis(console.sources.clock.monotonic_ms().saturating_sub(began_ms))
}

async fn wait_visible(console: &Arc<Console>, visible: &Visible) -> Result<(), String> {
    let began = console.sources.clock.monotonic_ms();
    loop {
        match act::is_visible(console, visible).await {
            Ok(()) => return Ok(()),
            Err(seen) if waited(console, began) >= VISIBLE_WITHIN => return Err(seen),
            Err(_) => console.sources.clock.sleep(Duration::from_millis(300)).await,
        }
    }
}
