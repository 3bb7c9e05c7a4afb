//! Row 7: payments that wait, the worker that should ask, and what Daraja's answers mean.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, SourceError, SourceErrorKind, SourceName, VerdictKind},
    playbook::step::Step,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "07-payment-pending-timeout";
const NUDGE_WINDOW_S: i64 = 480;

fn push(n: i64) -> String {
    format!("ws_CO_26112026093015{n:03}700000{n:03}")
}

/// A payment that waits, as the shared question gives it.
fn waiting(n: i64, age_s: i64) -> Value {
    json!({
        "id": format!("07000000-0000-4000-8000-{n:012}"), "thread_id": format!("01JD{n:022}"), "push": push(n),
        "at": "2026-11-24T06:00:00+00:00", "age_s": age_s, "total": 1, "routed_to": "amani_salon", "callbacks": 0,
        "booking_id": "b1", "amount_minor": 50_000, "msisdn": "254700000001", "paid_beside": 0,
    })
}

/// One tenant with these payments, a worker that is well, and no poll of theirs in Redis.
fn stack(rows: Vec<Value>) -> Stack {
    let stack = Stack::default().with_tenants(&["amani_salon"]).with_containers(vec![container("worker")]);
    stack.answer("redis_there", json!(vec![false; rows.len()]));
    stack.answer("redis_lowest", json!([]));
    stack.answer("redis_value", json!({ "kind": "string", "value": "j_complete=1", "ttl_ms": 3_540_000 }));
    stack.answer("processes", json!([{ "pid": 1, "name": "arq", "state": "S", "rss_bytes": 1 }]));
    stack.answer_tenant("amani_salon", rows);
    stack
}

/// The queue with the polls of these payments, none of them due.
fn queued(polls: &[i64]) -> Value {
    polls.iter().map(|n| json!({ "member": format!("stk-reconcile:{}", push(*n)), "score": 1e15 })).collect()
}

fn daraja_says(stack: &Stack, n: i64, status: u16, body: &Value) {
    let question = format!(r#"checkout_request_id":"{}"#, push(n));
    stack.answer(&question, json!({ "status": status, "body": body }));
}

fn result(n: i64, code: &str) -> Value {
    json!({ "ResponseCode": "0", "CheckoutRequestID": push(n), "ResultCode": code, "ResultDesc": "words" })
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

fn plan(stack: &Stack, finding: &Finding) -> Result<Vec<Step>, String> {
    shipped::plan(stack, ID, finding, &BTreeMap::new())
}

fn cause(finding: &Finding) -> &str {
    finding.data["cause"].as_str().unwrap_or_default()
}

fn shown(finding: &Finding) -> String {
    format!("{:?} {}", finding.reason, json!(finding.evidence))
}

/// The row as a plan reads it.
fn row(n: i64, age_s: i64) -> Value {
    json!({
        "id": format!("07000000-0000-4000-8000-{n:012}"), "state": "initiated", "thread_id": "", "push": push(n),
        "msisdn": "254700000001", "amount_minor": 50_000, "result_code": null, "result_desc": null, "receipt": null,
        "created_at": "2026-11-24 06:00:00+00", "updated_at": "2026-11-24 06:00:00+00", "age_s": age_s,
        "booking_id": "b1", "booking_state": "held", "starts_at": "2026-11-27 06:00:00+00", "is_ahead": true,
        "customer": "2547…01", "now": "2026-11-24 06:15:00+00",
    })
}

#[test]
fn daraja_s_answers_mean_what_the_table_says() {
    let error =
        |code: &str, message: &str| json!({ "requestId": "1", "errorCode": code, "errorMessage": message });
    let cases = [
        (200, result(1, "0"), "paid", VerdictKind::Present),
        (200, json!({ "ResultCode": 0, "CheckoutRequestID": push(1) }), "paid", VerdictKind::Present),
        (200, result(1, "1032"), "over", VerdictKind::Present),
        (200, result(1, "1"), "over", VerdictKind::Present),
        (200, result(1, "2001"), "over", VerdictKind::Present),
        (200, result(1, "SFC_IC0003"), "over", VerdictKind::Present),
        (200, result(1, "4999"), "processing", VerdictKind::Suspected),
        (
            500,
            error("500.001.1001", "The transaction is being processed"),
            "processing",
            VerdictKind::Suspected,
        ),
        // The same code, and nothing about the payment.
        (500, error("500.001.1001", "Wrong credentials"), "config", VerdictKind::Suspected),
        (500, error("500.001.1001", "Unable to lock subscriber"), "config", VerdictKind::Suspected),
        (
            400,
            error("400.002.02", "Bad Request - Invalid CheckoutRequestID"),
            "config",
            VerdictKind::Suspected,
        ),
        (404, error("404.001.03", "Invalid Access Token"), "transport", VerdictKind::Unknown),
        (500, error("500.003.02", "Spike arrest violation"), "transport", VerdictKind::Unknown),
        (429, error("429.001.01", "quota"), "transport", VerdictKind::Unknown),
        // What is not known is never taken for an end.
        (200, result(1, "31415"), "unclear", VerdictKind::Suspected),
        (200, result(2, "0"), "unclear", VerdictKind::Suspected),
        (200, json!({ "ResponseCode": "0" }), "unclear", VerdictKind::Suspected),
        (502, json!("<html>"), "transport", VerdictKind::Unknown),
    ];
    for (status, body, wanted, verdict) in cases {
        let stack = stack(vec![waiting(1, 900)]);
        daraja_says(&stack, 1, status, &body);
        let found = detect(&stack);
        assert_eq!((found.len(), found[0].verdict), (1, verdict), "{body}: {}", shown(&found[0]));
        assert_eq!(found[0].data["cause"], wanted, "{body}");
        if wanted != "paid" && wanted != "over" {
            assert!(plan(&stack, &found[0]).is_err(), "nothing may be changed after {body}");
        }
    }
}

#[test]
fn a_customer_s_number_is_nowhere_in_what_is_found() {
    let stack = stack(vec![waiting(1, 900)]);
    daraja_says(&stack, 1, 200, &result(1, "0"));
    let text = shown(&detect(&stack)[0]);
    assert!(text.contains("ws_CO_26112026093015001…") && !text.contains("700000001"), "{text}");
}

#[test]
fn what_is_over_but_young_is_never_aged_out() {
    let stack = stack(vec![waiting(1, NUDGE_WINDOW_S - 1)]);
    daraja_says(&stack, 1, 200, &result(1, "1032"));
    stack.answer_sql("booking_state", vec![row(1, NUDGE_WINDOW_S - 1)]);
    let found = detect(&stack);
    assert_eq!(cause(&found[0]), "young");
    assert!(plan(&stack, &found[0]).unwrap_err().contains("younger than the nudge window"));
}

#[test]
fn at_most_five_are_asked_about_and_the_rest_is_counted() {
    let rows: Vec<Value> = (1..=8).map(|n| waiting(n, 900 - n)).collect();
    let stack = stack(rows);
    for n in 1..=8 {
        daraja_says(&stack, n, 200, &result(n, "0"));
    }
    let found = detect(&stack);
    assert_eq!(found.len(), 5, "each customer who has paid is a finding of their own");
    assert!(shown(&found[0]).contains(r#""value":3"#), "{}", shown(&found[0]));
}

#[test]
fn a_silent_daraja_is_asked_once_and_makes_it_unknown() {
    let stack = stack((1..=3).map(|n| waiting(n, 900)).collect());
    let silent = SourceError {
        source_name: SourceName::Http,
        kind: SourceErrorKind::TimedOut,
        attempted: "ask Daraja".into(),
        happened: "no answer within 15 s".into(),
        hint: String::new(),
    };
    stack.refuse("stk_query", silent);
    let found = detect(&stack);
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Unknown));
    assert!(found[0].reason.as_deref().unwrap().contains("no answer within 15 s"));
}

#[test]
fn a_frozen_worker_is_the_cause_and_daraja_is_not_asked() {
    let stack = stack(vec![waiting(1, 300)]);
    stack.answer("processes", json!([{ "pid": 1, "name": "arq", "state": "T", "rss_bytes": 1 }]));
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("frozen", VerdictKind::Present));
    assert_eq!(found[0].subject.service.as_deref(), Some("worker"));
    assert!(found[0].explained_by.is_none());
    let steps = plan(&stack, &found[0]).unwrap();
    assert!(matches!(&steps[0], Step::Compose(_)), "{steps:?}");
    // Nobody waits: then it is only suspected.
    stack.answer_tenant("amani_salon", vec![]);
    stack.answer("redis_there", json!([]));
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Suspected);
}

#[test]
fn a_worker_that_is_down_explains_it_and_without_payments_is_left_to_row_1() {
    let stack = stack(vec![waiting(1, 300)]);
    stack.change_container("worker", |facts| facts.state = ratiba_core::model::ContainerState::Exited);
    let found = detect(&stack);
    assert_eq!(found[0].explained_by.as_deref(), Some("service:worker"));
    assert!(shown(&found[0]).contains("it outlives a worker that was killed"));
    stack.answer_tenant("amani_salon", vec![]);
    stack.answer("redis_there", json!([]));
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
}

#[test]
fn overdue_jobs_of_a_worker_that_runs_are_its_fault_unless_they_are_under_way() {
    let stack = stack(vec![waiting(1, 300)]);
    stack.answer("redis_lowest", json!([{ "member": "stk-reconcile:x", "score": 1_000.0 }]));
    assert_eq!(cause(&detect(&stack)[0]), "idle");
    stack.answer("arq:in-progress:", json!([true]));
    daraja_says(&stack, 1, 200, &result(1, "0"));
    assert_eq!(cause(&detect(&stack)[0]), "paid");
}

#[test]
fn payments_with_a_poll_and_payments_of_row_4_are_left_alone() {
    let mut lost = waiting(2, 300);
    lost["routed_to"] = Value::Null;
    let mut came = waiting(3, 300);
    came["callbacks"] = json!(1);
    let stack = stack(vec![waiting(1, 300), lost, came]);
    stack.answer("redis_there", json!([true, false, false]));
    stack.answer("redis_lowest", queued(&[1]));
    let found = detect(&stack);
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Absent), "{}", shown(&found[0]));
}

#[test]
fn a_tenant_that_can_not_be_read_is_unknown() {
    let stack = stack(vec![waiting(1, 900)]).with_tenants(&["amani_salon", "broken"]);
    daraja_says(&stack, 1, 200, &result(1, "0"));
    let found = detect(&stack);
    let of = |verdict| found.iter().find(|f| f.verdict == verdict).and_then(|f| f.subject.tenant.clone());
    assert_eq!(of(VerdictKind::Unknown).as_deref(), Some("broken"));
    assert_eq!(of(VerdictKind::Present).as_deref(), Some("amani_salon"));
}

#[test]
fn no_tenant_at_all_is_unknown_and_not_well() {
    let found = detect(&stack(vec![]).with_tenants(&[]));
    assert_eq!(found[0].verdict, VerdictKind::Unknown);
}

/// A stack in which one payment is paid, as a plan reads it.
fn paid() -> Stack {
    let stack = stack(vec![waiting(1, 900)]);
    daraja_says(&stack, 1, 200, &result(1, "0"));
    stack.answer_sql("booking_state", vec![row(1, 900)]);
    stack.answer_sql("interval '30 days'", vec![json!({ "value": "settled, firm", "n": 9 })]);
    stack.answer_sql("AS other", vec![]);
    stack.answer_sql("AS beside_state", vec![]);
    stack
}

#[test]
fn what_is_paid_gets_the_tenant_s_own_words_no_receipt_and_the_payment_last() {
    let stack = paid();
    let steps = plan(&stack, &detect(&stack)[0]).unwrap();
    let Step::Http(first) = &steps[0] else { panic!("{:?}", steps[0]) };
    assert!(first.otherwise.as_deref().unwrap().contains("no longer says that it is paid"), "{first:?}");
    assert!(first.only_looks, "Daraja is asked once more before anything is written");
    assert_eq!(first.has["ResultCode"], "0");
    let Step::Sql(booking) = &steps[1] else { panic!("{:?}", steps[1]) };
    assert_eq!(booking.params, vec![json!(["b1"]), json!("firm")]);
    let Some(Step::Sql(payment)) = steps.last() else { panic!("{steps:?}") };
    assert_eq!(payment.params[2], json!(["settled"]));
    assert_eq!(payment.params[5], json!([null]), "a query names no receipt, so there is none");
    assert!(payment.guards[0].lock && payment.undo.is_some() && booking.undo.is_some());
}

#[test]
fn a_booking_that_can_not_simply_be_confirmed_is_a_person_s_affair() {
    let stop = |key: &str, value: Value| {
        let stack = paid();
        let mut row = row(1, 900);
        row[key] = value;
        stack.answer_sql("booking_state", vec![row]);
        plan(&stack, &detect(&stack)[0])
    };
    let why = stop("booking_state", json!("cancelled")).unwrap_err();
    assert!(why.contains("is \"cancelled\", and neither held nor released"), "{why}");
    assert!(why.contains("KES 500") && why.contains("Call the customer"), "{why}");
    let why = stop("is_ahead", json!(false)).unwrap_err();
    assert!(why.contains("lies in the past (2026-11-27 06:00:00+00)"), "{why}");
    assert!(stop("booking_state", json!("released")).is_ok(), "given free, and nobody has taken it");

    let stack = paid();
    stack.answer_sql("AS other", vec![json!({ "id": "b1", "other": "b2" })]);
    let why = plan(&stack, &detect(&stack)[0]).unwrap_err();
    assert!(why.contains("gone to another booking") && why.contains("Call the customer"), "{why}");
}

#[test]
fn what_a_confirmed_booking_rests_on_is_looked_at_in_its_transaction() {
    let stack = paid();
    let steps = plan(&stack, &detect(&stack)[0]).unwrap();
    let Step::Sql(booking) = &steps[1] else { panic!("{:?}", steps[1]) };
    let guards: Vec<&str> = booking.guards.iter().map(|guard| guard.what.as_str()).collect();
    for what in ["time has not gone to another booking", "no other payment for the booking has come"] {
        assert!(guards.iter().any(|guard| guard.contains(what)), "{guards:?}");
    }
    let overlap = &booking.guards[2].sql;
    assert!(overlap.contains("{services.duration_min}") && !overlap.contains("= b.{bookings.starts_at}"));
    let unless = &booking.undo.as_ref().unwrap().unless;
    assert!(unless[0].what.contains("no other payment for the booking is paid"), "{unless:?}");
}

#[test]
fn the_first_change_says_who_paid_how_much_and_what_is_paid_beside() {
    let stack = paid();
    let mut twice = waiting(1, 900);
    twice["paid_beside"] = json!(1);
    stack.answer_tenant("amani_salon", vec![twice]);
    stack
        .answer_sql("AS beside_state", vec![json!({ "id": "p2", "beside_state": "paid", "result_code": 0 })]);
    let finding = detect(&stack).remove(0);
    let reason = finding.reason.as_deref().unwrap();
    assert!(reason.contains("(2547…01) has paid KES 500") && reason.contains("is paid too"), "{reason}");
    let steps = plan(&stack, &finding).unwrap();
    let Step::Sql(booking) = &steps[1] else { panic!("{:?}", steps[1]) };
    assert_eq!(booking.title, "Confirm the booking for which 2547…01 has paid KES 500");
    let Some(Step::Sql(payment)) = steps.last() else { panic!("{steps:?}") };
    assert_eq!(payment.title, "Mark the payment of KES 500 as paid");
    assert!(booking.blast_radius.contains("may have to be given back"), "{}", booking.blast_radius);
}

#[test]
fn one_customer_s_lost_time_does_not_keep_another_waiting() {
    let stack = paid();
    stack.answer("redis_there", json!([false, false]));
    stack.answer_tenant("amani_salon", vec![waiting(1, 900), waiting(2, 800)]);
    daraja_says(&stack, 2, 200, &result(2, "0"));
    let found = detect(&stack);
    let payments: Vec<_> = found.iter().map(|f| f.subject.payment.clone().unwrap()).collect();
    assert_eq!(payments.len(), 2, "each can be named: {payments:?}");
    assert_ne!(payments[0], payments[1]);
}

#[test]
fn words_that_do_not_agree_are_not_voted_on() {
    let stack = paid();
    let finding = detect(&stack).remove(0);
    let words =
        vec![json!({ "value": "paid, done", "n": 90 }), json!({ "value": "paid, confirmed", "n": 2 })];
    stack.answer_sql("interval '30 days'", words);
    let why = plan(&stack, &finding).unwrap_err();
    assert!(why.contains("does not guess") && why.contains("What the application calls it"), "{why}");
    let given = BTreeMap::from([("called".to_owned(), json!("paid, confirmed"))]);
    let steps = shipped::plan(&stack, ID, &finding, &given).unwrap();
    let Step::Sql(booking) = &steps[1] else { panic!("{:?}", steps[1]) };
    assert_eq!(booking.params[1], "confirmed");
    // Nothing is known: it is offered, and picked by nobody but the operator.
    stack.answer_sql("interval '30 days'", vec![]);
    assert!(plan(&stack, &finding).unwrap_err().contains("no payment of any tenant tells"));
}

#[test]
fn a_wrong_pin_is_no_cancelled_prompt() {
    let stack = stack(vec![waiting(1, 900)]);
    daraja_says(&stack, 1, 200, &result(1, "2001"));
    stack.answer_sql("booking_state", vec![row(1, 900)]);
    stack.answer_sql("::text = '2001'", vec![]);
    stack.answer_sql("<> 1032", vec![json!({ "value": "failed", "n": 1 })]);
    stack.answer_sql("- 60)", vec![]);
    let steps = plan(&stack, &detect(&stack)[0]).unwrap();
    let Some(Step::Sql(payment)) = steps.last() else { panic!("{steps:?}") };
    assert_eq!(payment.params[2], json!(["failed"]));
}

#[test]
fn payments_that_ended_differently_are_told_apart() {
    let stack = stack(vec![waiting(1, 900), waiting(2, 890)]);
    daraja_says(&stack, 1, 200, &result(1, "1037"));
    daraja_says(&stack, 2, 200, &result(2, "1032"));
    let found = detect(&stack);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(shown(&found[0]).contains("not reached") && shown(&found[1]).contains("was cancelled"));
}

#[test]
fn what_is_left_of_a_lost_poll_is_no_poll() {
    let stack = stack(vec![waiting(1, 7200)]);
    daraja_says(&stack, 1, 200, &result(1, "0"));
    // Its key is there, and no entry in the queue: arq never runs it.
    stack.answer("redis_there", json!([true]));
    assert_eq!(cause(&detect(&stack)[0]), "paid");
    stack.answer("redis_lowest", queued(&[1]));
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
}

#[test]
fn nobody_is_said_to_have_been_asked_about_a_payment_without_a_push() {
    let mut row = waiting(1, 900);
    row["push"] = Value::Null;
    let stack = stack(vec![row]);
    let found = detect(&stack);
    let reason = found[0].reason.as_deref().unwrap();
    assert!(reason.contains("without a CheckoutRequestID") && !reason.contains("answer"), "{reason}");
    let why = plan(&stack, &found[0]).unwrap_err();
    assert!(why.contains("M-Pesa's portal") && !why.contains("keys"), "{why}");
}

#[test]
fn a_worker_whose_writes_redis_refuses_is_not_restarted() {
    let refusals = [
        "redis.exceptions.OutOfMemoryError: command not allowed when used memory > 'maxmemory'.",
        "ResponseError: NOREPLICAS Not enough good replicas to write.",
    ];
    for line in refusals {
        let stack = stack(vec![waiting(1, 300)]);
        stack.answer("redis_lowest", json!([{ "member": "stk-reconcile:x", "score": 1_000.0 }]));
        stack.answer("log_tail", json!([{ "at": null, "stderr": true, "text": line }]));
        let found = detect(&stack);
        assert!(found[0].reason.as_deref().unwrap().contains("Redis refuses what it writes"), "{found:?}");
        assert!(plan(&stack, &found[0]).unwrap_err().contains("a restart can't help"), "{line}");
    }
}

#[test]
fn what_daraja_writes_is_said_without_a_number() {
    let stack = stack(vec![waiting(1, 900)]);
    let refusal = json!({ "errorCode": "400.002.02", "errorMessage": "Invalid PhoneNumber 254711222333 of j.doe@x.co" });
    daraja_says(&stack, 1, 400, &refusal);
    let text = shown(&detect(&stack)[0]);
    assert!(text.contains("400.002.02") && text.contains("PhoneNumber •••333 of •••@x.co"), "{text}");
    assert!(!text.contains("254711222333") && !text.contains("j.doe"), "{text}");
}

#[test]
fn what_daraja_no_longer_calls_paid_is_not_marked() {
    let stack = paid();
    let finding = detect(&stack).remove(0);
    daraja_says(&stack, 1, 200, &result(1, "1032"));
    assert!(plan(&stack, &finding).unwrap_err().contains("no longer says that it is paid"));
}

/// A stack in which one payment is over, with the reaper's script as given.
fn over(script: &str, touched: &[i64]) -> Vec<Step> {
    let stack = stack(vec![waiting(1, 900)]);
    daraja_says(&stack, 1, 200, &result(1, "1037"));
    stack.answer_sql("booking_state", vec![row(1, 900)]);
    let touched = touched.iter().map(|n| json!({ "id": format!("07000000-0000-4000-8000-{n:012}") }));
    stack.answer_sql("- 60)", touched.collect());
    stack.answer_sql(
        "pg_class",
        vec![json!({ "schema": "tenant_amani_salon", "name": "payments", "latest": "2026" })],
    );
    stack.answer_sql("::text = '1037'", vec![json!({ "value": "failed", "n": 3 })]);
    stack.answer("repo_text", json!(script));
    let steps = plan(&stack, &detect(&stack)[0]).unwrap();
    assert!(matches!(&steps[..], [.., Step::Command(_) | Step::Sql(_)]), "{steps:?}");
    steps
}

#[test]
fn the_reaper_runs_only_where_it_touches_exactly_what_is_over() {
    let script = "add(\"--tenant\") add(\"--older-than-s\")";
    let steps = over(script, &[1]);
    assert!(matches!(&steps[0], Step::Backup(_)), "{steps:?}");
    assert!(matches!(steps.last(), Some(Step::Command(reaper)) if reaper.loses.is_some()), "{steps:?}");
    // Another payment would be aged out too; and a reaper that takes all tenants at once is never run.
    for steps in [over(script, &[1, 2]), over("no options", &[1])] {
        let Some(Step::Sql(rows)) = steps.last() else { panic!("{steps:?}") };
        assert_eq!(rows.expect_rows, 1);
        assert_eq!(rows.params[6], json!(NUDGE_WINDOW_S), "the statement itself holds the window");
    }
}
