//! Every drill, on the real lab, through the shipping `ratibactl`: the fault is caused, ranked first
//! with its evidence, planned, applied, verified, taken back, and healed. A healthy lab shows no row.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod steps;

use steps::{Ctl, DrillFile, Variant};

/// One test for each variant; `the_list_is_complete` compares with the files.
macro_rules! drills {
    ($($test:ident: $id:literal / $variant:literal;)*) => {
        const LISTED: &[(&str, &str)] = &[$(($id, $variant)),*];
        $(
            #[test]
            fn $test() {
                rehearse($id, $variant);
            }
        )*
    };
}

drills! {
    a_stopped_service: "01-service-unhealthy" / "stopped";
    a_frozen_service: "01-service-unhealthy" / "paused";
    a_service_without_a_container: "01-service-unhealthy" / "missing";
    a_port_that_somebody_else_holds: "01-service-unhealthy" / "port-clash";
    a_service_that_ends_at_each_start: "01-service-unhealthy" / "crash-at-boot";
    a_failing_health_check: "01-service-unhealthy" / "unhealthy";
    a_service_killed_for_memory: "01-service-unhealthy" / "oom";
    a_child_killed_for_memory: "01-service-unhealthy" / "oom-child";
    nobody_has_working_hours: "05-fsm-stuck-collect-slot" / "no-schedules";
    everybody_is_blocked: "05-fsm-stuck-collect-slot" / "blocked";
}

#[test]
fn the_list_is_complete() {
    let mut in_files: Vec<(String, String)> = Vec::new();
    for file in DrillFile::all() {
        in_files.extend(file.variant.iter().map(|v| (file.id.clone(), v.name.clone())));
    }
    let mut listed: Vec<(String, String)> =
        LISTED.iter().map(|(id, variant)| ((*id).to_owned(), (*variant).to_owned())).collect();
    in_files.sort();
    listed.sort();
    assert_eq!(listed, in_files);
}

#[test]
fn an_interrupted_run_stops_in_order_and_says_so() {
    let ctl = Ctl::alone_on_the_lab();
    ctl.json(&["drill", "heal"]);
    ctl.json(&["drill", "inject", "01-service-unhealthy/port-clash"]);
    let file = ctl.scratch("plan.json");
    let plan = ctl.json(&["plan", "01-service-unhealthy", "-p", "service=redis", "-o", &file]);
    let digest = plan["digest"].as_str().unwrap();
    // While the run waits for somebody to free the port.
    let events = ctl.events_with(&["apply", &file, "--digest", digest, "--yes"], 130, |event, pid| {
        if event["event"] == "manual" {
            let sent = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status();
            assert!(sent.unwrap().success());
        }
    });
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["outcome"]), (&"run_done".into(), &"cancelled".into()), "{events:#?}");
    let run = ctl.json(&["runs", "show", done["run"].as_str().unwrap()]);
    assert_eq!(run["outcome"], "cancelled", "the journal has it too: {run:#}");
    ctl.json(&["drill", "heal"]);
    ctl.no_row_is_present("after");
}

fn rehearse(id: &str, variant: &str) {
    let ctl = Ctl::alone_on_the_lab();
    let drill = DrillFile::variant(id, variant);
    let name = format!("{id}/{variant}");

    // Whatever an earlier drill left behind when it failed.
    ctl.json(&["drill", "heal"]);
    ctl.no_row_is_present("before");
    ctl.json(&["drill", "inject", &name]);
    let triage = ctl.json(&["triage"]);
    let first = &triage["ranked"][0];
    assert_eq!(first["playbook"], id, "{name} must be ranked first: {triage:#}");
    assert_eq!(first["verdict"], "present", "{first:#}");
    assert!(first["reason"].as_str().unwrap().contains(&drill.says), "{first:#}");
    let (kind, subject) = about(first);
    assert_eq!(subject, drill.subject, "{first:#}");
    let evidence = first["evidence"].as_array().unwrap();
    assert!(!evidence.is_empty() && evidence.iter().all(|e| e["as_of"].is_string()), "{first:#}");

    let run = repair(&ctl, &drill, id, &format!("{kind}={subject}"));
    let triage = ctl.json(&["triage"]);
    let still = triage["ranked"].as_array().unwrap().iter().find(|v| {
        v["playbook"] == id && v["verdict"] == "present" && about(v) == (kind, drill.subject.as_str())
    });
    assert!(still.is_none(), "{name} must be gone after the repair: {still:#?}");

    if ctl.json(&["runs", "show", &run])["can_undo"] == true {
        let events = ctl.events(&["undo", &run, "--yes"], 0);
        assert_eq!(events.last().unwrap()["outcome"], "fixed", "{events:#?}");
        let triage = ctl.json(&["triage"]);
        let back = triage["ranked"]
            .as_array()
            .unwrap()
            .iter()
            .any(|v| v["playbook"] == id && v["verdict"] != "absent" && about(v).1 == drill.subject);
        assert!(back, "{name} must be back after the undo: {triage:#}");
        // A run is taken back once.
        ctl.fails(&["undo", &run, "--yes"], 4);
    }
    ctl.json(&["drill", "heal"]);
    ctl.no_row_is_present("after");
    assert_eq!(ctl.json(&["runs", "verify"])["ok"], true);
}

/// What a verdict is about, as a parameter has it.
fn about(verdict: &serde_json::Value) -> (&'static str, &str) {
    match (verdict["subject"]["service"].as_str(), verdict["subject"]["tenant"].as_str()) {
        (Some(service), _) => ("service", service),
        (None, Some(tenant)) => ("tenant", tenant),
        (None, None) => ("nothing", ""),
    }
}

/// Plans and applies; gives the run. What is a person's part is done while the run waits for it.
fn repair(ctl: &Ctl, drill: &Variant, id: &str, subject: &str) -> String {
    let file = ctl.scratch("plan.json");
    let mut args = vec!["plan", id, "-p", subject, "-o", &file];
    let blocks = drill.first_block(ctl);
    if let Some(blocks) = &blocks {
        args.extend(["-p", blocks]);
    }
    let mut plan = ctl.json(&args);
    assert!(plan["steps"].as_array().unwrap().iter().all(|s| s["preview"] != ""), "{plan:#}");
    // A plan changes nothing.
    let again = ctl.json(&["triage"]);
    assert_eq!(again["ranked"][0]["playbook"], id, "making a plan must not change the stack: {again:#}");
    let has_manual = plan["steps"].as_array().unwrap().iter().any(|s| s["kind"] == "manual");
    let name = format!("{id}/{}", drill.name);
    if !has_manual && !drill.by_hand.is_empty() {
        ctl.json(&["drill", "by-hand", &name]);
        // What the person did is no part of the plan: it is another stack by now.
        let digest = plan["digest"].as_str().unwrap();
        ctl.fails(&["apply", &file, "--digest", digest, "--yes"], 4);
        plan = ctl.json(&args);
    }
    let digest = plan["digest"].as_str().unwrap().to_owned();
    // Another digest is refused, and the right one still works afterwards.
    ctl.fails(&["apply", &file, "--digest", &"0".repeat(64), "--yes"], 4);
    let events = ctl.events_with(&["apply", &file, "--digest", &digest, "--yes"], 0, |event, _| {
        if event["event"] == "manual" {
            ctl.json(&["drill", "by-hand", &name]);
        }
    });
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["outcome"]), (&"run_done".into(), &"fixed".into()), "{events:#?}");
    let verified = events.iter().find(|e| e["event"] == "verified").unwrap();
    assert_ne!(verified["evidence"], serde_json::json!([]), "fixed on what evidence: {events:#?}");
    // A plan is used once.
    ctl.fails(&["apply", &file, "--digest", &digest, "--yes"], 4);
    done["run"].as_str().unwrap().to_owned()
}
