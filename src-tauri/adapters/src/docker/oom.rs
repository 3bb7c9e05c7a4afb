//! Memory kills that the engine tells only as events. Before version 23 `OOMKilled` is written when a
//! container ends and stays through its next life: while it runs, the flag is about the life before.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bollard::{ClientVersion, Docker, query_parameters::EventsOptionsBuilder};
use futures_util::StreamExt;
use jiff::Timestamp;
use ratiba_core::model::ContainerFacts;

/// How long the engine may take to hand out what it remembers; it answers from memory.
const DEADLINE: Duration = Duration::from_millis(500);
/// The engine keeps its last 256 events whatever their age, so this is only an upper bound.
const SINCE_S: i64 = 24 * 3600;

/// Whether a running container's flag is about its present life: from engine version 23, API 1.42.
pub(super) fn flag_is_of_this_life(api: ClientVersion) -> bool {
    (api.major_version, api.minor_version) >= (1, 42)
}

/// The last kill of each container. Kept here because the engine forgets within minutes.
#[derive(Default)]
pub(super) struct OomKills(Mutex<HashMap<String, Timestamp>>);

impl OomKills {
    /// Adds what the engine remembers. Failing to read it takes nothing from what is known.
    pub(super) async fn read(&self, docker: &Docker, mut filters: HashMap<&'static str, Vec<String>>) {
        filters.insert("event", vec!["oom".into()]);
        let now = Timestamp::now().as_second();
        let options = EventsOptionsBuilder::new()
            .since(&(now - SINCE_S).to_string())
            .until(&now.to_string())
            .filters(&filters)
            .build();
        // The deadline also covers an engine whose clock is behind: it would wait until `until`.
        let over = tokio::time::sleep(DEADLINE);
        let mut events = Box::pin(docker.events(Some(options)).take_until(over));
        while let Some(Ok(event)) = events.next().await {
            let at = event.time_nano.and_then(|n| Timestamp::from_nanosecond(i128::from(n)).ok());
            if let (Some(id), Some(at)) = (event.actor.and_then(|a| a.id), at) {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, at);
            }
        }
    }

    /// Whether a process in the container was killed since its last start.
    pub(super) fn struck(&self, facts: &ContainerFacts) -> bool {
        let kills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kills.get(&facts.id).is_some_and(|at| facts.started_at.is_none_or(|started| *at > started))
    }
}
