//! Taking back what does not let itself be taken back at once.

use ratiba_testkit::lab;
use serde_json::Value;

use super::playbook::Kernel;

const UNDO_THAT_FAILS_ONCE: &str = r#"
    [step::exec(#{ title: "Make a file", service: "redis", argv: ["touch", "/tmp/kernel-made"], within_s: 10,
        undo: #{ title: "Remove it", argv: ["rm", "/tmp/kernel-made", "/tmp/kernel-leave"],
            only_if: #{ redis_value: #{ key: "kernel:may", value: "yes" } } } }),
     step::redis(#{ title: "Set it", key: "kernel:half", value: "new" })]"#;

fn value() -> String {
    lab::redis_eval("return redis.call('GET', 'kernel:half')")
}

fn states(run: &Value) -> Vec<&str> {
    run["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect()
}

#[test]
fn an_undo_that_failed_half_way_is_undone_itself_or_goes_on_with_the_rest() {
    let redis = lab::container_of("redis");
    lab::redis_eval("redis.call('SET', 'kernel:half', 'old') redis.call('SET', 'kernel:may', 'yes')");
    let kernel = Kernel::with(UNDO_THAT_FAILS_ONCE);
    let run = kernel.repaired(&[]);
    // In reverse order: the value is put back, then the file can't be removed.
    let failed = kernel.undo_fails(&run);
    assert_eq!(value(), "old");
    assert_eq!(states(&kernel.run(&run)), ["done", "undone"]);
    assert_eq!(states(&kernel.run(&failed)), ["done", "failed"]);

    // That undo is taken back in its turn, and fails again later.
    kernel.undone(&failed);
    assert_eq!(value(), "new");
    assert_eq!(states(&kernel.run(&run)), ["done", "done"]);
    lab::docker(&["exec", &redis, "touch", "/tmp/kernel-made"]);
    kernel.undo_fails(&run);
    assert_eq!(value(), "old");

    // What is left is taken back once the reason is gone, and only that.
    lab::redis_eval("redis.call('SET', 'kernel:half', 'somebody')");
    lab::docker(&["exec", &redis, "touch", "/tmp/kernel-leave", "/tmp/kernel-made"]);
    let rest = kernel.undone(&run);
    assert_eq!(states(&kernel.run(&rest)), ["done"]);
    assert_eq!(states(&kernel.run(&run)), ["undone", "undone"]);
    assert_eq!(value(), "somebody", "nothing newer was taken away");
    kernel.fails(&["undo", &run, "--yes"], 4, &["already taken back"]);
    lab::redis_eval("redis.call('DEL', 'kernel:half', 'kernel:may')");
}

#[test]
fn what_loses_data_is_not_done_again_by_taking_its_undo_back() {
    lab::redis_eval("redis.call('SET', 'kernel:may', 'yes')");
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Keep", of: #{ redis_keys: #{ prefix: "kernel:" } } }),
            step::exec(#{ title: "Wipe", service: "redis", argv: ["true"], within_s: 9, loses: "everything",
                undo: #{ title: "Bring back", argv: ["true"], only_if: #{ redis_value: #{ key: "kernel:may", value: "yes" } } } })]"#,
    );
    let run = kernel.repaired(&[]);
    let undo = kernel.undone(&run);
    kernel.fails(&["undo", &undo, "--yes"], 4, &["loses data", "make the repair again"]);
    lab::redis_eval("redis.call('DEL', 'kernel:may')");
}
