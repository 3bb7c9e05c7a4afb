//! Triage's four questions, on a stack in memory.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use ratiba_console::api::Console;
use ratiba_core::{
    model::{ContainerState, SourceName},
    ports::{LogLine, RepoHistory},
    wire::TriageView,
};
use ratiba_testkit::{Stack, container};
use serde_json::json;

use crate::opened::{self, LEAST};

const MEMOS: &str = "/notes/project_m*_landed.md";

fn console(stack: &Stack) -> Arc<Console> {
    let more = format!("file = \"/lab/docker-compose.yml\"\n[repo]\npath = \"/lab\"\nmemos = \"{MEMOS}\"\n");
    opened::console(stack, &format!("{LEAST}{more}"))
}

fn stack() -> Stack {
    let stack = Stack::default().with_containers(vec![container("redis"), container("backend")]);
    stack.set_needs("backend", &["redis"]);
    for service in ["redis", "backend"] {
        stack.set_log(&id_of(&stack, service), Vec::new());
    }
    stack
}

fn id_of(stack: &Stack, service: &str) -> String {
    let mut id = String::new();
    stack.change_container(service, |c| id.clone_from(&c.id));
    id
}

fn error(at: Timestamp, event: &str) -> LogLine {
    let text = json!({ "event": event, "level": "error", "timestamp": at.to_string() }).to_string();
    LogLine { at: Some(at), stderr: false, text }
}

fn signs(view: &TriageView) -> Vec<(&str, &str)> {
    view.when.signs.iter().map(|s| (s.source.as_str(), s.what.as_str())).collect()
}

#[tokio::test]
async fn the_cause_stands_before_its_consequence_and_the_first_sign_beside_what_was_done() {
    let stack = stack();
    let console = console(&stack);
    let before = console.triage_now().await;
    assert!(before.which.is_empty() && before.when.signs.is_empty() && before.logs.is_empty());
    assert_eq!(before.changed.last_good, None, "nothing was known before the first look");

    stack.clock.pass(Duration::from_secs(120));
    let now = stack.sources().clock.now();
    let ago = |seconds: i64| now - jiff::SignedDuration::from_secs(seconds);
    stack.change_container("redis", |c| {
        c.state = ContainerState::Exited;
        c.finished_at = Some(ago(50));
    });
    stack.change_container("backend", |c| c.state = ContainerState::Restarting);
    stack.set_log(
        &id_of(&stack, "backend"),
        vec![error(ago(60), "lost redis at 172.18.0.3:1"), error(ago(40), "lost redis at 172.18.0.3:2")],
    );
    stack.set_history(RepoHistory {
        branch: "main".into(),
        moves: vec![(ago(90), "pull: Fast-forward".into()), (ago(90_000), "clone".into())],
        diff_stat: vec!["backend/app/x.py | 2 +-".into()],
        ..RepoHistory::default()
    });
    let view = console.triage_now().await;
    let which: Vec<(&str, Option<&str>)> =
        view.which.iter().map(|s| (s.service.as_str(), s.after.as_deref())).collect();
    assert_eq!(which, [("redis", None), ("backend", Some("redis"))]);
    let signs = signs(&view);
    assert_eq!(signs[0], ("logs", "backend: lost redis at 172.18.0.3:1"), "{signs:?}");
    assert!(
        signs.iter().any(|(source, what)| *source == "docker" && what.starts_with("redis: ")),
        "{signs:?}"
    );
    assert_eq!(view.when.lead.as_ref().unwrap().what, "pull: Fast-forward");
    let [sign] = view.logs.as_slice() else { panic!("one shape: {:?}", view.logs) };
    assert_eq!((sign.count, sign.is_new, sign.service.as_str()), (2, true, "backend"));
    let good = view.changed.last_good.as_ref().unwrap();
    assert_eq!(good.commit.as_deref(), Some("0123456789ab"), "the commit of the look at which all was well");
    assert!(view.changed.base.as_ref().unwrap().starts_with("0123456789ab ("));
    assert_eq!(view.changed.diff_stat, ["backend/app/x.py | 2 +-"]);
    assert_eq!(view.unmatched, None, "a row says what it is");
}

#[tokio::test]
async fn where_no_row_fits_the_memos_that_mention_it_are_named() {
    let stack = stack();
    let console = console(&stack);
    console.triage_now().await;
    stack.clock.pass(Duration::from_secs(60));
    let now = stack.sources().clock.now();
    stack.set_log(&id_of(&stack, "backend"), vec![error(now, "certificate of partner expired")]);
    stack.set_texts(
        MEMOS,
        vec![(
            "project_m4_landed.md".into(),
            "# M4\nThe partner's certificate expired: renew it with …".into(),
        )],
    );
    let view = console.triage_now().await;
    let unmatched = view.unmatched.unwrap();
    assert!(!unmatched.ruled_out.is_empty());
    let [hit] = unmatched.memos.as_slice() else { panic!("one line: {:?}", unmatched.memos) };
    assert_eq!((hit.file.as_str(), hit.line), ("project_m4_landed.md", 2));
    assert!(unmatched.unread.is_empty());
}

#[tokio::test]
async fn what_can_t_be_read_is_said_and_is_no_good_moment() {
    let stack = stack();
    for source in [SourceName::Docker, SourceName::Repo, SourceName::Redis] {
        stack.take_down(source);
    }
    let console = console(&stack);
    let view = console.triage_now().await;
    assert!(view.which_error.is_some());
    assert!(view.when.unread.iter().any(|why| why.starts_with("stuck threads: ")), "{:?}", view.when.unread);
    assert!(view.when.unread.iter().any(|why| why.starts_with("logs: ")), "{:?}", view.when.unread);
    assert!(view.changed.error.is_some());
    let again = console.triage_now().await;
    assert_eq!(again.changed.last_good, None, "what was not seen was not seen to be well");
}

#[tokio::test]
async fn what_the_console_itself_caused_is_no_bad_sign() {
    let stack = stack();
    let now = stack.sources().clock.now();
    stack.tried_webhook(now);
    let refused = |after_ms: i64| {
        let at = now + jiff::SignedDuration::from_millis(after_ms);
        let text = json!({ "event": "webhook.whatsapp", "level": "warning", "timestamp": at.to_string() })
            .to_string();
        LogLine { at: Some(at), stderr: false, text }
    };
    stack.set_log(&id_of(&stack, "backend"), vec![refused(200)]);
    let console = console(&stack);
    let view = console.triage_now().await;
    assert_eq!((view.logs.len(), view.logs_read.own), (0, 1), "{:?}", view.logs);
    stack.set_log(&id_of(&stack, "backend"), vec![refused(200), refused(300)]);
    let view = console.triage_now().await;
    assert_eq!(
        (view.logs[0].count, view.logs_read.own),
        (1, 1),
        "somebody else's is still told: {:?}",
        view.logs
    );
}
