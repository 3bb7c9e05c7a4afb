//! A playbook that misbehaves makes its own row unknown, in one clear sentence, and nothing else.

use ratiba_core::{
    model::VerdictKind,
    playbook::{Catalog, ScriptErrorKind},
    triage::{Detected, rank},
};
use ratiba_testkit::{Stack, container, playbook_file};

const ABOUT: &str = r#"fn about() { #{ row: 7, title: "T", symptom: "S", severity: "minor" } }
fn plan(env, finding, params) { [] }
"#;

fn error_of(detect: &str) -> (ScriptErrorKind, String) {
    let catalog = Catalog::load(vec![playbook_file("07-test", &format!("{ABOUT}{detect}"))], vec![]);
    let playbook = catalog.get("07-test").unwrap();
    let error = match &playbook.error {
        Some(error) => error.clone(),
        None => playbook.detect(&Stack::default().call_context()).unwrap_err(),
    };
    (error.kind.clone(), error.to_string())
}

#[test]
fn a_syntax_error_names_file_line_and_column() {
    let (kind, text) = error_of("fn detect(env) { let = }");
    assert_eq!(kind, ScriptErrorKind::Invalid);
    assert!(text.starts_with("07-test.rhai:") && text.contains("does not compile"), "{text}");
}

#[test]
fn loops_recursion_and_huge_values_are_stopped() {
    let cases = [
        ("fn detect(env) { loop {} }", "does it loop for ever"),
        ("fn f(n) { f(n + 1) } fn detect(env) { f(0) }", "calls itself"),
        (r#"fn detect(env) { let s = "xxxxxxxx"; loop { s += s; } }"#, "too large"),
        ("fn detect(env) { let a = []; a.pad(1000000000, 0); a }", "too large"),
    ];
    for (script, says) in cases {
        let (kind, text) = error_of(script);
        assert_eq!(kind, ScriptErrorKind::Limit, "{script}: {text}");
        assert!(text.contains(says) && text.starts_with("07-test.rhai"), "{script}: {text}");
    }
}

#[test]
fn eval_and_strange_imports_are_not_there() {
    let (_, text) = error_of(r#"fn detect(env) { eval("1") }"#);
    assert!(text.contains("eval"), "{text}");
    let (_, text) = error_of(r#"import "../../etc/passwd" as p; fn detect(env) { [] }"#);
    assert!(text.contains("there is no shared script"), "{text}");
}

#[test]
fn an_answer_of_the_wrong_shape_says_so() {
    for script in [
        r#"fn detect(env) { "yes" }"#,
        "fn detect(env) { [] }",
        r#"fn detect(env) { [#{ verdict: "present", reason: "r" }] }"#,
        r#"fn detect(env) { [#{ verdict: "perhaps" }] }"#,
        r#"fn detect(env) { [#{ verdict: "unknown", reason: "r", confidence: 7 }] }"#,
    ] {
        let (kind, text) = error_of(script);
        assert_eq!(kind, ScriptErrorKind::Failed, "{script}: {text}");
        assert!(text.contains("detect()"), "{script}: {text}");
    }
}

#[test]
fn a_source_that_is_down_makes_the_row_unknown_with_its_own_sentence() {
    let stack = Stack::default().with_containers(vec![container("redis")]);
    stack.take_down(ratiba_core::model::SourceName::Docker);
    let catalog = Catalog::load(
        vec![playbook_file("07-test", &format!("{ABOUT}fn detect(env) {{ docker::services(); [] }}"))],
        vec![],
    );
    let playbook = catalog.get("07-test").unwrap();
    let outcome = playbook.detect(&stack.call_context());
    let ranked = rank(vec![Detected { playbook, outcome }]);
    assert_eq!(ranked[0].verdict, VerdictKind::Unknown);
    assert_eq!(ranked[0].reason.as_deref(), Some("list containers: connection refused. Is docker up?"));
}

#[test]
fn the_same_question_is_asked_once_in_a_pass() {
    let stack = Stack::default().with_containers(vec![container("redis")]);
    let body = r#"fn detect(env) {
        let a = docker::services(); let b = docker::services();
        [#{ verdict: "absent", evidence: [evidence(a, "services", b.value.len())] }]
    }"#;
    let catalog = Catalog::load(vec![playbook_file("07-test", &format!("{ABOUT}{body}"))], vec![]);
    let context = stack.call_context();
    for _ in 0..3 {
        catalog.get("07-test").unwrap().detect(&context).unwrap();
    }
    assert_eq!(stack.asked(), ["list containers", "compose config --services"]);
    assert_eq!(context.pass.questions(), 1);
}
