//! What was shown is what runs: profile, compose files and names between the plan and the act.

use std::{
    fs,
    time::{Duration, Instant},
};

use ratiba_testkit::lab;
use serde_json::Value;

use super::{
    ctl::Ctl,
    playbook::{Kernel, signal, whole},
};

/// A kernel with a profile of its own, which a test may write anew; its path.
fn with_profile(steps: &str, change: impl FnOnce(String) -> String) -> (Kernel, String) {
    let ctl = Ctl::new();
    let profile = ctl.profile(change);
    (Kernel::made(ctl, &whole("", steps), profile.clone()), profile)
}

fn edit(profile: &str, from: &str, to: &str) {
    let text = fs::read_to_string(profile).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(profile, text.replace(from, to)).unwrap();
}

fn refused(done: &Value) -> String {
    assert_eq!((&done["outcome"], &done["run"]), (&"refused".into(), &"".into()), "{done:#}");
    done["changes"][0].to_string()
}

#[test]
fn an_endpoint_that_moved_in_the_profile_is_not_called() {
    let (other, port) = lab::silent_server();
    let (kernel, profile) = with_profile(
        r#"[step::http(#{ title: "Call", repeatable: true, request: #{ endpoint: #{ endpoint: "shown",
            method: "POST", path: "/delete-all", body: #{ a: 1 } } }, loses: "all of it" })]"#,
        |text| text.replace("[endpoints]\n", "[endpoints]\nshown = \"http://127.0.0.1:9\"\n"),
    );
    let plan = kernel.plan(&[]);
    edit(&profile, "127.0.0.1:9\"", &format!("127.0.0.1:{port}\""));
    let change = refused(&kernel.apply(&plan, 4));
    assert!(change.contains("127.0.0.1:9/delete-all") && change.contains(&format!(":{port}/")), "{change}");
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "nobody called");
}

#[test]
fn a_compose_file_that_came_or_changed_is_another_command_or_another_configuration() {
    let ctl = Ctl::new();
    let over =
        |label: &str| format!("version: '3'\nservices:\n  cron:\n    labels:\n      kernel: '{label}'\n");
    let file = ctl.file("over.yml", &over("one"));
    let profile = ctl.profile(|text| text);
    let recreate = r#"[step::compose("recreate", "cron", "Nobody")]"#;
    let kernel = Kernel::made(ctl, &whole("", recreate), profile.clone());
    let before = lab::container_of("cron");

    let plan = kernel.plan(&[]);
    edit(&profile, "[compose]\n", &format!("[compose]\noverrides = [\"{file}\"]\n"));
    let change = refused(&kernel.apply(&plan, 4));
    assert!(change.contains("cron"), "{change}");

    let plan = kernel.plan(&[]);
    fs::write(&file, over("two")).unwrap();
    let change = refused(&kernel.apply(&plan, 4));
    assert!(change.contains("the compose configuration of cron"), "{change}");
    assert_eq!(lab::container_of("cron"), before);
}

#[test]
fn a_service_is_a_name_of_one_and_never_an_option() {
    for step in [
        r#"step::compose("remove", "-v", "x")"#,
        r#"step::compose("restart", "--timeout=1", "x")"#,
        r#"step::run(#{ title: "T", service: "--volume=/:/host", argv: ["backend", "ls"], within_s: 5, only_looks: true })"#,
        r#"step::up_all(["--force-recreate", "redis"], "x")"#,
    ] {
        Kernel::with(&format!("[{step}]")).plan_fails(&["is not a name that a service can have"]);
    }
    Kernel::with(r#"[step::compose("restart", "nosuch", "x")]"#).plan_fails(&["there is no service nosuch"]);
}

#[test]
fn a_repeatable_command_that_was_interrupted_is_run_again_and_not_taken_back_as_if_it_had_not_happened() {
    lab::redis_eval("redis.call('DEL', 'kernel:may', 'kernel:times')");
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Count", service: "redis", within_s: 30, repeatable: true,
            argv: ["sh", "-c", "REDISCLI_AUTH=$REDIS_PASSWORD redis-cli INCR kernel:times; sleep 3"],
            undo: #{ title: "Count down", argv: ["true"], only_if: #{ redis_value: #{ key: "kernel:may", value: "yes" } } } })]"#,
    );
    let plan = kernel.plan(&[]);
    let args = ["apply", &plan.file, "--digest", plan.digest(), "--yes"];
    kernel.events_with(&args, -1, |event, pid| {
        if event["event"] == "step_output" {
            signal(pid, "KILL");
        }
    });
    let run = kernel.json(&["runs", "list"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    // Until the command in the container has ended by itself.
    let began = Instant::now();
    while kernel.run(&run)["interrupted"]["how"].as_str().unwrap().contains("still goes on") {
        assert!(began.elapsed() < Duration::from_secs(60), "the command in the container does not end");
    }
    let shown = kernel.run(&run);
    assert_eq!(shown["interrupted"]["happened"], Value::Null, "{shown:#}");
    assert_eq!(
        (&shown["interrupted"]["can_resume"], &shown["interrupted"]["can_undo"]),
        (&true.into(), &false.into())
    );
    kernel.fails(
        &["undo", &run, "--yes"],
        4,
        &["can't be told whether step 1", "does no harm to run it again"],
    );
    let done = kernel.events_with(&["resume", &run, "--yes"], 0, |_, _| {}).pop().unwrap();
    assert_eq!(done["outcome"], "fixed", "{done:#}");
    assert_eq!(lab::redis_eval("return redis.call('GET', 'kernel:times')"), "2");
    lab::redis_eval("redis.call('DEL', 'kernel:times')");
}

#[test]
fn a_journal_that_is_put_away_while_a_run_goes_on_ends_the_run() {
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "One", service: "redis", argv: ["true"], within_s: 9 }),
            step::exec(#{ title: "Two", service: "redis", argv: ["true"], within_s: 9 })]"#,
    );
    let plan = kernel.plan(&[]);
    let args = ["apply", &plan.file, "--digest", plan.digest(), "--yes"];
    let mut events = kernel.events_with(&args, 1, |event, _| {
        if event["event"] == "step_started" && event["n"] == 1 {
            fs::remove_dir_all(kernel.ctl.path("state")).unwrap();
        }
    });
    let done = events.pop().unwrap();
    assert_eq!(done["outcome"], "failed", "{done:#}");
    assert!(done["reason"].as_str().unwrap().contains("replaced while this run went on"), "{done:#}");
    assert!(!events.iter().any(|e| e["event"] == "step_started" && e["n"] == 2), "{events:#?}");
}

#[test]
fn what_a_playbook_throws_while_it_plans_is_a_sentence_for_the_operator() {
    let kernel = Kernel::with(r#"throw "pick at least one day""#);
    let ended = kernel.ctl.run(&["--profile", &lab::profile_file(), "plan", "90-kernel"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{}", ended.err);
    assert!(ended.err.contains("ratibactl: pick at least one day"), "{}", ended.err);
    assert!(!ended.err.contains(".rhai") && !ended.err.contains("Fix the playbook"), "{}", ended.err);
    drop(kernel);
    // What a native function refuses is the playbook's fault, and where.
    let kernel = Kernel::with(r#"[step::sql(#{ titel: "typo" })]"#);
    kernel.plan_fails(&["90-kernel", ".rhai:", "titel"]);
}
