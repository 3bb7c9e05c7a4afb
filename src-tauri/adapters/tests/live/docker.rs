//! The Docker Engine.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use ratiba_adapters::docker::{Engine, Surroundings};
use ratiba_core::{
    model::{ContainerFacts, ContainerState, HealthStatus, SourceErrorKind},
    ports::Containers,
};

use ratiba_testkit::lab;
use tokio::sync::Mutex;

/// One test freezes what another looks at.
static STATES: Mutex<()> = Mutex::const_new(());

fn engine() -> Engine {
    Engine::new(&lab::profile().compose.project, None, &Surroundings::of_process())
}

/// What the check of a service that is well says; LiveKit's images have none.
fn check_of(service: &str) -> Option<HealthStatus> {
    (!["livekit", "sip"].contains(&service)).then_some(HealthStatus::Healthy)
}

#[tokio::test]
async fn every_container_of_the_project_is_listed_with_its_facts() {
    let _alone = STATES.lock().await;
    let engine = engine();
    let ends = Instant::now() + Duration::from_secs(30);
    // A service that was frozen by an earlier test needs a few probes to be healthy again.
    let found = loop {
        let found = engine.list().await.unwrap();
        let is_well = |c: &ContainerFacts| c.live_health() == check_of(&c.service);
        if found.iter().all(is_well) || Instant::now() > ends {
            break found;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let services: Vec<&str> = found.iter().map(|c| c.service.as_str()).collect();
    assert_eq!(services, ["backend", "cron", "livekit", "outside", "postgres", "redis", "sip", "worker"]);
    for container in &found {
        assert_eq!(container.state, ContainerState::Running, "{}", container.service);
        assert_eq!(container.live_health(), check_of(&container.service), "{}", container.service);
        assert!(container.started_at.is_some() && !container.config_hash.is_empty());
    }
    let backend = &found[0];
    assert_eq!(backend.memory_limit_bytes, 512 * 1024 * 1024);
    assert!(backend.ports.iter().any(|p| p.container_port == 8010 && p.host_ip == "127.0.0.1"));
}

#[tokio::test]
async fn a_change_is_reported_as_it_happens() {
    let _alone = STATES.lock().await;
    let engine = engine();
    let mut changes = engine.changes().await.unwrap();
    let cron = lab::container_of("cron");
    for act in ["pause", "unpause"] {
        lab::docker(&[act, &cron]);
        let next = async {
            loop {
                let change = changes.next().await.unwrap().unwrap();
                // Other tests and health checks go on beside this one.
                if change.service == "cron" && change.action == act {
                    return change;
                }
            }
        };
        let change = tokio::time::timeout(Duration::from_secs(5), next).await.expect("reported within 5 s");
        assert!(change.container_id.starts_with(&cron) && change.at.is_some());
    }
}

#[tokio::test]
async fn log_lines_come_with_their_time_oldest_first() {
    let backend = lab::container_of("backend");
    let lines = engine().log_tail(&backend, 3).await.unwrap();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|l| l.at.is_some() && !l.text.is_empty()));
    assert!(lines.is_sorted_by_key(|l| l.at));
}

#[tokio::test]
async fn a_log_is_followed_from_its_last_lines_on() {
    let backend = lab::container_of("backend");
    let mut lines = engine().log_lines(&backend, Some(2), true).await.unwrap();
    // The marker is written once the stream is open: after the two lines that were there.
    let mut there = 0;
    while there < 2 {
        there += lines.next().await.unwrap().unwrap().len();
    }
    lab::docker(&["exec", &backend, "sh", "-c", "echo livetest-marker > /proc/1/fd/1"]);
    let marker = async {
        loop {
            let batch = lines.next().await.unwrap().unwrap();
            if let Some(line) = batch.into_iter().find(|line| line.bytes == b"livetest-marker") {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(Duration::from_secs(5), marker).await.expect("followed within 5 s");
    assert!(line.stamp.contains('T') && !line.stderr);
}

#[tokio::test]
async fn memory_is_that_of_the_running_container() {
    let backend = lab::container_of("backend");
    let id = lab::docker(&["inspect", "-f", "{{.Id}}", &backend]);
    let read = engine().memory(std::slice::from_ref(&id)).await.unwrap();
    let bytes = read.iter().find(|(of, _)| *of == id).unwrap().1;
    assert!((10 << 20..512 << 20).contains(&bytes), "{bytes} bytes");
    // Whoever counted it here, the engine counts the same.
    let told = lab::docker(&["stats", "--no-stream", "--format", "{{.MemUsage}}", &backend]);
    let mib: f64 = told.split_once("MiB").unwrap().0.parse().unwrap();
    let engines = mib * f64::from(1 << 20);
    let off = (f64::from(u32::try_from(bytes).unwrap()) - engines).abs();
    assert!(off < engines / 10.0, "{bytes} bytes, and the engine says {told}");
}

#[tokio::test]
async fn a_project_that_nobody_started_is_empty_and_no_error() {
    let engine = Engine::new("ratiba-nobody", None, &Surroundings::of_process());
    assert!(engine.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn no_engine_is_said_with_what_to_do() {
    let engine = Engine::new("x", Some("unix:///nonexistent/docker.sock"), &Surroundings::of_process());
    let error = engine.list().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(
        error.to_string().contains("/nonexistent/docker.sock") && error.hint.contains("Docker"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_engine_that_keeps_silent_is_given_up_in_time() {
    let (_listener, port) = lab::silent_server();
    let engine = Engine::new("x", Some(&format!("tcp://127.0.0.1:{port}")), &Surroundings::of_process());
    let began = Instant::now();
    let error = engine.list().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut, "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
