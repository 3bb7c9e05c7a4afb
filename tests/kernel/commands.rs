//! Commands in containers: the running one, and one of their own.

use std::time::{Duration, Instant};

use ratiba_testkit::lab;

use super::playbook::{Kernel, signal};

/// The processes of a service's container, one command line each.
fn processes(service: &str) -> String {
    lab::docker(&["top", &lab::container_of(service), "-eo", "pid,args"])
}

#[test]
fn output_comes_line_by_line_and_the_exit_code_decides() {
    let script = "print('one'); import sys; print('two', file=sys.stderr); print('$HOME; rm -rf /')";
    let kernel = Kernel::with(&format!(
        r#"[step::exec(#{{ title: "Say it", service: "backend", argv: ["python", "-c", `{script}`], within_s: 20 }})]"#
    ));
    let plan = kernel.plan(&[]);
    let preview = plan.step(1)["preview"].as_str().unwrap();
    assert!(preview.starts_with("docker exec -e RATIBA_STEP=") && preview.contains("python -c"), "{preview}");
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    let lines: Vec<&str> =
        events.iter().filter(|e| e["event"] == "step_output").map(|e| e["line"].as_str().unwrap()).collect();
    for line in ["one", "two", "$HOME; rm -rf /"] {
        assert!(lines.contains(&line), "{lines:?}");
    }
}

#[test]
fn another_exit_code_is_a_failed_run_that_says_the_last_words() {
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Fail", service: "backend", within_s: 20,
            argv: ["python", "-c", "import sys; print('no luck'); sys.exit(7)"] })]"#,
    );
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("exit code 7: no luck"), "{reason}");
}

#[test]
fn a_command_that_hangs_is_ended_where_it_runs_within_its_deadline() {
    // It does not listen to TERM.
    let script = "import signal, time; signal.signal(15, 1); print('hangs', flush=True); time.sleep(3111)";
    let kernel = Kernel::with(&format!(
        r#"[step::exec(#{{ title: "Hang", service: "backend", argv: ["python", "-c", "{script}"], within_s: 2 }})]"#
    ));
    let plan = kernel.plan(&[]);
    let began = Instant::now();
    let done = kernel.apply(&plan, 1);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(done["reason"].as_str().unwrap().contains("did not end within 2 s and was ended"), "{done:#}");
    assert!(!processes("backend").contains("3111"), "{}", processes("backend"));
}

#[test]
fn stopped_by_the_operator_it_is_ended_too() {
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Wait", service: "backend", within_s: 600,
            argv: ["python", "-c", "import time; print('waits', flush=True); time.sleep(3222)"] })]"#,
    );
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 130, |event, pid| {
        if event["event"] == "step_output" {
            signal(pid, "INT");
        }
    });
    assert_eq!(events.last().unwrap()["outcome"], "cancelled", "{events:#?}");
    assert!(!processes("backend").contains("3222"), "{}", processes("backend"));
}

#[test]
fn a_container_of_its_own_comes_and_goes() {
    let kernel = Kernel::with(
        r#"[step::run(#{ title: "Count", service: "backend", within_s: 60,
            argv: ["python", "-c", "import os; print('in', os.environ['REDIS_HOST'])"] })]"#,
    );
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    assert!(events.iter().any(|e| e["line"] == "in redis"), "{events:#?}");
    let name = "name=ratiba-step-";
    assert_eq!(lab::docker(&["ps", "-aq", "--filter", name]), "", "the one-off container is gone");
}

#[test]
fn a_container_of_its_own_that_hangs_is_removed() {
    let kernel = Kernel::with(
        r#"[step::run(#{ title: "Hang", service: "backend", within_s: 4,
            argv: ["python", "-c", "import time; time.sleep(3333)"] })]"#,
    );
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    assert!(done["reason"].as_str().unwrap().contains("did not end within 4 s"), "{done:#}");
    assert_eq!(lab::docker(&["ps", "-aq", "--filter", "name=ratiba-step-"]), "");
}

#[test]
fn a_command_is_taken_back_by_its_own_command_if_what_it_needs_is_so() {
    let redis = lab::container_of("redis");
    let is_there = || {
        std::process::Command::new("docker")
            .args(["exec", &redis, "test", "-e", "/tmp/kernel"])
            .status()
            .unwrap()
    };
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Touch", service: "redis", argv: ["touch", "/tmp/kernel"], within_s: 10,
            undo: #{ title: "Remove it", argv: ["rm", "/tmp/kernel"],
                     only_if: #{ redis_value: #{ key: "kernel:undo", value: "yes" } } } })]"#,
    );
    let run = kernel.repaired(&[]);
    assert!(is_there().success());
    kernel.fails(&["undo", &run, "--yes"], 4, &["kernel:undo"]);
    lab::redis_eval("redis.call('SET', 'kernel:undo', 'yes')");
    kernel.undone(&run);
    assert!(!is_there().success());
    lab::redis_eval("redis.call('DEL', 'kernel:undo')");
}
