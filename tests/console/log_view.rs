//! The window's log over logs in memory. Real logs are in the tests of the adapters.

use std::{sync::Arc, time::Duration};

use ratiba_console::api::{Console, Parts};
use ratiba_core::{
    playbook::Proven,
    ports::LogLine,
    profile,
    wire::{LogRequest, Update},
};
use ratiba_testkit::{MemoryJournal, MemorySightings, NoSecrets, Stack, container};

use crate::shipped;

fn console(stack: &Stack) -> Arc<Console> {
    let text = "name = \"t\"\nkind = \"lab\"\n[compose]\nproject = \"lab\"\n";
    Console::new(Parts {
        profile: profile::parse("t.toml", text).unwrap(),
        sources: stack.sources(),
        acts: stack.acts(),
        store: Arc::new(MemoryJournal::default()),
        known: Arc::new(NoSecrets),
        sightings: Arc::new(MemorySightings::default()),
        catalog: Box::new(shipped::catalog),
        drills: Vec::new(),
        proven: Ok(Proven::default()),
        operator: "amina".into(),
    })
}

fn line(text: &str) -> LogLine {
    LogLine { at: "2026-11-26T10:00:00Z".parse().ok(), stderr: false, text: text.into() }
}

#[tokio::test]
async fn a_question_that_cannot_be_read_leaves_the_last_one_followed() {
    let stack = Stack::default().with_containers(vec![container("backend")]);
    stack.set_log("backend-container-id", vec![line("first")]);
    let console = console(&stack);
    let mut updates = console.subscribe();
    let asked = |grep: Option<&str>| LogRequest {
        grep: grep.map(str::to_owned),
        follow: true,
        ..LogRequest::default()
    };
    let view = console.logs(asked(None)).await.unwrap();
    assert_eq!(view.lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["first"]);
    let error = console.logs(asked(Some("webhook("))).await.unwrap_err();
    assert_eq!(error.code, "usage", "{}", error.message);
    // What a container that is made anew writes comes of the question that is followed.
    stack.set_log("second-id", vec![line("second")]);
    stack.change_container("backend", |facts| facts.id = "second-id".into());
    let news = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Ok(Update::Log { news }) = updates.recv().await
                && !news.lines.is_empty()
            {
                return news;
            }
        }
    });
    let news = news.await.unwrap();
    assert_eq!((news.session, news.lines[0].text.as_str()), (view.session, "second"));
}
