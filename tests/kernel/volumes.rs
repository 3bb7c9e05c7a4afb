//! Copies of volumes: of one that nothing writes to, whole, and restored.

use ratiba_testkit::lab;

use super::{
    playbook::{Kernel, signal, until},
    restoring::printed,
};

fn volume() -> String {
    format!("{}_redisdata", lab::profile().compose.project)
}

fn copies() -> String {
    lab::docker(&["volume", "ls", "-q", "--filter", &format!("name={}-ratiba-", volume())])
}

fn copiers() -> String {
    lab::docker(&["ps", "-aq", "--filter", "name=ratiba-copy-"])
}

fn copy(service: &str) -> String {
    format!(
        r#"step::backup(#{{ title: "Copy", of: #{{ volume: #{{ service: "{service}", volume: "{}" }} }} }})"#,
        volume()
    )
}

const STOP: &str = r#"step::compose("stop", "redis", "Everybody")"#;

/// For the tests that follow: what ended with redis is started again.
fn start_all() {
    let up: Vec<String> = ["redis", "worker", "backend"]
        .iter()
        .map(|s| format!(r#"step::compose("up", "{s}", ""), step::wait_until_up("{s}", 60)"#))
        .collect();
    Kernel::with(&format!("[{}]", up.join(", "))).repaired(&[]);
}

fn value() -> String {
    lab::redis_eval("return redis.call('GET', 'kernel:volume')")
}

#[test]
fn a_volume_is_copied_after_a_step_that_stops_what_writes_to_it_and_restored() {
    lab::redis_eval("redis.call('SET', 'kernel:volume', 'as it was')");
    let kernel = Kernel::with(&format!(
        r#"[{STOP}, {}, step::compose("start", "redis", "Nobody"), step::wait_until_up("redis", 60)]"#,
        copy("redis")
    ));
    let run = kernel.repaired(&[]);
    let place = copies();
    assert!(kernel.run(&run)["steps"][1]["detail"].as_str().unwrap().contains(&format!(" in {place};")));
    assert_eq!(copiers(), "", "the container that copied is gone");

    lab::redis_eval("redis.call('SET', 'kernel:volume', 'newer')");
    let restore = printed(&kernel, &run, 2).pop().unwrap();
    let said = restore.paste_in_vain();
    assert!(said.contains("a running container uses"), "{said}");
    drop(kernel);
    Kernel::with(&format!("[{STOP}]")).repaired(&[]);
    restore.paste();
    lab::docker(&["volume", "rm", &place]);
    // Without its copy nothing is touched.
    assert!(restore.paste_in_vain().contains("no such volume"), "{restore:?}");
    start_all();
    assert_eq!(value(), "as it was");
    lab::redis_eval("redis.call('DEL', 'kernel:volume')");
}

#[test]
fn what_a_running_container_of_any_service_writes_to_is_not_copied() {
    let stopped = lab::container_of("cron");
    lab::docker(&["stop", "-t", "1", &stopped]);
    let kernel = Kernel::with(&format!("[{}]", copy("cron")));
    kernel.plan_fails(&["redis", "would be torn", "Stop it in a step before"]);
    drop(kernel);

    // One of no project at all, which nobody sees before the copy is made.
    let image = lab::docker(&["inspect", "-f", "{{.Image}}", &stopped]);
    let mount = format!("{}:/data", volume());
    let stranger = "ratiba-kernel-stranger";
    let kernel = Kernel::with(&format!(
        r#"[{STOP}, step::wait_until(#{{ title: "Wait", within_s: 60, condition: #{{ service_down: #{{ service: "redis" }} }} }}), {}]"#,
        copy("redis")
    ));
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 1, |event, _| {
        if event["event"] == "step_started" && event["n"] == 1 {
            lab::docker(&[
                "run",
                "-d",
                "--rm",
                "--name",
                stranger,
                "-v",
                &mount,
                "--entrypoint",
                "sleep",
                &image,
                "600",
            ]);
        }
    });
    let reason = events.last().unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains(stranger) && reason.contains("would be torn"), "{reason}");
    drop(kernel);
    let kernel = Kernel::with(&format!("[{STOP}, {}]", copy("redis")));
    kernel.plan_fails(&[stranger, "would be torn"]);
    drop(kernel);
    lab::docker(&["rm", "-f", stranger]);
    lab::docker(&["start", &stopped]);
    assert_eq!(copies(), "");
    start_all();
}

#[test]
fn a_service_that_is_removed_before_leaves_no_image_to_copy_with() {
    let kernel = Kernel::with(&format!(r#"[step::compose("remove", "redis", ""), {}]"#, copy("redis")));
    kernel.plan_fails(&["do not remove it"]);
}

#[test]
fn a_copy_whose_console_was_killed_is_ended_and_made_anew() {
    // Enough to be killed in, also while the machine has more to do.
    let write = "head -c 400000000 /dev/urandom > /data/kernel-volume";
    lab::docker(&["exec", &lab::container_of("redis"), "sh", "-c", write]);
    let kernel = Kernel::with(&format!("[{STOP}, {}]", copy("redis")));
    let plan = kernel.plan(&[]);
    kernel.apply_with(&plan, -1, |event, pid| {
        if event["event"] == "step_started" && event["n"] == 2 {
            let copier = std::cell::RefCell::new(String::new());
            until("a container that copies", || {
                *copier.borrow_mut() = lab::docker(&["ps", "-q", "--filter", "name=ratiba-copy-"]);
                !copier.borrow().is_empty()
            });
            // So that it is still at it when the run goes on.
            lab::docker(&["pause", &copier.borrow()]);
            signal(pid, "KILL");
        }
    });
    let orphan = copiers();
    assert!(!orphan.is_empty(), "it outlives its console");
    let run = kernel.json(&["runs", "list"], 0)["runs"][0]["run"].as_str().unwrap().to_owned();
    kernel.events_with(&["resume", &run, "--yes"], 0, |_, _| {});
    assert_eq!(copiers(), "", "{orphan} is gone");
    lab::docker(&["volume", "rm", &copies()]);
    drop(kernel);
    start_all();
    lab::docker(&["exec", &lab::container_of("redis"), "rm", "/data/kernel-volume"]);
}
