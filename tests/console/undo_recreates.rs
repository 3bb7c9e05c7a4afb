//! What was made from files that an undo puts back is made from them again, and so when the undo is taken
//! back.

use std::collections::BTreeMap;

use futures_executor::block_on;
use ratiba_core::{
    journal::runs,
    playbook::step::Step,
    ports::JournalStore,
    profile::SchemaSection,
    remedy::{MakePlan, Plan, Resolution, make, make_undo},
};
use ratiba_testkit::{MemoryJournal, Stack};
use serde_json::{Value, json};

use crate::{
    remedy::{gone, run_plan, stopped_redis},
    shipped,
};

fn plan_with(stack: &Stack, steps: &[Value]) -> Plan {
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    let finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    let steps: Vec<Step> = steps.iter().map(|s| serde_json::from_value(s.clone()).unwrap()).collect();
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let from = MakePlan { sources: &sources, project: "lab", schema: &schema };
    block_on(make(&from, &playbook, &finding, BTreeMap::new(), steps)).unwrap()
}

fn undo_of(stack: &Stack, journal: &MemoryJournal, run: usize, original: Option<usize>) -> Plan {
    let all = runs(&block_on(journal.entries(None)).unwrap());
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let from = MakePlan { sources: &sources, project: "lab", schema: &schema };
    block_on(make_undo(&from, &all[run], original.map(|n| &all[n]), Resolution::default())).unwrap()
}

fn titles(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|s| s.title.as_str()).collect()
}

fn recreate(service: &str) -> Value {
    json!({ "kind": "compose", "action": { "recreate": { "service": service } }, "blast_radius": "" })
}

#[test]
fn a_container_that_an_edited_env_went_into_is_made_anew_by_the_undo_and_by_its_undo() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let set =
        json!({ "kind": "dotenv", "title": "Set it", "key": "A", "to": { "plain": "1" }, "only_one": true });
    let plan = plan_with(&stack, &[recreate("redis"), set, recreate("backend")]);
    assert!(plan.steps[1].preview.contains("earlier lines of A go"), "{}", plan.steps[1].preview);
    let says: Vec<Option<&str>> = plan.steps.iter().map(|s| s.undo.as_deref()).collect();
    let again = "Recreate backend once more, from the files as they were";
    assert_eq!(says, [None, Some("Put back .env as it was, byte for byte"), Some(again)]);
    run_plan(&stack, &journal, plan, gone(), "R1");
    assert_eq!(stack.dotenv_value("A").as_deref(), Some("1"));

    let undo = undo_of(&stack, &journal, 0, None);
    // What was made before the edit was made from the old file, and stays.
    assert_eq!(titles(&undo), ["Put back .env as it was, byte for byte", "Recreate backend"]);
    assert_eq!(undo.steps.iter().map(|s| s.reverses).collect::<Vec<_>>(), [Some(2), Some(3)]);
    run_plan(&stack, &journal, undo, gone(), "R2");
    assert_eq!(stack.dotenv_value("A"), None);
    assert_eq!(stack.commands().last().unwrap().last().unwrap(), "backend");

    let redo = undo_of(&stack, &journal, 1, Some(0));
    assert_eq!(titles(&redo), ["Set it", "Recreate backend"]);
    run_plan(&stack, &journal, redo, gone(), "R3");
    assert_eq!(stack.dotenv_value("A").as_deref(), Some("1"));
}

#[test]
fn a_restart_since_does_not_keep_the_env_from_being_put_back() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let set = json!({ "kind": "dotenv", "title": "Set it", "key": "A", "to": { "plain": "1" } });
    run_plan(&stack, &journal, plan_with(&stack, &[set, recreate("backend")]), gone(), "R1");
    stack.change_container("backend", |c| c.started_at = "2026-11-25T08:00:00Z".parse().ok());
    let undo = undo_of(&stack, &journal, 0, None);
    assert_eq!(titles(&undo), ["Put back .env as it was, byte for byte", "Recreate backend"]);
}

#[test]
fn a_recreate_alone_leaves_nothing_to_take_back() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    run_plan(&stack, &journal, plan_with(&stack, &[recreate("backend")]), gone(), "R1");
    let all = runs(&block_on(journal.entries(None)).unwrap());
    assert!(!all[0].can_undo());
}
