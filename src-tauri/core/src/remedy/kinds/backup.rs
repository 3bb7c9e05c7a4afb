//! A backup, restored for trial.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Acting, Described, Emit, Happened, Kind, Looking, Output, StepDone, StepStop};
use crate::{
    journal::{RunRecord, StepRecord},
    observe::worst_container,
    playbook::step::{
        BackupOf, BackupStep, ComposeAction, ComposeStep, ProjectAction, ProjectStep, Risk, Step,
    },
    ports::{Acts, BackupError, BackupMade, Sources},
    remedy::{PlanError, PlannedStep, Precondition, precondition, reference::Returned},
};

/// What a backup step returns.
#[derive(Serialize, Deserialize)]
struct Kept {
    of: BackupOf,
    #[serde(flatten)]
    made: BackupMade,
}

fn kept(returned: &Returned) -> impl Iterator<Item = Kept> {
    returned.values().flatten().filter_map(|row| serde_json::from_value(row.clone()).ok())
}

/// What the backups have that a run has made so far, by what its steps returned.
pub(super) fn backups(returned: &Returned) -> Vec<BackupOf> {
    kept(returned).flat_map(|kept| kept.made.also.into_iter().chain([kept.of])).collect()
}

/// Why what a step may lose is not backed up any more: each backup of the run must be where it was
/// put, as it was made.
pub(in crate::remedy) async fn still_kept(returned: &Returned, acts: &Acts) -> Result<(), String> {
    let mut found = kept(returned).peekable();
    if found.peek().is_none() {
        return Err("nothing was done: it loses data, and the run's journal names no backup of it. Make \
            the repair again"
            .into());
    }
    for Kept { of, made } in found {
        acts.backups.check(&of, &made).await.map_err(|why| {
            format!(
                "nothing was done: it loses data, and the backup that this run made of {} in {} is not as \
                 it was made: {why}. Put it back there, or make the repair again",
                what(&of),
                made.place
            )
        })?;
    }
    Ok(())
}

fn what(of: &BackupOf) -> String {
    match of {
        BackupOf::Database => "the whole database".into(),
        BackupOf::Schema { schema } => format!("schema {schema}"),
        BackupOf::Table { schema, table } => format!("table {schema}.{table}"),
        BackupOf::RedisKeys { prefix } if prefix.is_empty() => "all keys in Redis".into(),
        BackupOf::RedisKeys { prefix } => format!("the keys {prefix}* in Redis"),
        BackupOf::Volume { volume, .. } => format!("volume {volume}"),
    }
}

/// Whether a step leaves a service down; `None`: it leaves it as it was.
fn leaves_down(step: &Step, service: &str) -> Option<bool> {
    match step {
        Step::Compose(ComposeStep { action, .. }) if action.service() == service => {
            Some(matches!(action, ComposeAction::Stop { .. } | ComposeAction::Remove { .. }))
        }
        Step::Project(ProjectStep { action: ProjectAction::Down { services }, .. }) => {
            services.iter().any(|s| s == service).then_some(true)
        }
        Step::Project(ProjectStep { action: ProjectAction::Up { services }, .. }) => {
            services.iter().any(|s| s == service).then_some(false)
        }
        _ => None,
    }
}

fn is_removed_by(step: &Step, service: &str) -> bool {
    leaves_down(step, service) == Some(true)
        && !matches!(step, Step::Compose(ComposeStep { action: ComposeAction::Stop { .. }, .. }))
}

impl BackupStep {
    fn how(&self) -> String {
        match &self.of {
            BackupOf::Database => "pg_dump -Fc of the database; restored into a database of its own beside it, every table compared row for row, and that one dropped".into(),
            BackupOf::Schema { schema } => format!("pg_dump -Fc -n {schema}; restored into a database of its own, every table compared row for row, and that one dropped"),
            BackupOf::Table { schema, table } => format!("pg_dump -Fc -t {schema}.{table}, with its partitions and what inherits from it; restored into a database of its own, compared row for row, and that one dropped"),
            BackupOf::RedisKeys { prefix } => format!("DUMP of every key {prefix}*; each restored under a trial name, compared, and removed"),
            BackupOf::Volume { volume, .. } => format!("cp -a of {volume} into a volume beside it; every file's SHA-256 compared"),
        }
    }
}

#[async_trait]
impl Kind for BackupStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let BackupOf::Volume { service, volume } = &self.of else { return Ok(Vec::new()) };
        let created_at = looking.sources.containers.volume(volume).await?;
        if created_at.is_none() {
            return Err(PlanError::NotNow(format!("there is no volume {volume}")));
        }
        let container = precondition::container(looking.containers, service);
        Ok(vec![container, Precondition::Volume { volume: volume.clone(), created_at }])
    }

    async fn follows(&self, earlier: &[PlannedStep], looking: &Looking<'_>) -> Result<(), PlanError> {
        let BackupOf::Volume { service, volume } = &self.of else { return Ok(()) };
        let has_container = worst_container(looking.containers, service).is_some();
        if !has_container || earlier.iter().any(|s| is_removed_by(&s.step, service)) {
            return Err(PlanError::NotNow(format!(
                "the copy of {volume} is made with the image of {service}'s container, and by then there is \
                 none: stop {service} and do not remove it"
            )));
        }
        let is_down = |service: &String| {
            earlier.iter().rev().find_map(|s| leaves_down(&s.step, service)).unwrap_or(false)
        };
        let writers = looking.sources.containers.writers(volume).await?;
        match writers.iter().find(|writer| !writer.service.as_ref().is_some_and(is_down)) {
            None => Ok(()),
            Some(writer) => Err(PlanError::NotNow(format!(
                "{} runs and may write to {volume}: a copy would be torn. Stop it in a step before",
                writer.container
            ))),
        }
    }

    fn describe(&self, _found: &[Precondition], _looking: &Looking<'_>) -> Described {
        Described {
            title: self.title.clone(),
            preview: format!("{}; given up after {} s", self.how(), self.within_s),
            command: format!("# back up {}: {}", what(&self.of), self.how()),
            risk: Risk::Read,
            before: None,
            after: Some(format!("{} is kept, and it is shown that it can be restored", what(&self.of))),
            blast_radius: "Nobody: it reads, and works beside what is there.".into(),
            undo: None,
        }
    }

    /// It adds a file or a volume, and changes nothing that is there.
    fn acts(&self) -> bool {
        false
    }

    fn names(&self) -> Vec<&str> {
        match &self.of {
            BackupOf::Volume { service, .. } => vec![service],
            _ => Vec::new(),
        }
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        let BackupOf::Volume { service, volume } = &self.of else { return false };
        match precondition {
            Precondition::Container { service: s, .. } => s == service,
            Precondition::Volume { volume: v, .. } => v == volume,
            _ => false,
        }
    }

    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let mut output = Output::new(acting.n, emit);
        let limits = acting.limits(Duration::from_secs(self.within_s.into()));
        let made =
            acting.acts.backups.make(&self.of, &acting.name(), limits, &mut |line| output.take(line)).await;
        match made {
            Ok(made) => Ok(StepDone {
                detail: format!("{} in {}; {}", made.holds, made.place, made.trial),
                output: {
                    made.restore.lines().for_each(|line| output.take(line.to_owned()));
                    output.kept()
                },
                returned: vec![json!(Kept { of: self.of.clone(), made })],
                after: Vec::new(),
            }),
            Err(BackupError::Stopped(now)) => Err(StepStop::Cancelled(now)),
            Err(BackupError::Failed(why)) => Err(StepStop::Failed(why)),
        }
    }

    async fn happened(&self, begun: &StepRecord, run: &RunRecord, sources: &Sources) -> Happened {
        let again = "a backup that is not known to be whole is none; it is made again";
        if let BackupOf::Volume { .. } = self.of {
            let copier = BackupOf::copier(&format!("{}-{}", run.run, begun.planned.n));
            match sources.containers.named(&copier).await {
                Ok(None) => {}
                Ok(Some(state)) => {
                    let how = format!("{again}, after the container {copier}, which is {state}, is removed");
                    return Happened::No { how };
                }
                Err(error) => return Happened::Unknown(error.to_string()),
            }
        }
        Happened::No { how: again.into() }
    }
}
