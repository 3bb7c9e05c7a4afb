//! A console makes a bundle of a stack in memory.

use std::sync::Arc;

use ratiba_adapters::known_secrets::Known;
use ratiba_console::api::{BundleAsked, Console};
use ratiba_core::{
    bundle::{FileState, MadeBundle, OpenedBundle, open},
    model::SourceName,
    ports::LogLine,
    wire::{BundleRequest, BundleSave},
};
use ratiba_testkit::{Stack, container};

use crate::opened::{LEAST, console, parts};

pub(super) fn stack() -> Stack {
    let stack = Stack::default().with_containers(vec![container("backend"), container("postgres")]);
    let line = |n: u32| LogLine {
        at: format!("2026-11-24T10:00:{n:02}.123456789Z").parse().ok(),
        stderr: n == 1,
        text: format!(
            "{{\"event\":\"the line number {n}\",\"level\":\"info\",\"thread_id\":\"T{n}\",\"msisdn\":\"254712345678\"}}"
        ),
    };
    stack.set_log("backend-container-id", (0..3).map(line).collect());
    stack
}

pub(super) async fn made_by(console: &Arc<Console>) -> MadeBundle {
    console.make_bundle(&BundleAsked::default(), &|_| {}).await.unwrap()
}

fn text(opened: &OpenedBundle, path: &str) -> String {
    String::from_utf8(opened.file(path).unwrap().unwrap()).unwrap()
}

#[tokio::test]
async fn each_collector_gives_a_file_or_says_why_not() {
    let stack = stack();
    stack.take_down(SourceName::Redis);
    let made = made_by(&console(&stack, LEAST)).await;
    let state = |path: &str| {
        let row = made.manifest.files.iter().find(|row| row.path == path);
        row.map(|row| (row.state, row.why.clone().unwrap_or_default()))
    };
    for path in [
        "README.md",
        "snapshot.json",
        "triage.json",
        "compose-ps.json",
        "compose-ps.txt",
        "logs/backend-1.log",
        "runs.json",
        "journal.jsonl",
        "versions.json",
        "profile.json",
    ] {
        assert_eq!(state(path), Some((FileState::Ok, String::new())), "{path}");
    }
    for (path, why) in [("threads.jsonl", "refused"), ("memos.json", "[repo] memos")] {
        let (state, said) = state(path).unwrap();
        assert!(state != FileState::Ok && said.contains(why), "{path}: {said}");
    }
    let opened = open(made.archive.clone()).unwrap();
    let log = text(&opened, "logs/backend-1.log");
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(log.contains("2026-11-24T10:00:01.123456Z e {"), "the engine's time and the stream: {log}");
    assert!(!log.contains("712345678") && log.contains("‹phone-1›"), "{log}");
    assert!(
        text(&opened, "compose-ps.txt").lines().nth(1).unwrap().starts_with("lab_backend_1"),
        "as compose prints it"
    );
}

#[tokio::test]
async fn what_is_left_out_is_said_and_an_unknown_collector_is_refused() {
    let stack = stack();
    let console = console(&stack, LEAST);
    let asked = BundleAsked {
        without: vec!["logs".into(), "payments".into()],
        note: Some("  ".into()),
        ..BundleAsked::default()
    };
    let made = console.make_bundle(&asked, &|_| {}).await.unwrap();
    assert!(
        !made.manifest.files.iter().any(|row| row.path.starts_with("logs/") && row.state == FileState::Ok)
    );
    let row = made.manifest.files.iter().find(|row| row.path == "payments.json").unwrap();
    assert_eq!((row.state, row.why.as_deref()), (FileState::Skipped, Some("it was not wanted")));
    assert_eq!(made.manifest.note, None, "blanks are no note");
    let asked = BundleAsked { without: vec!["log".into()], ..BundleAsked::default() };
    let error = console.make_bundle(&asked, &|_| {}).await.unwrap_err();
    assert!(error.hint.contains("logs"), "{error:?}");
    let asked = BundleAsked { run: Some("01NOSUCHRUN".into()), ..BundleAsked::default() };
    assert!(console.make_bundle(&asked, &|_| {}).await.unwrap_err().message.contains("01NOSUCHRUN"));
}

#[tokio::test]
async fn secrets_of_the_stack_are_in_no_source_that_leaves() {
    let known = Known::default();
    let secret = "c4n4ry/\"p+ss\\w0rd";
    known.remember("POSTGRES_PASSWORD", secret);
    let stack = stack();
    let said = format!("could not connect with {secret}");
    stack.change_container("postgres", |facts| facts.error.clone_from(&said));
    stack.change_container("backend", |facts| facts.image = format!("registry/{secret}:1"));
    stack.set_log("postgres-container-id", vec![LogLine { at: None, stderr: true, text: said.clone() }]);
    stack.set_texts("/memos/*.md", vec![(format!("{secret}.md"), format!("postgres exited: {said}"))]);
    let mut built = parts(
        &stack,
        &format!("{LEAST}[repo]\nmemos = \"/memos/*.md\"\n[escalation]\nperson = \"Adrian\"\n"),
    );
    built.known = Arc::new(known);
    let console = Console::new(built);
    let asked = BundleAsked { note: Some(said), ..BundleAsked::default() };
    let made = console.make_bundle(&asked, &|_| {}).await.unwrap();
    let opened = open(made.archive.clone()).unwrap();
    let mut named = 0;
    for path in opened.paths() {
        let text = text(&opened, path);
        assert!(!crate::redact::search::is_in(&text, secret), "{path}");
        named += text.matches("‹POSTGRES_PASSWORD›").count();
    }
    assert!(named >= 5, "where it was its name stands: {named}");
    assert!(
        made.beside[0].starts_with("Adrian, ") && !made.beside[0].contains("c4n4ry"),
        "{}",
        made.beside[0]
    );
    assert!(made.beside.iter().all(|text| text.contains(&made.digest)), "the drafts name the bundle");
}

#[tokio::test]
async fn the_window_writes_what_it_showed_and_nothing_over() {
    let stack = stack();
    let console = console(&stack, LEAST);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.zip").display().to_string();
    let shown = console.bundle_preview(BundleRequest::default()).await.unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is written by looking");
    let save = |digest: &str, file: &str| BundleSave { digest: digest.to_owned(), file: file.to_owned() };
    let other = console.bundle_save(save("another digest", &file)).await.unwrap_err();
    assert!(other.message.contains("shown"), "{other:?}");
    assert!(
        console.bundle_save(save(&shown.bundle.digest, "b.zip")).await.is_err(),
        "a path that says not where"
    );
    let written = console.bundle_save(save(&shown.bundle.digest, &file)).await.unwrap();
    assert_eq!(ratiba_core::bundle::digest(&std::fs::read(&file).unwrap()), written.bundle.digest);
    let again = console.bundle_save(save(&shown.bundle.digest, &file)).await.unwrap_err();
    assert!(again.message.contains("there already"), "{again:?}");
}
