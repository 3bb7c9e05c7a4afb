//! What no single row's drill shows: several faults at once, a source that is down, a healthy lab under
//! traffic. `tests/drills/scenarios/*.toml`.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ratiba_console::api::drill::{DrillFile, World};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    lane::{Done, Lane, ensure, list, text},
    rehearse::{heal, order_of},
    report::Row,
};

/// A scenario's file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in words.
    pub title: String,
    /// Drills, as `id/variant`, in the order in which they are caused.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Playbooks that must be ranked first, in this order: cause before consequence.
    #[serde(default)]
    pub expects: Vec<String>,
    /// Services that are down by it: the rows that need one, by their own drills' files, must be unknown
    /// because of it, and no other row may be.
    #[serde(default)]
    pub down: Vec<String>,
    /// Nothing is wrong, and the lab's customers are busy, for so many minutes.
    #[serde(default)]
    pub healthy_minutes: f64,
}

impl Scenario {
    /// All of them by name.
    pub fn all() -> Done<Vec<(String, Self)>> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drills/scenarios");
        let mut found = Vec::new();
        for entry in fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let scenario = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            found.push((format!("scenario/{name}"), scenario));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    pub fn minutes(&self) -> f64 {
        let wanted = std::env::var("RATIBA_HEALTHY_MINUTES").ok().and_then(|v| v.parse().ok());
        if self.healthy_minutes > 0.0 { wanted.unwrap_or(self.healthy_minutes) } else { 0.0 }
    }
}

pub fn play(lane: &Lane, scenario: &Scenario, files: &[DrillFile], row: &mut Row) -> Done {
    let mut before = None;
    let played = if scenario.minutes() > 0.0 {
        row.timed("look", || stay_healthy(lane, scenario.minutes()))
    } else {
        faults(lane, scenario, files, row, &mut before)
    };
    let healed = row.timed("heal", || heal(lane, before.as_ref()));
    row.healed = healed.is_ok();
    played.map_err(|why| format!("{}\n{why}", scenario.title))?;
    healed
}

fn faults(
    lane: &Lane,
    scenario: &Scenario,
    files: &[DrillFile],
    row: &mut Row,
    before: &mut Option<World>,
) -> Done {
    for name in &scenario.faults {
        let injected = row.timed("inject", || lane.json(&["drill", "inject", name]))?;
        let path = text(&injected["before"]);
        let kept = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
        *before = serde_json::from_str(&kept).ok();
    }
    let with_fault = lane.world()?;
    let triage = row.timed("look", || lane.json(&["triage"]))?;
    let changed: Vec<String> = with_fault.differences(&lane.world()?).into_iter().collect();
    ensure!(changed.is_empty(), "looking changed {}", changed.join(", "));
    let ranked = list(&triage["ranked"]);
    let order = order_of(ranked);
    row.said = order.join(", then ");
    let wanted: Vec<&str> = scenario.expects.iter().map(String::as_str).collect();
    ensure!(order.starts_with(&wanted), "{wanted:?} must be ranked first, not {order:?}: {triage:#}");
    let also = allowed_in(&scenario.faults, files);
    for id in &order {
        ensure!(wanted.contains(id) || also.contains(*id), "{id} is falsely there: {triage:#}");
    }
    for file in files {
        let own: Vec<&Value> = ranked.iter().filter(|v| v["playbook"] == file.id.as_str()).collect();
        ensure!(!own.is_empty(), "{} says nothing: {triage:#}", file.id);
        let needed = file.needs.iter().find(|service| scenario.down.contains(service));
        let unknown: Vec<&&Value> = own.iter().filter(|v| v["verdict"] == "unknown").collect();
        match needed {
            None => ensure!(unknown.is_empty(), "{} can be judged, and is unknown: {unknown:#?}", file.id),
            Some(service) => {
                let by = format!("service:{service}");
                let explained =
                    own.iter().all(|v| v["verdict"] == "unknown" && v["explained_by"] == by.as_str());
                ensure!(explained, "{} must be unknown because of {service}: {own:#?}", file.id);
            }
        }
    }
    Ok(())
}

/// Rows that may be there beside, by the files of these faults and of all others.
fn allowed_in(faults: &[String], files: &[DrillFile]) -> BTreeSet<String> {
    let mut also: BTreeSet<String> = files
        .iter()
        .filter(|f| f.also_in.iter().any(|one| faults.contains(one)))
        .map(|f| f.id.clone())
        .collect();
    for file in files {
        for drill in &file.variant {
            if faults.contains(&format!("{}/{}", file.id, drill.name)) {
                also.extend(drill.also_allowed.iter().cloned());
            }
        }
    }
    also
}

/// How often a healthy lab is looked at, and how often each of its customers writes.
const EVERY: Duration = Duration::from_secs(3);
const TRAFFIC_SECONDS: &str = "8";

/// The lab's customers are busy, and no row shows all the while.
fn stay_healthy(lane: &Lane, minutes: f64) -> Done {
    lane.json(&["drill", "traffic", TRAFFIC_SECONDS])?;
    let until = Duration::from_secs_f64(minutes * 60.0);
    let began = Instant::now();
    let mut looks = 0;
    while began.elapsed() < until {
        lane.no_row(&format!("after {} s of traffic", began.elapsed().as_secs()))?;
        looks += 1;
        thread::sleep(EVERY);
    }
    ensure!(looks > 3, "only {looks} looks in {minutes} minutes");
    // A lab in which nothing happens is healthy, too: there must have been customers.
    let world = lane.world()?;
    let talks = world.there.keys().filter(|name| name.starts_with("redis/ratiba:fsm:index:")).count();
    ensure!(talks > 0, "nobody wrote or called in {minutes} minutes");
    Ok(())
}
