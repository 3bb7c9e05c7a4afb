//! Runs that do something to the same thing more than once, or to what is started anew.

use std::fs;

use ratiba_testkit::lab;

use super::{
    ctl::Ctl,
    playbook::{Kernel, signal, whole},
};

fn value(key: &str) -> String {
    lab::redis_eval(&format!("return redis.call('GET', '{key}') or 'none'"))
}

#[test]
fn a_value_that_two_steps_set_is_put_back_step_by_step() {
    lab::redis_eval("redis.call('SET', 'kernel:t', 'A')");
    let kernel = Kernel::with(
        r#"[step::redis(#{ title: "First", key: "kernel:t", value: "B" }),
            step::redis(#{ title: "Second", key: "kernel:t", value: "C" })]"#,
    );
    let plan = kernel.plan(&[]);
    assert_eq!(
        (&plan.step(1)["before"], &plan.step(2)["before"]),
        (&"A".into(), &"as step 1 leaves it".into())
    );
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    assert_eq!(value("kernel:t"), "C");
    let undo = kernel.undone(&run);
    assert_eq!(value("kernel:t"), "A");
    let again = kernel.undone(&undo);
    assert_eq!(value("kernel:t"), "C");
    // Somebody's value in place of the last one is nobody's to take away.
    lab::redis_eval("redis.call('SET', 'kernel:t', 'theirs')");
    kernel.fails(&["undo", &again, "--yes"], 4, &["changed since the run"]);
    assert_eq!(value("kernel:t"), "theirs");
    lab::redis_eval("redis.call('DEL', 'kernel:t')");
}

#[test]
fn a_hash_is_made_and_removed_field_by_field() {
    lab::redis_eval("redis.call('DEL', 'kernel:h')");
    let fields = |value: &str| {
        ["f", "g"].map(|field| {
            format!(r#"step::redis(#{{ title: "{field}", key: "kernel:h", field: "{field}"{value} }})"#)
        })
    };
    let kernel = Kernel::with(&format!("[{}]", fields(r#", value: "B""#).join(", ")));
    let made = kernel.repaired(&[]);
    assert_eq!(lab::redis_eval("return redis.call('HLEN', 'kernel:h')"), "2");
    kernel.undone(&made);
    assert_eq!(lab::redis_eval("return redis.call('EXISTS', 'kernel:h')"), "0");
    drop(kernel);
    lab::redis_eval("redis.call('HSET', 'kernel:h', 'f', 'A', 'g', 'G')");
    let kernel = Kernel::with(&format!("[{}]", fields("").join(", ")));
    let removed = kernel.repaired(&[]);
    kernel.undone(&removed);
    assert_eq!(lab::redis_eval("return table.concat(redis.call('HMGET', 'kernel:h', 'f', 'g'), ',')"), "A,G");
    lab::redis_eval("redis.call('DEL', 'kernel:h')");
}

/// What was removed and made again before the run is left as it is: back to the middle of a run is
/// nobody's wish.
#[test]
fn no_undo_puts_a_service_down_that_was_up_before() {
    let state = || lab::docker(&["inspect", "-f", "{{.State.Status}}", &lab::container_of("cron")]);
    let kernel = Kernel::with(
        r#"[step::compose("stop", "cron", ""), step::compose("remove", "cron", ""), step::compose("up", "cron", "")]"#,
    );
    let run = kernel.repaired(&[]);
    let shown = kernel.json(&["undo", &run], 0);
    assert_eq!(shown["stays"].as_array().unwrap().len(), 2, "{shown:#}");
    kernel.undone(&run);
    assert_eq!(state(), "running");
    drop(kernel);

    let kernel =
        Kernel::with(r#"[step::compose("stop", "cron", ""), step::compose("recreate", "cron", "")]"#);
    let run = kernel.repaired(&[]);
    let undo = kernel.undone(&run);
    assert_eq!(state(), "running");
    // To stop it once more, without what made it run again, would leave it down.
    kernel.fails(&["undo", &undo, "--yes"], 4, &["was never taken back", "make the repair again"]);
    assert_eq!(state(), "running");
}

#[test]
fn two_keys_of_the_dotenv_are_put_back_byte_for_byte() {
    let ctl = Ctl::new();
    let text = "A=1\n# between\nB='two'\n";
    let file = ctl.file("own.env", text);
    let profile =
        ctl.profile(|profile| profile.replace("[repo]\n", &format!("[repo]\ndotenv = \"{file}\"\n")));
    let steps = r#"[step::dotenv(#{ title: "One", key: "A", to: #{ plain: "one" } }),
        step::dotenv(#{ title: "Two", key: "B", to: #{ plain: "three" } })]"#;
    let kernel = Kernel::made(ctl, &whole("", steps), profile);
    let run = kernel.repaired(&[]);
    assert_ne!(fs::read_to_string(&file).unwrap(), text);
    kernel.undone(&run);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn what_was_stopped_and_started_is_as_before_and_has_no_undo() {
    let before = lab::container_of("cron");
    let kernel = Kernel::with(
        r#"[step::compose("stop", "cron", "Nobody"), step::compose("start", "cron", "Nobody"),
            step::wait_until_up("cron", 60)]"#,
    );
    let run = kernel.repaired(&[]);
    assert_eq!(lab::container_of("cron"), before);
    let start =
        |id: &str| lab::docker(&["inspect", "-f", "{{.State.Status}} since {{.State.StartedAt}}", id]);
    let started = start(&before);
    assert!(started.starts_with("running"), "{started}");
    // An undo would stop and start it once more, for nothing.
    assert_eq!(kernel.run(&run)["can_undo"], false);
    let refused = kernel.json(&["undo", &run, "--yes"], 4);
    assert!(refused.to_string().contains("started all that it had stopped"), "{refused}");
    assert_eq!(start(&before), started);
}

#[test]
fn a_redis_that_is_started_anew_is_still_the_same_one() {
    lab::redis_eval("redis.call('SET', 'kernel:t', 'A')");
    let kernel = Kernel::with(
        r#"[step::compose("restart", "redis", "Everybody"), step::wait_until_up("redis", 60),
            step::redis(#{ title: "Set", key: "kernel:t", value: "B" })]"#,
    );
    let run = kernel.repaired(&[]);
    assert_eq!(value("kernel:t"), "B");
    // The undo takes back what can be, and says what stays.
    let shown = kernel.json(&["undo", &run], 0);
    assert!(shown["stays"][0].as_str().unwrap().contains("step 1, \"Restart redis\""), "{shown:#}");
    let redis = lab::container_of("redis");
    lab::docker(&["restart", "-t", "5", &redis]);
    while lab::docker(&["inspect", "-f", "{{.State.Health.Status}}", &redis]) == "starting" {}
    kernel.undone(&run);
    assert_eq!(value("kernel:t"), "A");
    let list = kernel.command(&["runs", "list"]).output().unwrap();
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("taken back in part"), "{list}");
    lab::redis_eval("redis.call('DEL', 'kernel:t')");
    drop(kernel);
    // What lost its connection to redis is made to run again.
    Kernel::with(r#"[step::compose("restart", "worker", ""), step::wait_until_up("worker", 60), step::wait_until_up("backend", 60)]"#)
        .repaired(&[]);
}

#[test]
fn an_undo_puts_back_what_a_resumed_run_found() {
    lab::redis_eval("redis.call('DEL', 'kernel:t')");
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Wait", service: "redis", argv: ["sleep", "3"], within_s: 30, repeatable: true }),
            step::redis(#{ title: "Set", key: "kernel:t", value: "B" })]"#,
    );
    let plan = kernel.plan(&[]);
    let mut run = String::new();
    kernel.apply_with(&plan, -1, |event, pid| {
        if event["event"] == "step_started" {
            signal(pid, "KILL");
        }
    });
    for line in kernel.json(&["runs", "list"], 0)["runs"].as_array().unwrap() {
        run = line["run"].as_str().unwrap().to_owned();
    }
    lab::redis_eval("redis.call('SET', 'kernel:t', 'theirs')");
    // Until the command that outlived its console has ended, nobody goes on with the run.
    while kernel.command(&["resume", &run, "--plan"]).output().unwrap().status.code() != Some(0) {
        let goes_on = lab::docker(&["top", &lab::container_of("redis")]);
        assert!(goes_on.contains("sleep 3"), "{goes_on}");
    }
    kernel.events_with(&["resume", &run, "--yes"], 0, |_, _| {});
    assert_eq!(value("kernel:t"), "B");
    kernel.undone(&run);
    assert_eq!(value("kernel:t"), "theirs");
    lab::redis_eval("redis.call('DEL', 'kernel:t')");
}
