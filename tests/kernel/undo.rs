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

/// An undo brings back a statement's own rows, and not what a trigger or a foreign key did beside it.
#[test]
fn what_can_be_taken_back_changes_nothing_beside_its_own_rows() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_t CASCADE; CREATE SCHEMA kernel_t; \
         CREATE TABLE kernel_t.booking (id int PRIMARY KEY, status text); \
         CREATE TABLE kernel_t.slot (booking int); \
         INSERT INTO kernel_t.booking VALUES (1, 'held'); INSERT INTO kernel_t.slot VALUES (1), (1); \
         CREATE FUNCTION kernel_t.freed() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN DELETE FROM kernel_t.slot WHERE booking = NEW.id; RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER freed AFTER UPDATE ON kernel_t.booking DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION kernel_t.freed()",
    );
    let kernel = Kernel::with(
        r#"[step::sql(#{ title: "Cancel", sql: "UPDATE kernel_t.booking SET status = 'cancelled' WHERE id = 1 RETURNING id, status",
            expect_rows: 1, undo: #{ title: "Hold", image_sql: "SELECT id, status FROM kernel_t.booking WHERE id = 1",
                sql: "UPDATE kernel_t.booking SET status = 'held' WHERE id = 1 RETURNING id, status", params: [] } })]"#,
    );
    let done = kernel.apply(&kernel.plan(&[]), 1);
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("2 in kernel_t.slot") && reason.contains("rolled back"), "{reason}");
    let rows = "SELECT (SELECT status FROM kernel_t.booking), (SELECT count(*) FROM kernel_t.slot)";
    assert_eq!(lab::psql("ratiba", rows), "held|2");
    lab::psql("ratiba", "DROP SCHEMA kernel_t CASCADE");
}

/// Two changes in quick succession are counted each for itself.
#[test]
fn a_run_of_several_statements_counts_each_ones_rows_alone() {
    lab::psql(
        "ratiba",
        "DROP TABLE IF EXISTS public.kernel_u; CREATE TABLE public.kernel_u (id int, n int); \
         INSERT INTO public.kernel_u SELECT i, 0 FROM generate_series(1, 30) i",
    );
    let step = |id: u32| {
        format!(
            r#"step::sql(#{{ title: "Set {id}", sql: "UPDATE public.kernel_u SET n = 1 WHERE id = {id} RETURNING id, n", expect_rows: 1,
                undo: #{{ title: "Back", image_sql: "SELECT id, n FROM public.kernel_u WHERE id = {id}",
                    sql: "UPDATE public.kernel_u SET n = 0 WHERE id = {id} RETURNING id, n", params: [] }} }})"#
        )
    };
    let kernel = Kernel::with(&format!("[{}]", (1..=30).map(step).collect::<Vec<_>>().join(", ")));
    let run = kernel.repaired(&[]);
    kernel.undone(&run);
    assert_eq!(lab::psql("ratiba", "SELECT sum(n) FROM public.kernel_u"), "0");
    lab::psql("ratiba", "DROP TABLE public.kernel_u");
}
