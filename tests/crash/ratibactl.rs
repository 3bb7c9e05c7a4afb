//! The same through the real `ratibactl`: killed while a command runs in a container, then each of
//! the three answers.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::Stdio,
    time::{Duration, Instant},
};

use ratiba_testkit::lab::{self, redis_eval as redis};
use serde_json::Value;

use super::playbook::{Kernel, Planned};

/// A value in Redis, then a command that goes on until a file is there.
struct Killed {
    kernel: Kernel,
    plan: Planned,
    run: String,
    key: String,
}

impl Killed {
    fn with(name: &str, more: &str) -> Self {
        let key = format!("crashctl:{name}");
        redis(&format!("redis.call('SET', '{key}', 'old')"));
        let script = format!(
            "import os, time; print('begun', flush=True); f = '/tmp/crash-{name}'\nwhile not os.path.exists(f): time.sleep(0.05)"
        );
        let kernel = Kernel::with(&format!(
            r#"[step::redis(#{{ title: "Set it", key: "{key}", value: "new" }}),
                step::exec(#{{ title: "Go on", service: "backend", within_s: 120, {more}
                    argv: ["python", "-c", `{script}`] }})]"#
        ));
        let plan = kernel.plan(&[]);
        let mut child = kernel
            .ctl
            .command(&["--profile", &lab::profile_file(), "--json", "apply", &plan.file])
            .args(["--digest", plan.digest(), "--yes"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if event["event"] == "step_output" {
                child.kill().unwrap();
            }
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let mut killed = Self { run: String::new(), kernel, plan, key };
        let listed = killed.json(&["runs", "list"], 0);
        let run = listed["runs"][0]["run"].as_str().unwrap().to_owned();
        assert_eq!(listed["runs"][0]["interrupted"]["n"], 2, "{listed:#}");
        killed.run = run;
        killed
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        self.kernel.json(args, code)
    }

    fn interrupted(&self) -> Value {
        self.kernel.run(&self.run)["interrupted"].clone()
    }

    fn commands(&self) -> usize {
        let listed = lab::docker(&["top", &lab::container_of("backend"), "-eo", "pid,args"]);
        listed.matches(&format!("crash-{}'", self.name())).count()
    }

    fn name(&self) -> &str {
        self.key.rsplit(':').next().unwrap()
    }

    fn value(&self) -> String {
        redis(&format!("return redis.call('GET', '{}')", self.key))
    }

    /// Lets the command in the container come to its end, and waits for it.
    fn command_ends(&self) {
        lab::docker(&[
            "exec",
            &lab::container_of("backend"),
            "touch",
            &format!("/tmp/crash-{}", self.name()),
        ]);
        let began = Instant::now();
        while self.commands() > 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "the command in the container does not end");
        }
    }

    /// While the command goes on, that is what is said, and nothing is run a second time.
    fn goes_on_and_is_left_alone(&self) {
        let interrupted = self.interrupted();
        let how = interrupted["how"].as_str().unwrap();
        assert!(how.contains("the command of step 2 still goes on"), "{interrupted:#}");
        assert_eq!((&interrupted["can_resume"], &interrupted["can_undo"]), (&false.into(), &false.into()));
        for args in
            [["resume", &self.run, "--plan"], ["resume", &self.run, "--yes"], ["undo", &self.run, "--yes"]]
        {
            self.kernel.fails(&args, 4, &["still goes on"]);
        }
        assert_eq!(self.commands(), 1, "the command runs once");
    }

    /// The plan that was being applied is good for nothing any more.
    fn the_plan_is_used_up(&self) {
        let args = ["apply", &self.plan.file, "--digest", self.plan.digest(), "--yes"];
        let done = self.kernel.events_with(&args, 4, |_, _| {}).pop().unwrap();
        assert_eq!(done["outcome"], "refused", "{done:#}");
        assert_eq!(self.commands(), 0);
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        redis(&format!("redis.call('DEL', '{}')", self.key));
        let file = format!("/tmp/crash-{}", self.name());
        lab::docker(&["exec", &lab::container_of("backend"), "rm", "-f", &file]);
    }
}

#[test]
fn killed_and_resumed_the_rest_is_done_once() {
    let killed = Killed::with("resume", "repeatable: true,");
    killed.goes_on_and_is_left_alone();
    killed.command_ends();
    let shown = killed.kernel.ctl.run(&["--profile", &lab::profile_file(), "runs", "show", &killed.run]);
    assert!(shown.out.contains("interrupted at step 2"), "{}", shown.out);
    killed.the_plan_is_used_up();
    let plan = killed.json(&["resume", &killed.run, "--plan"], 0);
    let steps: Vec<&Value> = plan["steps"].as_array().unwrap().iter().map(|s| &s["n"]).collect();
    assert_eq!(steps, [2], "{plan:#}");
    let done = killed.kernel.events_with(&["resume", &killed.run, "--yes"], 0, |_, _| {}).pop().unwrap();
    assert_eq!((&done["outcome"], &done["run"]), (&"fixed".into(), &killed.run.as_str().into()), "{done:#}");
    let run = killed.kernel.run(&killed.run);
    assert!(run["interrupted"].is_null() && run["outcome"] == "fixed", "{run:#}");
    assert_eq!(killed.value(), "new");
    killed.kernel.fails(&["resume", &killed.run, "--yes"], 4, &["was not interrupted"]);
}

#[test]
fn killed_and_taken_back_everything_is_as_before() {
    let killed = Killed::with("undo", "repeatable: true,");
    killed.command_ends();
    assert_eq!(killed.value(), "new");
    killed.kernel.undone(&killed.run);
    assert_eq!(killed.value(), "old");
    let run = killed.kernel.run(&killed.run);
    assert!(run["interrupted"].is_null() && run["undone_by"].is_string(), "{run:#}");
    killed.kernel.fails(&["resume", &killed.run, "--yes"], 4, &["was taken back"]);
    killed.the_plan_is_used_up();
}

#[test]
fn killed_in_what_nobody_can_tell_it_is_looked_at_and_closed() {
    let killed = Killed::with("verify", "");
    killed.command_ends();
    let interrupted = killed.interrupted();
    assert!(interrupted["how"].as_str().unwrap().contains("how far it came"), "{interrupted:#}");
    assert_eq!(interrupted["can_resume"], false, "{interrupted:#}");
    killed.kernel.fails(&["resume", &killed.run, "--yes"], 4, &["can't be told whether step 2"]);
    let closed = killed.json(&["resume", &killed.run, "--verify"], 0);
    assert!(closed["interrupted"].is_null() && closed["outcome"] == "fixed", "{closed:#}");
    assert_eq!((killed.value().as_str(), killed.commands()), ("new", 0), "a look changes nothing");
    killed.kernel.fails(&["resume", &killed.run, "--verify"], 2, &["it was not interrupted"]);
    killed.the_plan_is_used_up();
}
