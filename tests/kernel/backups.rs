//! Backups, each restored for trial before what follows may lose anything.

use ratiba_testkit::lab;

use super::{
    playbook::{Kernel, signal},
    restoring::printed,
};

fn databases() -> String {
    lab::psql("ratiba", "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database")
}

/// The backups that are kept, whole or not.
pub fn files(kernel: &Kernel) -> Vec<String> {
    let is_one = |name: &String| [".dump", ".redis", ".part"].iter().any(|end| name.ends_with(end));
    kernel.kept_bytes().into_iter().map(|(name, _)| name).filter(is_one).collect()
}

pub const NONE: Vec<String> = Vec::new();

fn table(rows: &str) -> String {
    format!(
        "DROP TABLE IF EXISTS public.kernel_b; CREATE TABLE public.kernel_b AS \
         SELECT i AS id, md5(i::text) AS note, now() + i * interval '1 s' AS at FROM generate_series(1, {rows}) i"
    )
}

const DELETE: &str = r#"step::sql(#{ title: "Delete all", sql: "DELETE FROM public.kernel_b", expect_rows: 1000,
    guards: [#{ what: "the rows are those of the plan", sql: "SELECT count(*) AS n FROM public.kernel_b" }] })"#;

#[test]
fn what_is_deleted_after_a_backup_can_be_restored_from_it() {
    lab::psql("ratiba", &table("1000"));
    let before =
        lab::psql("ratiba", "SELECT md5(string_agg(b::text, ',' ORDER BY id)) FROM public.kernel_b b");
    let all = databases();
    let kernel = Kernel::with(&format!(
        r#"[step::backup(#{{ title: "Back up the table", of: #{{ table: #{{ schema: "public", table: "kernel_b" }} }} }}), {DELETE}]"#
    ));
    let plan = kernel.plan(&[]);
    assert_eq!(plan.view["confirm"]["kind"], "phrase", "rows are lost: {:#}", plan.view);
    assert_eq!(plan.view["impact"]["backups"][0], "Back up the table");
    // A click is not enough, nor is another word.
    kernel.fails(&["apply", &plan.file, "--digest", plan.digest(), "--yes"], 4, &["phrase"]);
    kernel.fails(&["apply", &plan.file, "--digest", plan.digest(), "--phrase", "Redis"], 4, &["phrase"]);
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM public.kernel_b"), "0");
    assert_eq!(databases(), all, "the trial database is gone");
    assert_eq!(kernel.run(&run)["can_undo"], false);

    lab::psql("ratiba", "DROP TABLE public.kernel_b");
    let in_place = printed(&kernel, &run, 1).pop().unwrap();
    assert!(in_place.does.contains("itself is gone"), "{in_place:?}");
    in_place.paste();
    let after =
        lab::psql("ratiba", "SELECT md5(string_agg(b::text, ',' ORDER BY id)) FROM public.kernel_b b");
    assert_eq!(after, before);
    lab::psql("ratiba", "DROP TABLE public.kernel_b");
}

#[test]
fn what_a_killed_console_left_of_a_trial_goes_with_the_next_backup() {
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Back up", of: #{ table: #{ schema: "public", table: "tenants" } } })]"#,
    );
    // One of long ago, and one whose run may still go on.
    let (old, fresh) =
        ("ratiba_trial_01arz3ndektsv4rrffq69g5fav_1", "ratiba_trial_7zzzzzzzzz0000000000000000_1");
    for name in [old, fresh] {
        lab::psql("ratiba", &format!("DROP DATABASE IF EXISTS {name}"));
        lab::psql("ratiba", &format!("CREATE DATABASE {name}"));
    }
    let run = kernel.repaired(&[]);
    let left = databases();
    lab::psql("ratiba", &format!("DROP DATABASE {fresh}"));
    assert!(!left.contains(old) && left.contains(fresh), "{left}");
    let run = kernel.run(&run);
    assert!(run["steps"][0]["output"].to_string().contains(old), "it is told: {run:#}");
}

#[test]
fn without_a_backup_before_it_what_loses_data_is_no_plan() {
    lab::psql("ratiba", &table("1000"));
    let kernel = Kernel::with(&format!("[{DELETE}]"));
    kernel.plan_fails(&["no step before it makes a backup"]);
    drop(kernel);
    // Rows that came after the backup would be lost too: a guard says which ones are meant.
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Back up", of: #{ table: #{ schema: "public", table: "kernel_b" } } }),
            step::sql(#{ title: "Delete all", sql: "DELETE FROM public.kernel_b", expect_rows: 1000 })]"#,
    );
    kernel.plan_fails(&["has no guard"]);
    lab::psql("ratiba", "DROP TABLE public.kernel_b");
}

#[test]
fn what_no_backup_has_is_not_lost_whatever_the_statement_says() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_c CASCADE; CREATE SCHEMA kernel_c; \
         CREATE TABLE kernel_c.people (id int PRIMARY KEY); \
         CREATE TABLE kernel_c.visits (person int REFERENCES kernel_c.people ON DELETE CASCADE); \
         CREATE TABLE kernel_c.late (n int); CREATE SEQUENCE kernel_c.numbers; \
         SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = 4711; SELECT lo_create(4711); \
         INSERT INTO kernel_c.people VALUES (1); INSERT INTO kernel_c.visits VALUES (1), (1); \
         CREATE FUNCTION kernel_c.forget() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN DELETE FROM kernel_c.late; RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER at_the_end AFTER DELETE ON kernel_c.people DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION kernel_c.forget()",
    );
    let with = |of: &str, sql: &str, rows: u32| {
        Kernel::with(&format!(
            r#"[step::backup(#{{ title: "Back up", of: {of} }}),
                step::sql(#{{ title: "Lose it", sql: "{sql}", expect_rows: {rows},
                    guards: [#{{ what: "as planned", sql: "SELECT count(*) AS n FROM kernel_c.people" }}] }})]"#
        ))
    };
    let table = |name: &str| format!(r#"#{{ table: #{{ schema: "kernel_c", table: "{name}" }} }}"#);
    let all_rows = "SELECT (SELECT count(*) FROM kernel_c.people), (SELECT count(*) FROM kernel_c.visits)";
    // Another table; what the cascade deletes; what a trigger deletes in the commit; what is dropped.
    for (of, sql, rows, named) in [
        (table("visits"), "DELETE FROM kernel_c.people", 1, "kernel_c.late, kernel_c.people"),
        (table("people"), "DELETE FROM kernel_c.people", 1, "kernel_c.late, kernel_c.visits"),
        (table("people"), "TRUNCATE kernel_c.people, kernel_c.visits", 0, "kernel_c.visits"),
        (
            table("people"),
            "DROP SCHEMA kernel_c CASCADE",
            0,
            "kernel_c.late, kernel_c.numbers, kernel_c.visits",
        ),
        (table("people"), "DROP FUNCTION kernel_c.forget() CASCADE", 0, "functions"),
        (table("people"), "SELECT lo_unlink(4711)", 1, "large objects"),
        (table("people"), "SELECT setval('kernel_c.numbers', 1)", 1, "kernel_c.numbers"),
        (
            r#"#{ schema: #{ schema: "tenant_zuri_spa" } }"#.into(),
            "DROP SCHEMA kernel_c CASCADE",
            0,
            "kernel_c.people",
        ),
    ] {
        let kernel = with(&of, sql, rows);
        let plan = kernel.plan(&[]);
        let done = kernel.apply(&plan, 1);
        let reason = done["reason"].as_str().unwrap();
        assert!(reason.contains("no backup of this run has") && reason.contains(named), "{sql}: {reason}");
        assert_eq!(lab::psql("ratiba", all_rows), "1|2", "{sql}: nothing was lost");
    }
    // Keys in Redis are no backup of rows: that is no plan.
    let kernel = with(r#"#{ redis_keys: #{ prefix: "" } }"#, "DELETE FROM kernel_c.people", 1);
    kernel.plan_fails(&["no step before it makes a backup"]);
    drop(kernel);

    let kernel = with(r#"#{ schema: #{ schema: "kernel_c" } }"#, "DROP SCHEMA kernel_c CASCADE", 0);
    kernel.apply(&kernel.plan(&[]), 0);
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM pg_namespace WHERE nspname = 'kernel_c'"), "0");
}

#[test]
fn a_backup_of_no_key_is_none() {
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Keys", of: #{ redis_keys: #{ prefix: "kernel:nokey:" } } })]"#,
    );
    let done = kernel.apply(&kernel.plan(&[]), 1);
    assert!(done["reason"].as_str().unwrap().contains("no key to back up"), "{done:#}");
}

#[test]
fn when_the_backup_fails_nothing_after_it_is_done() {
    lab::psql("ratiba", &table("1000"));
    let all = databases();
    let kernel = Kernel::with(&format!(
        r#"[step::backup(#{{ title: "Back up", of: #{{ table: #{{ schema: "public", table: "not_there" }} }} }}), {DELETE}]"#
    ));
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    assert!(done["reason"].as_str().unwrap().contains("no table to back up"), "{done:#}");
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM public.kernel_b"), "1000");
    assert_eq!(databases(), all);
    lab::psql("ratiba", "DROP TABLE public.kernel_b");
}

#[test]
fn a_dump_that_does_not_restore_is_no_backup() {
    // A check that holds for the rows that are there, and not while they come back.
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_s CASCADE; CREATE SCHEMA kernel_s; CREATE TABLE kernel_s.t (n int); \
         CREATE FUNCTION kernel_s.is_first() RETURNS bool LANGUAGE sql AS \
         $$ SELECT current_database() = 'ratiba' $$; \
         ALTER TABLE kernel_s.t ADD CHECK (kernel_s.is_first()); INSERT INTO kernel_s.t VALUES (1)",
    );
    let all = databases();
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Back up", of: #{ schema: #{ schema: "kernel_s" } } }),
            step::sql(#{ title: "Empty it", sql: "DELETE FROM kernel_s.t", expect_rows: 1,
                guards: [#{ what: "as planned", sql: "SELECT count(*) AS n FROM kernel_s.t" }] })]"#,
    );
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("restoring it for trial"), "{reason}");
    assert!(reason.contains("violates check constraint"), "the error itself is said: {reason}");
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM kernel_s.t"), "1", "nothing was deleted");
    assert_eq!(databases(), all);
    assert_eq!(files(&kernel), NONE, "a dump that does not restore is not kept");
    lab::psql("ratiba", "DROP SCHEMA kernel_s CASCADE");
}

#[test]
fn what_needs_something_of_another_schema_is_backed_up_with_all_definitions() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_s CASCADE; DROP SCHEMA IF EXISTS kernel_f CASCADE; \
         CREATE SCHEMA kernel_f; CREATE TYPE kernel_f.mood AS ENUM ('ok', 'so'); \
         CREATE TABLE kernel_f.big AS SELECT generate_series(1, 1000) AS n; \
         CREATE SCHEMA kernel_s; CREATE TABLE kernel_s.t (id int PRIMARY KEY, m kernel_f.mood); \
         CREATE TABLE kernel_s.other (n int); INSERT INTO kernel_s.other VALUES (1); \
         INSERT INTO kernel_s.t VALUES (1, 'ok'), (2, 'so')",
    );
    for of in
        [r#"#{ table: #{ schema: "kernel_s", table: "t" } }"#, r#"#{ schema: #{ schema: "kernel_s" } }"#]
    {
        let kernel = Kernel::with(&format!(
            r#"[step::backup(#{{ title: "Back up", of: {of} }}),
                step::sql(#{{ title: "Lose one", sql: "DELETE FROM kernel_s.t WHERE id = 2", expect_rows: 1,
                    guards: [#{{ what: "as planned", sql: "SELECT 1 AS one" }}] }})]"#
        ));
        let run = kernel.repaired(&[]);
        let commands = printed(&kernel, &run, 1);
        commands[0].paste();
        let beside = commands[0].beside();
        assert_eq!(lab::psql(&beside, "SELECT id, m FROM kernel_s.t ORDER BY id"), "1|ok\n2|so");
        assert_eq!(lab::psql(&beside, "SELECT count(*) FROM kernel_f.big"), "0", "nor more than was meant");
        if of.contains("table:") {
            assert_eq!(lab::psql(&beside, "SELECT count(*) FROM kernel_s.other"), "0");
            commands[1].paste();
            assert_eq!(lab::psql("ratiba", "SELECT id, m FROM kernel_s.t ORDER BY id"), "1|ok\n2|so");
        }
        lab::psql("ratiba", &format!("DROP DATABASE {beside}"));
    }
    lab::psql("ratiba", "DROP SCHEMA kernel_s CASCADE; DROP SCHEMA kernel_f CASCADE");
}

#[test]
fn the_whole_database_and_a_schema_are_backed_up_and_compared() {
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "All", of: "database" }),
            step::backup(#{ title: "One tenant", of: #{ schema: #{ schema: "tenant_zuri_spa" } } })]"#,
    );
    let run = kernel.repaired(&[]);
    let run = kernel.run(&run);
    for n in [0, 1] {
        let detail = run["steps"][n]["detail"].as_str().unwrap();
        assert!(detail.contains("compared row for row"), "{detail}");
    }
    assert!(!databases().contains("trial"), "{}", databases());
}

#[test]
fn a_backup_that_the_operator_stops_leaves_no_trial_behind() {
    let wide = "DROP TABLE IF EXISTS public.kernel_wide; CREATE TABLE public.kernel_wide AS \
        SELECT i, repeat(md5(i::text), 20) AS t FROM generate_series(1, 200000) i";
    lab::psql("ratiba", wide);
    let kernel = Kernel::with(r#"[step::backup(#{ title: "All", of: "database" })]"#);
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 130, |event, pid| {
        if event["event"] == "step_started" {
            signal(pid, "INT");
        }
    });
    assert_eq!(events.last().unwrap()["outcome"], "cancelled", "{events:#?}");
    assert!(!databases().contains("trial"), "{}", databases());
    assert_eq!(files(&kernel), NONE);
    lab::psql("ratiba", "DROP TABLE public.kernel_wide");
}

#[test]
fn redis_keys_are_backed_up_in_what_redis_itself_reads() {
    lab::redis_eval(
        "redis.call('SET', 'kernel:b:s', 'text', 'PX', '900000') redis.call('HSET', 'kernel:b:h', 'f', '1', 'g', '2') \
         redis.call('RPUSH', 'kernel:b:l', 'x', 'y') redis.call('SADD', 'kernel:b:t', 'p', 'q') \
         redis.call('ZADD', 'kernel:b:z', '1', 'm') redis.call('XADD', 'kernel:b:x', '*', 'a', 'b')",
    );
    let kernel =
        Kernel::with(r#"[step::backup(#{ title: "Keys", of: #{ redis_keys: #{ prefix: "kernel:b:" } } })]"#);
    let run = kernel.repaired(&[]);
    let detail = kernel.run(&run)["steps"][0]["detail"].to_string();
    assert!(detail.contains("6 keys"), "{detail}");
    let keys = "local n = 0 for _, k in ipairs(redis.call('KEYS', 'kernel:b:*')) do n = n + redis.call('DEL', k) end return n";
    lab::redis_eval(keys);
    let restore = printed(&kernel, &run, 1).pop().unwrap();
    let said = restore.paste();
    assert!(said.contains("errors: 0, replies: 6"), "{restore:?}: {said}");
    lab::redis_eval(
        "assert(redis.call('GET', 'kernel:b:s') == 'text') assert(redis.call('PTTL', 'kernel:b:s') > 0) \
         assert(redis.call('HGET', 'kernel:b:h', 'g') == '2') assert(redis.call('LINDEX', 'kernel:b:l', 1) == 'y') \
         assert(#redis.call('KEYS', 'ratiba:trial:*') == 0)",
    );
    lab::redis_eval(keys);
}
