//! What was confirmed is what runs: whatever is changed in a plan, its file or the stack between the
//! confirm and the act is refused, with what changed.

use futures_executor::block_on;
use ratiba_console::api::{Console, Parts, PlanFile};
use ratiba_core::{
    model::{ContainerFacts, ContainerState, HealthStatus, Subject},
    playbook::{Catalog, Proven, step::Step},
    ports::JournalStore,
    profile::{self, SchemaSection},
    remedy::{MakePlan, Plan, RunOutcome, digest, make},
    wire::PlanView,
};
use ratiba_testkit::{MemoryJournal, MemorySightings, NoSecrets, Stack, container, playbook_file};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

use super::remedy::{gone, run_plan};

fn stack() -> Stack {
    let stack = Stack::default().with_containers(vec![container("redis"), container("backend")]);
    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    stack.set_redis("key", None, "old");
    stack.set_redis("hash", Some("f"), "old");
    stack.set_dotenv("LOG_LEVEL", "INFO");
    stack.set_file("a.py", "a = 1\n");
    stack.make_volume("lab_data", "2026-11-01");
    stack.answer_sql("FROM guard", vec![json!({ "n": 1 })]);
    stack
}

/// A plan with a step of every kind that depends on something.
fn plan_of(stack: &Stack) -> Plan {
    let steps = json!([
        { "kind": "compose", "action": { "start": { "service": "redis" } }, "blast_radius": "Everybody" },
        { "kind": "redis", "title": "Set", "key": "key", "value": "new" },
        { "kind": "redis", "title": "Set field", "key": "hash", "field": "f", "value": "new" },
        { "kind": "dotenv", "title": "Louder", "key": "LOG_LEVEL", "to": { "plain": "DEBUG" } },
        { "kind": "patch", "title": "Patch", "diff": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n" },
        { "kind": "sql", "title": "Update", "sql": "UPDATE t SET n = $1", "params": [5], "expect_rows": 1,
          "guards": [{ "what": "as planned", "sql": "SELECT n FROM guard" }],
          "undo": { "title": "Back", "image_sql": "SELECT 1", "sql": "UPDATE t SET n = 1", "params": [] } },
        { "kind": "wait_until", "title": "Wait", "condition": { "service_up": { "service": "redis" } }, "within_s": 5 },
    ]);
    let steps: Vec<Step> = serde_json::from_value(steps).unwrap();
    let body = "fn about() { #{ row: 7, title: \"T\", symptom: \"S\", severity: \"minor\" } }\n\
                fn detect(env) { [] }\nfn plan(env, finding, params) { [] }";
    let catalog = Catalog::load(vec![playbook_file("07-test", body)], vec![]);
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    let finding = ratiba_core::model::Finding {
        verdict: ratiba_core::model::VerdictKind::Present,
        subject: Subject { service: Some("redis".into()), ..Subject::default() },
        confidence: 1.0,
        evidence: Vec::new(),
        explained_by: None,
        reason: None,
        data: Value::Null,
    };
    let params = BTreeMap::from([("n".to_owned(), json!(5))]);
    block_on(make(&from, catalog.get("07-test").unwrap(), &finding, params, steps)).unwrap()
}

fn console(stack: &Stack, journal: Arc<MemoryJournal>) -> Arc<Console> {
    let text = "name = \"t\"\nkind = \"lab\"\n[compose]\nproject = \"lab\"\n";
    Console::new(Parts {
        profile: profile::parse("t.toml", text).unwrap(),
        sources: stack.sources(),
        acts: Some(stack.acts()),
        recorded: None,
        store: journal,
        known: Arc::new(NoSecrets),
        sightings: Arc::new(MemorySightings::default()),
        catalog: Box::new(|| Catalog::load(vec![], vec![])),
        drills: Vec::new(),
        proven: Ok(Proven::default()),
        operator: "amina".into(),
    })
}

#[test]
fn a_plan_file_with_any_bit_flipped_is_refused() {
    let (stack, journal) = (stack(), Arc::new(MemoryJournal::default()));
    let plan = plan_of(&stack);
    block_on(journal.keep_plan(&plan)).unwrap();
    let console = console(&stack, journal);
    let file = PlanFile { view: PlanView::new(&plan), plan: plan.clone(), others: vec![] };
    let bytes = serde_json::to_vec(&file).unwrap();
    assert_eq!(block_on(console.plan_from_file(&String::from_utf8(bytes.clone()).unwrap())).unwrap(), plan);
    let (mut tried, mut refused) = (0, 0);
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        tried += 1;
        let Ok(text) = String::from_utf8(flipped) else {
            refused += 1;
            continue;
        };
        match block_on(console.plan_from_file(&text)) {
            Err(_) => refused += 1,
            Ok(accepted) => panic!("byte {at} flipped, and accepted as {accepted:?}"),
        }
    }
    assert!(tried > 5_000, "{tried}");
    assert_eq!(tried, refused);
    println!("{tried} bits flipped in a plan's file, {refused} refused");
}

/// What the digest leaves out: prose, times, and what is only shown.
const LEFT_OUT: &[&str] = &[
    "/plan_id",
    "/title",
    "/created_at",
    "/expires_at",
    "/impact",
    "/moved",
    "/finding",
    "title",
    "command",
    "before",
    "after",
    "blast_radius",
    "undo",
    "risk",
    "reverses",
    "what",
];

fn leaves(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| leaves(v, format!("{path}/{k}"), out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| leaves(v, format!("{path}/{i}"), out))
        }
        _ => out.push(path),
    }
}

fn is_left_out(path: &str) -> bool {
    let last = path.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default();
    let in_step = path.contains("/step/");
    LEFT_OUT.iter().any(|left| match left.strip_prefix('/') {
        Some(top) => path.split('/').nth(1) == Some(top),
        // Within a step's own data everything counts.
        None => last == *left && !in_step,
    })
}

#[test]
fn whatever_is_done_where_and_on_which_condition_is_in_the_digest() {
    let plan = plan_of(&stack());
    let (whole, was) = (json!(plan), digest(&plan));
    let mut paths = Vec::new();
    leaves(&whole, String::new(), &mut paths);
    let (mut bound, mut not_a_plan) = (0, 0);
    for path in &paths {
        let mut other = whole.clone();
        let leaf = other.pointer_mut(path).unwrap();
        *leaf = match leaf {
            Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => json!("2001-01-01T00:00:00Z"),
            Value::String(text) => json!(format!("{text}x")),
            Value::Number(n) => json!(n.as_i64().unwrap_or(0) + 1),
            Value::Bool(b) => json!(!*b),
            _ => json!("x"),
        };
        let Ok(mutated) = serde_json::from_value::<Plan>(other) else {
            not_a_plan += 1;
            continue;
        };
        if mutated == plan {
            continue;
        }
        if is_left_out(path) {
            continue;
        }
        bound += 1;
        assert_ne!(digest(&mutated), was, "{path} is not bound");
    }
    assert!(bound > 60, "{bound} of {}", paths.len());
    println!(
        "{bound} fields of a plan changed one by one: each gives another digest; {not_a_plan} gave no plan"
    );
}

#[test]
fn whatever_moves_between_the_confirm_and_the_act_is_refused_by_name() {
    type Move = (&'static str, &'static str, fn(&Stack));
    let moves: [Move; 10] = [
        ("redis", "container", |s| s.change_container("redis", |c| c.id = "another-container".into())),
        ("redis", "state", |s| s.change_container("redis", |c| c.state = ContainerState::Running)),
        ("redis", "start time", |s| s.change_container("redis", |c| c.started_at = None)),
        ("redis", "configuration", |s| s.change_container("redis", |c| c.config_hash = "hash-2".into())),
        ("key", "value", |s| s.set_redis("key", None, "somebody")),
        ("f of hash", "value", |s| s.set_redis("hash", Some("f"), "somebody")),
        (".env", "content", |s| s.set_dotenv("OTHER", "1")),
        ("a.py", "content", |s| s.set_file("a.py", "a = 3\n")),
        ("\"as planned\"", "rows", |s| s.answer_sql("FROM guard", vec![json!({ "n": 2 })])),
        ("\"as planned\"", "rows", |s| s.answer_sql("FROM guard", vec![])),
    ];
    let (mut tried, mut refused) = (0, 0);
    for round in 0..20 {
        for (n, (what, field, happens)) in moves.iter().enumerate() {
            let (stack, journal) = (stack(), MemoryJournal::default());
            let plan = plan_of(&stack);
            happens(&stack);
            let (end, _) = run_plan(&stack, &journal, plan, gone(), &format!("R{round}-{n}"));
            tried += 1;
            assert_eq!(end.outcome, RunOutcome::Refused, "{what} {field}: {end:?}");
            let named = end.changes.iter().any(|c| c.what == *what && c.field == *field);
            assert!(named, "{what} {field} is named: {:?}", end.changes);
            assert!(stack.commands().is_empty(), "nothing was done");
            assert_eq!(stack.dotenv_value("LOG_LEVEL").as_deref(), Some("INFO"));
            refused += 1;
        }
    }
    println!("{tried} moves between confirm and act, {refused} refused with the field named");
}

#[test]
fn a_service_that_the_engine_starts_again_and_again_can_be_repaired_between_two_starts() {
    let stack = stack();
    stack.change_container("redis", |c| {
        c.state = ContainerState::Restarting;
        c.restart_count = 3;
    });
    let another_start = |c: &mut ContainerFacts| {
        c.state = ContainerState::Running;
        c.started_at = "2026-11-24T05:59:59Z".parse().ok();
        c.restart_count = 4;
        c.health.as_mut().unwrap().status = HealthStatus::Starting;
    };
    let plan = plan_of(&stack);
    stack.change_container("redis", another_start);
    let (report, _) = run_plan(&stack, &MemoryJournal::default(), plan, gone(), "R1");
    // Six steps are done; here the service never comes up, for which the last one waits.
    assert!(report.reason.as_deref().unwrap().contains("step 7"), "{report:?}");

    let plan = plan_of(&stack);
    stack.change_container("redis", |c| {
        another_start(c);
        c.id = "another".into();
    });
    let (report, _) = run_plan(&stack, &MemoryJournal::default(), plan, gone(), "R1");
    assert_eq!(report.outcome, RunOutcome::Refused, "another container is another thing: {report:?}");
}
