//! Row 8: what became of a prompt, what is said of the customer, and when another push is offered.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, FsmThread, ThreadRecord, VerdictKind},
    playbook::step::{Condition, Step},
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "08-stk-cancelled";
const PUSH: &str = "ws_CO_26112026093015001700000001";

fn talk(state: &str, payment: &str) -> ThreadRecord {
    ThreadRecord::Thread(FsmThread {
        id: "t1".into(),
        state: state.into(),
        tenant_slug: "amani_salon".into(),
        channel: "whatsapp".into(),
        intent: "book".into(),
        reprompts: 0,
        entered_at: None,
        updated_at: None,
        payment_id: Some(payment.into()),
    })
}

fn ended(code: Value) -> Value {
    json!({
        "id": "p1", "thread_id": "t1", "booking_id": "b1", "push": PUSH, "state": "cancelled", "code": code, "words": "words",
        "age_s": 130, "is_recent": true, "late": false, "beside": null, "after": false, "twice": false,
        "amount_minor": 50_000, "msisdn": "254700000001",
    })
}

fn stack(row: Value) -> Stack {
    let stack = Stack::default()
        .with_tenants(&["amani_salon"])
        .with_threads(vec![talk("PAYMENT_PENDING", "p1")])
        .with_containers(vec![container("backend")]);
    let code = row["code"].to_string();
    stack.answer_tenant("amani_salon", vec![row]);
    daraja_says(&stack, &code);
    stack.answer_sql(
        "booking_state",
        vec![json!({
            "id": "p1", "state": "cancelled", "thread_id": "t1", "push": PUSH, "msisdn": "254700000001", "amount_minor": 50_000,
            "result_code": 1032, "result_desc": "words", "receipt": null, "created_at": "2026", "updated_at": "2026",
            "age_s": 200, "booking_id": "b1", "booking_state": "held", "starts_at": "2027", "is_ahead": true,
            "customer": "2547…01", "now": "2026",
        })],
    );
    stack.answer_sql("IN ('initiated', 'pending') OR", vec![]);
    stack
}

fn daraja_says(stack: &Stack, code: &str) {
    let body = json!({ "CheckoutRequestID": PUSH, "ResultCode": code, "ResultDesc": "words" });
    stack.answer("stk_query", json!({ "status": 200, "body": body }));
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

#[test]
fn each_result_code_is_said_as_what_it_means() {
    let cases = [
        (1032, "was cancelled: dismissed, or it closed by itself"),
        (1037, "was not reached, or nobody answered"),
        (2001, "entered a wrong PIN"),
        (1, "did not have enough money"),
        (17, "the same amount so soon again"),
        (1019, "the prompt expired"),
        (31415, "came to nothing: result 31415"),
    ];
    for (code, words) in cases {
        let found = detect(&stack(ended(json!(code))));
        assert_eq!(found[0].verdict, VerdictKind::Present);
        let reason = found[0].reason.as_deref().unwrap();
        assert!(reason.contains(words), "{code}: {reason}");
        assert_eq!(reason.contains("cancelled"), code == 1032, "only 1032 is a cancelled prompt: {reason}");
    }
}

fn refused(words: &str) -> Value {
    let mut row = ended(Value::Null);
    row["push"] = Value::Null;
    row["words"] = json!(words);
    row["state"] = json!("failed");
    row
}

#[test]
fn an_error_code_is_never_the_customer_s_doing() {
    let found = detect(&stack(refused("500.002.1001 request cancelled")));
    assert_eq!((cause(&found[0]), found[0].verdict), ("refused", VerdictKind::Present));
    let reason = found[0].reason.as_deref().unwrap();
    assert!(reason.contains("no prompt appeared, and the customer has cancelled nothing"), "{reason}");
    // What is wrong with the request itself is refused again.
    let stack = stack(refused("400.002.02 Bad Request - Invalid CallBackURL"));
    let found = detect(&stack);
    assert_eq!(found[0].explained_by.as_deref(), Some("04-stk-callback-missing"));
    assert!(plan(&stack, &found[0]).unwrap_err().contains("correct that first"));
}

#[test]
fn what_nobody_waits_for_any_more_is_absent() {
    let row = |key: &str, value: Value| {
        let mut row = ended(json!(1032));
        row[key] = value;
        row
    };
    let gone = [row("after", json!(true)), row("is_recent", json!(false)), row("thread_id", json!("t2"))];
    for row in gone {
        assert_eq!(detect(&stack(row.clone()))[0].verdict, VerdictKind::Absent, "{row}");
    }
    let moved_on = stack(ended(json!(1032))).with_threads(vec![talk("GREET", "p1")]);
    assert_eq!(detect(&moved_on)[0].verdict, VerdictKind::Absent);
}

#[test]
fn a_new_push_is_a_person_s_step_after_daraja_two_minutes_and_daraja_again() {
    let stack = stack(ended(json!(1032)));
    let steps = plan(&stack, &detect(&stack)[0]).unwrap();
    let [Step::Http(ask), Step::WaitUntil(rest), Step::Http(again), Step::Manual(person)] = &steps[..] else {
        panic!("{steps:?}")
    };
    assert!(ask.only_looks && ask.has["ResultCode"] == "1032");
    assert!(again.only_looks && again.has == ask.has, "within two minutes it may have been paid");
    assert!(again.otherwise.as_deref().unwrap().contains("may have been paid"), "{again:?}");
    assert!(matches!(&rest.condition, Condition::Rows { params, .. } if params[1] == 120));
    let Condition::Rows { sql, params, .. } = &person.done else { panic!("{:?}", person.done) };
    assert!(
        params[3] == PUSH && sql.contains("{payment_callbacks_unrouted}"),
        "a late callback ends it: {sql}"
    );
    let told = person.instructions.iter().map(ToString::to_string).collect::<String>();
    assert!(!told.contains("254700000001"), "the number is shown in part: {told}");
    assert!(told.contains("KES 500") && !told.contains("nothing was charged"), "it is not known: {told}");
}

#[test]
fn a_paid_booking_with_a_push_that_is_still_open_is_shown_and_nothing_is_sent() {
    let mut row = ended(Value::Null);
    row["state"] = json!("initiated");
    row["twice"] = json!(true);
    let stack = stack(row).with_threads(vec![]);
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("twice", VerdictKind::Suspected));
    assert!(found[0].reason.as_deref().unwrap().contains("another push of KES 500 for it is still open"));
    assert!(plan(&stack, &found[0]).unwrap_err().contains("not to pay it"));
}

#[test]
fn what_says_paid_comes_first_and_what_is_not_so_is_nothing_against_it() {
    let mut row = ended(json!(1032));
    row["late"] = json!(true);
    let stack = stack(row);
    daraja_says(&stack, "0");
    let found = detect(&stack);
    let first: Vec<&str> = found[0].evidence.iter().take(2).map(|e| e.what.as_str()).collect();
    assert_eq!(first, ["Daraja on that push", "late callback that found no way, with result 0"]);
    assert!(found[0].evidence.iter().all(|e| !e.against), "{:?}", found[0].evidence);
    let reason = found[0].reason.as_deref().unwrap();
    assert!(reason.contains("(2547…01) has paid KES 500 after all, Daraja says so"), "{reason}");
}

#[test]
fn what_daraja_wrote_is_said_without_a_number() {
    let stack = stack(refused("500.002.1001 No such subscriber 254711222333"));
    let found = detect(&stack);
    let reason = found[0].reason.clone().unwrap();
    let values: Vec<Value> = found[0].evidence.iter().map(|e| e.value.clone()).collect();
    assert!(!format!("{reason} {values:?}").contains("254711222333"), "{reason} {values:?}");
}

#[test]
fn nothing_is_offered_that_could_charge_twice() {
    let finding = |stack: &Stack| detect(stack).remove(0);
    let open = stack(ended(json!(1032)));
    open.answer_sql("IN ('initiated', 'pending') OR", vec![json!({ "id": "p2" })]);
    assert!(plan(&open, &finding(&open)).unwrap_err().contains("could charge the customer twice"));
    for code in ["4999", "31415"] {
        let stack = stack(ended(json!(1032)));
        let found = finding(&stack);
        daraja_says(&stack, code);
        assert!(
            plan(&stack, &found).unwrap_err().contains("does not say that the old push is over"),
            "{code}"
        );
    }
    let stack = stack(ended(json!(1032)));
    let found = finding(&stack);
    daraja_says(&stack, "0");
    assert!(plan(&stack, &found).unwrap_err().contains("has paid after all"));
}

#[test]
fn another_push_beside_it_is_only_suspected() {
    let mut row = ended(json!(1032));
    row["beside"] = json!("ws_CO_26112026093015002700000001");
    let found = detect(&stack(row));
    assert_eq!((cause(&found[0]), found[0].verdict), ("beside", VerdictKind::Suspected));
}

#[test]
fn paid_after_all_is_what_daraja_says_and_not_what_a_callback_says() {
    let mut row = ended(json!(1032));
    row["late"] = json!(true);
    // Even where nobody waits any more: the money is there.
    row["is_recent"] = json!(false);
    let stack = stack(row);
    daraja_says(&stack, "0");
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("late", VerdictKind::Present));
    daraja_says(&stack, "1032");
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
    assert!(plan(&stack, &found[0]).unwrap_err().contains("not believed"));
}

/// What is written of late callbacks' receipts.
fn receipt(callbacks: &[Value]) -> Value {
    let mut row = ended(json!(1032));
    row["late"] = json!(true);
    let stack = stack(row);
    daraja_says(&stack, "0");
    let payload = |items: &Value| {
        let told =
            json!({ "CheckoutRequestID": PUSH, "ResultCode": 0, "CallbackMetadata": { "Item": items } });
        json!({ "payload": { "Body": { "stkCallback": told } } })
    };
    stack.answer_sql("AS payload", callbacks.iter().map(payload).collect());
    stack.answer_sql("interval '30 days'", vec![json!({ "value": "paid, confirmed", "n": 1 })]);
    stack.answer_sql("AS other", vec![]);
    stack.answer_sql("AS beside_state", vec![]);
    stack.answer("redis_key", json!({ "kind": "none", "size": 0, "ttl_ms": null }));
    let steps = plan(&stack, &detect(&stack)[0]).unwrap();
    let Some(Step::Sql(payment)) = steps.last() else { panic!("{steps:?}") };
    payment.params[5][0].clone()
}

#[test]
fn a_receipt_is_taken_only_from_a_callback_of_this_amount_and_payer() {
    let items = |amount: Value, payer: Value, receipt: &str| {
        json!([{ "Name": "Amount", "Value": amount }, { "Name": "PhoneNumber", "Value": payer },
            { "Name": "MpesaReceiptNumber", "Value": receipt }, { "Name": "Balance" }])
    };
    let payer = json!(254_700_000_001_i64);
    let good = items(json!(500.0), payer.clone(), "TABCDEFGH1");
    assert_eq!(receipt(std::slice::from_ref(&good)), "TABCDEFGH1");
    assert_eq!(receipt(&[items(json!(500), payer.clone(), "TABCDEFGH1")]), "TABCDEFGH1");
    let refused = [
        items(json!(5.0), payer.clone(), "TABCDEFGH1"),
        items(json!(500.0), json!(254_700_000_002_i64), "TABCDEFGH1"),
        items(json!(500.0), payer.clone(), "'; DROP--"),
        json!("none"),
        // Anybody knows a push's id who saw it: without amount and payer it is nobody's money.
        json!([{ "Name": "MpesaReceiptNumber", "Value": "TFORGED001" }]),
        items(Value::Null, payer.clone(), "TFORGED001"),
        items(json!(500.0), Value::Null, "TFORGED001"),
        json!({ "Name": "MpesaReceiptNumber" }),
    ];
    for one in refused {
        assert_eq!(receipt(std::slice::from_ref(&one)), Value::Null, "{one}");
        assert_eq!(
            receipt(&[one.clone(), good.clone()]),
            "TABCDEFGH1",
            "the next one is looked at too: {one}"
        );
    }
    // Two that both could be true: which one is, a person finds out.
    assert_eq!(receipt(&[good, items(json!(500), payer, "TOTHERONE1")]), Value::Null);
}
