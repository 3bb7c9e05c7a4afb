//! Inside a container, from outside: its processes, and whether a variable is what somebody thinks.

use bollard::query_parameters::{InspectContainerOptions, TopOptionsBuilder};
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{EnvironmentVariable, Process, Read},
};

use super::{DEADLINE, Engine, error};
use crate::deadline::within;

/// Without the arguments of a process: they may hold secrets.
const COLUMNS: &str = "-eo pid,rss,stat,comm";

impl Engine {
    pub(super) async fn processes_of(&self, id: &str) -> Read<Vec<Process>> {
        let docker = self.docker().await?;
        let attempted = "look at the processes of a container";
        within(SourceName::Docker, attempted, DEADLINE, async {
            let options = TopOptionsBuilder::new().ps_args(COLUMNS).build();
            let top = docker.top_processes(id, Some(options)).await.map_err(|e| error::of(attempted, &e))?;
            Ok(top.processes.unwrap_or_default().iter().filter_map(|row| process(row)).collect())
        })
        .await
    }

    pub(super) async fn variable_of(&self, id: &str, name: &str) -> Read<Option<EnvironmentVariable>> {
        let docker = self.docker().await?;
        let attempted = format!("compare {name} in a container");
        within(SourceName::Docker, &attempted, DEADLINE, async {
            let container = docker
                .inspect_container(id, None::<InspectContainerOptions>)
                .await
                .map_err(|e| error::of(&attempted, &e))?;
            let variables = container.config.and_then(|c| c.env).unwrap_or_default();
            let value = variables.iter().filter_map(|one| one.split_once('=')).rfind(|(key, _)| *key == name);
            let Some((_, value)) = value else { return Ok(None) };
            let failed = |happened: String| SourceError {
                source_name: SourceName::Docker,
                kind: SourceErrorKind::Invalid,
                attempted: attempted.clone(),
                happened,
                hint: "Check the rights of the console's state folder.".into(),
            };
            let key = self.key.as_ref().ok_or_else(|| failed("there is no key to name it with".into()))?;
            let fingerprint = key.of(value.as_bytes()).map_err(|e| failed(e.to_string()))?;
            Ok(Some(EnvironmentVariable { fingerprint, is_empty: value.is_empty() }))
        })
        .await
    }
}

fn process(row: &[String]) -> Option<Process> {
    let [pid, rss, state, name, ..] = row else { return None };
    Some(Process {
        pid: pid.parse().ok()?,
        name: name.clone(),
        state: state.clone(),
        rss_bytes: rss.parse::<u64>().ok()?.saturating_mul(1_024),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_ps_is_a_process_and_anything_else_is_none() {
        let row = |words: &[&str]| process(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        let one = row(&["17", "2048", "Tl", "arq"]).unwrap();
        assert_eq!(
            (one.pid, one.rss_bytes, one.state.as_str(), one.name.as_str()),
            (17, 2_097_152, "Tl", "arq")
        );
        assert!(row(&["17", "2048"]).is_none() && row(&["x", "1", "S", "arq"]).is_none());
    }
}
