//! Row 10: memory, a backend that hangs, conversations that were not archived: each by itself.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{ContainerState, Finding, SourceName, VerdictKind},
    playbook::step::{BackupOf, CommandPlace, Condition, Step},
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "10-backend-memory";
const MB: u64 = 1_000_000;

fn processes(rss: &[(&str, u64)]) -> Value {
    let one = |(state, bytes): &(&str, u64)| json!({ "pid": 17, "name": "uvicorn", "state": state, "rss_bytes": bytes });
    Value::Array(rss.iter().map(one).collect())
}

/// The three tables, each of so many bytes.
fn tables(bytes: u64, estimate: i64, live: i64) -> Vec<Value> {
    let one = |name: &str| json!({ "name": name, "estimate": estimate, "live": live, "bytes": bytes, "heap": bytes });
    ["checkpoints", "checkpoint_blobs", "checkpoint_writes"].map(one).into()
}

fn due(n: u64) -> Value {
    json!([{ "looked": 40, "due": n, "oldest": if n > 0 { json!("2026-10-27T01:20:32+00:00") } else { Value::Null } }])
}

/// A stack where all is well.
fn stack() -> Stack {
    let stack = Stack::default()
        .with_containers(vec![container("backend"), container("postgres"), container("cron")])
        .with_tenants(&["amani_salon"]);
    stack.change_container("backend", |c| c.memory_limit_bytes = 512 * MB);
    stack.answer_tenant("amani_salon", tables(MB / 10, 18, 18));
    stack.answer("processes", processes(&[("Sl", 90 * MB)]));
    stack.answer("container_memory", json!(80 * MB));
    stack.answer("is_due", due(0));
    stack.answer("pg_blocking_pids", json!([]));
    stack.answer("http_get", json!({ "status": 200, "body": "", "elapsed_ms": 3 }));
    stack.answer("log_records", json!({ "records": [], "from": "2026-11-24T00:00:00Z", "is_whole": true }));
    stack
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

fn plan(stack: &Stack) -> Result<Vec<Step>, String> {
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ID);
    let finding = detect(stack).remove(0);
    playbook.plan(&stack.call_context(), &finding, &BTreeMap::new()).map_err(|e| e.to_string())
}

fn only(found: Vec<Finding>) -> (VerdictKind, String) {
    assert_eq!(found.len(), 1, "{found:#?}");
    (found[0].verdict, found[0].reason.clone().unwrap_or_default())
}

#[test]
fn a_backend_that_answers_with_little_memory_and_archived_threads_is_absent() {
    assert_eq!(only(detect(&stack())).0, VerdictKind::Absent);
}

#[test]
fn high_memory_with_small_tables_does_not_blame_them_and_only_restarts() {
    let stack = stack();
    stack.answer("processes", processes(&[("Sl", 400 * MB), ("Sl", 60 * MB)]));
    assert_eq!(only(detect(&stack)).0, VerdictKind::Absent, "what processes share counts once");
    stack.answer("container_memory", json!(460 * MB));
    let (verdict, reason) = only(detect(&stack));
    assert_eq!(verdict, VerdictKind::Present);
    assert!(
        reason.contains("460 MB of the 512 MB") && reason.contains("so they are not the reason"),
        "{reason}"
    );
    let steps = plan(&stack).unwrap();
    assert!(matches!(&steps[..], [Step::Compose(_), Step::WaitUntil(_)]), "{steps:#?}");
    stack.answer_tenant("amani_salon", tables(900 * MB, 1_000_000, 1_000_000));
    let (_, reason) = only(detect(&stack));
    assert!(reason.contains("whether they are the reason is not known"), "{reason}");
}

#[test]
fn one_process_over_the_threshold_is_enough_where_the_container_has_no_limit() {
    let stack = stack();
    stack.change_container("backend", |c| c.memory_limit_bytes = 0);
    stack.answer("processes", processes(&[("Sl", 999 * MB), ("Sl", 999 * MB)]));
    assert_eq!(only(detect(&stack)).0, VerdictKind::Absent);
    stack.answer("processes", processes(&[("Sl", 1_000 * MB)]));
    assert_eq!(only(detect(&stack)).0, VerdictKind::Present);
}

#[test]
fn missed_archiving_is_run_in_a_container_of_its_own_after_the_tables_backup() {
    let stack = stack();
    stack.answer("is_due", due(6));
    let found = detect(&stack);
    assert_eq!(found[0].subject.tenant.as_deref(), Some("amani_salon"));
    let (verdict, reason) = only(found);
    assert_eq!(verdict, VerdictKind::Present);
    assert!(reason.contains("6 conversations of amani_salon ended more than 9 days ago"), "{reason}");
    stack.answer("DISTINCT thread FROM (", json!([]));
    stack.answer("thread, last FROM (", json!([{ "thread": "01JX", "last": "1f1d" }]));
    stack.answer(
        "'%I.%I'",
        json!([{ "schema": "tenant_amani_salon", "name": "t", "quoted": "tenant_amani_salon.t" }]),
    );
    stack.answer("repo_text", json!("parser.add_argument(\"--tenant\")"));
    let steps = plan(&stack).unwrap();
    for backup in &steps[..3] {
        assert!(matches!(backup, Step::Backup(b) if matches!(b.of, BackupOf::Table { .. })), "{backup:#?}");
    }
    let Step::Command(reaper) = &steps[4] else { panic!("{steps:#?}") };
    assert_eq!(reaper.place, CommandPlace::Run);
    assert!(reaper.loses.as_ref().unwrap().contains("6 threads; the backups of steps 1 to 3 have it"));
    // A word that is not known to be a payment's last is no end: `pending` comes before `initiated`.
    let Step::WaitUntil(look) = &steps[3] else { panic!("{steps:#?}") };
    let Condition::Rows { sql, .. } = &look.condition else { panic!("{look:#?}") };
    assert!(sql.contains("NOT IN ('paid', 'failed', 'cancelled', 'expired')"), "{sql}");
    let Step::Command(vacuum) = &steps[6] else { panic!("{steps:#?}") };
    assert!(!vacuum.argv.iter().any(|word| word.to_string().contains("FULL")));
    stack.answer("repo_text", json!("no option"));
    assert!(plan(&stack).unwrap_err().contains("takes no --tenant"));
}

#[test]
fn nothing_is_archived_while_a_thread_that_is_due_waits_for_a_payment() {
    let stack = stack();
    stack.answer("is_due", due(6));
    stack.answer("DISTINCT thread FROM (", json!([{ "thread": "01JX" }]));
    assert!(
        plan(&stack)
            .unwrap_err()
            .contains("thread 01JX of amani_salon is due for archiving and may still wait")
    );
}

#[test]
fn a_table_that_was_never_analysed_is_not_taken_for_empty() {
    let stack = stack();
    stack.answer("is_due", due(1));
    stack.answer_tenant("amani_salon", tables(MB, -1, 5_000));
    let found = detect(&stack);
    let shown = found[0].evidence.iter().find(|e| e.what == "checkpoints").unwrap();
    assert!(shown.value.to_string().contains("about 5000, never analysed"), "{shown:?}");
}

#[test]
fn what_hangs_is_named() {
    let frozen = stack();
    frozen.answer("processes", processes(&[("T", 90 * MB)]));
    assert!(only(detect(&frozen)).1.contains("a signal froze 1 process"));
    let blocked = stack();
    let session = |waits: i64| {
        json!([{ "pid": 4711, "application": "psql", "client": "10.0.0.9", "started": "2026-11-26 01:00:00+00", "began": "2026-11-26 02:00:00+00",
                 "idle_s": 300, "waiting": 2, "waits_s": waits, "waiters": "ratiba-backend" }])
    };
    blocked.answer("pg_blocking_pids", session(40));
    assert!(only(detect(&blocked)).1.contains("session 4711"));
    let steps = plan(&blocked).unwrap();
    let Step::Command(end) = &steps[0] else { panic!() };
    let argv: Vec<String> = end.argv.iter().map(ToString::to_string).collect();
    // A number may be given again to somebody else.
    assert!(
        argv.last().unwrap().contains("pid = 4711 AND b.backend_start = '2026-11-26 01:00:00+00'"),
        "{argv:?}"
    );
    // The session may have ended that transaction since, and begun one that is in nobody's way.
    for part in ["b.xact_start = '2026-11-26 02:00:00+00'", "pg_blocking_pids(w.pid)"] {
        assert!(argv.last().unwrap().contains(part), "{argv:?}");
    }
    blocked.answer("pg_blocking_pids", session(2));
    assert_eq!(only(detect(&blocked)).0, VerdictKind::Absent);
    let silent = stack();
    silent.change_container("backend", |c| c.started_at = "2026-11-24T05:00:00Z".parse().ok());
    silent.refuse(
        "http_get",
        ratiba_core::model::SourceError {
            source_name: SourceName::Http,
            kind: ratiba_core::model::SourceErrorKind::TimedOut,
            attempted: "GET /health".into(),
            happened: "no answer within 5 s".into(),
            hint: "Is the service up?".into(),
        },
    );
    assert_eq!(only(detect(&silent)).0, VerdictKind::Suspected);
}

#[test]
fn of_a_dead_backend_memory_is_unknown_and_archiving_is_judged_all_the_same() {
    let stack = stack();
    stack.change_container("backend", |c| c.state = ContainerState::Exited);
    let (verdict, _) = only(detect(&stack));
    assert_eq!(verdict, VerdictKind::Unknown);
    stack.answer("is_due", due(2));
    let found = detect(&stack);
    assert_eq!((found[0].verdict, found[1].verdict), (VerdictKind::Present, VerdictKind::Unknown));
    assert_eq!(found[1].explained_by.as_deref(), Some("service:backend"));
}

#[test]
fn a_tenant_without_the_tables_is_unknown_and_no_tenant_at_all_is_not_well() {
    let stack = stack().with_tenants(&["amani_salon", "jua_auto"]);
    stack.answer_tenant("jua_auto", tables(1, 1, 1)[..2].to_vec());
    let (verdict, reason) = only(detect(&stack));
    assert_eq!(verdict, VerdictKind::Unknown);
    assert!(reason.contains("tables of jua_auto can't be read"), "{reason}");
    assert_eq!(only(detect(&stack.with_tenants(&[]))).0, VerdictKind::Unknown);
}
