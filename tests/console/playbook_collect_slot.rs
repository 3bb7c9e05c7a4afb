//! Row 5: no slot can be found, and why; what only may be so stays suspected.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, FsmThread, ThreadRecord, VerdictKind},
    playbook::step::Step,
};
use ratiba_testkit::Stack;
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "05-fsm-stuck-collect-slot";

fn waiting(tenant: &str, reprompts: u32) -> ThreadRecord {
    ThreadRecord::Thread(FsmThread {
        id: "01JD0000000000000000000001".into(),
        state: "COLLECT_SLOT".into(),
        tenant_slug: tenant.into(),
        channel: "whatsapp".into(),
        intent: "book".into(),
        reprompts,
        entered_at: None,
        updated_at: None,
        payment_id: None,
    })
}

/// Somebody works from Monday to Friday, and may be booked.
fn well() -> Value {
    json!({ "active": 3, "with_hours": 3, "off_with_hours": 0, "open": 3, "days": [[0, 1, 2], [0, 1, 2, 3, 4]] })
}

fn but(changes: Value) -> Vec<Value> {
    let mut row = well();
    for (key, value) in changes.as_object().unwrap() {
        row[key] = value.clone();
    }
    vec![row]
}

fn no_hours() -> Vec<Value> {
    but(json!({ "active": 2, "with_hours": 0, "open": 0, "days": [] }))
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

/// Of four tenants one is so, and a customer of it was asked four times.
fn stack(amani: Vec<Value>) -> Stack {
    let tenants = ["amani_salon", "jua_auto", "kilele_dental", "zuri_spa"];
    let stack = Stack::default().with_tenants(&tenants).with_threads(vec![waiting("amani_salon", 4)]);
    for tenant in tenants {
        stack.answer_tenant(tenant, vec![well()]);
    }
    stack.answer_tenant("amani_salon", amani);
    stack
}

fn only(found: &[Finding]) -> (VerdictKind, String) {
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].subject.tenant.as_deref(), Some("amani_salon"));
    (found[0].verdict, found[0].reason.clone().unwrap())
}

#[test]
fn no_hours_while_a_customer_waits_is_present_for_that_tenant_only() {
    let found = detect(&stack(no_hours()));
    assert_eq!(only(&found).0, VerdictKind::Present);
    assert_eq!(found[0].subject.thread.as_deref(), Some("01JD0000000000000000000001"));
    assert_eq!(detect(&stack(vec![well()]))[0].verdict, VerdictKind::Absent);
}

#[test]
fn no_hours_and_nobody_waiting_is_only_suspected_and_says_what_speaks_against() {
    let found = detect(&stack(no_hours()).with_threads(vec![]));
    assert_eq!(found[0].verdict, VerdictKind::Suspected);
    assert!(found[0].evidence.iter().any(|e| e.against));
}

#[test]
fn each_cause_has_its_own_sentence() {
    let says = |row: Value| only(&detect(&stack(but(row)))).1;
    assert!(says(json!({ "active": 0, "with_hours": 0 })).contains("has no active staff"));
    assert!(says(json!({ "with_hours": 0, "off_with_hours": 1 })).contains("who are not active"));
    // Where the blocks last as long as the work, the week decides.
    let week = |shifts: i64, open: i64| {
        let stack = stack(but(json!({ "open": 0 })));
        let row = json!({ "shifts": shifts, "open": open, "blocks": 9 });
        stack.answer_sql("generate_series(1, 7)", vec![row]);
        detect(&stack)
    };
    assert!(only(&week(0, 0)).1.contains("end before they begin"));
    assert!(only(&week(15, 0)).1.contains("are blocked for the whole coming week"));
    // One day with an hour left is a slot.
    assert_eq!(week(15, 1)[0].verdict, VerdictKind::Absent);
}

#[test]
fn a_day_that_does_not_exist_is_certain_and_a_pattern_is_not() {
    let seven = but(json!({ "days": [[1, 2, 3, 4, 5, 7]] }));
    assert_eq!(only(&detect(&stack(seven.clone()))).0, VerdictKind::Present);
    // Nobody is asked again and again: there are slots on the other days.
    let calm = stack(seven).with_threads(vec![waiting("amani_salon", 0)]);
    assert_eq!(detect(&calm)[0].verdict, VerdictKind::Suspected);

    let late = but(json!({ "days": [[1, 2, 3, 4, 5, 6]] }));
    let (verdict, reason) = only(&detect(&stack(late.clone())));
    assert_eq!(verdict, VerdictKind::Suspected);
    assert!(reason.contains("may be off by one"));
    // A second tenant that opens on Sunday: then it is how people work there.
    let two = stack(late.clone());
    two.answer_tenant("zuri_spa", late.clone());
    assert_eq!(detect(&two)[0].verdict, VerdictKind::Absent);
    // Open on Sunday and on Monday, too.
    let all_week = but(json!({ "days": [[0, 1, 2, 3, 4, 5, 6]] }));
    assert_eq!(detect(&stack(all_week))[0].verdict, VerdictKind::Absent);
    // Alone with one other tenant nothing can be compared.
    let few = Stack::default().with_tenants(&["amani_salon", "jua_auto"]);
    few.answer_tenant("amani_salon", late);
    few.answer_tenant("jua_auto", vec![well()]);
    assert_eq!(detect(&few)[0].verdict, VerdictKind::Absent);
}

#[test]
fn a_tenant_that_is_switched_off_is_not_looked_at_and_with_none_it_is_unknown() {
    let stack = stack(no_hours());
    stack.answer_sql("WHERE NOT \"is_active\"", vec![json!({ "slug": "amani_salon" })]);
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
    assert_eq!(detect(&Stack::default())[0].verdict, VerdictKind::Unknown);
}

#[test]
fn a_tenant_that_can_not_be_read_is_unknown_and_the_others_are_still_judged() {
    let stack = stack(no_hours()).with_tenants(&["amani_salon", "broken", "jua_auto"]);
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

fn plan_on(stack: &Stack, given: BTreeMap<String, Value>) -> Result<Vec<Step>, String> {
    stack.answer_sql(
        "FROM \"tenant_amani_salon\".\"staff\" s WHERE s.\"is_active\"",
        vec![json!({ "id": "a1", "name": "Amina" }), json!({ "id": "b2", "name": "Baraka" })],
    );
    stack.answer_sql("WHERE NOT s.\"is_active\"", vec![json!({ "id": "c3", "name": "Chebet" })]);
    shipped::plan(stack, ID, &detect(stack).remove(0), &given)
}

fn of(name: &str, value: Value) -> BTreeMap<String, Value> {
    BTreeMap::from([(name.to_owned(), value)])
}

#[test]
fn without_choices_all_active_staff_get_weekdays_nine_to_six() {
    let steps = plan_on(&stack(no_hours()), BTreeMap::new()).unwrap();
    let sql = sql_of(&steps[0]);
    assert_eq!(sql.expect_rows, 10);
    // Monday is 0 unless the profile says otherwise.
    assert_eq!(sql.params, vec![json!(["a1", "b2"]), json!([0, 1, 2, 3, 4]), json!("09:00"), json!("18:00")]);
    assert!(sql.undo.is_some() && sql.guards.len() == 2);
}

#[test]
fn a_day_that_ends_before_it_begins_and_a_stranger_are_refused() {
    let plan = |given| plan_on(&stack(no_hours()), given);
    assert!(plan(of("end", json!("08:00"))).unwrap_err().contains("must end after it begins"));
    assert!(
        plan(of("staff", json!(["zz"]))).unwrap_err().contains("none of a1, b2. a1 is Amina; b2 is Baraka")
    );
    assert!(plan(of("days", json!([]))).unwrap_err().contains("weekday"));
}

#[test]
fn a_column_that_says_it_counts_otherwise_stops_the_plan() {
    let stack = stack(no_hours());
    stack.answer_sql("col_description", vec![json!({ "comment": "ISO: 1 is Monday" })]);
    assert!(plan_on(&stack, BTreeMap::new()).unwrap_err().contains("set [schema] iso_weekdays"));
}

#[test]
fn nobody_active_is_for_a_person_or_for_those_who_come_back() {
    let none = || stack(but(json!({ "active": 0, "with_hours": 0, "off_with_hours": 1 })));
    let steps = plan_on(&none(), BTreeMap::new()).unwrap();
    assert!(matches!(&steps[..], [Step::Manual(manual)] if manual.title.contains("Enter the staff")));
    let steps = plan_on(&none(), of("activate", json!(["c3"]))).unwrap();
    assert_eq!((sql_of(&steps[0]).expect_rows, &sql_of(&steps[0]).params), (1, &vec![json!(["c3"])]));
}

#[test]
fn rows_are_moved_a_day_earlier_and_back_to_where_each_was_and_mixed_ones_are_refused() {
    let rows = |days: &[i64]| {
        let stack = stack(but(json!({ "days": [[1, 6, 7]] })));
        let row = |(id, day): (usize, &i64)| json!({ "id": id, "day": day });
        stack.answer_sql("AS day FROM", days.iter().enumerate().map(row).collect());
        plan_on(&stack, BTreeMap::new())
    };
    let steps = rows(&[1, 6, 7]).unwrap();
    let sql = sql_of(&steps[0]);
    assert_eq!(sql.params, vec![json!([0, 1, 2]), json!([0, 5, 6])]);
    let undo = serde_json::to_string(&sql.undo.as_ref().unwrap().params).unwrap();
    assert!(undo.ends_with("[1,6,7]}]"), "{undo}");
    assert!(rows(&[0, 7]).unwrap_err().contains("nobody can tell which are wrong"));
    assert!(rows(&[1, 9]).unwrap_err().contains("9 is no weekday"));
}

#[test]
fn a_schema_that_nobody_registered_is_no_tenant_unless_there_is_no_registry() {
    let of = |stack: &Stack| detect(stack).into_iter().map(|f| f.subject.tenant.unwrap_or_default());
    let found: Vec<String> = of(&stack(no_hours()).with_stray_schema("amani_salon_1a2b3c4d")).collect();
    assert_eq!(found, ["amani_salon"]);
    let alone = Stack::default().with_stray_schema("amani_salon").with_threads(Vec::new());
    alone.answer_tenant("amani_salon", no_hours());
    assert_eq!(of(&alone).collect::<Vec<_>>(), ["amani_salon"]);
}

/// The plan that ends a block of Amina's, and what is chosen from.
fn blocked(reason: &str) -> (Stack, BTreeMap<String, Value>) {
    let stack = stack(but(json!({ "open": 0 })));
    stack.answer_sql("generate_series(1, 7)", vec![json!({ "shifts": 9, "open": 0, "blocks": 1 })]);
    let block = json!({ "id": "7", "name": "Amina", "staff": "a1", "reason": reason,
                        "starts_at": "2026-11-24 06:00:00+00", "ends_at": "2026-12-24 06:00:00+00" });
    stack.answer_sql("staff_blocks\" b", vec![block]);
    stack.answer_sql("\"bookings\" WHERE", vec![json!({ "id": "old" })]);
    (stack, of("blocks", json!(["7"])))
}

#[test]
fn a_block_does_not_come_back_over_a_booking_that_came_since() {
    let (stack, given) = blocked("leave");
    let steps = plan_on(&stack, given).unwrap();
    let undo = sql_of(&steps[0]).undo.as_ref().unwrap();
    assert_eq!(undo.unless.len(), 1, "{undo:#?}");
    assert!(undo.unless[0].sql.contains("{bookings.staff_id} = ANY($2::uuid[])"), "{undo:#?}");
    let params = serde_json::to_value(&undo.params).unwrap();
    assert_eq!((&params[1], &params[2]), (&json!({ "value": ["a1"] }), &json!({ "value": ["old"] })));
    assert!(undo.sql.contains("unnest($4::bigint[], $5::timestamptz[])"), "{}", undo.sql);
}

#[test]
fn a_blocks_reason_is_shown_without_numbers_and_addresses() {
    let (stack, _) = blocked("leave, call Mary 0712 345 678 or mary@example.com");
    let catalog = shipped::catalog();
    let finding = detect(&stack).remove(0);
    let specs = shipped::playbook(&catalog, ID).choices(&stack.call_context(), &finding).unwrap();
    let told = format!("{specs:?}");
    assert!(told.contains("leave, call Mary •••678 or •••@example.com"), "{told}");
}

#[test]
fn a_plan_names_its_tenant_and_the_others_that_it_does_nothing_for() {
    let alone = plan_on(&stack(no_hours()), BTreeMap::new()).unwrap();
    let sql = sql_of(&alone[0]);
    assert!(sql.title.contains("amani_salon") && !sql.blast_radius.contains("alone"), "{sql:#?}");
    let two = stack(no_hours());
    two.answer_tenant("zuri_spa", no_hours());
    let steps = plan_on(&two, BTreeMap::new()).unwrap();
    let told = &sql_of(&steps[0]).blast_radius;
    assert!(told.contains("for amani_salon alone: zuri_spa has no free slot either"), "{told}");
}
