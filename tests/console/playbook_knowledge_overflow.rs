//! Row 11: more knowledge than fits; the fewest snippets of the lowest priority are proposed, or none.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, VerdictKind},
    playbook::{resolve_params, step::Step},
};
use ratiba_testkit::Stack;
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "11-knowledge-overflow";

fn load(active: i64, chars: i64) -> Vec<Value> {
    vec![json!({ "active": active, "chars": chars, "categories": "general 3" })]
}

/// The backend's log, read: these warnings are in it.
fn warned(stack: &Stack, records: Vec<Value>) {
    stack.answer("\"log_records\"", json!({ "records": records, "from": null, "is_whole": true }));
}

fn warning(stack: &Stack, tenant: &str, fields: Value) -> Value {
    let at = ratiba_core::ports::Clock::now(&*stack.clock).to_string();
    json!({
        "at": at, "level": "warning", "event": "knowledge_overflow", "logger": "knowledge", "tenant": tenant,
        "thread_id": "", "fields": fields, "is_structured": true,
    })
}

fn stack(active: i64, chars: i64) -> Stack {
    let stack = Stack::default().with_tenants(&["amani_salon", "jua_auto"]);
    stack.answer_tenant("amani_salon", load(active, chars));
    stack.answer_tenant("jua_auto", load(11, 800));
    warned(&stack, Vec::new());
    stack
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

#[test]
fn at_the_limit_is_within_it_and_one_more_is_not() {
    assert_eq!(detect(&stack(20, 1500 * 4 + 3))[0].verdict, VerdictKind::Absent);
    let found = detect(&stack(21, 100));
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Present));
    assert_eq!(found[0].subject.tenant.as_deref(), Some("amani_salon"));
    assert!(found[0].evidence.iter().any(|e| e.against && e.what.starts_with("tokens of these")));
}

#[test]
fn an_estimate_is_a_proof_only_with_a_warning_about_tokens_of_this_tenant() {
    let verdict = |said: &dyn Fn(&Stack) -> Vec<Value>| {
        let stack = stack(3, 1501 * 4);
        warned(&stack, said(&stack));
        let found = detect(&stack);
        (found[0].verdict, found[0].reason.clone().unwrap())
    };
    let (alone, why) = verdict(&|_| Vec::new());
    assert_eq!(alone, VerdictKind::Suspected);
    assert!(why.contains("that is an estimate"), "{why}");
    assert_eq!(
        verdict(&|s| vec![warning(s, "amani_salon", json!({ "tokens": 1501 }))]).0,
        VerdictKind::Present
    );
    assert_eq!(verdict(&|s| vec![warning(s, "amani_salon", json!({}))]).0, VerdictKind::Present);
    // Of another tenant, of another number, or only told in a line without a form.
    assert_eq!(verdict(&|s| vec![warning(s, "jua_auto", json!({}))]).0, VerdictKind::Suspected);
    assert_eq!(
        verdict(&|s| vec![warning(s, "amani_salon", json!({ "snippets": 30, "tokens": 200 }))]).0,
        VerdictKind::Suspected
    );
    let told = |s: &Stack| {
        let mut line = warning(s, "amani_salon", json!({}));
        line["is_structured"] = json!(false);
        vec![line]
    };
    assert_eq!(verdict(&told).0, VerdictKind::Suspected);
}

#[test]
fn warnings_alone_are_no_overflow() {
    let stack = stack(5, 400);
    warned(&stack, vec![warning(&stack, "amani_salon", json!({}))]);
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
}

#[test]
fn a_tenant_without_the_table_is_unknown_and_the_others_are_judged_without_the_log() {
    let stack = stack(30, 100).with_tenants(&["amani_salon", "broken"]);
    stack.refuse(
        "\"log_records\"",
        ratiba_core::model::SourceError {
            source_name: ratiba_core::model::SourceName::Logs,
            kind: ratiba_core::model::SourceErrorKind::Missing,
            attempted: "read the log of backend".into(),
            happened: "it has no container".into(),
            hint: String::new(),
        },
    );
    let found = detect(&stack);
    let of = |tenant: &str| found.iter().find(|f| f.subject.tenant.as_deref() == Some(tenant)).unwrap();
    assert_eq!(of("broken").verdict, VerdictKind::Unknown);
    assert_eq!(of("amani_salon").verdict, VerdictKind::Present);
}

/// Snippets as the server sorts them: lowest priority first, among equals the longest.
fn snippets(of: &[(&str, i64, i64)]) -> Vec<Value> {
    let one = |(id, priority, chars): &(&str, i64, i64)| json!({ "id": id, "category": "policy", "title": format!("title {id}"), "chars": chars, "priority": priority });
    of.iter().map(one).collect()
}

fn offered(of: &[(&str, i64, i64)], given: BTreeMap<String, Value>) -> (Value, Result<Vec<Step>, String>) {
    let stack =
        stack(i64::try_from(of.len()).unwrap(), of.iter().map(|(_, _, chars)| chars).sum::<i64>().max(7_000));
    stack.answer_sql("left(coalesce(k.", snippets(of));
    let finding = detect(&stack).remove(0);
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ID);
    let specs = playbook.choices(&stack.call_context(), &finding).unwrap();
    let proposed = specs[0].default.clone().unwrap();
    let steps = resolve_params(&specs, &given).and_then(|params| {
        playbook.plan(&stack.call_context(), &finding, &params).map_err(|e| e.to_string())
    });
    (proposed, steps)
}

fn proposed(of: &[(&str, i64, i64)]) -> Value {
    offered(of, BTreeMap::new()).0
}

#[test]
fn the_fewest_that_suffice_are_proposed_and_the_lowest_priority_goes_first() {
    // 6,003 characters are 1,500 tokens. The short one of priority 1 need not go once the long one must.
    assert_eq!(proposed(&[("a", 1, 40), ("b", 2, 900), ("c", 2, 800), ("d", 9, 5100)]), json!(["b"]));
    assert_eq!(proposed(&[("a", 1, 950), ("b", 2, 900), ("c", 9, 5100)]), json!(["a"]));
    let many: Vec<(String, i64, i64)> = (0..25).map(|n| (format!("s{n:02}"), n / 5, 10)).collect();
    let many: Vec<(&str, i64, i64)> = many.iter().map(|(id, p, c)| (id.as_str(), *p, *c)).collect();
    assert_eq!(proposed(&many), json!(["s00", "s01", "s02", "s03", "s04"]));
}

#[test]
fn where_priority_does_not_decide_nothing_is_proposed_and_a_person_chooses() {
    let same = [("a", 3, 4000), ("b", 3, 3000), ("c", 3, 10)];
    let (proposed, steps) = offered(&same, BTreeMap::new());
    assert_eq!(proposed, json!([]));
    let why = steps.unwrap_err();
    assert!(why.contains("have priority 3") && why.contains("choose the snippets"), "{why}");
    // What has a lower priority does not suffice: the rest is as important as each other.
    let (proposed, steps) = offered(&[("a", 1, 10), ("b", 3, 4000), ("c", 3, 3000)], BTreeMap::new());
    assert_eq!(proposed, json!([]));
    assert!(steps.unwrap_err().contains("even without all that have a lower priority"));
    let chosen = BTreeMap::from([("snippets".to_owned(), json!(["b"]))]);
    let steps = offered(&same, chosen).1.unwrap();
    let [Step::Sql(sql)] = steps.as_slice() else { panic!("one statement, not {steps:?}") };
    assert_eq!((sql.expect_rows, &sql.params), (1, &vec![json!(["b"])]));
    assert!(sql.guards[0].lock && sql.undo.is_some());
}

#[test]
fn too_few_and_all_of_them_are_refused() {
    let of = |ids: Value| BTreeMap::from([("snippets".to_owned(), ids)]);
    let list = [("a", 1, 3000), ("b", 2, 3000), ("c", 9, 3000)];
    let refused = |ids: Value| offered(&list, of(ids)).1.unwrap_err();
    assert!(
        offered(&[("a", 1, 10), ("b", 2, 7000)], of(json!(["a"]))).1.unwrap_err().contains("choose more")
    );
    assert!(refused(json!(["a", "b", "c"])).contains("without any knowledge"));
    assert!(offered(&list, of(json!(["c"]))).1.is_ok());
}
