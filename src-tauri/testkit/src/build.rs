//! Builders of plausible facts.

use ratiba_core::{
    model::{ContainerFacts, ContainerState, Health, HealthStatus},
    playbook::ScriptFile,
};

/// A healthy, running container of `service`; change what the test is about.
pub fn container(service: &str) -> ContainerFacts {
    let at = |text: &str| text.parse().ok();
    ContainerFacts {
        id: format!("{service}-container-id"),
        name: format!("lab_{service}_1"),
        service: service.to_owned(),
        number: 1,
        oneoff: false,
        image: "lab:latest".into(),
        state: ContainerState::Running,
        exit_code: 0,
        error: String::new(),
        oom_killed: false,
        health: Some(Health {
            status: HealthStatus::Healthy,
            failing_streak: 0,
            failing_since: None,
            last_output: String::new(),
        }),
        created_at: at("2026-11-24T08:00:00Z"),
        started_at: at("2026-11-24T08:00:01Z"),
        finished_at: None,
        restart_count: 0,
        restart_policy: "no".into(),
        ports: Vec::new(),
        config_hash: "hash-1".into(),
        working_dir: "/srv/ratiba".into(),
        config_files: "docker-compose.yml".into(),
        memory_limit_bytes: 0,
        volumes: Vec::new(),
    }
}

/// A playbook that passes the catalogue's checks, with `body` as its functions.
pub fn playbook_file(name: &str, body: &str) -> ScriptFile {
    let head: String =
        ["Symptom", "Diagnosis", "What it changes", "How it is checked", "Undo", "Runbook errata"]
            .iter()
            .map(|heading| format!("// # {heading}\n// Text.\n//\n"))
            .collect();
    ScriptFile { name: format!("{name}.rhai"), text: format!("{head}\n{body}") }
}
