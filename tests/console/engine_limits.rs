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

/// As on the smallest thread that a platform gives.
fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap()
}

#[test]
fn values_that_nest_without_end_and_deep_recursion_fit_a_small_stack() {
    let cases = [
        ("fn detect(env) { let a = []; loop { a = [a]; } }", "nested more than 128 deep"),
        ("fn detect(env) { let a = []; loop { a = [0, #{ a: a }, 0]; } }", "nested more than 128 deep"),
        ("fn detect(env) { let m = #{}; loop { m = #{ a: m }; } }", "nested more than 128 deep"),
        (
            "fn g(x) { [x] } fn detect(env) { let a = 0; loop { a = g(g(g(a))); } }",
            "nested more than 128 deep",
        ),
        (
            "fn f(n) { if n == 0 { 1 } else { [[[[[[f(n - 1)]]]]]] } } fn detect(env) { f(12) }",
            "more than 64 deep",
        ),
        ("fn g(n) { 1+(1+(1+(1+(1+(1+(1+(1+g(n))))))) ) } fn detect(env) { g(1) }", "calls itself"),
        ("fn g(n) { g(g(g(g(g(g(g(n))))))) } fn detect(env) { g(1) }", "calls itself"),
        ("fn g(x) { [x].map(|y| g(y)) } fn detect(env) { g(1) }", "calls itself"),
    ];
    for (script, says) in cases {
        let (kind, text) = on_a_small_stack(move || error_of(script));
        assert_eq!(kind, ScriptErrorKind::Limit, "{script}: {text}");
        assert!(text.contains(says), "{script}: {text}");
    }
}

#[test]
fn what_would_nest_values_unseen_is_not_there() {
    for (script, says) in [
        (
            "fn wrap() { loop { this = [this]; } } fn detect(env) { let a = 1; a.wrap(); }",
            "'this' is disabled",
        ),
        (r#"fn detect(env) { let f = Fn("x"); loop { f = f.curry(f); } }"#, "does not compile"),
        ("fn detect(env) { let a = 1; let f = || a; f.call() }", "Variable not found: a"),
    ] {
        let (_, text) = error_of(script);
        assert!(text.contains(says), "{script}: {text}");
    }
}

#[test]
fn no_single_call_waits_or_builds_more_than_it_may() {
    let big = r#"let s = "x"; s.pad(1000000, "x");"#;
    for (script, says) in [
        ("fn detect(env) { sleep(30) }".to_owned(), "can't sleep"),
        ("fn detect(env) { sleep(1e300) }".to_owned(), "can't sleep"),
        (r#"fn detect(env) { Fn("sleep").call(30) }"#.to_owned(), "can't sleep"),
        (format!(r#"fn detect(env) {{ {big} let t = s; s.replace("x", t); s }}"#), "too large"),
        (format!(r#"fn detect(env) {{ {big} let t = s; s.replace('x', t); s }}"#), "too large"),
        (format!(r#"fn detect(env) {{ {big} s.replace("", "yyyy"); s }}"#), "too large"),
        // 4 times 2^62 wraps to nothing.
        ("fn detect(env) { let a = []; a.pad(4611686018427387904, [1, 2, 3]); a }".to_owned(), "too large"),
        (format!("fn detect(env) {{ {big} let a = []; a.pad(5, s); a }}"), "too large"),
        ("fn detect(env) { let a = []; a.pad(150000, #{ a: 1, b: 2 }); a }".to_owned(), "too large"),
    ] {
        let (_, text) = error_of(&script);
        assert!(text.contains(says), "{script}: {text}");
    }
}

#[test]
fn replaced_functions_say_what_the_language_says() {
    let (_, text) = error_of(
        r##"fn detect(env) {
            let s = "x"; s.pad(3, ""); s.pad(4, "ab");
            let p = [0]; p.pad(3, [1]); p.pad(2, 5); p.pad(-1, 5);
            let r = "a-b"; r.replace("-", "+"); r.replace('+', "--"); r.replace("--", '.');
            let sorted = [3, 1, 2]; sorted.sort(|a, b| a - b);
            let any = [3, 1, 2]; for i in 0..40 { any.push(i % 7); } any.sort(|a, b| 1);
            let order = ["b", "a"].order(|a, b| a > b);
            throw [s, p, r, sorted, any.len(), order, [1, 2.0, [#{ a: () }]] == [1.0, 2, [#{ a: () }]],
                [1] != [2], #{ a: 1 } == #{ a: 1, b: 2 }, [[1], 'c', "d"].contains([1]), 5 in [1, 5],
                [1, 2, 1].index_of(1, -1), [1, 2].index_of(9), `${[1, "a\n", #{ k: 'c' }]}`, #{ a: [] }.to_string()]
                .to_debug();
        }"##,
    );
    let expected = r##"["xaba", [0, [1], [1]], "a.b", [1, 2, 3], 43, ["b", "a"], true, true, false, true, true, 2, -1, "[1, \"a\\n\", #{\"k\": 'c'}]", "#{\"a\": []}"]"##;
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_look_through_a_big_list_is_quick() {
    let began = std::time::Instant::now();
    let (_, text) =
        error_of("fn detect(env) { let a = []; a.pad(190000, 0); let b = a; a.contains(b); a.index_of(b) }");
    assert!(text.contains("detect()"), "{text}");
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_script_that_makes_the_console_grow_is_stopped() {
    let stack = Stack::default();
    stack.grows_by(1 << 20);
    // A millisecond passes between two looks at the memory.
    let body = format!("{ABOUT}fn detect(env) {{ loop {{ docker::services(); }} }}");
    let catalog = Catalog::load(vec![playbook_file("07-test", &body)], vec![]);
    let mut context = stack.call_context();
    context.clock = std::sync::Arc::new(Ticking::default());
    let error = catalog.get("07-test").unwrap().detect(&context).unwrap_err();
    assert_eq!(error.kind, ScriptErrorKind::Limit);
    assert!(error.to_string().contains("grew by more than 512 MiB"), "{error}");
}

/// A clock that moves a millisecond with each look.
#[derive(Default)]
struct Ticking(std::sync::atomic::AtomicU64);

#[async_trait::async_trait]
impl ratiba_core::ports::Clock for Ticking {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn monotonic_ms(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
    }
    async fn sleep(&self, _: std::time::Duration) {}
    fn new_id(&self) -> String {
        String::new()
    }
}

#[test]
fn time_that_passes_ends_a_script() {
    let catalog = Catalog::load(
        vec![playbook_file("07-test", &format!("{ABOUT}fn detect(env) {{ loop {{}} }}"))],
        vec![],
    );
    let mut context = Stack::default().call_context();
    context.clock = std::sync::Arc::new(Ticking::default());
    let error = catalog.get("07-test").unwrap().detect(&context).unwrap_err();
    assert!(error.to_string().contains("more than 20 s"), "{error}");
}

#[test]
fn loading_is_held_short_because_no_clock_watches_it() {
    let of = |text: &str, shared: &str| {
        let shared = ratiba_core::playbook::ScriptFile { name: "l.rhai".into(), text: shared.into() };
        let catalog = Catalog::load(vec![playbook_file("07-test", text)], vec![shared]);
        catalog.get("07-test").unwrap().error.as_ref().unwrap().to_string()
    };
    let began = std::time::Instant::now();
    let text = of("fn about() { let a = []; a.pad(400, 0); loop { let b = a; } }", "");
    assert!(text.contains("more than 5000 operations"), "{text}");
    let text = of("fn about() { let a = []; a.pad(1000, 0); a }", "");
    assert!(text.contains("too large"), "{text}");
    let text = of(ABOUT, "let i = 0; loop { i += 1; }");
    assert!(text.starts_with("lib/l.rhai") && text.contains("more than 5000 operations"), "{text}");
    let text = of(&format!("{ABOUT}//{}", "x".repeat(300_000)), "");
    assert!(text.contains("longer than 256 KiB"), "{text}");
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn values_given_to_a_probe_do_not_nest_without_end() {
    let (kind, text) = error_of(
        "fn f(n) { if n == 0 { 1 } else { [[[[[[f(n - 1)]]]]]] } } fn detect(env) { db::query(`q`, [f(12)]) }",
    );
    assert_eq!(kind, ScriptErrorKind::Limit);
    assert!(text.contains("more than 64 deep"), "{text}");
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
