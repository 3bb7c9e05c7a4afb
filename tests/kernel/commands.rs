//! Commands in containers: the running one, and one of their own.

use std::{
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

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

const WAITS: &str = r#"[step::wait_until(#{ title: "Wait", within_s: 60,
    condition: #{ redis_value: #{ key: "kernel:never", value: "yes" } } })]"#;

#[test]
fn a_terminal_that_goes_stops_the_run_at_its_safe_point() {
    let kernel = Kernel::with(WAITS);
    let plan = kernel.plan(&[]);
    // Whoever runs the tests may do so under nohup, whose children ignore what is tested here.
    let hears = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])";
    let apply = kernel.command(&["--json", "apply", &plan.file, "--digest", plan.digest(), "--yes"]);
    let mut command = std::process::Command::new("python3");
    command.args(["-c", hears]).arg(apply.get_program()).args(apply.get_args());
    for (name, value) in apply.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut events: Vec<serde_json::Value> = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        events.push(serde_json::from_str(&line.unwrap()).unwrap());
        if events.last().unwrap()["event"] == "step_started" {
            signal(child.id(), "HUP");
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["outcome"]), (&"run_done".into(), &"cancelled".into()), "{events:#?}");
    assert_eq!(kernel.run(done["run"].as_str().unwrap())["outcome"], "cancelled");
}

#[test]
fn a_run_whose_standard_error_is_full_still_comes_to_its_end() {
    let kernel = Kernel::with(WAITS);
    let plan = kernel.plan(&[]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child = kernel
        .command(&["--json", "apply", &plan.file, "--digest", plan.digest(), "--yes"])
        .stdout(std::process::Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let mut last = serde_json::Value::Null;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if last["event"] == "step_started" {
            signal(child.id(), "INT");
        }
    }
    assert_eq!(last["outcome"], "cancelled", "{last:#}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn asked_twice_it_ends_at_once_and_the_events_have_an_end() {
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Hang", service: "backend", within_s: 30,
            argv: ["python", "-c", "import signal, time; signal.signal(15, 1); print('hangs', flush=True); time.sleep(15)"] })]"#,
    );
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 130, |event, pid| {
        if event["event"] == "step_output" {
            // Two signals of one kind may become one.
            signal(pid, "INT");
            signal(pid, "TERM");
        }
    });
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["outcome"]), (&"run_done".into(), &"unknown".into()), "{events:#?}");
    assert!(done["reason"].as_str().unwrap().contains("ended at once"), "{done:#}");
    let run = kernel.run(done["run"].as_str().unwrap());
    assert!(run["interrupted"].is_object() && run["outcome"].is_null(), "{run:#}");
}

#[test]
fn the_time_limit_is_named_and_holds_for_an_undos_plan_too() {
    let kernel = Kernel::with(WAITS);
    let plan = kernel.plan(&[]);
    let args = ["--timeout", "2", "apply", &plan.file, "--digest", plan.digest(), "--yes"];
    let done = kernel.events_with(&args, 130, |_, _| {}).pop().unwrap();
    let kept = kernel.run(done["run"].as_str().unwrap());
    for reason in [&done["reason"], &kept["reason"], &kept["steps"][0]["detail"]] {
        let reason = reason.as_str().unwrap();
        assert!(reason.contains("the time limit of --timeout (2 s) passed"), "{reason}");
        assert!(!reason.contains("operator"), "{reason}");
    }
    drop(kernel);

    let kernel = Kernel::with(
        r#"[step::compose("restart", "cron", "nobody"), step::redis(#{ title: "Set", key: "kernel:limit", value: "1" })]"#,
    );
    let run = kernel.repaired(&[]);
    let (_listener, port) = lab::silent_server();
    let name = std::path::Path::new(&lab::profile_file()).file_name().unwrap().to_owned();
    let text = format!("{}\n[docker]\nhost = \"tcp://127.0.0.1:{port}\"\n", lab::profile_text());
    let hung = kernel.ctl.file(&format!("hung/{}", name.display()), &text);
    let ended = kernel.ctl.run(&["--profile", &hung, "--timeout", "2", "undo", &run, "--yes"]);
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert!(
        ended.took < Duration::from_secs(4) && ended.err.contains("2 s"),
        "{:?} {}",
        ended.took,
        ended.err
    );
    kernel.undone(&run);
}

#[test]
fn a_run_that_is_in_no_journal_has_no_id() {
    let kernel = Kernel::with(WAITS);
    let plan = kernel.plan(&[]);
    let locks = kernel.ctl.path("state/ratiba-console/locks");
    let _absent = std::fs::remove_dir_all(&locks);
    std::fs::write(&locks, "no folder").unwrap();
    let done = kernel.apply(&plan, 1);
    assert!(done["reason"].as_str().unwrap().contains("nothing was done"), "{done:#}");
    assert_eq!(done["run"], "");
}

#[test]
fn a_full_standard_output_is_said_after_the_run_came_to_its_end() {
    let kernel = Kernel::with(r#"[step::redis(#{ title: "Set", key: "kernel:full", value: "1" })]"#);
    let plan = kernel.plan(&[]);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let args = ["apply", &plan.file, "--digest", plan.digest(), "--yes"];
    let ended = kernel.command(&args).stdout(full()).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && said.contains("No space left"), "{said}");
    let run = kernel.json(&["runs", "list"], 0)["runs"][0].clone();
    assert_eq!(run["outcome"], "fixed", "{run:#}");
    for args in [["runs", "list"], ["runs", "verify"]] {
        assert_eq!(kernel.command(&args).stdout(full()).output().unwrap().status.code(), Some(1), "{args:?}");
    }
    kernel.undone(run["run"].as_str().unwrap());
}
