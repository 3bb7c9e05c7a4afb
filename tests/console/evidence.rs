//! What a script shows of what it looked at: bounded, and without what nobody may see.

use ratiba_core::{
    playbook::{Catalog, step::Step},
    ports::{KnownSecrets, SecretFinder},
};
use ratiba_testkit::{NoSecrets, Stack, container, playbook_file};
use serde_json::json;
use std::sync::Arc;

struct OneSecret;

impl KnownSecrets for OneSecret {
    fn hide(&self, text: &str) -> Option<String> {
        text.contains("hunter2").then(|| text.replace("hunter2", "‹PASSWORD›"))
    }
    fn names_in(&self, _text: &str) -> Vec<String> {
        vec!["PASSWORD".into()]
    }
    fn finder(&self) -> Arc<dyn SecretFinder> {
        Arc::new(NoSecrets)
    }
}

fn playbook(detect: &str) -> Catalog {
    let body = format!(
        "fn about() {{ #{{ row: 7, title: \"T\", symptom: \"S\", severity: \"minor\" }} }}\n\
         fn detect(env) {{ let answer = docker::services(); {detect} }}\n\
         fn verify(env, finding) {{ let answer = docker::services();\n\
             #{{ outcome: \"fixed\", evidence: [against(answer, \"w\", 1, [\"call 0712 345 678\"])] }} }}\n\
         fn plan(env, finding, params) {{ [step::manual(#{{ title: \"T\", facts: [\"F\"], within_s: 60,\n\
             done: #{{ port_free: #{{ port: 1 }} }}, instructions: [\"A\", #{{ what: \"B\", \"where\": \"C\" }}] }})] }}"
    );
    Catalog::load(vec![playbook_file("07-test", &body)], vec![])
}

fn stack() -> Stack {
    Stack::default().with_containers(vec![container("redis")])
}

fn finding(evidence: &str) -> String {
    format!("[#{{ verdict: \"present\", reason: \"R\", evidence: [{evidence}] }}]")
}

#[test]
fn what_is_shown_has_no_secret_and_nobodys_number_whoever_made_it() {
    // The second is written by hand, past the function.
    let by_hand =
        "#{ source: answer.source, as_of: answer.as_of, what: \"w\", value: 1, shown: [\"hunter2 a@b.ke\"] }";
    let catalog = playbook(&finding(&format!(
        "evidence(answer, \"w\", 1, [\"user hunter2 from 254712345678\", #{{ msisdn: \"254712345678\" }}]), {by_hand}"
    )));
    let mut context = stack().call_context();
    context.known = Arc::new(OneSecret);
    let found = catalog.get("07-test").unwrap().detect(&context).unwrap();
    let items = |n: usize| found[0].evidence[n].shown.as_ref().unwrap().items.clone();
    assert_eq!(items(0), [json!("user ‹PASSWORD› from •••678"), json!({ "msisdn": "•••678" })]);
    assert_eq!(items(1), [json!("‹PASSWORD› •••@b.ke")]);

    let verified = catalog.get("07-test").unwrap().verify(&context, &found[0]).unwrap().unwrap();
    let journalled = serde_json::to_string(&verified.evidence).unwrap();
    assert!(journalled.contains("call •••678") && !journalled.contains("345"), "{journalled}");
}

#[test]
fn what_is_shown_is_lines_and_rows_and_nothing_else() {
    for wrong in ["[1]", "[[\"a\"]]"] {
        let catalog = playbook(&finding(&format!("evidence(answer, \"w\", 1, {wrong})")));
        let why = catalog.get("07-test").unwrap().detect(&stack().call_context()).unwrap_err().to_string();
        assert!(why.contains("array of texts and maps"), "{why}");
    }
}

#[test]
fn an_instruction_is_text_or_says_what_and_where() {
    let catalog = playbook(&finding("evidence(answer, \"w\", 1)"));
    let (playbook, context) = (catalog.get("07-test").unwrap(), stack().call_context());
    let found = playbook.detect(&context).unwrap();
    let steps = playbook.plan(&context, &found[0], &[].into()).unwrap();
    let Step::Manual(step) = &steps[0] else { panic!("a manual step: {steps:?}") };
    assert_eq!(json!(step.instructions), json!(["A", { "what": "B", "where": "C" }]));
    assert_eq!(step.facts, ["F"]);
    // As it was written before there were facts and places.
    let old = json!({ "kind": "manual", "title": "T", "instructions": ["A"], "within_s": 1,
        "done": { "port_free": { "port": 1 } } });
    assert!(serde_json::from_value::<Step>(old.clone()).is_ok());
    for (wrong, says) in [(json!([7]), "what: text, where: text"), (json!([{ "what": "x" }]), "where")] {
        let mut step = old.clone();
        step["instructions"] = wrong;
        let why = serde_json::from_value::<Step>(step).unwrap_err().to_string();
        assert!(why.contains(says), "{why}");
    }
}
