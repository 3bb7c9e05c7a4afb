//! Which service is failing: the cause before what it drags along.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{model::Mark, observe::ServiceView};

/// A service that is not well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct FailingService {
    /// The compose service.
    pub service: String,
    /// Its mark.
    pub mark: Mark,
    /// Why it has that, in one line.
    pub detail: String,
    /// The engine's word for its container's state.
    pub state: String,
    /// Its health check.
    pub health: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub since: Option<Timestamp>,
    /// Published ports.
    pub ports: Vec<String>,
    /// Services that the compose file says it needs.
    pub depends_on: Vec<String>,
    /// One of these that is not well either: it may be nothing but the consequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Where that was seen, and when.
    pub source: String,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub as_of: Option<Timestamp>,
}

/// What depends on what: services by name, with those they need.
pub type Dependencies = BTreeMap<String, Vec<String>>;

/// The services that are not well, what others need first; of those that need each other nothing, the worst first.
pub fn failing(services: &[ServiceView], needs: &Dependencies) -> Vec<FailingService> {
    let unwell: Vec<&ServiceView> = services.iter().filter(|s| s.mark >= Mark::Unknown).collect();
    let names: BTreeSet<&str> = unwell.iter().map(|s| s.service.as_str()).collect();
    let mut found: Vec<(usize, FailingService)> = unwell
        .iter()
        .map(|view| {
            let all = all_needs(&view.service, needs);
            let after =
                all.iter().find(|name| names.contains(name.as_str()) && **name != view.service).cloned();
            let depth = all.iter().filter(|name| names.contains(name.as_str())).count();
            (depth, failing_service(view, needs, after))
        })
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        a.cmp(b)
            .then(other.mark.cmp(&one.mark))
            .then(one.since.is_none().cmp(&other.since.is_none()))
            .then(one.since.cmp(&other.since))
    });
    found.into_iter().map(|(_, service)| service).collect()
}

/// Everything a service needs, directly or by others, in that order; itself only where it needs itself in a circle.
fn all_needs(service: &str, needs: &Dependencies) -> Vec<String> {
    let mut found: Vec<String> = needs.get(service).cloned().unwrap_or_default();
    let mut next = 0;
    while let Some(name) = found.get(next).cloned() {
        for further in needs.get(&name).into_iter().flatten() {
            if !found.contains(further) {
                found.push(further.clone());
            }
        }
        next += 1;
    }
    found
}

fn failing_service(view: &ServiceView, needs: &Dependencies, after: Option<String>) -> FailingService {
    FailingService {
        service: view.service.clone(),
        mark: view.mark,
        detail: view.detail.clone(),
        state: view.state.clone(),
        health: view.health.clone(),
        since: view.since,
        ports: view.ports.clone(),
        depends_on: needs.get(&view.service).cloned().unwrap_or_default(),
        after,
        source: "docker".into(),
        as_of: view.as_of,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(service: &str, mark: Mark) -> ServiceView {
        ServiceView {
            service: service.into(),
            state: "exited".into(),
            health: "none".into(),
            mark,
            detail: "stopped".into(),
            container_id: None,
            started_at: None,
            since: None,
            restarts: 0,
            memory_bytes: None,
            memory_limit_bytes: None,
            ports: Vec::new(),
            own_run: None,
            as_of: None,
        }
    }

    #[test]
    fn what_others_need_stands_before_them_and_they_say_so() {
        let needs = Dependencies::from([
            ("backend".into(), vec!["postgres".into(), "redis".into()]),
            ("frontend".into(), vec!["backend".into()]),
            // A circle is no reason to hang.
            ("a".into(), vec!["b".into()]),
            ("b".into(), vec!["a".into()]),
        ]);
        let services = [
            view("frontend", Mark::Crit),
            view("backend", Mark::Warn),
            view("redis", Mark::Ok),
            view("a", Mark::Crit),
            view("b", Mark::Unknown),
            view("postgres", Mark::Crit),
        ];
        let found = failing(&services, &needs);
        let order: Vec<(&str, Option<&str>)> =
            found.iter().map(|f| (f.service.as_str(), f.after.as_deref())).collect();
        assert_eq!(order[0], ("postgres", None));
        let of = |name: &str| order.iter().position(|(service, _)| *service == name).unwrap();
        assert!(of("postgres") < of("backend") && of("backend") < of("frontend"));
        assert_eq!(order[of("backend")].1, Some("postgres"));
        assert_eq!(order[of("frontend")].1, Some("backend"));
        assert_eq!(found.len(), 5, "a healthy one is not named");
    }
}
