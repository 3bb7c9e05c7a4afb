//! Row 4: the way back from Daraja, and callbacks that found none.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, VerdictKind},
    playbook::step::Step,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "04-stk-callback-missing";
const PUSH: &str = "ws_CO_26112026093015001700000001";
const GOOD: &str = "https://a1.ngrok-free.app/payments/callback/";

fn tunnels(names: &[&str]) -> Value {
    let one = |name: &&str| {
        json!({ "name": "t", "public_url": format!("https://{name}"), "proto": "https",
            "config": { "addr": "http://localhost:8010" } })
    };
    json!({ "status": 200, "body": { "tunnels": names.iter().map(one).collect::<Vec<_>>() } })
}

/// Two tenants whose callbacks come through a tunnel that is up; nobody waits.
fn stack() -> Stack {
    let stack = Stack::default()
        .with_tenants(&["amani_salon", "jua_auto"])
        .with_containers(vec![container("worker")]);
    addresses(&stack, &format!("{GOOD}amani_salon"), &format!("{GOOD}jua_auto"));
    stack.answer_sql("AS reaped", vec![json!({ "callbacks": 2, "reaped": 5 })]);
    stack.answer("http_look", tunnels(&["a1.ngrok-free.app"]));
    stack.answer("redis_lowest", json!([]));
    stack.answer("processes", json!([{ "pid": 1, "name": "arq", "state": "S", "rss_bytes": 1 }]));
    stack.answer_tenant("amani_salon", vec![]);
    stack.answer_tenant("jua_auto", vec![]);
    stack
}

fn addresses(stack: &Stack, amani: &str, jua: &str) {
    stack.answer_sql(
        "daraja_callback_url\" AS url FROM",
        vec![json!({ "tenant": "amani_salon", "url": amani }), json!({ "tenant": "jua_auto", "url": jua })],
    );
}

/// One payment of amani_salon waits.
fn waits(stack: &Stack, routed: bool, callbacks: i64, has_poll: bool) {
    stack.answer("redis_there", json!([has_poll]));
    let polls = if has_poll {
        vec![json!({ "member": format!("stk-reconcile:{PUSH}"), "score": 1e15 })]
    } else {
        vec![]
    };
    stack.answer("redis_lowest", json!(polls));
    stack.answer_tenant(
        "amani_salon",
        vec![json!({
            "id": "p1", "thread_id": "t1", "push": PUSH, "at": "2026-11-24T06:00:00+00:00", "age_s": 300, "total": 1,
            "routed_to": routed.then_some("amani_salon"), "callbacks": callbacks,
        })],
    );
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

fn plan(stack: &Stack, given: &[(&str, Value)]) -> Result<Vec<Step>, String> {
    let given: BTreeMap<String, Value> = given.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    shipped::plan(stack, ID, &detect(stack).remove(0), &given)
}

fn cause(finding: &Finding) -> &str {
    finding.data["cause"].as_str().unwrap_or_default()
}

#[test]
fn a_way_back_that_is_well_is_absent_and_counts_the_two_kinds_apart() {
    let found = detect(&stack());
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Absent));
    let counted =
        |what: &str| found[0].evidence.iter().find(|e| e.what.contains(what)).map(|e| e.value.clone());
    assert_eq!(counted("found no way"), Some(json!(2)));
    assert_eq!(counted("reaper aged out"), Some(json!(5)));
}

#[test]
fn an_address_is_judged_by_its_text() {
    let cases = [
        ("http://a1.ngrok-free.app/cb/amani_salon", VerdictKind::Suspected),
        ("https://a1.ngrok-free.app/cb/amani salon", VerdictKind::Present),
        ("https://a1.ngrok-free.app/cb/amani\u{202e}salon", VerdictKind::Present),
        ("https://a1.ngrok-free.app/M-Pesa/amani", VerdictKind::Present),
        ("https://a1.ngrok-free.app/cb?query=1", VerdictKind::Present),
        ("https://a1.ngrok-free.app/cb/exec/amani", VerdictKind::Present),
        ("https://a1.ngrok-free.app/my_sql", VerdictKind::Present),
        ("https://localhost/payments/callback/amani_salon", VerdictKind::Present),
        ("https://192.168.1.4/payments/callback/amani_salon", VerdictKind::Present),
        ("https://backend:8010/payments/callback/amani_salon", VerdictKind::Present),
        ("ftp://a1.ngrok-free.app/cb", VerdictKind::Present),
        ("https://user:pass@a1.ngrok-free.app/cb", VerdictKind::Suspected),
        ("https://a1.ngrok-free.app/payments/callback/jua_auto", VerdictKind::Suspected),
        ("", VerdictKind::Present),
        ("https://pay.example.co.ke/cb/amani_salon", VerdictKind::Absent),
        ("https://a1.ngrok-free.app:443/cb/amani_salon", VerdictKind::Absent),
        // Words in words are no words.
        ("https://pay.executive-spa.co.ke/cb/amani_salon", VerdictKind::Absent),
    ];
    for (url, wanted) in cases {
        let stack = stack();
        addresses(&stack, url, &format!("{GOOD}jua_auto"));
        let found = detect(&stack);
        assert_eq!((found.len(), found[0].verdict), (1, wanted), "{url:?}: {found:?}");
    }
}

#[test]
fn a_stale_address_is_corrected_for_those_tenants_only_and_taken_back_as_it_was() {
    let stack = stack();
    addresses(&stack, "https://old.ngrok-free.app/payments/callback/amani_salon", &format!("{GOOD}jua_auto"));
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("stale", VerdictKind::Present));
    assert_eq!(found[0].subject.tenant.as_deref(), Some("amani_salon"));
    let steps = plan(&stack, &[]).unwrap();
    let [Step::Sql(sql)] = &steps[..] else { panic!("{steps:?}") };
    let old = json!(["https://old.ngrok-free.app/payments/callback/amani_salon"]);
    assert_eq!(sql.params, vec![json!(["amani_salon"]), old, json!([format!("{GOOD}amani_salon")])]);
    assert!(sql.undo.is_some() && sql.guards[0].lock);
}

#[test]
fn an_address_that_is_no_tunnel_s_is_never_called_stale() {
    let stack = stack();
    addresses(&stack, "https://pay.example.co.ke/cb/amani_salon", "https://pay.example.co.ke/cb/jua_auto");
    stack.answer("http_look", tunnels(&[]));
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
}

#[test]
fn without_a_tunnel_it_is_present_and_with_a_silent_agent_unknown() {
    let stack = stack();
    stack.answer("http_look", tunnels(&[]));
    let found = detect(&stack);
    assert_eq!((found.len(), cause(&found[0]), found[0].verdict), (1, "tunnel_down", VerdictKind::Present));
    let steps = plan(&stack, &[]).unwrap();
    assert!(matches!(&steps[..], [Step::Http(open)] if open.undo.is_some()), "{steps:?}");
    // A tunnel to another port is none of the backend's; of the right name it is less sure, for a container may have
    // another port inside.
    for (name, wanted) in [("b2.ngrok-free.app", "tunnel_down"), ("a1.ngrok-free.app", "elsewhere")] {
        let mut other = tunnels(&[name]);
        other["body"]["tunnels"][0]["config"]["addr"] = json!("http://localhost:3000");
        stack.answer("http_look", other);
        let found = detect(&stack);
        assert_eq!(cause(&found[0]), wanted);
        assert_eq!(found[0].verdict == VerdictKind::Present, wanted == "tunnel_down");
    }
    stack.answer("http_look", json!({ "status": 502, "body": "<html>" }));
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Unknown);
    // With a payment that waits for its callback a person is asked to start it.
    waits(&stack, true, 0, true);
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("agent_down", VerdictKind::Suspected));
}

#[test]
fn a_refused_address_gets_what_the_others_have_and_a_bad_one_is_refused() {
    let stack = stack();
    addresses(&stack, "https://a1.ngrok-free.app/mpesa/amani_salon", &format!("{GOOD}jua_auto"));
    let steps = plan(&stack, &[]).unwrap();
    let [Step::Sql(sql)] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(sql.params[2], json!([format!("{GOOD}amani_salon")]));
    let why = plan(&stack, &[("url", json!("https://a1.ngrok-free.app/sql"))]).unwrap_err();
    assert!(why.contains("\"sql\""), "{why}");
    let why = plan(&stack, &[("url", json!("https://gone.ngrok-free.app/cb"))]).unwrap_err();
    assert!(why.contains("no tunnel gone.ngrok-free.app"), "{why}");
}

#[test]
fn one_missed_callback_stays_suspected_and_nothing_is_changed() {
    let stack = stack();
    waits(&stack, true, 0, true);
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("missed", VerdictKind::Suspected));
    assert!(plan(&stack, &[]).unwrap_err().contains("proves nothing"));
    // Its poll is lost too: then row 7 has it.
    waits(&stack, true, 0, false);
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
}

fn callback(code: Value, items: Value) -> Value {
    let told =
        json!({ "CheckoutRequestID": PUSH, "ResultCode": code, "CallbackMetadata": { "Item": items } });
    json!({ "payload": { "Body": { "stkCallback": told } } })
}

fn items(amount: f64) -> Value {
    json!([{ "Name": "Amount", "Value": amount }, { "Name": "MpesaReceiptNumber", "Value": "TABCDEFGH1" },
        { "Name": "PhoneNumber", "Value": 254_700_000_001_i64 }])
}

/// A payment whose callbacks found no way: what Daraja says, and what they say.
fn replay(daraja: &str, stored: Vec<Value>, age_s: i64) -> Result<Vec<Step>, String> {
    let stack = stack();
    waits(&stack, true, 1, true);
    stack.answer_sql(
        "booking_state",
        vec![json!({
            "id": "p1", "state": "initiated", "thread_id": "", "push": PUSH, "msisdn": "254700000001", "amount_minor": 50_000,
            "result_code": null, "result_desc": null, "receipt": null, "created_at": "2026", "updated_at": "2026",
            "age_s": age_s, "booking_id": null, "booking_state": null, "customer": "2547…01",
        })],
    );
    stack.answer_sql("AS payload", stored);
    stack.answer_sql("interval '30 days'", vec![json!({ "value": "paid, confirmed", "n": 3 })]);
    stack.answer_sql("::text = '1032'", vec![json!({ "value": "cancelled", "n": 3 })]);
    stack.answer_sql("AS beside_state", vec![]);
    let answer = json!({ "CheckoutRequestID": PUSH, "ResultCode": daraja, "ResultDesc": "words" });
    stack.answer("stk_query", json!({ "status": 200, "body": answer }));
    assert_eq!(cause(&detect(&stack)[0]), "callback");
    plan(&stack, &[])
}

#[test]
fn a_callback_is_handed_over_only_where_daraja_says_the_same() {
    let posts = |steps: &[Step]| {
        let is_post = |step: &&Step| matches!(step, Step::Http(call) if !call.only_looks);
        steps.iter().filter(is_post).count()
    };
    let paid = || callback(json!(0), items(500.0));
    let same = replay("0", vec![paid()], 300).unwrap();
    assert_eq!(posts(&same), 1);
    assert!(matches!(&same[0], Step::Http(call) if call.only_looks), "asked once more first: {same:?}");
    assert_eq!(posts(&replay("1032", vec![callback(json!(1032), json!([]))], 300).unwrap()), 1);
    // Only a payment has a receipt: this one would write it onto a cancelled one.
    assert!(
        replay("1032", vec![callback(json!(1032), items(500.0))], 300)
            .unwrap_err()
            .contains("not handed over")
    );
    // Not the first one of the push, but the one that says what Daraja says.
    assert_eq!(posts(&replay("0", vec![callback(json!(1032), json!([])), paid()], 300).unwrap()), 1);
    // Forged: the customer cancelled, and a callback says paid.
    let why = replay("1032", vec![paid()], 300).unwrap_err();
    assert!(why.contains("not believed"), "{why}");
    assert!(replay("4999", vec![paid()], 300).is_err());
    // Paid, and what the callbacks say is not to be relied on: Daraja's word alone counts.
    let receipt = |receipt: &str| {
        let mut items = items(500.0);
        items[1]["Value"] = json!(receipt);
        callback(json!(0), items)
    };
    let doubtful = [
        vec![callback(json!(0), items(5.0))],
        vec![callback(json!(1032), items(500.0))],
        vec![callback(json!(0), json!([{ "Name": "MpesaReceiptNumber", "Value": "TFORGED001" }]))],
        vec![callback(json!(0), json!({ "Name": "Amount" }))],
        vec![callback(json!(0), json!([{ "Name": "MpesaReceiptNumber", "Value": { "a": 1 } }]))],
        vec![receipt("TABCDEFGH1"), receipt("TOTHERONE1")],
    ];
    let why = |steps: &[Step]| match steps.last() {
        Some(Step::Sql(payment)) => payment.after.clone().unwrap_or_default(),
        _ => panic!("{steps:?}"),
    };
    let unnamed = replay("0", doubtful[2].clone(), 300).unwrap();
    assert!(why(&unnamed).contains("it names no amount or no payer"), "{}", why(&unnamed));
    for stored in doubtful {
        let steps = replay("0", stored, 300).unwrap();
        assert_eq!(posts(&steps), 0, "{steps:?}");
        let Some(Step::Sql(payment)) = steps.last() else { panic!("{steps:?}") };
        assert_eq!(payment.params[5], json!([null]), "no receipt of a callback that is not believed");
        assert!(why(&steps).contains("is not handed over"), "{:?}", payment.after);
    }
}

#[test]
fn a_callback_on_which_the_backend_would_fail_is_refused_in_words() {
    let why = replay("1032", vec![callback(json!(1032), json!({ "Name": "Amount" }))], 300).unwrap_err();
    assert!(
        why.contains("it is not formed as M-Pesa forms it") && why.contains("older than 8 minutes"),
        "{why}"
    );
    let steps = replay("1032", vec![callback(json!(1032), json!({ "Name": "Amount" }))], 900).unwrap();
    assert!(matches!(steps.last(), Some(Step::Sql(_))), "it ends by Daraja's word: {steps:?}");
}

#[test]
fn a_routing_row_that_names_another_tenant_is_present_and_corrected() {
    let stack = stack();
    waits(&stack, true, 0, true);
    let mut row = json!({ "id": "p1", "thread_id": "t1", "push": PUSH, "at": "2026", "age_s": 300, "total": 1, "callbacks": 1 });
    row["routed_to"] = json!("jua_auto");
    stack.answer_tenant("amani_salon", vec![row]);
    stack.answer_sql("booking_state", vec![json!({ "id": "p1", "state": "initiated", "push": PUSH })]);
    stack.answer_sql("AS routed_to", vec![json!({ "push": PUSH, "routed_to": "jua_auto" })]);
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("astray", VerdictKind::Present));
    assert!(found[0].reason.as_deref().unwrap().contains("of amani_salon names jua_auto"), "{found:?}");
    let steps = plan(&stack, &[]).unwrap();
    let [Step::Sql(sql)] = &steps[..] else { panic!("{steps:?}") };
    assert!(sql.undo.is_some() && sql.params[1] == "amani_salon");
    // Whose it is can't be told where both have it.
    stack.answer_sql("AS id FROM {tenant}.\"payments\" WHERE \"checkout", vec![json!({ "id": "p9" })]);
    stack.answer_sql("checkout_request_id\" = $1", vec![json!({ "id": "p9" })]);
    assert!(plan(&stack, &[]).unwrap_err().contains("does not guess"));
}

#[test]
fn a_password_in_an_address_is_told_nobody() {
    let stack = stack();
    addresses(&stack, "https://u:pw123@a1.ngrok-free.app/cb?key=k456", &format!("{GOOD}jua_auto"));
    let found = detect(&stack);
    let text = format!("{:?} {}", found[0].reason, json!(found[0].evidence));
    assert!(text.contains("a user name or a password"), "{text}");
    assert!(!text.contains("pw123") && !text.contains("k456"), "{text}");
}

#[test]
fn a_new_address_must_be_one_that_m_pesa_and_the_backend_know() {
    let stack = stack();
    addresses(&stack, "https://a1.ngrok-free.app/mpesa/amani_salon", &format!("{GOOD}jua_auto"));
    let why = |url: &str| plan(&stack, &[("url", json!(url))]).unwrap_err();
    assert!(why("https://localhost/nowhere").contains("M-Pesa does not reach it"));
    assert!(why(&format!("{GOOD}jua_auto")).contains("names jua_auto, another tenant"));
    stack.answer("/nowhere", json!({ "status": 404, "body": null }));
    assert!(why("https://a1.ngrok-free.app/nowhere").contains("it answers 404"));
    let steps = plan(&stack, &[("url", json!("https://pay.example.co.ke/nowhere"))]).unwrap();
    let [Step::Sql(sql)] = &steps[..] else { panic!("{steps:?}") };
    assert!(sql.after.as_deref().unwrap().contains("seen with the next payment"), "{:?}", sql.after);
}

#[test]
fn no_routing_row_is_present_and_made_from_the_payment() {
    let stack = stack();
    waits(&stack, false, 0, true);
    stack.answer_sql("booking_state", vec![json!({ "id": "p1", "state": "initiated", "push": PUSH })]);
    let found = detect(&stack);
    assert_eq!((cause(&found[0]), found[0].verdict), ("routing", VerdictKind::Present));
    let steps = plan(&stack, &[]).unwrap();
    let [Step::Sql(sql)] = &steps[..] else { panic!("{steps:?}") };
    let undo = sql.undo.as_ref().unwrap();
    assert!(sql.sql.starts_with("INSERT INTO {payment_routing}") && undo.sql.starts_with("DELETE"));
    assert_eq!(undo.unless.len(), 1, "not taken back once the payment has ended");
}
