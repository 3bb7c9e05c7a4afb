//! Watching: each source on its own, with its own pace and back-off; one slow source never delays
//! another.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::Console;

/// Slow poll that reconciles what events may have missed.
const DOCKER_EVERY: Duration = Duration::from_secs(5);
const COMPOSE_EVERY: Duration = Duration::from_secs(30);
const MEMORY_EVERY: Duration = Duration::from_secs(10);
const POSTGRES_EVERY: Duration = Duration::from_secs(3);
const REDIS_EVERY: Duration = Duration::from_secs(3);
/// A source that fails is asked less and less often, up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(12);
/// At most four snapshots a second.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_millis(250);
/// Triage is made again this long after a change, and at least this often.
const TRIAGE_EVERY: Duration = Duration::from_secs(10);

/// Starts watching; ends with the runtime.
pub fn watch(console: &Arc<Console>) {
    {
        let mut state = console.state();
        // Nothing moves in a bundle.
        if state.is_watching || console.recorded().is_some() {
            return;
        }
        state.is_watching = true;
    }
    let spawn_poll = |every: Duration, source: Polled| {
        let console = console.clone();
        tokio::spawn(async move { poll(&console, every, source).await });
    };
    spawn_poll(DOCKER_EVERY, Polled::Containers);
    spawn_poll(COMPOSE_EVERY, Polled::Declared);
    spawn_poll(MEMORY_EVERY, Polled::Memory);
    spawn_poll(POSTGRES_EVERY, Polled::Tenants);
    spawn_poll(REDIS_EVERY, Polled::Threads);
    let events = console.clone();
    tokio::spawn(async move { follow_events(&events).await });
    let publisher = console.clone();
    tokio::spawn(async move { publish(&publisher).await });
    let triager = console.clone();
    tokio::spawn(async move { triage(&triager).await });
}

#[derive(Clone, Copy)]
enum Polled {
    Containers,
    Declared,
    Memory,
    Tenants,
    Threads,
}

async fn poll(console: &Arc<Console>, every: Duration, source: Polled) {
    let mut failures = 0_u32;
    loop {
        let is_down = match source {
            Polled::Containers => {
                console.read_containers().await;
                console.state().readings.containers.error.is_some()
            }
            Polled::Declared => {
                console.read_declared().await;
                console.state().readings.declared.error.is_some()
            }
            Polled::Memory => {
                console.read_memory().await;
                console.state().readings.memory.error.is_some()
            }
            Polled::Tenants => {
                console.read_tenants().await;
                console.state().readings.tenants.error.is_some()
            }
            Polled::Threads => {
                console.read_threads().await;
                console.state().readings.threads.error.is_some()
            }
        };
        failures = if is_down { failures.saturating_add(1) } else { 0 };
        if matches!(source, Polled::Memory) && console.state().readings.memory.last.is_none() && !is_down {
            // No container is known yet.
            sleep(BETWEEN_SNAPSHOTS).await;
            continue;
        }
        sleep(pause(every, failures, console.sources.clock.monotonic_ms())).await;
    }
}

/// The pause before the next attempt: doubled with each failure up to a limit, and spread by up to
/// an eighth so that sources that failed together don't come back together.
fn pause(every: Duration, failures: u32, salt: u64) -> Duration {
    let backed_off = match failures {
        0 => every,
        n => (every / 2).saturating_mul(1 << n.min(6)).min(LONGEST_BACKOFF.max(every)),
    };
    let spread = u32::try_from(salt % 8).unwrap_or(0);
    backed_off + backed_off / 64 * spread
}

/// A container changed: it is read at once. The stream ends with the connection and is opened
/// again.
async fn follow_events(console: &Arc<Console>) {
    let mut failures = 0_u32;
    loop {
        if let Ok(mut changes) = console.sources.containers.changes().await {
            failures = 0;
            // What happened before the stream was open.
            console.read_containers().await;
            while let Some(Ok(_change)) = changes.next().await {
                // One act gives several events (kill, die, stop): read once for what is there.
                while let Ok(Some(Ok(_))) = timeout(Duration::from_millis(30), changes.next()).await {}
                console.read_containers().await;
            }
            console.read_containers().await;
        }
        failures = failures.saturating_add(1);
        sleep(pause(Duration::from_secs(1), failures, console.sources.clock.monotonic_ms())).await;
    }
}

async fn publish(console: &Arc<Console>) {
    loop {
        // Ages and staleness move without any reading.
        let _moved = timeout(Duration::from_secs(5), console.moved.notified()).await;
        console.publish_snapshot();
        sleep(BETWEEN_SNAPSHOTS).await;
    }
}

/// Looks again soon after something a playbook could see has changed.
async fn triage(console: &Arc<Console>) {
    let mut last_seen = String::new();
    let mut last_look: Option<Instant> = None;
    loop {
        let seen = console.fingerprint();
        let is_due = last_look.is_none_or(|at| at.elapsed() >= TRIAGE_EVERY);
        if seen != last_seen || is_due {
            last_seen = seen;
            console.refresh_triage().await;
            last_look = Some(Instant::now());
        }
        sleep(BETWEEN_SNAPSHOTS).await;
    }
}

impl Console {
    /// What is seen now, without times: differs when something a playbook looks at differs.
    fn fingerprint(&self) -> String {
        let state = self.state();
        let readings = &state.readings;
        let containers = readings.containers.last.as_ref().map(|last| {
            last.value
                .iter()
                .map(|c| {
                    (
                        &c.id,
                        c.state.as_str(),
                        c.live_health().map(|h| h.as_str()),
                        c.oom_killed,
                        c.restart_count,
                    )
                })
                .collect::<Vec<_>>()
        });
        let down = [
            readings.containers.error.is_some(),
            readings.declared.error.is_some(),
            readings.tenants.error.is_some(),
            readings.threads.error.is_some(),
        ];
        let declared = readings.declared.last.as_ref().map(|last| &last.value);
        format!("{containers:?} {declared:?} {down:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_keeps_failing_is_asked_less_often_but_never_given_up() {
        let every = Duration::from_secs(3);
        assert_eq!(pause(every, 0, 0), every);
        assert_eq!(pause(every, 1, 0), every);
        assert_eq!(pause(every, 2, 0), Duration::from_secs(6));
        assert_eq!(pause(every, 40, 0), LONGEST_BACKOFF);
        assert!(pause(every, 40, 7) <= LONGEST_BACKOFF + LONGEST_BACKOFF / 8);
    }
}
