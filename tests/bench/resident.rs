//! A console that is open, as the window has one: for each line on standard input it plans row 5
//! and applies it, and prints how long either took. `tests/bench/run` calls it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that fails is no figure")]

use std::{
    collections::BTreeMap,
    io::{Write, stdin, stdout},
    sync::Arc,
    time::Instant,
};

use ratiba_console::{
    api::{Console, watch},
    open_console,
};
use ratiba_core::{
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
        let tenant = args.next().expect("a tenant");
        let console = open_console(Some(&profile)).await.unwrap();
        watch(&console);
        for line in stdin().lines() {
            line.unwrap();
            println!("{}", repaired(&console, &tenant).await);
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

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
