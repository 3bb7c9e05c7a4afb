//! A compose action on one service.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Acting, Described, Emit, Happened, Kind, Looking, Output, StepDone, StepStop, container_now, goes_on,
    of_compose,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{ContainerFacts, HealthStatus},
    observe::worst_container,
    playbook::step::{ComposeAction, ComposeStep, Risk, Step},
    ports::Sources,
    remedy::{PlanError, Precondition, precondition, render},
};

/// How long a compose command may take.
const DEADLINE: Duration = Duration::from_secs(180);

#[async_trait]
impl Kind for ComposeStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let service = self.action.service();
        let mut found = vec![precondition::container(looking.containers, service)];
        if let ComposeAction::Up { .. } | ComposeAction::Recreate { .. } = self.action {
            found.push(precondition::configuration(looking.sources, &[service.to_owned()]).await?);
        }
        Ok(found)
    }

    fn describe(&self, _found: &[Precondition], looking: &Looking<'_>) -> Described {
        let action = &self.action;
        let facts = worst_container(looking.containers, action.service());
        let preview = render::shell_line(&looking.sources.compose.argv(action));
        Described {
            title: action.title(),
            command: preview.clone(),
            preview,
            risk: Risk::Reversible,
            before: Some(facts.map_or_else(|| format!("{} has no container", action.service()), as_it_is)),
            after: Some(action.leaves()),
            blast_radius: self.blast_radius.clone(),
            undo: action.undo(facts.is_some()).map(|undo| undo.title()),
        }
    }

    fn services(&self) -> Vec<&str> {
        vec![self.action.service()]
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        matches!(precondition, Precondition::Container { service, .. } if service == self.action.service())
    }

    /// A container's log goes with it.
    async fn keep(&self, acting: &Acting<'_>) -> Result<Value, StepStop> {
        match self.action {
            ComposeAction::Recreate { .. } | ComposeAction::Remove { .. } | ComposeAction::Up { .. } => {
                Ok(last_words(acting, &[self.action.service()]).await)
            }
            _ => Ok(Value::Null),
        }
    }

    fn may_fail_half_way(&self) -> bool {
        true
    }

    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let service = self.action.service();
        let argv = acting.sources.compose.argv(&self.action);
        let mut output = Output::new(acting.n, emit);
        let ended =
            acting.acts.compose.run(&argv, acting.limits(DEADLINE), &mut |line| output.take(line)).await;
        let after = container_now(acting.sources, service).await.ok();
        let is_now = match &after {
            Some(Precondition::Container { state: Some(state), .. }) => format!("{service} is {state}"),
            Some(_) => format!("{service} has no container"),
            None => "the container could not be looked at".into(),
        };
        of_compose(ended, DEADLINE, &is_now, output, after.into_iter().collect())
    }

    fn is_undoable(&self) -> bool {
        self.action.undo(true).is_some()
    }

    fn take_back(&self, _left: &StepRecord, run: &RunRecord) -> Result<Step, String> {
        let service = self.action.service();
        let had_container = run.before(|p| match p {
            Precondition::Container { service: s, id, .. } if s == service => Some(id.is_some()),
            _ => None,
        });
        let action = self.action.undo(had_container.unwrap_or(false)).ok_or("it can't be taken back")?;
        Ok(Step::Compose(Self { action, blast_radius: self.blast_radius.clone() }))
    }

    /// The engine's own facts moved since the step's pre-image, or they did not. No clocks are
    /// compared: the engine may be on another machine.
    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let argv = sources.compose.argv(&self.action);
        if let Some(unknown) = goes_on(sources, &argv, begun.planned.n).await {
            return unknown;
        }
        let service = self.action.service();
        let containers = match sources.containers.list().await {
            Ok(containers) => containers,
            Err(error) => return Happened::Unknown(error.to_string()),
        };
        let facts = worst_container(&containers, service);
        // Not as it was before the run: an earlier step may have acted on the same service.
        let before = begun.before.iter().find_map(|p| match p {
            Precondition::Container { service: s, id, state, started_at, .. } if s == service => {
                Some((id.clone(), *started_at, state.as_deref() == Some("restarting")))
            }
            _ => None,
        });
        if before.as_ref().is_some_and(|(_, _, restless)| *restless)
            && matches!(self.action, ComposeAction::Start { .. } | ComposeAction::Restart { .. })
        {
            return Happened::Unknown(format!("the engine starts {service} again and again by itself"));
        }
        let Some((id, started_at, _)) = before else {
            return Happened::Unknown(format!("the journal does not say how {service} was before"));
        };
        let is_other = facts.map(|f| &f.id) != id.as_ref();
        let started = facts.is_some_and(|f| f.started_at.is_some() && f.started_at != started_at);
        let runs = facts.is_some_and(ContainerFacts::is_running);
        let state = facts.map_or("without a container", |f| f.state.as_str());
        let done = match &self.action {
            ComposeAction::Start { .. } | ComposeAction::Restart { .. } => started,
            ComposeAction::Up { .. } => runs && (is_other || started),
            ComposeAction::Recreate { .. } => runs && is_other,
            ComposeAction::Unpause { .. } => runs,
            ComposeAction::Pause { .. } => state == "paused",
            ComposeAction::Stop { .. } => !runs && facts.is_some(),
            ComposeAction::Remove { .. } => facts.is_none(),
        };
        let how = format!("seen on the engine: {service} is {state}");
        if done {
            let after = vec![precondition::container(&containers, service)];
            Happened::Yes { how, returned: Vec::new(), after }
        } else {
            Happened::No { how }
        }
    }
}

/// What a service is, and why it is not well where its own health check says so.
fn as_it_is(facts: &ContainerFacts) -> String {
    if facts.is_started_again_and_again() {
        return format!("the engine starts {} again and again", facts.service);
    }
    let now = format!("{} is {}", facts.service, facts.state.as_str());
    let said = match (facts.live_health(), &facts.health) {
        (Some(HealthStatus::Unhealthy), Some(health)) => {
            health.last_output.lines().next().unwrap_or_default()
        }
        _ => return now,
    };
    if said.is_empty() {
        return format!("{now}, and its health check fails");
    }
    format!("{now}, and its health check fails: {}", said.chars().take(120).collect::<String>())
}

/// The last lines of these services' logs. One that can't be read is no reason not to act: it may
/// be why there is something to repair.
pub(super) async fn last_words(acting: &Acting<'_>, services: &[&str]) -> Value {
    let sources = acting.sources;
    let Ok(containers) = sources.containers.list().await else { return Value::Null };
    let mut logs = serde_json::Map::new();
    for service in services {
        let Some(facts) = worst_container(&containers, service) else { continue };
        if let Ok(lines) = sources.containers.log_tail(&facts.id, KEPT_LOG).await {
            let lines: Vec<String> = lines.into_iter().map(|l| l.text).collect();
            logs.insert((*service).to_owned(), lines.into());
        }
    }
    json!({ "logs": logs })
}

/// Lines of a log that are kept when its container goes.
const KEPT_LOG: u32 = 200;
