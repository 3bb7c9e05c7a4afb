//! Waiting for the stack, and for a person.

use ratiba_testkit::lab;

use std::fs;

use serde_json::Value;

use super::{
    ctl::Ctl,
    playbook::{Kernel, signal, whole},
};

fn wait(until: &str) -> String {
    format!(r#"step::wait_until(#{{ title: "Wait", condition: {until}, within_s: 5 }})"#)
}

#[test]
fn each_condition_is_seen_on_the_real_thing() {
    lab::redis_eval("redis.call('SET', 'kernel:w', '1')");
    let backend = lab::profile().endpoints["backend"].clone();
    let steps: Vec<String> = [
        r#"#{ service_up: #{ service: "redis" } }"#.to_owned(),
        r#"#{ port_free: #{ port: 1 } }"#.to_owned(),
        r#"#{ rows: #{ what: "one is one", sql: "SELECT 1 AS one", rows: [#{ one: 1 }] } }"#.to_owned(),
        r#"#{ redis_value: #{ key: "kernel:w", value: "1" } }"#.to_owned(),
        format!(r#"#{{ http_status: #{{ url: "{backend}/health", status: 200 }} }}"#),
    ]
    .iter()
    .map(|until| wait(until))
    .collect();
    let kernel = Kernel::with(&format!("[{}]", steps.join(", ")));
    let run = kernel.repaired(&[]);
    let run = kernel.run(&run);
    assert!(run["steps"].as_array().unwrap().iter().all(|s| s["state"] == "done"), "{run:#}");
    assert_eq!(run["can_undo"], false, "waiting leaves nothing to take back");
    lab::redis_eval("redis.call('DEL', 'kernel:w')");
}

#[test]
fn what_is_waited_for_is_what_was_shown() {
    let kernel = Kernel::with(&format!("[{}]", wait(r#"#{ service_down: #{ service: "posgres" } }"#)));
    kernel.plan_fails(&["there is no service posgres"]);
    drop(kernel);

    let rows = wait(
        r#"#{ rows: #{ what: "there are tenants", sql: "SELECT count(*) > 0 AS some FROM {tenants}", rows: [#{ some: true }] } }"#,
    );
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| text);
    let kernel = Kernel::made(ctl, &whole("", &format!("[{rows}]")), profile.clone());
    let plan = kernel.plan(&[]);
    let preview = plan.step(1)["preview"].as_str().unwrap();
    assert!(preview.contains(r#"FROM "public"."tenants""#), "{preview}");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, format!("{text}\n[schema.tables]\ntenants = \"others\"\n")).unwrap();
    assert_eq!(
        kernel.apply(&plan, 0)["outcome"],
        "fixed",
        "it asks what was shown, whatever the profile says now"
    );
}

#[test]
fn what_never_comes_is_a_failed_run_that_says_what_is_seen() {
    let kernel = Kernel::with(
        r#"[step::wait_until(#{ title: "Wait", condition: #{ redis_value: #{ key: "kernel:never", value: "1" } }, within_s: 1 })]"#,
    );
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    assert!(
        done["reason"].as_str().unwrap().contains("not within 1 s: kernel:never is not there"),
        "{done:#}"
    );
}

#[test]
fn a_run_that_goes_on_is_said_to_be_running_and_not_interrupted() {
    let wait = r#"step::wait_until(#{ title: "Wait", within_s: 60,
        condition: #{ redis_value: #{ key: "kernel:running", value: "1" } } })"#;
    let kernel = Kernel::with(&format!("[{wait}]"));
    let plan = kernel.plan(&[]);
    let mut said = None;
    let events = kernel.apply_with(&plan, 0, |event, _| {
        if event["event"] == "step_started" {
            let listed = kernel.json(&["runs", "list"], 0);
            let run = listed["runs"][0]["run"].as_str().unwrap().to_owned();
            said = Some((
                kernel.run(&run),
                kernel.text(&["runs", "show", &run]),
                kernel.text(&["runs", "list"]),
            ));
            lab::redis_eval("redis.call('SET', 'kernel:running', '1')");
        }
    });
    lab::redis_eval("redis.call('DEL', 'kernel:running')");
    let (view, shown, listed) = said.unwrap();
    assert_eq!(view["steps"][0]["state"], "running", "{view:#}");
    assert!(view["interrupted"]["goes_on"].is_string(), "{view:#}");
    for text in [shown, listed] {
        assert!(text.contains("running") && !text.contains("interrupted"), "{text}");
    }
    assert_eq!(events.last().unwrap()["outcome"], "fixed");
}

#[test]
fn a_service_that_does_not_come_up_is_told_with_the_end_of_its_log() {
    lab::docker(&[
        "exec",
        &lab::container_of("cron"),
        "sh",
        "-c",
        "echo kernel: no such table > /proc/1/fd/1",
    ]);
    let stop = r#"[step::compose("stop", "cron", ""), step::wait_until_up("cron", 5)]"#;
    let kernel = Kernel::with(stop);
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("its log ends with: kernel: no such table"), "{reason}");
    drop(kernel);
    Kernel::with(r#"[step::compose("start", "cron", "")]"#).repaired(&[]);
}

#[test]
fn a_person_is_told_what_to_do_and_the_run_goes_on_when_it_is_done() {
    let kernel = Kernel::with(
        r#"[step::manual(#{ title: "Set the key", instructions: ["Set kernel:hand to 1."],
            done: #{ redis_value: #{ key: "kernel:hand", value: "1" } }, within_s: 60 })]"#,
    );
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 0, |event, _| {
        if event["event"] == "manual" {
            assert_eq!(event["instructions"][0], "Set kernel:hand to 1.");
            lab::redis_eval("redis.call('SET', 'kernel:hand', '1')");
        }
    });
    assert!(events.iter().any(|e| e["event"] == "manual"), "{events:#?}");
    lab::redis_eval("redis.call('DEL', 'kernel:hand')");
}

#[test]
fn an_interrupted_run_whose_playbook_was_changed_since_can_be_closed_and_does_not_go_on() {
    let wait = wait(r#"#{ redis_value: #{ key: "kernel:other", value: "1" } }"#);
    let kernel = Kernel::with(&format!("[{wait}]"));
    let plan = kernel.plan(&[]);
    let args = ["apply", &plan.file, "--digest", plan.digest(), "--yes"];
    kernel.events_with(&args, -1, |event, pid| {
        if event["event"] == "step_started" {
            signal(pid, "KILL");
        }
    });
    let run = kernel.json(&["runs", "list"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    assert_eq!(kernel.run(&run)["interrupted"]["can_resume"], true);
    kernel.change(&format!("[{wait}, {wait}]"));
    assert_eq!(kernel.run(&run)["interrupted"]["can_resume"], false);
    let why = ["its playbook is not as it was", "--verify"];
    kernel.fails(&["resume", &run, "--yes"], 2, &why);
    let closed = kernel.json(&["resume", &run, "--verify"], 1);
    assert_eq!(closed["outcome"], "not_fixed", "this playbook finds its fault for ever: {closed:#}");
    let reason = closed["reason"].as_str().unwrap();
    assert!(reason.contains("planned with another version"), "{reason}");
    assert_eq!(kernel.run(&run)["interrupted"], Value::Null);
}
