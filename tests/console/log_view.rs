//! The window's log over logs in memory. Real logs are in the tests of the adapters.

use std::{sync::Arc, time::Duration};

use ratiba_console::api::Console;
use ratiba_core::{
    ports::LogLine,
    wire::{LogRequest, Update},
};
use ratiba_testkit::{Stack, container};

use crate::opened::{self, LEAST};

fn console(stack: &Stack) -> Arc<Console> {
    opened::console(stack, LEAST)
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
