//! Row 5: nobody has working hours, or everybody is blocked.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, FsmThread, ThreadRecord, VerdictKind},
    playbook::{resolve_params, step::Step},
};
use ratiba_testkit::Stack;
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "05-fsm-stuck-collect-slot";

fn waiting(tenant: &str) -> ThreadRecord {
    ThreadRecord::Thread(FsmThread {
        id: "01JD0000000000000000000001".into(),
        state: "COLLECT_SLOT".into(),
        tenant_slug: tenant.into(),
        channel: "whatsapp".into(),
        intent: "book".into(),
        reprompts: 4,
        entered_at: None,
        updated_at: None,
        payment_id: None,
    })
}

fn staffing(active: i64, with_hours: i64, blocked: i64) -> Vec<Value> {
    vec![json!({ "active": active, "with_hours": with_hours, "blocked": blocked })]
}

fn detect(stack: &Stack) -> Vec<Finding> {
    let catalog = shipped::catalog();
    shipped::playbook(&catalog, ID).detect(&stack.call_context()).unwrap()
}

fn stack() -> Stack {
    let stack = Stack::default()
        .with_tenants(&["amani_salon", "jua_auto"])
        .with_threads(vec![waiting("amani_salon")]);
    stack.answer_tenant("amani_salon", staffing(2, 0, 0));
    stack.answer_tenant("jua_auto", staffing(3, 3, 0));
    stack
}

#[test]
fn no_hours_while_a_customer_waits_is_present_for_that_tenant_only() {
    let found = detect(&stack());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].verdict, VerdictKind::Present);
    assert_eq!(found[0].subject.tenant.as_deref(), Some("amani_salon"));
    assert_eq!(found[0].subject.thread.as_deref(), Some("01JD0000000000000000000001"));
}

#[test]
fn no_hours_and_nobody_waiting_is_only_suspected_and_says_what_speaks_against() {
    let found = detect(&stack().with_threads(vec![]));
    assert_eq!(found[0].verdict, VerdictKind::Suspected);
    assert!(found[0].evidence.iter().any(|e| e.against));
}

#[test]
fn a_tenant_that_can_not_be_read_is_unknown_and_the_others_are_still_judged() {
    let stack = stack().with_tenants(&["amani_salon", "broken", "jua_auto"]);
    let found = detect(&stack);
    let broken = found.iter().find(|f| f.subject.tenant.as_deref() == Some("broken")).unwrap();
    assert_eq!(broken.verdict, VerdictKind::Unknown);
    assert!(broken.reason.as_deref().unwrap().contains("map it in the profile"));
    assert!(found.iter().any(|f| f.verdict == VerdictKind::Present));
}

fn sql_of(step: &Step) -> &ratiba_core::playbook::step::SqlStep {
    match step {
        Step::Sql(sql) => sql,
        other => panic!("expected a statement, got {other:?}"),
    }
}

fn plan(given: BTreeMap<String, Value>) -> Result<Vec<Step>, String> {
    let stack = stack();
    stack.answer_sql(
        "is_active",
        vec![json!({ "id": "a1", "name": "Amina" }), json!({ "id": "b2", "name": "Baraka" })],
    );
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ID);
    let finding = detect(&stack).remove(0);
    let specs = playbook.choices(&stack.call_context(), &finding).unwrap();
    let params = resolve_params(&specs, &given)?;
    playbook.plan(&stack.call_context(), &finding, &params).map_err(|e| e.to_string())
}

#[test]
fn without_choices_all_active_staff_get_weekdays_nine_to_six() {
    let steps = plan(BTreeMap::new()).unwrap();
    let sql = sql_of(&steps[0]);
    assert_eq!(sql.expect_rows, 10);
    // Monday is 0 unless the profile says otherwise.
    assert_eq!(sql.params, vec![json!(["a1", "b2"]), json!([0, 1, 2, 3, 4]), json!("09:00"), json!("18:00")]);
    assert!(sql.undo.is_some() && sql.guards.len() == 2);
}

#[test]
fn a_day_that_ends_before_it_begins_and_a_stranger_are_refused() {
    let of = |name: &str, value: Value| BTreeMap::from([(name.to_owned(), value)]);
    assert!(plan(of("end", json!("08:00"))).unwrap_err().contains("must end after it begins"));
    assert!(
        plan(of("staff", json!(["zz"]))).unwrap_err().contains("none of a1, b2. a1 is Amina; b2 is Baraka")
    );
    assert!(plan(of("days", json!([]))).unwrap_err().contains("weekday"));
}

#[test]
fn a_schema_that_nobody_registered_is_no_tenant_unless_there_is_no_registry() {
    let of = |stack: &Stack| detect(stack).into_iter().map(|f| f.subject.tenant.unwrap_or_default());
    let found: Vec<String> = of(&stack().with_stray_schema("amani_salon_1a2b3c4d")).collect();
    assert_eq!(found, ["amani_salon"]);
    let alone = Stack::default().with_stray_schema("amani_salon").with_threads(Vec::new());
    alone.answer_tenant("amani_salon", staffing(2, 0, 0));
    assert_eq!(of(&alone).collect::<Vec<_>>(), ["amani_salon"]);
}
