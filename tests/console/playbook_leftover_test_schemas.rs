//! Row 12: what may be dropped, and who keeps a schema. Which names are leftovers is Postgres's answer, and
//! is shown by the drills.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, VerdictKind},
    playbook::step::{BackupOf, Condition, Step},
    remedy::RunOutcome,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "12-leftover-test-schemas";

fn name(schema: &str) -> Value {
    let is_test = schema.starts_with("test_");
    json!({ "name": schema, "is_test": is_test, "looks_alike": false, "is_registered": false, "shares_run_id": false, "is_cut": false })
}

fn facts(schema: &str) -> Value {
    json!({ "name": schema, "oid": "1", "is_registered": false, "tables": 2, "relations": 5, "writes": 0 })
}

fn stack(names: Vec<Value>, facts: Vec<Value>) -> Stack {
    let stack = Stack::default().with_containers(vec![container("postgres")]).with_tenants(&["amani_salon"]);
    around(&stack, json!({ "hidden": 0, "locks": 6400, "dumped": 100 }));
    let quoted: Vec<Value> = facts
        .iter()
        .map(|f| json!({ "name": f["name"], "quoted": format!("\"{}\"", f["name"].as_str().unwrap()) }))
        .collect();
    stack.answer("shares_run_id", json!(names));
    stack.answer("WITH s AS", json!(facts));
    stack.answer("quote_ident(n)", json!(quoted));
    stack.answer("payment_routing", json!([{ "n": 0 }]));
    stack
}

fn around(stack: &Stack, row: Value) {
    stack.answer("max_locks_per_transaction", json!([row]));
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

fn plan(stack: &Stack, given: BTreeMap<String, Value>) -> Result<Vec<Step>, String> {
    shipped::plan(stack, ID, &detect(stack).remove(0), &given)
}

#[test]
fn each_reason_keeps_a_schema_and_says_who() {
    let cases = [
        ("locked_by", json!("session 7 (pytest)"), "session 7 (pytest) holds a lock in it"),
        ("spoken_by", json!("session 8 (psql, local)"), "session 8 (psql, local) spoke of it last"),
        ("needed_by", json!("constraint x on table y"), "needed from outside: constraint x on table y"),
        ("other_owner", json!("postgres"), "it belongs to postgres"),
        ("is_registered", json!(true), "a tenant of this name is registered"),
        ("relations", json!(6000), "more than one transaction should lock"),
    ];
    for (field, value, says) in cases {
        let mut of = facts("test_tenant_a");
        of[field] = value;
        let stack = stack(vec![name("test_tenant_a")], vec![of]);
        let found = detect(&stack);
        assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Suspected), "{field}");
        assert!(found[0].reason.as_deref().unwrap().contains(says), "{field}: {:?}", found[0].reason);
        let why = plan(&stack, BTreeMap::new()).unwrap_err();
        assert!(why.contains("test_tenant_a can't be dropped now") && why.contains(says), "{field}: {why}");
    }
}

#[test]
fn what_must_stay_is_no_choice_beside_what_may_go() {
    let mut used = facts("test_tenant_b");
    used["locked_by"] = json!("session 7");
    let stack = stack(vec![name("test_tenant_a"), name("test_tenant_b")], vec![facts("test_tenant_a"), used]);
    let found = detect(&stack);
    assert_eq!((found[0].verdict, found[1].verdict), (VerdictKind::Present, VerdictKind::Suspected));
    assert_eq!(found[0].subject.schema.as_deref(), Some("test_tenant_a"));
    let all = BTreeMap::from([("schemas".to_owned(), json!(["test_tenant_b"]))]);
    assert!(plan(&stack, all).unwrap_err().contains("is none of"));
    let steps = plan(&stack, BTreeMap::new()).unwrap();
    let [Step::Backup(backup), Step::Sql(drop), Step::WaitUntil(_)] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert_eq!(backup.of, BackupOf::Schema { schema: "test_tenant_a".into() });
    assert_eq!(drop.sql, "DROP SCHEMA \"test_tenant_a\" CASCADE");
    assert!(drop.undo.is_none() && drop.guards.len() == 2);
}

#[test]
fn pytest_and_sessions_that_can_not_be_looked_into_keep_all() {
    for (row, says) in [
        (json!({ "pytest": "session 9 (pytest)", "hidden": 0, "locks": 6400, "dumped": 1 }), "pytest runs"),
        (json!({ "hidden": 2, "locks": 6400, "dumped": 1 }), "2 sessions can't be looked into"),
    ] {
        let stack = stack(vec![name("test_tenant_a")], vec![facts("test_tenant_a")]);
        around(&stack, row);
        let found = detect(&stack);
        assert_eq!(found[0].verdict, VerdictKind::Suspected);
        assert!(found[0].reason.as_deref().unwrap().contains(says), "{:?}", found[0].reason);
    }
}

#[test]
fn without_a_registry_a_run_id_proves_nothing_and_the_word_test_still_does() {
    let names = vec![name("tenant_spa_1a2b3c4d"), name("test_tenant_a")];
    let stack = stack(names, vec![facts("tenant_spa_1a2b3c4d"), facts("test_tenant_a")])
        .with_tenants(&[])
        .with_stray_schema("spa_1a2b3c4d");
    let found = detect(&stack);
    assert_eq!(found[0].subject.schema.as_deref(), Some("test_tenant_a"));
    assert!(found[1].reason.as_deref().unwrap().contains("no tenant is registered"), "{:?}", found[1].reason);
}

#[test]
fn a_shared_or_cut_run_id_keeps_a_schema_and_a_registered_tenant_is_no_finding() {
    for field in ["shares_run_id", "is_cut"] {
        let mut one = name("tenant_spa_1a2b3c4d");
        one[field] = json!(true);
        let found = detect(&stack(vec![one], vec![facts("tenant_spa_1a2b3c4d")]));
        assert_eq!(found[0].verdict, VerdictKind::Suspected, "{field}");
    }
    let mut tenant = name("tenant_spa_1a2b3c4d");
    tenant["is_registered"] = json!(true);
    let mut alike = name("testxtenantylive");
    (alike["looks_alike"], alike["is_test"]) = (json!(true), json!(false));
    let found = detect(&stack(vec![tenant, alike], Vec::new()));
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Absent));
    let shown = format!("{:?}", found[0].evidence);
    assert!(shown.contains("tenant_spa_1a2b3c4d") && shown.contains("testxtenantylive"), "{shown}");
}

#[test]
fn many_are_backed_up_at_once_unless_that_would_lock_too_much_and_one_run_has_a_limit() {
    let of = |n: usize| {
        let all: Vec<String> = (0..n).map(|i| format!("test_tenant_{i:04}")).collect();
        let facts: Vec<Value> = all.iter().map(|schema| facts(schema)).collect();
        stack(all.iter().map(|schema| name(schema)).collect(), facts)
    };
    let many = of(301);
    let steps = plan(&many, BTreeMap::new()).unwrap();
    assert_eq!(steps.len(), 302, "one backup, 300 of the 301, and a look");
    assert!(matches!(&steps[0], Step::Backup(backup) if backup.of == BackupOf::Database));
    let six = of(6);
    around(&six, json!({ "hidden": 0, "locks": 6400, "dumped": 6000 }));
    assert!(plan(&six, BTreeMap::new()).unwrap_err().contains("pick at most 5"));
    let five = of(5);
    around(&five, json!({ "hidden": 0, "locks": 6400, "dumped": 6000 }));
    assert_eq!(plan(&five, BTreeMap::new()).unwrap().len(), 11);
}

#[test]
fn what_only_ends_like_a_run_id_is_suspected_and_never_chosen_beforehand() {
    let copy = "tenant_amani_salon_feb142026";
    let stack = stack(vec![name(copy), name("test_tenant_a")], vec![facts(copy), facts("test_tenant_a")]);
    let found = detect(&stack);
    let told: Vec<_> = found.iter().map(|f| (f.verdict, f.subject.schema.as_deref().unwrap())).collect();
    assert_eq!(told, [(VerdictKind::Present, "test_tenant_a"), (VerdictKind::Suspected, copy)]);
    let of = |given: Value| {
        let given = serde_json::from_value(given).unwrap();
        shipped::plan(&stack, ID, &found[1], &given)
    };
    assert!(of(json!({})).unwrap_err().contains("pick at least one"));
    let steps = of(json!({ "schemas": [copy] })).unwrap();
    assert!(matches!(&steps[1], Step::Sql(drop) if drop.sql.contains(copy)), "{steps:?}");
    assert!(
        plan(&stack, BTreeMap::from([("schemas".to_owned(), json!([copy]))])).is_err(),
        "not by the sure one"
    );
}

#[test]
fn a_run_that_drops_what_was_chosen_is_fixed_and_names_what_stayed() {
    let all = ["test_tenant_a", "test_tenant_b"];
    let stack = stack(all.map(name).into(), all.map(facts).into());
    let finding = detect(&stack).remove(0);
    let catalog = shipped::catalog();
    let verify = |left: &[&str]| {
        let rows: Vec<Value> = left.iter().map(|name| json!({ "name": name })).collect();
        stack.answer("SELECT nspname::text AS name", json!(rows));
        shipped::playbook(&catalog, ID).verify(&stack.call_context(), &finding).unwrap().unwrap()
    };
    let one = verify(&["test_tenant_b"]);
    assert_eq!(one.outcome, Some(RunOutcome::Fixed), "{one:?}");
    assert!(format!("{:?}", one.evidence).contains("test_tenant_b"), "{one:?}");
    assert_eq!(verify(&all).outcome, Some(RunOutcome::NotFixed));
    // Which were chosen, only the plan knows: it looks itself.
    let steps = plan(&stack, BTreeMap::from([("schemas".to_owned(), json!(["test_tenant_a"]))])).unwrap();
    let Some(Step::WaitUntil(look)) = steps.last() else { panic!("{steps:?}") };
    let Condition::Rows { params, rows, .. } = &look.condition else { panic!("{look:?}") };
    assert_eq!((params, rows.len()), (&vec![json!(["test_tenant_a"])], 0));
}
