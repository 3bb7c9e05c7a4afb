//! Row 6: which intents are a fault of the table, which are none, and what may be added to it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use ratiba_core::{
    model::{Finding, FsmThread, ThreadRecord, VerdictKind},
    playbook::step::Step,
    ports::Clock,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "06-intent-no-route";
const TABLE: &str = "from app import logs\n\nINTENT_ROUTES = {\n    \"greet\": \"greet\",\n    \"book_hair\": \"collect_service\",\n}\n\n\ndef route(intent):\n    return INTENT_ROUTES.get(intent)\n";

fn ago(stack: &Stack, seconds: i64) -> String {
    (stack.clock.now() - SignedDuration::from_secs(seconds)).to_string()
}

fn said(stack: &Stack, seconds: i64, event: &str, fields: Value) -> Value {
    json!({ "at": ago(stack, seconds), "level": "warning", "event": event, "logger": "intent_router",
        "tenant": "", "thread_id": "", "fields": fields, "is_structured": true })
}

fn no_route(stack: &Stack, intent: Value) -> Value {
    said(stack, 60, "intent_router no_route", json!({ "intent": intent, "state": "GREET" }))
}

/// The backend was started 300 s ago, the table was written 600 s ago.
fn stack() -> Stack {
    let stack = Stack::default()
        .with_tenants(&["amani_salon", "jua_auto"])
        .with_containers(vec![container("backend")])
        .with_threads(vec![]);
    let now = stack.clock.now();
    stack.change_container("backend", |c| c.started_at = Some(now - SignedDuration::from_secs(300)));
    for tenant in ["amani_salon", "jua_auto"] {
        stack.answer_tenant(tenant, catalogue(2, 2, &["hair"]));
    }
    logged(&stack, &[]);
    table(&stack, TABLE, 600);
    stack
}

fn catalogue(services: i64, active: i64, categories: &[&str]) -> Vec<Value> {
    vec![json!({ "services": services, "active": active, "categories": categories })]
}

fn logged(stack: &Stack, records: &[Value]) {
    stack.answer("\"log_records\"", json!({ "records": records, "from": null, "is_whole": true }));
}

fn table(stack: &Stack, text: &str, changed: i64) {
    let mut entries = serde_json::Map::new();
    for line in text.lines().filter(|line| line.starts_with("    \"")) {
        let mut words = line.split('"');
        let (key, value) = (words.nth(1).unwrap(), words.nth(1).unwrap_or("handler"));
        entries.insert(key.into(), value.into());
    }
    let names = json!({ "INTENT_ROUTES": entries, "KEPT": 20 });
    let path = "backend/app/agents/intent_router.py";
    let file = json!({ "path": path, "tracked": true, "names": names, "lines": { "INTENT_ROUTES": 3 }, "error": null });
    stack.answer("repo_python", json!([file]));
    stack.answer("repo_entry", json!({ "path": path, "name": "x", "kind": "file", "modified": ago(stack, changed), "tracked": true }));
    stack.answer("repo_text", json!(text));
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

fn verdict(stack: &Stack, records: &[Value]) -> VerdictKind {
    logged(stack, records);
    let found = detect(stack);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].verdict
}

#[test]
fn what_nobody_offers_may_be_invented_however_often_and_what_is_offered_is_present() {
    let stack = stack();
    let one = no_route(&stack, json!("book_tattoo"));
    assert_eq!(verdict(&stack, &[]), VerdictKind::Absent);
    assert_eq!(verdict(&stack, std::slice::from_ref(&one)), VerdictKind::Suspected);
    let invented = no_route(&stack, json!("book_mary_wanjiku"));
    assert_eq!(verdict(&stack, &[invented.clone(), invented.clone(), invented]), VerdictKind::Suspected);
    let refused = plan(&stack, BTreeMap::new()).unwrap_err();
    assert!(refused.contains("pick for at least one intent"), "no target is chosen beforehand: {refused}");
    stack.answer_tenant("jua_auto", catalogue(3, 3, &["hair", "tattoo"]));
    assert_eq!(verdict(&stack, &[one]), VerdictKind::Present);
    assert!(detect(&stack)[0].reason.as_deref().unwrap().contains("although jua_auto offers it"));
}

#[test]
fn the_intent_is_also_found_in_the_text_of_the_event() {
    let stack = stack();
    let one = said(&stack, 60, "intent_router no_route intent=book_tattoo state=GREET", json!({}));
    assert_eq!(verdict(&stack, &[one.clone(), one]), VerdictKind::Suspected);
    // Somebody's words are no event, whatever they are.
    let words = said(&stack, 60, "message", json!({ "text": "intent_router no_route", "intent": "book_x" }));
    let mut bare = said(&stack, 60, "intent_router no_route intent=book_x", json!({}));
    bare["is_structured"] = json!(false);
    assert_eq!(verdict(&stack, &[words.clone(), words, bare.clone(), bare]), VerdictKind::Absent);
}

#[test]
fn what_was_not_understood_is_no_fault_and_what_is_no_name_is_never_shown() {
    let stack = stack();
    let hostile = [
        json!("unknown_i_would_like_a"),
        json!("unknown"),
        json!("book_x\": __import__('os'), \"y"),
        json!("book_254711000001"),
        json!("\u{1b}[2J"),
        json!(["book_x"]),
        json!({ "a": 1 }),
        json!(null),
        json!(7),
        json!("Book_X"),
        json!("a".repeat(65)),
    ];
    let records: Vec<Value> = hostile.iter().flat_map(|one| vec![no_route(&stack, one.clone()); 3]).collect();
    assert_eq!(verdict(&stack, &records), VerdictKind::Absent);
    let shown = serde_json::to_string(&detect(&stack)[0].evidence).unwrap();
    assert!(!shown.contains("import") && !shown.contains("254711000001"), "{shown}");
    assert!(shown.contains("\"intents that are no plain name, and are not shown\""), "{shown}");
}

#[test]
fn an_intent_that_the_table_has_depends_on_when_the_backend_was_started() {
    let with = TABLE.replace("    \"greet\"", "    \"book_tattoo\": \"collect_service\",\n    \"greet\"");
    let judge = |changed: i64, seen: i64| {
        let stack = stack();
        table(&stack, &with, changed);
        let one = said(&stack, seen, "intent_router no_route", json!({ "intent": "book_tattoo" }));
        logged(&stack, &[one]);
        let found = detect(&stack).remove(0);
        (found.verdict, found.data["cause"].as_str().unwrap_or_default().to_owned())
    };
    // Started 300 s ago. An earlier process said it.
    assert_eq!(judge(400, 500), (VerdictKind::Absent, String::new()));
    assert_eq!(judge(100, 50), (VerdictKind::Present, "not_restarted".into()));
    // With reloading it may be cured already.
    assert_eq!(judge(50, 100), (VerdictKind::Suspected, "not_restarted".into()));
    assert_eq!(judge(400, 50), (VerdictKind::Present, "other_code".into()));
}

#[test]
fn an_empty_catalogue_is_present_only_where_a_customer_gets_no_further() {
    let stack = stack();
    stack.answer_tenant("jua_auto", catalogue(3, 0, &[]));
    let found = detect(&stack);
    assert_eq!(
        (found[0].verdict, found[0].subject.tenant.as_deref()),
        (VerdictKind::Suspected, Some("jua_auto"))
    );
    let talk = |reprompts: u32| {
        ThreadRecord::Thread(FsmThread {
            id: "01JD0000000000000000000006".into(),
            state: "GREET".into(),
            tenant_slug: "jua_auto".into(),
            channel: "whatsapp".into(),
            intent: String::new(),
            reprompts,
            entered_at: None,
            updated_at: None,
            payment_id: None,
        })
    };
    let stack = stack.with_threads(vec![talk(1)]);
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Suspected);
    let stack = stack.with_threads(vec![talk(2)]);
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Present);
    let steps = plan(&stack, BTreeMap::new()).unwrap();
    assert!(
        matches!(&steps[..], [Step::Manual(manual)] if manual.instructions[1].to_string().contains("3 services are there and switched off"))
    );
}

#[test]
fn without_a_container_there_is_no_log_and_the_backend_explains_it() {
    let stack = stack().with_containers(vec![]);
    stack.declare("backend");
    let found = detect(&stack);
    assert_eq!(
        (found[0].verdict, found[0].explained_by.as_deref()),
        (VerdictKind::Unknown, Some("service:backend"))
    );
}

fn plan(stack: &Stack, given: BTreeMap<String, Value>) -> Result<Vec<Step>, String> {
    shipped::plan(stack, ID, &detect(stack).remove(0), &given)
}

fn unmapped(text: &str) -> Stack {
    let stack = stack();
    table(&stack, text, 600);
    stack.answer_tenant("jua_auto", catalogue(3, 3, &["hair", "tattoo", "nails"]));
    let two = [no_route(&stack, json!("book_tattoo")), no_route(&stack, json!("book_nails"))];
    logged(&stack, &[two.clone(), two].concat());
    stack
}

fn diff_of(steps: &[Step]) -> &str {
    let patch = steps.iter().find_map(|step| match step {
        Step::Patch(patch) => Some(patch.diff.as_str()),
        _ => None,
    });
    patch.unwrap_or_else(|| panic!("no patch in {steps:?}"))
}

#[test]
fn each_intent_gets_one_line_with_the_likely_target() {
    let steps = plan(&unmapped(TABLE), BTreeMap::new()).unwrap();
    assert_eq!(
        diff_of(&steps),
        "--- a/backend/app/agents/intent_router.py\n+++ b/backend/app/agents/intent_router.py\n@@ -3,6 +3,8 @@\n INTENT_ROUTES = {\n     \"greet\": \"greet\",\n     \"book_hair\": \"collect_service\",\n+    \"book_nails\": \"collect_service\",\n+    \"book_tattoo\": \"collect_service\",\n }\n \n \n"
    );
    // Looked at before and after, then restarted: never the other way round.
    let kinds: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            Step::Command(command) if command.only_looks => "look",
            Step::Patch(_) => "patch",
            Step::Compose(_) => "compose",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["look", "patch", "look", "compose", "other"]);
}

#[test]
fn the_table_keeps_its_own_writing() {
    // Single quotes, a name for a target, no comma behind the last entry, CR LF.
    let text = "R = 1\r\n\r\nINTENT_ROUTES = {\r\n    \"greet\": hello,  # first\r\n    \"book_hair\": handler\r\n}\r\n";
    let stack = unmapped(text);
    let names = json!({ "INTENT_ROUTES": { "greet": "hello", "book_hair": "handler" } });
    stack.answer("repo_python", json!([{ "path": "x", "tracked": true, "names": names, "lines": { "INTENT_ROUTES": 3 }, "error": null }]));
    let steps =
        plan(&stack, BTreeMap::from([("routes".to_owned(), json!(["book_tattoo=handler"]))])).unwrap();
    let diff = diff_of(&steps);
    assert!(
        diff.contains("\n     \"greet\": hello,  # first\r\n+    \"book_tattoo\": handler,\r\n     \"book_hair\": handler\r\n }\r\n"),
        "{diff:?}"
    );
}

#[test]
fn a_target_that_the_table_does_not_have_and_two_for_one_intent_are_refused() {
    let stack = unmapped(TABLE);
    let of = |routes: Value| plan(&stack, BTreeMap::from([("routes".to_owned(), routes)]));
    assert!(of(json!(["book_tattoo=drop_all"])).is_err());
    assert!(
        of(json!(["book_tattoo=greet", "book_tattoo=collect_service"]))
            .unwrap_err()
            .contains("only lead to one step")
    );
    assert!(of(json!([])).unwrap_err().contains("pick for at least one intent"));
}

#[test]
fn a_table_that_can_not_be_patched_is_for_a_person() {
    let one_line = "A = 1\n\nINTENT_ROUTES = {\"greet\": \"greet\", \"book_hair\": \"collect_service\"}\n";
    let stack = unmapped(one_line);
    let names = json!({ "INTENT_ROUTES": { "greet": "greet", "book_hair": "collect_service" } });
    stack.answer("repo_python", json!([{ "path": "x", "tracked": true, "names": names, "lines": { "INTENT_ROUTES": 3 }, "error": null }]));
    assert!(matches!(&plan(&stack, BTreeMap::new()).unwrap()[..], [Step::Manual(_)]));
    stack.answer(
        "repo_python",
        json!([{ "path": "x", "tracked": true, "names": {}, "lines": {}, "error": "line 2 is no Python" }]),
    );
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Suspected);
    assert!(matches!(&plan(&stack, BTreeMap::new()).unwrap()[..], [Step::Manual(_)]));
}
