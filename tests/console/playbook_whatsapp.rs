//! Row 2: what the four calls, the .env, the container and the log say together, and what cures it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    model::{ContainerState, Finding, SourceError, SourceErrorKind, SourceName, VerdictKind},
    playbook::step::Step,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ROW_2: &str = "02-whatsapp-signature-403";
const SECRET: &str = "WHATSAPP_APP_SECRET";
const TOKEN: &str = "WHATSAPP_VERIFY_TOKEN";

fn detect(stack: &Stack) -> Finding {
    let catalog = shipped::catalog();
    let mut found = shipped::playbook(&catalog, ROW_2).detect(&stack.call_context()).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// What the plan's steps are, or the sentence that refuses it.
fn plan(stack: &Stack, finding: &Finding, params: Value) -> Result<Vec<String>, String> {
    let catalog = shipped::catalog();
    let params: BTreeMap<String, Value> = serde_json::from_value(params).unwrap();
    let steps = shipped::playbook(&catalog, ROW_2).plan(&stack.call_context(), finding, &params);
    let word = |step: &Step| match step {
        Step::Compose(step) => step.action.title(),
        Step::Dotenv(step) => format!("{} -> {}", step.key, serde_json::to_string(&step.to).unwrap()),
        Step::Manual(step) => format!("by hand: {}", step.title),
        other => other.kind().to_owned(),
    };
    steps.map(|steps| steps.iter().map(word).collect()).map_err(|e| e.to_string())
}

fn ago(stack: &Stack, seconds: i64) -> Timestamp {
    stack.call_context().env.now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap()
}

fn calls(stack: &Stack, signed: u16, forged: u16, handshake: u16, wrong_token: u16) {
    let at = |status: u16| match status {
        0 => json!({ "failed": "nobody answers there" }),
        status => json!({ "status": status }),
    };
    stack.answer(
        "webhook",
        json!({
            "url": "http://127.0.0.1:8010/webhooks/whatsapp", "tried": [ago(stack, 0)],
            "signed": at(signed), "forged": at(forged), "handshake": at(handshake), "wrong_token": at(wrong_token),
        }),
    );
}

fn line(stack: &Stack, seconds_ago: i64, valid: bool, tenant: &str) -> Value {
    json!({
        "at": ago(stack, seconds_ago), "level": "info", "event": "webhook.whatsapp", "logger": "webhook",
        "tenant": tenant, "thread_id": "", "fields": { "signature_valid": valid }, "is_structured": true,
    })
}

fn handshake_refused(stack: &Stack, seconds_ago: i64) -> Value {
    let mut one = line(stack, seconds_ago, false, "");
    one["event"] = json!("webhook.whatsapp handshake refused");
    one["fields"] = json!({});
    one
}

fn log(stack: &Stack, lines: Vec<Value>) {
    let from = ago(stack, 86_400);
    stack.answer("log_records", json!({ "records": lines, "from": from, "is_whole": true }));
}

fn entry(stack: &Stack, key: &str, count: u32, change: impl FnOnce(&mut Value)) {
    let mut shape = json!({
        "length": 32, "is_hex": true, "is_quoted": false, "has_blank": false, "has_quote": false, "has_line_end": false,
        "has_carriage_return": false, "is_access_token": false,
    });
    change(&mut shape);
    let shape = if count == 0 { Value::Null } else { shape };
    let fingerprint = if count == 0 { Value::Null } else { json!("fingerprint-of-the-env") };
    stack.answer(
        &format!(r#""dotenv":{{"key":"{key}""#),
        json!({ "count": count, "fingerprint": fingerprint, "shape": shape }),
    );
}

fn variable(stack: &Stack, name: &str, is_empty: bool, as_dotenv: Option<bool>) {
    stack.answer(
        &format!(r#""name":"{name}""#),
        json!({ "is_set": true, "is_empty": is_empty, "as_dotenv": as_dotenv, "made_at": "2026-11-24T08:00:00Z" }),
    );
}

/// A stack on which all is well, and somebody wrote.
fn stack() -> Stack {
    let stack = Stack::default().with_containers(vec![container("backend"), container("redis")]);
    stack.reconfigure("hash-1");
    calls(&stack, 200, 403, 200, 403);
    for key in [SECRET, TOKEN] {
        entry(&stack, key, 1, |_| {});
        variable(&stack, key, false, Some(true));
    }
    edited(&stack, "2026-11-23T08:00:00Z");
    log(&stack, vec![line(&stack, 300, true, "amani_salon"), line(&stack, 0, false, "")]);
    stack
}

fn edited(stack: &Stack, at: &str) {
    let file = json!({ "path": ".env", "name": ".env", "kind": "file", "modified": at, "tracked": false });
    stack.answer("repo_entry", file);
}

fn given() -> Value {
    json!({ "secret": { "from": "file:/root/secret", "fingerprint": "fingerprint-of-another" } })
}

const SET: &str = r#"WHATSAPP_APP_SECRET -> {"secret":{"from":"file:/root/secret","fingerprint":"fingerprint-of-another"}}"#;

#[test]
fn a_webhook_that_tells_right_from_wrong_is_no_row() {
    let finding = detect(&stack());
    assert_eq!(finding.verdict, VerdictKind::Absent, "{finding:?}");
    let told = |what: &str| finding.evidence.iter().find(|e| e.what.contains(what)).unwrap();
    assert!(told("forged").against);
    assert_eq!(told("refused calls").value, json!("0; 1 of the console's own are left out"));
}

type Fault = fn(&Stack);

#[test]
fn each_cause_is_named_and_gets_what_cures_it() {
    let recreated = ["Recreate backend", "wait_until"].as_slice();
    let set_and_proven =
        [SET, "Recreate backend", "wait_until", "by hand: Send a message over WhatsApp"].as_slice();
    let cases: &[(&str, Fault, VerdictKind, &str, Value, &[&str])] = &[
        (
            "unset",
            |s| {
                calls(s, 0, 403, 200, 403);
                entry(s, SECRET, 0, |_| {});
                variable(s, SECRET, true, None);
            },
            VerdictKind::Present,
            "because WHATSAPP_APP_SECRET isn't set in the .env",
            given(),
            set_and_proven,
        ),
        (
            "gone from the file, the backend still has it",
            |s| {
                calls(s, 0, 403, 200, 403);
                entry(s, SECRET, 0, |_| {});
                variable(s, SECRET, false, None);
            },
            VerdictKind::Suspected,
            "loses it when it is made anew",
            given(),
            set_and_proven,
        ),
        (
            "stale",
            |s| {
                calls(s, 403, 403, 200, 403);
                variable(s, SECRET, false, Some(false));
                s.reconfigure("hash-2");
                edited(s, "2026-11-24T09:00:00Z");
            },
            VerdictKind::Present,
            "runs with an older app secret",
            json!({}),
            recreated,
        ),
        (
            "shadowed",
            |s| {
                calls(s, 403, 403, 200, 403);
                variable(s, SECRET, false, Some(false));
                s.reconfigure("hash-2");
            },
            VerdictKind::Present,
            "a shell variable WHATSAPP_APP_SECRET beat it",
            json!({}),
            recreated,
        ),
        (
            "overridden by compose itself",
            |s| {
                calls(s, 403, 403, 200, 403);
                variable(s, SECRET, false, Some(false));
            },
            VerdictKind::Present,
            "compose gives backend another app secret",
            json!({}),
            &["by hand: Let backend have the .env's WHATSAPP_APP_SECRET"],
        ),
        (
            "a blank in it, and calls are refused",
            |s| {
                entry(s, SECRET, 1, |shape| {
                    shape["is_hex"] = json!(false);
                    shape["has_blank"] = json!(true);
                });
                log(s, vec![line(s, 50, false, ""), line(s, 30, false, ""), line(s, 0, false, "")]);
            },
            VerdictKind::Present,
            "is badly written: a blank is in the value: WhatsApp calls are refused again and again",
            given(),
            set_and_proven,
        ),
        (
            "a quote in it, and nobody wrote yet",
            |s| {
                entry(s, SECRET, 1, |shape| {
                    shape["is_hex"] = json!(false);
                    shape["has_quote"] = json!(true);
                });
                log(s, Vec::new());
            },
            VerdictKind::Suspected,
            "no message came yet that would show whether it is right",
            given(),
            set_and_proven,
        ),
        (
            "twice in the file",
            |s| {
                entry(s, SECRET, 2, |_| {});
                log(s, vec![line(s, 50, false, ""), line(s, 30, false, "")]);
            },
            VerdictKind::Present,
            "stands 2 times in the .env",
            given(),
            set_and_proven,
        ),
        (
            "wrong against Meta",
            |s| log(s, vec![line(s, 50, false, ""), line(s, 30, false, "")]),
            VerdictKind::Present,
            "is not the secret that calls are signed with",
            given(),
            set_and_proven,
        ),
        (
            "one refusal alone may be anybody's",
            |s| log(s, vec![line(s, 50, false, "")]),
            VerdictKind::Suspected,
            "it seems: 1 refused in the last hour",
            given(),
            set_and_proven,
        ),
        (
            "refused long ago",
            |s| log(s, vec![line(s, 2_000, false, ""), line(s, 1_900, false, "")]),
            VerdictKind::Suspected,
            "it seems: 2 refused in the last hour",
            given(),
            set_and_proven,
        ),
        (
            "reset at Meta, or strangers",
            |s| {
                log(s, vec![line(s, 90, true, "zuri_spa"), line(s, 50, false, ""), line(s, 30, false, "")]);
            },
            VerdictKind::Suspected,
            "was reset at Meta, or somebody else calls",
            given(),
            set_and_proven,
        ),
        (
            "verification off",
            |s| {
                calls(s, 200, 200, 200, 403);
                entry(s, "WHATSAPP_VERIFY_SIGNATURE", 1, |_| {});
                variable(s, "WHATSAPP_VERIFY_SIGNATURE", false, Some(true));
            },
            VerdictKind::Present,
            "Signatures are not checked",
            json!({}),
            &[r#"WHATSAPP_VERIFY_SIGNATURE -> {"plain":"true"}"#, "Recreate backend", "wait_until"],
        ),
        (
            "verification off by something else",
            |s| {
                calls(s, 200, 200, 200, 403);
                entry(s, "WHATSAPP_VERIFY_SIGNATURE", 0, |_| {});
                s.answer(
                    r#""name":"WHATSAPP_VERIFY_SIGNATURE""#,
                    json!({ "is_set": false, "is_empty": false, "as_dotenv": null, "made_at": null }),
                );
            },
            VerdictKind::Present,
            "Signatures are not checked",
            json!({}),
            &["by hand: Switch the signature's check on"],
        ),
        (
            "verify token",
            |s| {
                calls(s, 200, 403, 403, 403);
                variable(s, TOKEN, false, Some(false));
                s.reconfigure("hash-2");
                edited(s, "2026-11-24T09:00:00Z");
            },
            VerdictKind::Present,
            "refuses Meta's handshake: it runs with an older verify token",
            json!({}),
            recreated,
        ),
    ];
    for (name, fault, verdict, says, params, steps) in cases {
        let stack = stack();
        fault(&stack);
        let finding = detect(&stack);
        assert_eq!(finding.verdict, *verdict, "{name}: {finding:?}");
        let reason = finding.reason.clone().unwrap_or_default();
        assert!(reason.contains(says), "{name}: {reason}");
        assert_eq!(plan(&stack, &finding, params.clone()).unwrap(), *steps, "{name}");
    }
}

#[test]
fn what_the_consoles_themselves_left_in_the_log_is_nobodys_call() {
    // This user's consoles, by when they tried; no other trace in the log.
    let stack = stack();
    let tried: Vec<Timestamp> = (0..60).rev().map(|n| ago(&stack, n * 60)).collect();
    let mut lines: Vec<Value> = (0..60).rev().map(|n| line(&stack, n * 60, false, "")).collect();
    let webhook = json!({
        "url": "u", "tried": tried, "signed": { "status": 200 }, "forged": { "status": 403 },
        "handshake": { "status": 200 }, "wrong_token": { "status": 403 },
    });
    stack.answer("webhook", webhook);
    log(&stack, lines.clone());
    assert_eq!(detect(&stack).verdict, VerdictKind::Absent);
    // Two more within a minute are somebody's.
    lines.push(line(&stack, 0, false, ""));
    lines.insert(59, line(&stack, 30, false, ""));
    log(&stack, lines);
    let finding = detect(&stack);
    assert_eq!(finding.verdict, VerdictKind::Present, "{finding:?}");
    // Two consoles at once: the second one's try came too late to be known, its handshake shows it.
    let stack = self::stack();
    let both = [line(&stack, 0, false, ""), handshake_refused(&stack, 0), line(&stack, 0, false, "")];
    log(&stack, both.to_vec());
    assert_eq!(detect(&stack).verdict, VerdictKind::Absent);
    log(&stack, [&both[..], &[handshake_refused(&stack, 0)]].concat());
    assert_eq!(detect(&stack).verdict, VerdictKind::Absent);
    // Another user's console, by the refused handshake beside its call.
    let stack = self::stack();
    let lines = (1..14)
        .rev()
        .flat_map(|n| [line(&stack, n * 60 + 7, false, ""), handshake_refused(&stack, n * 60 + 7)]);
    log(&stack, lines.collect());
    assert_eq!(detect(&stack).verdict, VerdictKind::Absent);
}

#[test]
fn a_log_full_of_strangers_is_read_within_the_limits() {
    let stack = stack();
    let mut lines: Vec<Value> = (0..3_999).map(|n| line(&stack, 899 - n % 800, false, "")).collect();
    lines.push(line(&stack, 0, true, "amani_salon"));
    log(&stack, lines);
    assert_eq!(detect(&stack).verdict, VerdictKind::Absent, "a message was taken after them");
}

#[test]
fn a_secret_is_asked_for_and_must_be_another_one() {
    let stack = stack();
    log(&stack, vec![line(&stack, 50, false, ""), line(&stack, 30, false, "")]);
    let finding = detect(&stack);
    let why = plan(&stack, &finding, json!({})).unwrap_err();
    assert!(why.contains("App Secret") && why.contains("file:PATH"), "{why}");
    let same = json!({ "secret": { "from": "env:S", "fingerprint": "fingerprint-of-the-env" } });
    let why = plan(&stack, &finding, same).unwrap_err();
    assert!(why.contains("the very app secret that the .env has already"), "{why}");
}

#[test]
fn a_right_secret_that_is_refused_is_not_replaced() {
    let stack = stack();
    calls(&stack, 403, 403, 200, 403);
    let finding = detect(&stack);
    assert!(finding.reason.clone().unwrap().contains("the secret is not the cause"), "{finding:?}");
    let why = plan(&stack, &finding, json!({})).unwrap_err();
    assert!(why.contains("over the raw bytes"), "{why}");
}

/// The runbook's other deployment: uvicorn on the machine itself.
#[test]
fn a_backend_outside_of_docker_is_restarted_by_a_person() {
    let stack = stack().with_containers(vec![container("redis")]);
    assert_eq!(detect(&stack).verdict, VerdictKind::Unknown, "its log is not read");
    calls(&stack, 403, 403, 200, 403);
    let finding = detect(&stack);
    assert_eq!(finding.verdict, VerdictKind::Present, "{finding:?}");
    assert_eq!(plan(&stack, &finding, json!({})).unwrap(), ["by hand: Restart backend"]);
    entry(&stack, SECRET, 0, |_| {});
    calls(&stack, 0, 403, 200, 403);
    let finding = detect(&stack);
    assert_eq!(plan(&stack, &finding, given()).unwrap(), [SET, "by hand: Restart backend"]);
}

#[test]
fn what_cant_be_told_is_unknown_and_the_cause_is_named() {
    let stack = stack();
    calls(&stack, 0, 0, 0, 0);
    stack.change_container("backend", |c| c.state = ContainerState::Exited);
    let finding = detect(&stack);
    assert_eq!(finding.verdict, VerdictKind::Unknown);
    assert_eq!(finding.explained_by.as_deref(), Some("service:backend"));
    for forged in [404, 500] {
        let stack = self::stack();
        calls(&stack, forged, forged, forged, forged);
        assert_eq!(detect(&stack).verdict, VerdictKind::Unknown, "{forged}");
    }
    let stack = self::stack();
    calls(&stack, 500, 403, 200, 403);
    assert_eq!(detect(&stack).verdict, VerdictKind::Unknown);
    // Only the log says whether Meta's calls are taken. What the calls themselves show needs none.
    let unread = SourceError {
        source_name: SourceName::Logs,
        kind: SourceErrorKind::Unreachable,
        attempted: "read the log".into(),
        happened: "no answer".into(),
        hint: "Is it up?".into(),
    };
    let catalog = shipped::catalog();
    let stack = self::stack();
    stack.refuse("log_records", unread.clone());
    assert!(shipped::playbook(&catalog, ROW_2).detect(&stack.call_context()).is_err());
    calls(&stack, 403, 403, 200, 403);
    assert_eq!(detect(&stack).verdict, VerdictKind::Present);
    let stack = Stack::default().with_containers(vec![container("backend")]);
    stack.take_down(SourceName::Http);
    assert!(shipped::playbook(&catalog, ROW_2).detect(&stack.call_context()).is_err());
}

#[test]
fn a_call_that_was_never_made_is_told_as_what_lacks_for_it() {
    let stack = stack();
    calls(&stack, 0, 403, 200, 403);
    let why = "find WhatsApp's app secret: /srv/.env has no WHATSAPP_APP_SECRET";
    stack.answer(
        "webhook",
        json!({
            "url": "http://127.0.0.1:8010/webhooks/whatsapp", "tried": [ago(&stack, 0)], "signed": { "failed": why },
            "forged": { "status": 403 }, "handshake": { "status": 200 }, "wrong_token": { "status": 403 },
        }),
    );
    entry(&stack, SECRET, 0, |_| {});
    let found = detect(&stack);
    let told = found.evidence.iter().find(|item| item.what.starts_with("call signed")).unwrap();
    assert_eq!(told.what, "call signed with the .env's secret could not be made");
    assert_ne!(told.source, "http", "nobody was called: {told:?}");
    let refused = plan(&stack, &found, json!({})).unwrap_err();
    assert!(refused.contains("in the field App secret (with ratibactl: -p secret=file:PATH"), "{refused}");
}
