//! What holds whichever fault there is: shown once, on a real one.

use std::process::Command;

use serde_json::json;

use crate::lane::{Done, Lane, ensure, list, pretty, text};

/// A rule, shown on a lab.
pub type Rule = fn(&Lane) -> Done;

/// By name.
pub const ALL: [(&str, Rule); 3] = [
    ("an_interrupted_run_stops_in_order_and_says_so", interrupted),
    ("a_plan_is_used_once_and_a_run_taken_back_once", used_once),
    ("the_list_keeps_its_contract", contract),
];

fn interrupted(lane: &Lane) -> Done {
    lane.json(&["drill", "inject", "01-service-unhealthy/port-clash"])?;
    let file = lane.scratch("interrupted.json");
    let plan = lane.json(&["plan", "01-service-unhealthy", "-p", "service=redis", "-o", &file])?;
    let digest = text(&plan["digest"]);
    // While the run waits for somebody to free the port.
    let events = lane.events(&["apply", &file, "--digest", digest, "--yes"], &[130], |event, pid| {
        if event["event"] == "manual" {
            let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status();
            ensure!(sent.is_ok_and(|status| status.success()), "the run could not be interrupted");
        }
        Ok(())
    })?;
    let done = events.last().cloned().unwrap_or_default();
    let ended = (&done["event"], &done["outcome"]);
    ensure!(ended == (&json!("run_done"), &json!("cancelled")), "{}", pretty(&events));
    let run = lane.json(&["runs", "show", text(&done["run"])])?;
    ensure!(run["outcome"] == "cancelled", "the journal has it too: {run:#}");
    Ok(())
}

fn used_once(lane: &Lane) -> Done {
    let id = "05-fsm-stuck-collect-slot";
    lane.json(&["drill", "inject", &format!("{id}/no-schedules")])?;
    let file = lane.scratch("once.json");
    let plan = lane.json(&["plan", id, "-o", &file])?;
    let apply = ["apply", &file, "--digest", text(&plan["digest"]), "--yes"];
    // Another digest is refused, and the right one still works afterwards.
    lane.fails(&["apply", &file, "--digest", &"0".repeat(64), "--yes"], &[4])?;
    let events = lane.events(&apply, &[0], |_, _| Ok(()))?;
    let run = events.last().map(|e| text(&e["run"]).to_owned()).unwrap_or_default();
    lane.fails(&apply, &[4])?;
    lane.events(&["undo", &run, "--yes"], &[0], |_, _| Ok(()))?;
    lane.fails(&["undo", &run, "--yes"], &[4])?;
    let verified = lane.json(&["runs", "verify"])?;
    ensure!(verified["ok"] == true, "the journal's chain holds: {verified:#}");
    Ok(())
}

/// `drill list --json`: fields may be added, and none may go.
fn contract(lane: &Lane) -> Done {
    let listed = lane.json(&["drill", "list"])?;
    let drills = list(&listed["drills"]);
    ensure!(!drills.is_empty(), "it lists nothing: {listed:#}");
    let texts = |value: &serde_json::Value| value.is_array() && list(value).iter().all(|v| v.is_string());
    for one in drills {
        let names = one["id"].is_string() && one["variant"].is_string();
        ensure!(names && texts(&one["expects"]) && texts(&one["also_allowed"]), "an entry: {one:#}");
        let is_own = list(&one["expects"]).contains(&one["id"]);
        ensure!(is_own || one["verdict"] == "absent", "what does it expect: {one:#}");
    }
    Ok(())
}
