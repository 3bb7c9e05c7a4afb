//! Engines that stop answering in the middle: the run ends within its deadline, and says what is
//! known and what is not.

use std::time::{Duration, Instant};

use ratiba_testkit::lab;

use super::{
    ctl::{Ctl, set},
    playbook::Kernel,
    proxy::Proxy,
};

fn holds(piece: &[u8], part: &[u8]) -> bool {
    piece.windows(part.len()).any(|w| w == part)
}

fn body(steps: &str) -> String {
    format!(
        r#"
fn about() {{ #{{ row: 90, title: "Kernel", symptom: "A test", severity: "minor",
    recheck: #{{ within_s: 1, times: 1 }} }} }}
fn detect(env) {{ [#{{ verdict: "present", reason: "a test", evidence: [#{{ source: "host", as_of: env.now, what: "t", value: 1 }}] }}] }}
fn plan(env, finding, params) {{ {steps} }}
fn verify(env, finding) {{ #{{ outcome: "fixed", evidence: [] }} }}
"#
    )
}

const INSERT: &str = r#"[step::sql(#{ title: "Insert", expect_rows: 1,
    sql: "INSERT INTO public.kernel_silence (note) VALUES ('x') RETURNING id",
    undo: #{ title: "Delete", image_sql: "SELECT id FROM public.kernel_silence WHERE id = ANY($1::int[])",
        sql: "DELETE FROM public.kernel_silence WHERE id = ANY($1::int[]) RETURNING id",
        params: [#{ returned: #{ step: 1, column: "id" } }] } })]"#;

/// Through a proxy before Postgres.
fn on_postgres(silent_at: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> (Kernel, Proxy) {
    let url = lab::profile().postgres.unwrap().url;
    let (head, rest) = url.split_once('@').unwrap();
    let (host, database) = rest.split_once('/').unwrap();
    let proxy = Proxy::tcp(host, silent_at);
    let ctl = Ctl::new();
    let line = format!("url = \"{head}@{}/{database}\"", proxy.at);
    let profile = ctl.profile(|text| set(&text, "postgres", "url", &line));
    (Kernel::made(ctl, &body(INSERT), profile), proxy)
}

fn rows() -> String {
    lab::psql("ratiba", "SELECT count(*) FROM public.kernel_silence")
}

fn fresh_table() {
    lab::psql(
        "ratiba",
        "DROP TABLE IF EXISTS public.kernel_silence; CREATE TABLE public.kernel_silence (id serial, note text)",
    );
}

#[test]
fn a_commit_whose_answer_never_comes_is_not_known_and_found_out_afterwards() {
    fresh_table();
    // The commit itself is swallowed: Postgres never hears of it.
    let (kernel, proxy) = on_postgres(|piece| holds(piece, b"COMMIT\0"));
    let plan = kernel.plan(&[]);
    let began = Instant::now();
    let done = kernel.apply(&plan, 1);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(proxy.is_silent(), "it came as far as the commit");
    assert_eq!(done["outcome"], "unknown", "{done:#}");
    let run = done["run"].as_str().unwrap();
    // The half-open session holds its transaction until the server gives it up.
    proxy.speak_again();
    lab::psql(
        "ratiba",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
    );
    let shown = kernel.run(run);
    let interrupted = &shown["interrupted"];
    assert_eq!((&interrupted["n"], &interrupted["happened"]), (&1.into(), &false.into()), "{shown:#}");
    assert!(interrupted["how"].as_str().unwrap().contains("rolled back"), "{shown:#}");
    assert_eq!(rows(), "0");
    // And the rest can be done, once.
    let done = kernel.events_with(&["resume", run, "--yes"], 0, |_, _| {}).pop().unwrap();
    assert_eq!(done["outcome"], "fixed", "{done:#}");
    assert_eq!(rows(), "1");
    kernel.undone(run);
    assert_eq!(rows(), "0");
    lab::psql("ratiba", "DROP TABLE public.kernel_silence");
}

#[test]
fn a_database_that_hangs_before_the_commit_is_a_failed_run_and_nothing_was_done() {
    fresh_table();
    let (kernel, proxy) = on_postgres(|piece| holds(piece, b"kernel_silence (note)"));
    let plan = kernel.plan(&[]);
    let began = Instant::now();
    let done = kernel.apply(&plan, 1);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(proxy.is_silent());
    assert_eq!(done["outcome"], "failed", "{done:#}");
    assert_eq!(rows(), "0");
    lab::psql("ratiba", "DROP TABLE public.kernel_silence");
}

#[test]
fn a_redis_that_hangs_in_the_change_is_not_known() {
    let address = lab::profile().redis.unwrap().url.replace("redis://", "").replace("/0", "");
    let proxy = Proxy::tcp(&address, |piece| holds(piece, b"EVALSHA") || holds(piece, b"\r\nEVAL\r\n"));
    let ctl = Ctl::new();
    let line = format!("url = \"redis://{}/0\"", proxy.at);
    let profile = ctl.profile(|text| set(&text, "redis", "url", &line));
    let steps = r#"[step::redis(#{ title: "Set", key: "kernel:silence", value: "new" })]"#;
    let kernel = Kernel::made(ctl, &body(steps), profile);
    let plan = kernel.plan(&[]);
    let began = Instant::now();
    let done = kernel.apply(&plan, 1);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(done["outcome"], "unknown", "{done:#}");
    proxy.speak_again();
    let shown = kernel.run(done["run"].as_str().unwrap());
    assert_eq!(shown["interrupted"]["happened"], false, "seen in Redis itself: {shown:#}");
}

#[test]
fn a_docker_daemon_that_stops_answering_ends_the_run_in_time() {
    let ctl = Ctl::new();
    let proxy = Proxy::docker(ctl.path(""), |piece| holds(piece, b"/exec HTTP/1.1"));
    let profile = ctl.profile(|text| format!("{text}\n[docker]\nhost = \"{}\"\n", proxy.at));
    let steps = r#"[step::exec(#{ title: "Echo", service: "redis", argv: ["echo", "hi"], within_s: 5 })]"#;
    let kernel = Kernel::made(ctl, &body(steps), profile);
    let plan = kernel.plan(&[]);
    let began = Instant::now();
    let done = kernel.apply(&plan, 1);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert!(proxy.is_silent());
    assert_eq!(done["outcome"], "failed", "{done:#}");
    assert!(done["reason"].as_str().unwrap().contains("no answer within"), "{done:#}");
}

#[test]
fn one_that_stops_while_the_command_runs_says_that_it_may_still_run() {
    let ctl = Ctl::new();
    let proxy = Proxy::docker(ctl.path(""), |piece| holds(piece, b"/start HTTP/1.1"));
    let profile = ctl.profile(|text| format!("{text}\n[docker]\nhost = \"{}\"\n", proxy.at));
    let steps = r#"[step::exec(#{ title: "Sleep", service: "redis", argv: ["sleep", "1"], within_s: 3 })]"#;
    let kernel = Kernel::made(ctl, &body(steps), profile);
    let plan = kernel.plan(&[]);
    let began = Instant::now();
    let done = kernel.apply(&plan, 1);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("no answer within") || reason.contains("can't be seen"), "{done:#}");
}
