//! A step that waits says what it looks for, what it sees, and how long it still waits.

use futures_executor::block_on;
use ratiba_core::{
    playbook::{Catalog, step::Step},
    profile::SchemaSection,
    remedy::{MakePlan, Plan, RunEvent, RunOutcome, look_at_checks, make},
    wire::PlanView,
};
use ratiba_testkit::{MemoryJournal, Stack, playbook_file};
use serde_json::{Value, json};

use super::remedy::{Sees, gone, run_plan};

fn plan_of(stack: &Stack, steps: Value) -> Plan {
    let steps: Vec<Step> = serde_json::from_value(steps).unwrap();
    let body = "fn about() { #{ row: 7, title: \"T\", symptom: \"S\", severity: \"minor\" } }\n\
                fn detect(env) { [] }\nfn plan(env, finding, params) { [] }";
    let catalog = Catalog::load(vec![playbook_file("07-test", body)], vec![]);
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    let finding = ratiba_core::model::Finding {
        verdict: ratiba_core::model::VerdictKind::Present,
        subject: Default::default(),
        confidence: 1.0,
        evidence: Vec::new(),
        explained_by: None,
        reason: None,
        data: Value::Null,
    };
    block_on(make(&from, catalog.get("07-test").unwrap(), &finding, [].into(), steps)).unwrap()
}

fn by_hand(stack: &Stack) -> Plan {
    plan_of(
        stack,
        json!([{ "kind": "manual", "title": "Set the key", "within_s": 10, "facts": ["It is old."],
            "instructions": ["Open Redis.", { "what": "Set key to new", "where": "redis-cli" }],
            "done": { "redis_value": { "key": "key", "value": "new" } } }]),
    )
}

#[test]
fn what_a_person_must_do_and_how_it_is_checked_stand_apart_in_the_plan() {
    let stack = Stack::default();
    stack.set_redis("key", None, "old");
    let plan = by_hand(&stack);
    let view = json!(PlanView::new(&plan).steps[0]);
    assert_eq!(
        view["instructions"],
        json!(["Open Redis.", { "what": "Set key to new", "where": "redis-cli" }])
    );
    assert_eq!(view["facts"], json!(["It is old."]));
    assert_eq!(view["waits"], json!({ "until": "key is new", "within_s": 10 }));

    let now = block_on(look_at_checks(&plan, &stack.sources(), &Sees(gone())));
    assert_eq!((now[0].n, now[0].holds, now[0].seen.as_str()), (1, false, "key is old"));
    stack.set_redis("key", None, "new");
    assert!(block_on(look_at_checks(&plan, &stack.sources(), &Sees(gone())))[0].holds);
    assert!(stack.commands().is_empty(), "looking changes nothing");
}

#[test]
fn while_it_waits_it_tells_every_two_seconds_what_it_sees_and_how_long_it_still_waits() {
    let stack = Stack::default();
    stack.set_redis("key", None, "old");
    let (end, events) = run_plan(&stack, &MemoryJournal::default(), by_hand(&stack), gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Failed);
    let looks: Vec<(&str, u64)> = events
        .iter()
        .filter_map(|event| match event {
            RunEvent::Looked { n: 1, seen, left_s, .. } => Some((seen.as_str(), *left_s)),
            _ => None,
        })
        .collect();
    assert_eq!(looks, [10, 8, 6, 4, 2].map(|left| ("key is old", left)));
    let told = events.iter().find_map(|event| match event {
        RunEvent::Manual { instructions, facts, .. } => Some((instructions.len(), facts.clone())),
        _ => None,
    });
    assert_eq!(told, Some((2, vec!["It is old.".to_owned()])));
}

#[test]
fn the_button_names_what_is_lost_and_how_much_comes_with_it() {
    let stack = Stack::default();
    stack.set_redis("key", None, "old");
    stack.set_redis("other", None, "old");
    let set =
        |key: &str| json!({ "kind": "redis", "title": format!("Set {key}"), "key": key, "value": "new" });
    assert_eq!(plan_of(&stack, json!([set("key")])).act(), "Set key");
    assert_eq!(plan_of(&stack, json!([set("key"), set("other")])).act(), "Set key, and 1 more change");
    assert_eq!(by_hand(&stack).act(), "Set the key", "where nothing is changed, the first step");
    let backup = json!({ "kind": "backup", "title": "Back up", "of": "database" });
    let drop = json!({ "kind": "sql", "title": "Drop the schema", "sql": "DROP SCHEMA x", "expect_rows": 0,
        "guards": [{ "what": "g", "sql": "SELECT 1" }] });
    stack.answer_sql("SELECT 1", vec![]);
    let plan = plan_of(&stack, json!([backup, set("key"), drop]));
    assert_eq!(plan.act(), "Drop the schema, and 1 more change", "not the harmless one before it");
}
