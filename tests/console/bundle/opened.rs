//! A bundle in the place of a profile.

use std::{path::PathBuf, sync::Arc};

use ratiba_console::{
    api::{BundleAsked, Console, LogNews, LogsRequest, clean_again},
    open_console,
};
use ratiba_core::{
    bundle::{compare, open},
    logs::LogQuery,
    wire::{Empty, PaymentsQuery, PlaybookId},
};

use super::console::{made_by, stack};
use crate::opened::{LEAST, console};

async fn written(console: &Arc<Console>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.zip");
    std::fs::write(&file, &made_by(console).await.archive).unwrap();
    (dir, file)
}

#[tokio::test]
async fn it_answers_as_the_stack_did_and_of_the_moment_it_was_captured() {
    let stack = stack();
    let live = console(&stack, LEAST);
    let (_dir, file) = written(&live).await;
    let bundle = open_console(file.to_str()).await.unwrap();
    let (was, is) = (live.snapshot(Empty {}).await.unwrap(), bundle.snapshot(Empty {}).await.unwrap());
    assert_eq!((was.services, was.tenants), (is.services, is.tenants));
    let captured = is.environment.captured.expect("it says that it is a bundle");
    assert_eq!((captured.at, is.environment.read_only), (bundle.sources().clock.now(), true));
    let verdicts = |ranked: Vec<ratiba_core::model::Verdict>| -> Vec<String> {
        ranked.into_iter().map(|v| format!("{} {:?}", v.playbook, v.verdict)).collect()
    };
    let (was, is) = (live.triage(Empty {}).await.unwrap(), bundle.triage(Empty {}).await.unwrap());
    assert_eq!(verdicts(was.ranked), verdicts(is.ranked));
    assert!(bundle.runs(Empty {}).await.unwrap().runs.is_empty());
}

#[tokio::test]
async fn its_logs_are_searched_like_any_other() {
    let (_dir, file) = written(&console(&stack(), LEAST)).await;
    let bundle = open_console(file.to_str()).await.unwrap();
    let mut said = Vec::new();
    let query = LogQuery { thread: Some("T1".into()), ..LogQuery::default() };
    let request =
        LogsRequest { query, follow: true, services: vec!["backend".into()], ..LogsRequest::default() };
    let mut lines = bundle.log_reader().open(&request).await.unwrap();
    while let Some(news) = lines.next().await {
        if let LogNews::Entry { service, entry } = news {
            let at = entry.written_at.unwrap().to_string();
            said.push((service.to_string(), at, entry.stderr, entry.record().0.event));
        }
    }
    assert_eq!(
        said,
        [(
            "backend".to_owned(),
            "2026-11-24T10:00:01.123456Z".to_owned(),
            true,
            "the line number 1".to_owned()
        )]
    );
}

#[tokio::test]
async fn nothing_can_be_done_there_and_what_is_not_in_it_is_not_known() {
    let asked = BundleAsked { without: vec!["payments".into()], ..BundleAsked::default() };
    let made = console(&stack(), LEAST).make_bundle(&asked, &|_| {}).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.zip");
    std::fs::write(&file, &made.archive).unwrap();
    let bundle = open_console(file.to_str()).await.unwrap();
    for command in ["plan", "apply", "undo", "diagnose", "bundle_preview", "trust"] {
        let error = bundle.answers(command).unwrap_err();
        assert!(error.code == "refused" && error.message.contains("is a bundle"), "{command}: {error:?}");
    }
    assert!(bundle.answers("triage").is_ok());
    // Whoever asks all the same gets no fact that nobody has.
    let plan = bundle.diagnose(PlaybookId { id: "01-service-unhealthy".into() }).await;
    assert!(
        plan.is_err()
            || plan.unwrap().verdicts.iter().all(|v| v.verdict != ratiba_core::model::VerdictKind::Absent)
    );
    let query = PaymentsQuery { tenant: None, state: None, older_than_s: None, limit: 10, offset: 0 };
    let payments = bundle.payments_page(query).await;
    assert!(
        payments.is_err_and(|error| error.message.contains("payments.json")),
        "it was not collected, and is not zero"
    );
}

#[tokio::test]
async fn a_changed_bundle_is_not_opened() {
    let (_dir, file) = written(&console(&stack(), LEAST)).await;
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let error = open_console(file.to_str()).await.err().unwrap();
    assert!(error.hint.contains("bundle verify") || error.hint.contains("as it was written"), "{error:?}");
}

#[tokio::test]
async fn cleaned_once_more_it_keeps_its_names_and_hides_what_is_known_now() {
    let made = made_by(&console(&stack(), LEAST)).await;
    let opened = open(made.archive.clone()).unwrap();
    let known = crate::redact::knowing_as_port(&[("LATE", "line number 2")]);
    let again = clean_again(opened.clone(), Some(known), None).await.unwrap();
    let text = |made: &ratiba_core::bundle::MadeBundle| {
        let opened = open(made.archive.clone()).unwrap();
        String::from_utf8(opened.file("logs/backend-1.log").unwrap().unwrap()).unwrap()
    };
    assert_eq!(text(&again), text(&made).replace("line number 2", "‹LATE›"));
    assert_eq!(again.manifest.redacted_from.as_deref(), Some(made.digest.as_str()));
    let said = compare(&made.manifest, &again.manifest);
    assert!(said.changed.iter().any(|(path, ..)| path == "logs/backend-1.log") && said.same > 5, "{said:?}");
    assert!(
        said.only_second.contains(&"redactions-before.json".to_owned()),
        "what was replaced before is not lost"
    );
}

#[tokio::test]
async fn the_sample_that_ships_opens_and_shows_what_its_drill_caused() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sample-bundle.zip");
    let sample = open_console(Some(file)).await.unwrap();
    let triage = sample.triage(Empty {}).await.unwrap();
    let present: Vec<&str> = triage
        .ranked
        .iter()
        .filter(|v| v.verdict == ratiba_core::model::VerdictKind::Present)
        .map(|v| v.playbook.as_str())
        .collect();
    assert_eq!(present, ["01-service-unhealthy", "07-payment-pending-timeout"]);
    assert!(!sample.tenant_list().await.unwrap().rows.is_empty());
    let snapshot = sample.snapshot(Empty {}).await.unwrap();
    assert!(snapshot.tenants.iter().any(|tenant| tenant.stuck_payments > Some(0)));
    let request = LogsRequest { last: Some(5), ..LogsRequest::default() };
    let mut lines = sample.log_reader().open(&request).await.unwrap();
    let mut count = 0;
    while let Some(news) = lines.next().await {
        count += usize::from(matches!(news, LogNews::Entry { .. }));
    }
    assert_eq!(count, 5);
    assert!(sample.runs(Empty {}).await.is_ok());
}
