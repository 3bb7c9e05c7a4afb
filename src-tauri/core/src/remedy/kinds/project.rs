//! The whole compose project down, or up again.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::{
    Acting, Described, Emit, Happened, Kind, Looking, Output, StepDone, StepStop, compose::last_words,
    goes_on, of_compose,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{ContainerFacts, counted},
    playbook::step::{ProjectAction, ProjectStep, Risk, Step},
    ports::Sources,
    remedy::{PlanError, Precondition, precondition, render},
};

/// How long the project may take to come up or go down.
const DEADLINE: Duration = Duration::from_secs(300);

fn running(containers: &[ContainerFacts]) -> Vec<String> {
    let mut services: Vec<String> =
        containers.iter().filter(|c| !c.oneoff && c.is_running()).map(|c| c.service.clone()).collect();
    services.sort();
    services.dedup();
    services
}

fn all_services(containers: &[ContainerFacts]) -> Vec<String> {
    let mut services: Vec<String> =
        containers.iter().filter(|c| !c.oneoff).map(|c| c.service.clone()).collect();
    services.sort();
    services.dedup();
    services
}

#[async_trait]
impl Kind for ProjectStep {
    fn fill(&mut self, looking: &Looking<'_>) -> Result<(), PlanError> {
        if let ProjectAction::Down { services } = &mut self.action {
            *services = all_services(looking.containers);
        }
        Ok(())
    }

    fn services(&self) -> Vec<&str> {
        let (ProjectAction::Down { services } | ProjectAction::Up { services }) = &self.action;
        services.iter().map(String::as_str).collect()
    }

    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let (ProjectAction::Down { services } | ProjectAction::Up { services }) = &self.action;
        let mut found: Vec<_> =
            services.iter().map(|s| precondition::container(looking.containers, s)).collect();
        if let ProjectAction::Up { services } = &self.action {
            found.push(precondition::configuration(looking.sources, services).await?);
        }
        Ok(found)
    }

    fn describe(&self, _found: &[Precondition], looking: &Looking<'_>) -> Described {
        let preview = render::shell_line(&looking.sources.compose.project_argv(&self.action));
        let up = running(looking.containers);
        let (title, after, undo) = match &self.action {
            ProjectAction::Down { .. } => (
                "Take the whole project down".to_owned(),
                "no containers and no networks; all volumes are kept".to_owned(),
                format!("Bring up again what ran: {}", up.join(", ")),
            ),
            ProjectAction::Up { services } => (
                format!("Bring up {}", services.join(", ")),
                format!("{} running", counted(services.len(), "service")),
                "Take the whole project down".to_owned(),
            ),
        };
        Described {
            title,
            command: preview.clone(),
            preview,
            risk: Risk::Reversible,
            before: Some(format!("{} running: {}", counted(up.len(), "service"), up.join(", "))),
            after: Some(after),
            blast_radius: self.blast_radius.clone(),
            undo: Some(undo),
        }
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        match (precondition, &self.action) {
            (Precondition::Container { .. }, ProjectAction::Down { .. }) => true,
            (Precondition::Container { service, .. }, ProjectAction::Up { services }) => {
                services.contains(service)
            }
            _ => false,
        }
    }

    /// A container's log goes with it.
    async fn keep(&self, acting: &Acting<'_>) -> Result<Value, StepStop> {
        let ProjectAction::Down { .. } = self.action else { return Ok(Value::Null) };
        let containers = acting.sources.containers.list().await;
        let containers = containers.map_err(|e| StepStop::Failed(e.to_string()))?;
        let services = all_services(&containers);
        Ok(last_words(acting, &services.iter().map(String::as_str).collect::<Vec<_>>()).await)
    }

    fn may_fail_half_way(&self) -> bool {
        true
    }

    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let argv = acting.sources.compose.project_argv(&self.action);
        let mut output = Output::new(acting.n, emit);
        let ended =
            acting.acts.compose.run(&argv, acting.limits(DEADLINE), &mut |line| output.take(line)).await;
        let containers = acting.sources.containers.list().await;
        let is_now = match &containers {
            Ok(now) => format!("{} running", counted(running(now).len(), "service")),
            Err(error) => format!("the containers can't be looked at ({error})"),
        };
        let touched = acting.before.iter().filter_map(|p| match p {
            Precondition::Container { service, .. } => Some(service.clone()),
            _ => None,
        });
        let after = containers.map(|now| touched.map(|s| precondition::container(&now, &s)).collect());
        of_compose(ended, DEADLINE, &is_now, output, after.unwrap_or_default())
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn take_back(&self, left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        let ran = |p: &Precondition| match p {
            Precondition::Container { service, state: Some(state), .. } if state == "running" => {
                Some(service.clone())
            }
            _ => None,
        };
        let action = match &self.action {
            ProjectAction::Down { .. } => {
                ProjectAction::Up { services: left.before.iter().filter_map(ran).collect() }
            }
            ProjectAction::Up { .. } => ProjectAction::Down { services: Vec::new() },
        };
        match &action {
            ProjectAction::Up { services } if services.is_empty() => Err("nothing ran before".into()),
            _ => Ok(Step::Project(Self { action, blast_radius: self.blast_radius.clone() })),
        }
    }

    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let argv = sources.compose.project_argv(&self.action);
        if let Some(unknown) = goes_on(sources, &argv, begun.planned.n).await {
            return unknown;
        }
        let containers = match sources.containers.list().await {
            Ok(containers) => containers,
            Err(error) => return Happened::Unknown(error.to_string()),
        };
        let is_up = |service: &String| running(&containers).contains(service);
        let (done, half) = match &self.action {
            ProjectAction::Down { .. } => {
                let there = all_services(&containers);
                (there.is_empty(), there.len() < begun.before.len())
            }
            ProjectAction::Up { services } => (services.iter().all(is_up), services.iter().any(is_up)),
        };
        let how = format!("seen on the engine: {} running", counted(running(&containers).len(), "service"));
        match (done, half) {
            (true, _) => {
                let touched = begun.before.iter().filter_map(|p| match p {
                    Precondition::Container { service, .. } => Some(service),
                    _ => None,
                });
                let after = touched.map(|s| precondition::container(&containers, s)).collect();
                Happened::Yes { how, returned: Vec::new(), after }
            }
            // Down and up both do what is left to do: half of it is not done.
            (false, _) => {
                Happened::No { how: if half { format!("{how}; it was only half done") } else { how } }
            }
        }
    }
}
