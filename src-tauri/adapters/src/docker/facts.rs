//! From the engine's inspect answer to the facts the console uses. The environment is never read.

use bollard::models::{ContainerInspectResponse, HealthStatusEnum, HealthcheckResult};
use jiff::Timestamp;
use ratiba_core::model::{
    ContainerFacts, ContainerState, Health, HealthStatus, MountedVolume, PublishedPort,
};

/// The longest part of a probe's output that is kept, in characters.
const PROBE_OUTPUT: usize = 400;

/// `None` for an answer without an id or state, which the engine does not give.
pub(super) fn of(container: ContainerInspectResponse) -> Option<ContainerFacts> {
    let state = container.state?;
    let config = container.config.unwrap_or_default();
    let host = container.host_config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let label = |name: &str| labels.get(&format!("com.docker.compose.{name}")).cloned().unwrap_or_default();
    let time = |text: Option<String>| -> Option<Timestamp> {
        // The engine writes year 1 for "never".
        text.and_then(|t| t.parse().ok()).filter(|t: &Timestamp| t.as_second() > 0)
    };
    let mut ports: Vec<PublishedPort> = Vec::new();
    for (inside, bindings) in host.port_bindings.unwrap_or_default() {
        let (port, protocol) = inside.split_once('/').unwrap_or((&inside, "tcp"));
        for binding in bindings.unwrap_or_default() {
            let host_port = binding.host_port.and_then(|p| p.parse().ok());
            if let (Some(host_port), Ok(container_port)) = (host_port, port.parse()) {
                let host_ip = binding.host_ip.unwrap_or_default();
                ports.push(PublishedPort {
                    host_ip,
                    host_port,
                    container_port,
                    protocol: protocol.to_owned(),
                });
            }
        }
    }
    ports.sort_by_key(|p| p.host_port);
    let mounts = container.mounts.unwrap_or_default().into_iter();
    let mut volumes: Vec<MountedVolume> = mounts
        .filter(|mount| mount.typ.as_deref() == Some("volume"))
        .filter_map(|mount| Some(MountedVolume { name: mount.name?, path: mount.destination? }))
        .collect();
    volumes.sort_by(|a, b| a.path.cmp(&b.path));
    Some(ContainerFacts {
        id: container.id?,
        name: container.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        service: label("service"),
        number: label("container-number").parse().unwrap_or(1),
        oneoff: label("oneoff").eq_ignore_ascii_case("true"),
        image: config.image.unwrap_or_default(),
        state: ContainerState::from_word(&state.status.map(|s| s.to_string()).unwrap_or_default()),
        exit_code: state.exit_code.unwrap_or(0),
        error: state.error.unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or(false),
        health: state.health.and_then(health),
        created_at: time(container.created),
        started_at: time(state.started_at),
        finished_at: time(state.finished_at),
        restart_count: container.restart_count.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        restart_policy: host
            .restart_policy
            .and_then(|p| p.name)
            .map(|n| n.to_string())
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| "no".into()),
        ports,
        config_hash: label("config-hash"),
        working_dir: label("project.working_dir"),
        config_files: label("project.config_files"),
        memory_limit_bytes: host.memory.and_then(|m| u64::try_from(m).ok()).unwrap_or(0),
        volumes,
    })
}

fn health(health: bollard::models::Health) -> Option<Health> {
    let status = match health.status? {
        HealthStatusEnum::STARTING => HealthStatus::Starting,
        HealthStatusEnum::HEALTHY => HealthStatus::Healthy,
        HealthStatusEnum::UNHEALTHY => HealthStatus::Unhealthy,
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => return None,
    };
    let log = health.log.unwrap_or_default();
    let failing_streak = health.failing_streak.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let failing_since = failing_since(failing_streak, &log);
    let last = log.into_iter().next_back().and_then(|probe| probe.output);
    let last_output = whole_words(last.unwrap_or_default().trim());
    Some(Health { status, failing_streak, failing_since, last_output })
}

fn failing_since(streak: u32, log: &[HealthcheckResult]) -> Option<Timestamp> {
    let failed = log.iter().rev().take_while(|probe| probe.exit_code != Some(0));
    let failed = failed.take(usize::try_from(streak).unwrap_or(usize::MAX));
    let began: Vec<Timestamp> = failed.map_while(|probe| probe.start.as_ref()?.parse().ok()).collect();
    let (newest, oldest) = (*began.first()?, *began.last()?);
    let known = i32::try_from(began.len()).ok()?;
    let before = i32::try_from(streak).ok()?.checked_sub(known)?;
    if before == 0 {
        return Some(oldest);
    }
    let step = newest.duration_since(oldest).checked_div(known - 1)?;
    oldest.checked_sub(step.checked_mul(before)?).ok()
}

/// The beginning of a text without half a word at its end: half a secret could not be found.
fn whole_words(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(PROBE_OUTPUT) else { return text.to_owned() };
    let kept = text.get(..end).unwrap_or_default();
    let words = kept.rfind(char::is_whitespace).and_then(|at| kept.get(..at)).unwrap_or_default();
    format!("{words} [cut]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_says_much_is_cut_between_two_words() {
        let long = format!("{} s3cret-across-the-cut", "x".repeat(PROBE_OUTPUT - 8));
        assert_eq!(whole_words(&long), format!("{} [cut]", "x".repeat(PROBE_OUTPUT - 8)));
        assert_eq!(whole_words("healthy"), "healthy");
    }

    #[test]
    fn a_check_fails_since_the_first_of_its_probes_in_a_row() {
        let probe = |second: u32, exit_code| HealthcheckResult {
            start: Some(format!("2026-11-26T07:05:{second:02}.5Z")),
            exit_code: Some(exit_code),
            ..HealthcheckResult::default()
        };
        let at = |text: &str| Some(text.parse().unwrap());
        let log = [probe(0, 1), probe(4, 0), probe(8, 1), probe(12, 1)];
        assert_eq!(failing_since(2, &log), at("2026-11-26T07:05:08.5Z"));
        assert_eq!(failing_since(0, &log[..2]), None);
        // Seven more before the five that the engine keeps, four seconds apart.
        let log = [20, 24, 28, 32, 36].map(|second| probe(second, 1));
        assert_eq!(failing_since(12, &log), at("2026-11-26T07:04:52.5Z"));
        assert_eq!(failing_since(12, &log[..1]), None, "one probe has no step");
    }
}
