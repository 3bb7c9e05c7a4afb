//! What a step takes from an earlier one, which is the one thing a plan leaves open.

use ratiba_testkit::lab;

use super::playbook::Kernel;

#[test]
fn ids_that_one_step_returns_are_the_next_ones_values() {
    lab::psql(
        "ratiba",
        "DROP TABLE IF EXISTS public.kernel_ref; CREATE TABLE public.kernel_ref (id serial, note text)",
    );
    let undo = r#"undo: #{ title: "Delete", image_sql: "SELECT id FROM public.kernel_ref WHERE id = ANY($1::int[])",
        sql: "DELETE FROM public.kernel_ref WHERE id = ANY($1::int[]) RETURNING id",
        params: [#{ returned: #{ step: 1, column: "id" } }] }"#;
    let kernel = Kernel::with(&format!(
        r#"[step::sql(#{{ title: "Insert two", sql: "INSERT INTO public.kernel_ref (note) VALUES ('a'), ('b') RETURNING id",
               expect_rows: 2, {undo} }}),
            step::backup(#{{ title: "Keep the table", of: #{{ table: #{{ schema: "public", table: "kernel_ref" }} }} }}),
            step::sql(#{{ title: "Mark them", sql: "UPDATE public.kernel_ref SET note = 'done' WHERE id = ANY($1::int[])",
               guards: [#{{ what: "nothing is done yet", sql: "SELECT id FROM public.kernel_ref WHERE note = 'done'" }}],
               params: [step::returned(1, "id")], expect_rows: 2 }}),
            step::exec(#{{ title: "Say where", service: "redis", argv: ["echo", step::returned(2, "place")], within_s: 10 }})]"#
    ));
    let plan = kernel.plan(&[]);
    let preview = plan.step(3)["preview"].as_str().unwrap();
    assert!(preview.contains("‹id of step 1›"), "what is open is shown as such: {preview}");
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    assert_eq!(lab::psql("ratiba", "SELECT string_agg(note, ',') FROM public.kernel_ref"), "done,done");
    assert!(events.iter().any(|e| e["line"].as_str().is_some_and(|l| l.ends_with(".dump"))), "{events:#?}");
    lab::psql("ratiba", "DROP TABLE public.kernel_ref");
}

/// The undo's plan has other numbers: what its command takes is still the run's.
#[test]
fn what_a_commands_undo_takes_is_what_the_run_returned() {
    lab::psql(
        "ratiba",
        "DROP TABLE IF EXISTS public.kernel_ref; CREATE TABLE public.kernel_ref (id int, note text); \
         INSERT INTO public.kernel_ref VALUES (8, 'old')",
    );
    let say = |key: &str| format!(r#"["redis-cli", "SET", "kernel:{key}", step::returned(1, "id")]"#);
    let kernel = Kernel::with(&format!(
        r#"[step::sql(#{{ title: "Insert", sql: "INSERT INTO public.kernel_ref VALUES (7, 'n') RETURNING id, note", expect_rows: 1,
               undo: #{{ title: "Delete", image_sql: "SELECT id, note FROM public.kernel_ref WHERE id = 7",
                   sql: "DELETE FROM public.kernel_ref WHERE id = 7", params: [] }} }}),
            step::exec(#{{ title: "Say", service: "redis", argv: {}, within_s: 9, undo: #{{ title: "Take back", argv: {},
               only_if: #{{ service_up: #{{ service: "redis" }} }} }} }}),
            step::sql(#{{ title: "Update", sql: "UPDATE public.kernel_ref SET note = 'new' WHERE id = 8 RETURNING id, note",
               expect_rows: 1, undo: #{{ title: "Back", image_sql: "SELECT id, note FROM public.kernel_ref WHERE id = 8",
                   sql: "UPDATE public.kernel_ref SET note = 'old' WHERE id = 8 RETURNING id, note", params: [] }} }})]"#,
        say("said"),
        say("back"),
    ));
    let run = kernel.repaired(&[]);
    let value = |key: &str| lab::redis_eval(&format!("return redis.call('GET', 'kernel:{key}')"));
    // `redis-cli` reads its password from the container's own environment, or there is none.
    let is_said = value("said") == "7";
    let undo = kernel.undone(&run);
    let shown = kernel.run(&undo)["steps"][1]["step"]["preview"].as_str().unwrap().to_owned();
    assert!(shown.contains("kernel:back 7"), "{shown}");
    assert_eq!(value("back") == "7", is_said);
    assert_eq!(lab::psql("ratiba", "SELECT string_agg(id || note, ',') FROM public.kernel_ref"), "8old");
    lab::psql("ratiba", "DROP TABLE public.kernel_ref");
    lab::redis_eval("redis.call('DEL', 'kernel:said', 'kernel:back')");
}

#[test]
fn a_reference_to_what_gives_nothing_is_no_plan() {
    let kernel = Kernel::with(
        r#"[step::wait_until_up("redis", 5),
            step::exec(#{ title: "Say", service: "redis", argv: ["echo", step::returned(1, "id")], within_s: 5 })]"#,
    );
    kernel.plan_fails(&["step 2 needs what step 1 returns"]);
}
