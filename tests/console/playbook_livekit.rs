//! Row 3: each piece of a call's path, what cures it, and whose call it would cost.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{ContainerState, Finding, PublishedPort, SourceError, SourceErrorKind, SourceName, VerdictKind},
    playbook::step::Step,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ROW_3: &str = "03-livekit-sip-down";
const YAML: &str = "port: 7890\nrtc:\n  tcp_port: 7891\nredis:\n  address: redis:6379\n";

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ROW_3)
}

fn steps(stack: &Stack, finding: &Finding, params: Value) -> Result<Vec<Step>, String> {
    let catalog = shipped::catalog();
    let mut all = json!({ "trunk_name": "inbound", "room_prefix": "call-" });
    for (name, value) in params.as_object().unwrap() {
        all[name] = value.clone();
    }
    let params: BTreeMap<String, Value> = serde_json::from_value(all).unwrap();
    let steps = shipped::playbook(&catalog, ROW_3).plan(&stack.call_context(), finding, &params);
    steps.map_err(|e| e.to_string())
}

fn plan(stack: &Stack, finding: &Finding, params: Value) -> Result<Vec<String>, String> {
    let word = |step: &Step| match step {
        Step::Compose(step) => step.action.title(),
        Step::Manual(step) => format!("by hand: {}", step.title),
        Step::Http(step) => step.title.clone(),
        Step::WaitUntil(step) => step.title.clone(),
        other => other.kind().to_owned(),
    };
    Ok(steps(stack, finding, params)?.iter().map(word).collect())
}

fn trouble() -> SourceError {
    SourceError {
        source_name: SourceName::Http,
        kind: SourceErrorKind::TimedOut,
        attempted: "GET http://127.0.0.1:7890/".into(),
        happened: "no answer within 5 s".into(),
        hint: "Is it up?".into(),
    }
}

fn listed(stack: &Stack, method: &str, status: u16, body: Value) {
    stack.answer(&format!(r#""method":"{method}""#), json!({ "status": status, "body": body }));
}

fn trunks(stack: &Stack, ids: &[&str]) {
    let items: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "sip_trunk_id": id, "name": "Safaricom", "auth_password": "hunter2-hunter2" }))
        .collect();
    listed(stack, "ListSIPInboundTrunk", 200, json!({ "items": items }));
}

fn rules(stack: &Stack, named: &[&[&str]]) {
    let items: Vec<Value> = (1..)
        .zip(named)
        .map(|(n, trunks)| json!({ "sip_dispatch_rule_id": format!("SDR_{n}"), "trunk_ids": trunks }))
        .collect();
    listed(stack, "ListSIPDispatchRule", 200, json!({ "items": items }));
}

fn people(stack: &Stack, rooms: &[(&str, u32)]) {
    let rooms: Vec<Value> =
        rooms.iter().map(|(name, n)| json!({ "name": name, "num_participants": n })).collect();
    listed(stack, "ListRooms", 200, json!({ "rooms": rooms }));
}

fn refused_callers(stack: &Stack, lines: Vec<Value>) {
    stack.answer("log_records", json!({ "records": lines, "from": null, "is_whole": true }));
}

/// A stack on which calls come in.
fn stack() -> Stack {
    let services = ["livekit", "sip", "redis"].map(container).to_vec();
    let stack = Stack::default().with_containers(services);
    stack.change_container("livekit", |c| c.health = None);
    stack.answer("http_get", json!({ "status": 200, "body": "OK", "elapsed_ms": 1 }));
    stack.answer("accepts", json!(true));
    stack.answer("sip_options", json!("200 OK"));
    trunks(&stack, &["ST_1"]);
    rules(&stack, &[&["ST_1"]]);
    people(&stack, &[]);
    refused_callers(&stack, Vec::new());
    stack.answer("repo_text", json!(YAML));
    stack.answer("redis_fields", json!(["ST_1"]));
    stack
}

const QUIET: &str = "Make sure that nobody is in a call";

type Fault = fn(&Stack);

#[test]
fn a_path_on_which_calls_come_in_is_no_row_and_tells_no_password() {
    let found = detect(&stack());
    assert_eq!(found[0].verdict, VerdictKind::Absent, "{found:?}");
    assert_eq!(found[0].evidence.len(), 6);
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn each_piece_is_told_apart_and_gets_what_cures_it() {
    let anew = [QUIET, "Recreate livekit", "Wait until livekit is up"].as_slice();
    let cases: &[(&str, Fault, &str, &str, Value, &[&str])] = &[
        (
            "not ready",
            |s| s.answer("http_get", json!({ "status": 406, "body": "Not Ready", "elapsed_ms": 1 })),
            "livekit",
            "says that it is not ready",
            json!({}),
            anew,
        ),
        (
            "rtc",
            |s| s.answer("accepts", json!(false)),
            "livekit",
            "takes no connection on its RTC port",
            json!({}),
            anew,
        ),
        (
            "silent",
            |s| s.refuse("http_get", trouble()),
            "livekit",
            "doesn't answer on its signal port",
            json!({ "calls": "drop" }),
            &["Recreate livekit", "Wait until livekit is up"],
        ),
        (
            "no Redis, and the file has it by now",
            |s| {
                listed(
                    s,
                    "ListSIPInboundTrunk",
                    500,
                    json!({ "code": "internal", "msg": "sip not connected (redis required)" }),
                )
            },
            "livekit",
            "runs without Redis",
            json!({}),
            anew,
        ),
        (
            "no Redis in the file",
            |s| {
                listed(
                    s,
                    "ListSIPInboundTrunk",
                    500,
                    json!({ "code": "internal", "msg": "sip not connected (redis required)" }),
                );
                s.answer("repo_text", json!("port: 7890\n"));
            },
            "livekit",
            "runs without Redis",
            json!({ "redis_address": "redis:6379" }),
            &["patch", QUIET, "Recreate livekit", "Wait until livekit is up"],
        ),
        (
            "trunk gone, the rule names it still",
            |s| trunks(s, &[]),
            "livekit",
            "no inbound trunk",
            json!({ "numbers": "+254205000100, 254205000101" }),
            &["Make the inbound trunk inbound", "Let dispatch rule SDR_1 take calls of every trunk"],
        ),
        (
            "trunk gone, the rule takes any",
            |s| {
                trunks(s, &[]);
                rules(s, &[&[]]);
            },
            "livekit",
            "no inbound trunk",
            json!({ "numbers": "+254205000100" }),
            &["Make the inbound trunk inbound"],
        ),
        (
            "rule gone",
            |s| rules(s, &[]),
            "livekit",
            "no dispatch rule",
            json!({}),
            &["Make a dispatch rule: each caller gets a room call-…"],
        ),
        (
            "rule of another trunk",
            |s| rules(s, &[&["ST_9"]]),
            "livekit",
            "only name trunks that are gone",
            json!({}),
            &["Let dispatch rule SDR_1 take calls of every trunk"],
        ),
        (
            "SIP is silent",
            |s| s.answer("sip_options", Value::Null),
            "sip",
            "doesn't answer SIP OPTIONS",
            json!({}),
            &[QUIET, "Recreate sip", "Wait until sip is up"],
        ),
    ];
    for (name, fault, service, says, params, steps) in cases {
        let stack = stack();
        fault(&stack);
        let found = detect(&stack);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].verdict, VerdictKind::Present, "{name}");
        assert_eq!(found[0].subject.service.as_deref(), Some(*service), "{name}");
        let reason = found[0].reason.clone().unwrap_or_default();
        assert!(reason.contains(says), "{name}: {reason}");
        assert_eq!(plan(&stack, &found[0], params.clone()).unwrap(), *steps, "{name}");
    }
}

#[test]
fn a_container_that_is_down_is_row_1s_and_comes_first() {
    for service in ["livekit", "sip"] {
        let stack = stack();
        stack.change_container(service, |c| c.state = ContainerState::Exited);
        let found = detect(&stack);
        assert_eq!(
            found[0].explained_by.as_deref(),
            Some(format!("service:{service}").as_str()),
            "{found:?}"
        );
        let why = plan(&stack, &found[0], json!({})).unwrap_err();
        assert!(why.contains(&format!("Repair row 1 for {service} first")), "{why}");
    }
    let stack = stack();
    stack.hold_port(7891, "python3 (pid 77)");
    stack.change_container("livekit", |c| {
        c.state = ContainerState::Created;
        c.error = "Bind for 127.0.0.1:7891 failed: port is already allocated".into();
        let port = |host_port| PublishedPort {
            host_ip: "127.0.0.1".into(),
            host_port,
            container_port: host_port,
            protocol: "tcp".into(),
        };
        c.ports = vec![port(7890), port(7891)];
    });
    let found = detect(&stack);
    assert!(found[0].reason.clone().unwrap().contains("a port it needs is taken"), "{found:?}");
    let steps = plan(&stack, &found[0], json!({})).unwrap();
    assert_eq!(steps, ["by hand: Free port 7891", "Create and start livekit", "Wait until livekit is up"]);
}

#[test]
fn nobodys_call_is_dropped_without_being_asked_for() {
    let stack = stack();
    stack.answer("http_get", json!({ "status": 406, "body": "Not Ready", "elapsed_ms": 1 }));
    people(&stack, &[("call-1", 2), ("call-2", 0), ("call-3", 1)]);
    let finding = detect(&stack).remove(0);
    let why = plan(&stack, &finding, json!({})).unwrap_err();
    assert!(why.contains("3 people in 2 calls would be cut off"), "{why}");
    let waits = plan(&stack, &finding, json!({ "calls": "wait" })).unwrap();
    assert_eq!(waits[0], "by hand: Wait until the calls have ended: 3 people in 2 calls");
    let drops = steps(&stack, &finding, json!({ "calls": "drop" })).unwrap();
    let losing = drops.iter().filter(|step| matches!(step, Step::Http(http) if http.loses.is_some())).count();
    assert_eq!((losing, drops.len()), (2, 5), "{drops:?}");
    // Who can't be asked is not taken for nobody.
    for unasked in [
        (|s| s.refuse("http_get", trouble())) as Fault,
        |s| listed(s, "ListRooms", 500, json!({ "msg": "no" })),
        |s| s.refuse(r#""method":"ListRooms""#, trouble()),
    ] {
        unasked(&stack);
        let finding = detect(&stack).remove(0);
        let why = plan(&stack, &finding, json!({})).unwrap_err();
        assert!(why.contains("can't be told"), "{why}");
    }
}

#[test]
fn where_nothing_is_left_a_refused_caller_shows_that_something_was() {
    let stack = stack();
    trunks(&stack, &[]);
    rules(&stack, &[]);
    let found = detect(&stack);
    assert_eq!(found[0].verdict, VerdictKind::Suspected, "{found:?}");
    let line = |event: &str, msg: &str, is_structured: bool| {
        json!({
            "at": "2026-11-24T05:00:00Z", "level": "warning", "event": event, "logger": "sip", "tenant": "",
            "thread_id": "", "fields": { "msg": msg }, "is_structured": is_structured,
        })
    };
    // What somebody else wrote into a line proves nothing.
    let words = "Rejecting inbound, doesn't match any Trunks";
    refused_callers(&stack, vec![line(&format!("INVITE from {words}"), "", true), line(words, "", false)]);
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Suspected);
    for real in [line(words, "", true), line("", words, true)] {
        refused_callers(&stack, vec![real]);
        let found = detect(&stack);
        assert_eq!(found[0].verdict, VerdictKind::Present, "{found:?}");
        let steps = plan(&stack, &found[0], json!({ "numbers": "+254205000100" })).unwrap();
        assert_eq!(steps.len(), 2, "trunk and rule: {steps:?}");
    }
    let finding = detect(&stack).remove(0);
    for (numbers, says) in [
        ("", "give the numbers"),
        ("sip:me@evil", "is no phone number"),
        ("+2547; DROP", "is no phone number"),
    ] {
        let why = plan(&stack, &finding, json!({ "numbers": numbers })).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    let why =
        plan(&stack, &finding, json!({ "numbers": "+254205000100", "room_prefix": "a b" })).unwrap_err();
    assert!(why.contains("prefix"), "{why}");
}

#[test]
fn what_livekit_does_not_say_is_unknown() {
    let stack = stack();
    listed(&stack, "ListSIPDispatchRule", 401, json!("invalid token"));
    let found = detect(&stack);
    assert_eq!(found[0].verdict, VerdictKind::Unknown, "{found:?}");
    listed(&stack, "ListSIPDispatchRule", 500, json!({ "msg": "redis: ConnectionError" }));
    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    let found = detect(&stack);
    assert_eq!(found[0].verdict, VerdictKind::Unknown);
    assert_eq!(found[0].explained_by.as_deref(), Some("service:redis"));
}

#[test]
fn a_stack_without_phone_calls_misses_no_sip_service() {
    let stack = Stack::default().with_containers(vec![container("livekit"), container("redis")]);
    for (part, value) in [
        ("http_get", json!({ "status": 200, "body": "OK", "elapsed_ms": 1 })),
        ("accepts", json!(true)),
        ("sip_options", Value::Null),
    ] {
        stack.answer(part, value);
    }
    trunks(&stack, &["ST_1"]);
    rules(&stack, &[&[]]);
    let found = detect(&stack);
    assert!(found[0].reason.clone().unwrap().contains("there is no SIP service sip"), "{found:?}");
    assert_eq!(plan(&stack, &found[0], json!({})).unwrap(), ["by hand: Add the SIP service sip"]);
}

#[test]
fn redis_is_added_to_the_configuration_and_nothing_else_of_it_moves() {
    for (yaml, wanted) in [
        (
            "port: 7890\nrtc:\n  tcp_port: 7891\nlogging:\n  level: info\n",
            "@@ -3,3 +3,5 @@\n   tcp_port: 7891\n logging:\n   level: info\n+redis:\n+  address: redis:6379\n",
        ),
        ("port: 7890\n", "@@ -1,1 +1,3 @@\n port: 7890\n+redis:\n+  address: redis:6379\n"),
        (
            "a: 1\nport: 7890",
            "@@ -1,2 +1,4 @@\n a: 1\n-port: 7890\n\\ No newline at end of file\n+port: 7890\n+redis:\n+  address: redis:6379\n",
        ),
    ] {
        let stack = stack();
        let required = json!({ "code": "internal", "msg": "sip not connected (redis required)" });
        listed(&stack, "ListSIPInboundTrunk", 500, required);
        stack.answer("repo_text", json!(yaml));
        stack.change_container("livekit", |c| {
            c.ports = vec![PublishedPort {
                host_ip: "127.0.0.1".into(),
                host_port: 7890,
                container_port: 7890,
                protocol: "tcp".into(),
            }];
        });
        let finding = detect(&stack).remove(0);
        let Step::Patch(patch) = steps(&stack, &finding, json!({})).unwrap().remove(0) else {
            panic!("no patch")
        };
        assert!(patch.diff.ends_with(wanted), "{}", patch.diff);
        let why =
            steps(&stack, &finding, json!({ "redis_address": "redis:6379\n  password: x" })).unwrap_err();
        assert!(why.contains("is no host:port"), "{why}");
    }
}

#[test]
fn a_rule_of_a_lost_trunk_beside_a_good_one_is_suspected_and_left_to_a_person() {
    let stack = stack();
    rules(&stack, &[&["ST_1"], &["ST_gone"]]);
    let found = detect(&stack);
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Suspected), "{found:?}");
    assert!(
        found[0].reason.as_deref().unwrap().contains("1 dispatch rule of 2 only names trunks that are gone")
    );
    let refused = plan(&stack, &found[0], json!({})).unwrap_err();
    assert!(refused.contains("SDR_2") && refused.contains("lk sip dispatch update"), "{refused}");
    // It does not keep another repair of the same service from being seen as done.
    let catalog = shipped::catalog();
    let verdict =
        shipped::playbook(&catalog, ROW_3).verify(&stack.call_context(), &found[0]).unwrap().unwrap();
    assert_eq!(verdict.outcome, Some(ratiba_core::remedy::RunOutcome::Fixed), "{verdict:?}");
}

#[test]
fn a_rule_takes_every_trunks_calls_only_where_it_is_the_only_one() {
    let one = stack();
    rules(&one, &[&["ST_gone"]]);
    assert_eq!(plan(&one, &detect(&one)[0], json!({})).unwrap().len(), 1);
    let two = stack();
    rules(&two, &[&["ST_gone"], &["ST_lost"]]);
    let found = detect(&two);
    assert_eq!(found[0].verdict, VerdictKind::Present, "{found:?}");
    let given = json!({ "numbers": "+254205000100" });
    assert!(plan(&two, &found[0], given.clone()).unwrap_err().contains("could reach another business"));
    trunks(&two, &[]);
    assert!(
        plan(&two, &detect(&two)[0], given.clone()).unwrap_err().contains("could reach another business")
    );
    trunks(&one, &["ST_1", "ST_2"]);
    assert!(plan(&one, &detect(&one)[0], given).unwrap_err().contains("could reach another business"));
}

#[test]
fn a_trunk_without_addresses_says_who_may_call_and_only_addresses_are_taken() {
    let stack = stack();
    trunks(&stack, &[]);
    rules(&stack, &[&[]]);
    let finding = detect(&stack).remove(0);
    let told = |addresses: &str| {
        let given = json!({ "numbers": "+254205000100", "addresses": addresses });
        let steps = steps(&stack, &finding, given)?;
        let Step::Http(make) = &steps[0] else { panic!("{steps:?}") };
        Ok::<_, String>(make.blast_radius.clone())
    };
    assert!(told("").unwrap().contains("anybody who reaches the SIP port may call in"));
    for good in ["196.201.214.200", "196.201.214.0/24, 10.0.0.1", "2001:db8::1", "2001:db8::/32", "::1"] {
        assert!(!told(good).unwrap().contains("anybody"), "{good}");
    }
    for bad in ["999.1.1.1/99", "1.2.3", "1.2.3.4/33", "::/129", "12", "abc"] {
        assert!(told(bad).unwrap_err().contains("is no address or network"), "{bad}");
    }
}
