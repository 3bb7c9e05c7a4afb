//! A backup is kept until what it is for is done, and none is kept that was not tried.

use std::{fs, path::Path};

use ratiba_testkit::lab;

use super::{
    backups::{NONE, files},
    playbook::{Kernel, signal, until},
};

/// A key, its backup, a wait, and then the key is lost.
const LOSE_A_KEY: &str = r#"
    [step::backup(#{ title: "Keep it", of: #{ redis_keys: #{ prefix: "kernel:lost" } } }),
     step::wait_until(#{ title: "Wait", within_s: 60, condition: #{ redis_value: #{ key: "kernel:go", value: "yes" } } }),
     step::exec(#{ title: "Lose it", service: "redis", within_s: 9, loses: "kernel:lost",
        argv: ["redis-cli", "DEL", "kernel:lost"] })]"#;

fn wide_table() {
    lab::psql(
        "ratiba",
        "DROP TABLE IF EXISTS public.kernel_wide; CREATE TABLE public.kernel_wide AS \
         SELECT i, repeat(md5(i::text), 4) AS t FROM generate_series(1, 400000) i",
    );
}

fn is_there() -> bool {
    lab::redis_eval("return redis.call('GET', 'kernel:lost')") == "it"
}

fn set_up() -> Kernel {
    lab::redis_eval("redis.call('SET', 'kernel:lost', 'it') redis.call('DEL', 'kernel:go')");
    Kernel::with(LOSE_A_KEY)
}

/// Applies until it waits, and then does `meanwhile` with the backup and the process.
fn applied(kernel: &Kernel, code: i32, meanwhile: impl Fn(&Path, u32)) -> serde_json::Value {
    let events = kernel.apply_with(&kernel.plan(&[]), code, |event, pid| {
        if event["event"] == "step_started" && event["n"] == 2 {
            let file = files(kernel).pop().unwrap();
            meanwhile(Path::new(&file), pid);
        }
    });
    events.last().unwrap().clone()
}

#[test]
fn a_backup_that_vanished_while_the_run_went_on_stops_it_before_anything_is_lost() {
    let kernel = set_up();
    let done = applied(&kernel, 1, |file, _| {
        fs::remove_file(file).unwrap();
        lab::redis_eval("redis.call('SET', 'kernel:go', 'yes')");
    });
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("nothing was done") && reason.contains("No such file"), "{reason}");
    assert!(is_there());
    lab::redis_eval("redis.call('DEL', 'kernel:go', 'kernel:lost')");
}

#[test]
fn a_resumed_run_loses_nothing_without_its_backup_as_it_was() {
    let kernel = set_up();
    applied(&kernel, -1, |_, pid| signal(pid, "KILL"));
    let file = files(&kernel).pop().unwrap();
    let whole = fs::read(&file).unwrap();
    lab::redis_eval("redis.call('SET', 'kernel:go', 'yes')");
    let run = kernel.json(&["runs", "list"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&file, &changed).unwrap();
    let resume = ["resume", &run, "--phrase", "redis"];
    let done = kernel.events_with(&resume, 1, |_, _| {}).pop().unwrap();
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("SHA-256 is another one") && reason.contains(&file), "{reason}");
    assert!(is_there());
    drop(kernel);

    // Interrupted anew, and the backup is as it was: it goes on.
    let kernel = set_up();
    applied(&kernel, -1, |_, pid| signal(pid, "KILL"));
    lab::redis_eval("redis.call('SET', 'kernel:go', 'yes')");
    let run = kernel.json(&["runs", "list"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    kernel.events_with(&["resume", &run, "--phrase", "redis"], 0, |_, _| {});
    assert!(!is_there());
    lab::redis_eval("redis.call('DEL', 'kernel:go')");
}

#[test]
fn stopped_in_the_trial_no_dump_is_kept() {
    wide_table();
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Back up", of: #{ table: #{ schema: "public", table: "kernel_wide" } } })]"#,
    );
    let plan = kernel.plan(&[]);
    let trial_has_begun = || {
        let is_made = "SELECT count(*) FROM pg_database WHERE datname LIKE 'ratiba\\_trial\\_%'";
        lab::psql("ratiba", is_made) != "0"
    };
    let events = kernel.apply_with(&plan, 130, |event, pid| {
        if event["event"] == "step_started" {
            until("a trial database", trial_has_begun);
            assert!(files(&kernel).iter().all(|file| file.ends_with(".part")), "{:?}", files(&kernel));
            signal(pid, "INT");
        }
    });
    let done = events.last().unwrap();
    assert_eq!(done["outcome"], "cancelled", "{events:#?}");
    assert!(done["reason"].as_str().unwrap().contains("no backup is kept"), "{done:#}");
    assert_eq!(files(&kernel), NONE);
    lab::psql("ratiba", "DROP TABLE public.kernel_wide");
}

#[test]
fn keys_that_are_not_backed_up_within_their_time_leave_no_file() {
    lab::redis_eval("for i = 1, 60000 do redis.call('SET', 'kernel:many:' .. i, 'value' .. i) end");
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Keys", of: #{ redis_keys: #{ prefix: "kernel:many:" } }, within_s: 1 })]"#,
    );
    let done = kernel.apply(&kernel.plan(&[]), 1);
    assert!(done["reason"].as_str().unwrap().contains("nothing is kept"), "{done:#}");
    assert_eq!(files(&kernel), NONE);
    lab::redis_eval("for i = 1, 60000 do redis.call('DEL', 'kernel:many:' .. i) end");
}
