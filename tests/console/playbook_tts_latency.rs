//! Row 9: slow, refused, or slow elsewhere; a hiccup is none of them.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, VerdictKind},
    playbook::{resolve_params, step::Step},
    ports::Clock,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "09-tts-latency";

fn record(stack: &Stack, event: &str, fields: Value) -> Value {
    json!({ "at": stack.clock.now().to_string(), "level": "info", "event": event, "logger": "voice",
        "tenant": "jua_auto", "thread_id": "", "fields": fields, "is_structured": true })
}

/// Turns by what the speech took, or how it was refused; with `whole` also the whole turn's time.
fn stack(turns: &[Value], whole: &[i64]) -> Stack {
    let stack = Stack::default().with_containers(vec![container("backend")]);
    let speech = |turn: &Value| match turn.as_i64() {
        Some(ms) => json!({ "duration_ms": ms, "status": 200, "characters": 90 }),
        None => turn.clone(),
    };
    let spoken = turns.iter().map(|turn| record(&stack, "elevenlabs.synthesize", speech(turn)));
    let turned = whole.iter().map(|ms| record(&stack, "voice.turn", json!({ "duration_ms": ms })));
    let records: Vec<Value> = spoken.chain(turned).collect();
    stack.answer("\"log_records\"", json!({ "records": records, "from": null, "is_whole": true }));
    stack
}

fn refused(status: i64, detail: &str) -> Value {
    json!({ "duration_ms": 40, "status": status, "detail_status": detail })
}

fn detect(stack: &Stack) -> Finding {
    shipped::detect(stack, ID).remove(0)
}

fn verdict(turns: &[Value], whole: &[i64]) -> (VerdictKind, String) {
    let found = detect(&stack(turns, whole));
    (found.verdict, found.data["cause"].as_str().unwrap_or_default().to_owned())
}

fn ms(times: &[i64]) -> Vec<Value> {
    times.iter().map(|ms| json!(ms)).collect()
}

const ABSENT: (VerdictKind, &str) = (VerdictKind::Absent, "");

#[track_caller]
fn is(found: (VerdictKind, String), wanted: (VerdictKind, &str)) {
    assert_eq!((found.0, found.1.as_str()), wanted);
}

#[test]
fn three_slow_turns_in_a_row_are_present_and_less_is_not() {
    is(verdict(&[], &[]), ABSENT);
    is(verdict(&ms(&[300, 1200, 900]), &[]), ABSENT);
    is(verdict(&ms(&[300, 4000, 300]), &[]), ABSENT);
    is(verdict(&ms(&[1201, 1300, 1400]), &[]), (VerdictKind::Present, "slow"));
    is(verdict(&ms(&[1300, 300, 1300, 300]), &[]), (VerdictKind::Suspected, "slow_at_times"));
    // Five in time end it.
    is(verdict(&ms(&[1300, 1300, 1300, 300, 300, 300, 300]), &[]), (VerdictKind::Suspected, "slow_at_times"));
    is(verdict(&ms(&[1300, 1300, 1300, 300, 300, 300, 300, 300]), &[]), ABSENT);
}

#[test]
fn slow_speech_in_turns_that_are_in_time_is_only_suspected() {
    is(verdict(&ms(&[1300, 1300, 1300]), &[2000, 2000, 2500]), (VerdictKind::Suspected, "slow"));
    is(verdict(&ms(&[1300, 1300, 1300]), &[2000, 2000, 2501]), (VerdictKind::Present, "slow"));
}

#[test]
fn fast_speech_in_slow_turns_is_slow_elsewhere() {
    let found = detect(&stack(&ms(&[300, 310, 320]), &[2600, 3900, 3000]));
    assert_eq!((found.verdict, found.data["cause"].as_str()), (VerdictKind::Present, Some("elsewhere")));
    assert!(found.reason.as_deref().unwrap().contains("the speech alone took 310 ms"));
    // Without that line it is said what can't be seen.
    let found = detect(&stack(&ms(&[300, 310, 320]), &[]));
    assert!(found.evidence.iter().any(|e| e.what.contains("can't be seen")));
}

#[test]
fn a_refusal_is_told_by_what_elevenlabs_says_and_not_by_its_status() {
    let quota = || refused(401, "quota_exceeded");
    is(verdict(&[quota()], &[]), (VerdictKind::Present, "quota"));
    is(verdict(&[refused(401, "invalid_api_key")], &[]), (VerdictKind::Present, "key"));
    // Topped up: the next turn is spoken.
    is(verdict(&[quota(), quota(), json!(300)], &[]), ABSENT);
    let many = || refused(429, "too_many_concurrent_requests");
    is(verdict(&[many(), json!(300), many()], &[]), (VerdictKind::Present, "concurrency"));
    is(verdict(&[many(), json!(300)], &[]), ABSENT);
    is(
        verdict(&[refused(429, "system_busy"), refused(429, "system_busy")], &[]),
        (VerdictKind::Present, "busy"),
    );
    let silent = || json!({ "duration_ms": 15000, "status": null, "detail_status": "ReadTimeout" });
    is(verdict(&[silent(), silent()], &[]), (VerdictKind::Present, "unreachable"));
}

#[test]
fn fields_that_are_no_numbers_are_no_times() {
    let odd = [
        json!({ "duration_ms": "9999", "status": 200 }),
        json!({ "duration_ms": null }),
        json!({ "duration_ms": [1] }),
    ];
    is(verdict(&odd, &[]), ABSENT);
}

fn plan(stack: &Stack, given: BTreeMap<String, Value>) -> Result<Vec<Step>, String> {
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ID);
    let finding = detect(stack);
    let specs = playbook.choices(&stack.call_context(), &finding).map_err(|e| e.to_string())?;
    let mut params = resolve_params(&specs, &given)?;
    if let Some(key) = params.get_mut("key").filter(|key| key.is_string()) {
        *key = json!({ "from": key, "fingerprint": "f" });
    }
    playbook.plan(&stack.call_context(), &finding, &params).map_err(|e| e.to_string())
}

fn with_rooms() -> Stack {
    let stack = stack(&ms(&[300, 300, 300]), &[2600, 2600, 2600]);
    let rooms = json!([
        { "name": "call-254712345678", "num_participants": 2, "metadata": "" },
        { "name": "forgotten", "num_participants": 0, "metadata": "" },
        { "name": "kept", "num_participants": 0, "metadata": "{\"tenant\": \"x\"}" },
    ]);
    stack.answer("ListRooms", json!({ "status": 200, "body": { "rooms": rooms } }));
    stack
}

#[test]
fn only_an_empty_room_is_closed_unless_somebody_picks_one_with_callers() {
    let steps = plan(&with_rooms(), BTreeMap::new()).unwrap();
    let [Step::Http(close), Step::Manual(_)] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!((close.title.as_str(), &close.loses), ("Close the room forgotten", &None));
    let picked = BTreeMap::from([("rooms".to_owned(), json!(["call-254712345678"]))]);
    let steps = plan(&with_rooms(), picked).unwrap();
    let [Step::Http(close), Step::Manual(_)] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(close.loses.as_deref(), Some("the calls of 2 people in the room call-…678"));
    assert_eq!(close.guards[0].has["rooms"][0]["num_participants"], json!(2));
}

#[test]
fn another_key_is_set_only_where_it_can_help() {
    let key = || BTreeMap::from([("key".to_owned(), json!("env:SPARE"))]);
    let steps = plan(&stack(&[refused(401, "quota_exceeded")], &[]), key()).unwrap();
    assert!(
        matches!(&steps[..], [Step::Dotenv(set), Step::Compose(_), _, Step::Manual(_)] if set.key == "ELEVENLABS_API_KEY")
    );
    assert!(plan(&stack(&ms(&[1300, 1300, 1300]), &[]), key()).unwrap_err().contains("no parameter `key`"));
}

#[test]
fn a_log_without_turns_is_no_proof_that_it_is_fixed() {
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ID);
    let finding = detect(&stack(&[refused(401, "quota_exceeded")], &[]));
    let verified = |turns: &[Value]| playbook.verify(&stack(turns, &[]).call_context(), &finding).unwrap();
    assert!(format!("{:?}", verified(&[])).contains("somebody has to call"));
    assert!(format!("{:?}", verified(&ms(&[300]))).contains("Fixed"));
}
