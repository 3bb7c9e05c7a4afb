//! A console that is open, as the window has one. For each line on standard input it does one thing and prints
//! how long that took: `repair TENANT` plans row 5 and applies it, `triage` looks anew, `thread FILE ID` finds a
//! thread's lines. `tests/bench/run` calls it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails is no figure"
)]

use std::{
    collections::BTreeMap,
    io::{Write, stdin, stdout},
    sync::Arc,
    time::Instant,
};

use ratiba_console::{
    api::{Console, LogNews, LogsRequest, watch},
    open_console,
};
use ratiba_core::{
    logs::LogQuery,
    model::Subject,
    remedy::{RunEvent, RunOutcome},
    wire::{ApplyRequest, PlanRequest, Update},
};
use serde_json::json;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut args = std::env::args().skip(1);
        let profile = args.next().expect("a profile");
        let console = open_console(Some(&profile)).await.unwrap();
        watch(&console);
        for line in stdin().lines() {
            let line = line.unwrap();
            let took = match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["repair", tenant] => repaired(&console, tenant).await,
                ["triage"] => looked(&console).await,
                ["thread", file, thread] => found(&console, file, thread).await,
                _ => panic!("what is {line:?}?"),
            };
            println!("{took}");
            stdout().flush().unwrap();
        }
    });
}

/// Milliseconds for the plan; from its confirmation until the window is told of the end; and of these
/// how many had passed when the step began, when it was done, and when the fault was seen to be gone.
async fn repaired(console: &Arc<Console>, tenant: &str) -> serde_json::Value {
    let began = Instant::now();
    let subject = Subject { tenant: Some(tenant.to_owned()), ..Subject::default() };
    let asked = PlanRequest { id: "05-fsm-stuck-collect-slot".into(), subject, params: BTreeMap::new() };
    let plan = console.plan(asked).await.unwrap();
    let planned = ms(began);

    let mut updates = console.subscribe();
    let confirmed = Instant::now();
    console.apply(ApplyRequest { plan_id: plan.plan_id, digest: plan.digest, phrase: None }).await.unwrap();
    let mut passed = BTreeMap::from([("plan_ms", planned)]);
    loop {
        let Update::Run { event, .. } = updates.recv().await.unwrap() else { continue };
        match event {
            RunEvent::StepStarted { .. } => passed.insert("step_began_ms", ms(confirmed)),
            RunEvent::StepDone { .. } => passed.insert("step_done_ms", ms(confirmed)),
            RunEvent::Verified { .. } => passed.insert("verified_ms", ms(confirmed)),
            RunEvent::RunDone { outcome, reason, .. } => {
                passed.insert("apply_ms", ms(confirmed));
                assert_eq!(outcome, RunOutcome::Fixed, "{reason:?}");
                return json!(passed);
            }
            _ => None,
        };
    }
}

/// Milliseconds of a whole triage that was asked for, whatever the watch saw before.
async fn looked(console: &Arc<Console>) -> serde_json::Value {
    let began = Instant::now();
    let triage = console.triage_now().await;
    assert!(triage.which_error.is_none() && triage.ranked.len() > 12, "{triage:?}");
    json!({ "ms": ms(began) })
}

/// Milliseconds until a thread's lines in a file are all there, and how many there are.
async fn found(console: &Arc<Console>, file: &str, thread: &str) -> serde_json::Value {
    let query = LogQuery { thread: Some(thread.to_owned()), ..LogQuery::default() };
    let request = LogsRequest { query, files: vec![file.to_owned()], ..LogsRequest::default() };
    let began = Instant::now();
    let mut news = console.log_reader().open(&request).await.unwrap();
    let mut lines = 0;
    while let Some(one) = news.next().await {
        lines += usize::from(matches!(one, LogNews::Entry { .. }));
    }
    json!({ "ms": ms(began), "lines": lines })
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
