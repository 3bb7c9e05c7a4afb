//! A backup, restored for trial.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Acting, Described, Emit, Happened, Kind, Looking, Output, StepDone, StepStop};
use crate::{
    journal::{RunRecord, StepRecord},
    observe::worst_container,
    playbook::step::{BackupOf, BackupStep, Risk},
    ports::{BackupError, BackupMade, Sources},
    remedy::{PlanError, Precondition, precondition, reference::Returned},
};

/// What a backup step returns.
#[derive(Serialize, Deserialize)]
struct Kept {
    of: BackupOf,
    #[serde(flatten)]
    made: BackupMade,
}

/// The backups that a run has made so far, by what its steps returned.
pub(super) fn backups(returned: &Returned) -> Vec<BackupOf> {
    let kept = |row: &Value| serde_json::from_value::<Kept>(row.clone()).ok().map(|kept| kept.of);
    returned.values().flatten().filter_map(kept).collect()
}

impl BackupStep {
    fn what(&self) -> String {
        match &self.of {
            BackupOf::Database => "the whole database".into(),
            BackupOf::Schema { schema } => format!("schema {schema}"),
            BackupOf::Table { schema, table } => format!("table {schema}.{table}"),
            BackupOf::RedisKeys { prefix } if prefix.is_empty() => "all keys in Redis".into(),
            BackupOf::RedisKeys { prefix } => format!("the keys {prefix}* in Redis"),
            BackupOf::Volume { volume, .. } => format!("volume {volume}"),
        }
    }

    fn how(&self) -> String {
        match &self.of {
            BackupOf::Database => "pg_dump -Fc of the database; restored into a database of its own beside it, every table compared row for row, and that one dropped".into(),
            BackupOf::Schema { schema } => format!("pg_dump -Fc -n {schema}; restored into a database of its own, every table compared row for row, and that one dropped"),
            BackupOf::Table { schema, table } => format!("pg_dump -Fc -t {schema}.{table}; restored into a database of its own, compared row for row, and that one dropped"),
            BackupOf::RedisKeys { prefix } => format!("DUMP of every key {prefix}*; each restored under a trial name, compared, and removed"),
            BackupOf::Volume { volume, .. } => format!("cp -a of {volume} into a volume beside it; every file's SHA-256 compared"),
        }
    }
}

#[async_trait]
impl Kind for BackupStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let BackupOf::Volume { service, volume } = &self.of else { return Ok(Vec::new()) };
        if worst_container(looking.containers, service).is_some_and(|f| f.is_running()) {
            let why = format!("{service} runs: a copy of {volume} would be torn. Stop it in a step before");
            return Err(PlanError::NotNow(why));
        }
        let created_at = looking.sources.containers.volume(volume).await?;
        if created_at.is_none() {
            return Err(PlanError::NotNow(format!("there is no volume {volume}")));
        }
        let container = precondition::container(looking.containers, service);
        Ok(vec![container, Precondition::Volume { volume: volume.clone(), created_at }])
    }

    fn describe(&self, _found: &[Precondition], _looking: &Looking<'_>) -> Described {
        Described {
            title: self.title.clone(),
            preview: format!("{}; given up after {} s", self.how(), self.within_s),
            command: format!("# back up {}: {}", self.what(), self.how()),
            risk: Risk::Read,
            before: None,
            after: Some(format!("{} is kept, and it is shown that it can be restored", self.what())),
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
                    output.take(format!("to restore it: {}", made.restore));
                    output.kept()
                },
                returned: vec![json!(Kept { of: self.of.clone(), made })],
                after: Vec::new(),
            }),
            Err(BackupError::Stopped(now)) => Err(StepStop::Cancelled(now)),
            Err(BackupError::Failed(why)) => Err(StepStop::Failed(why)),
        }
    }

    async fn happened(&self, _begun: &StepRecord, _run: &RunRecord, _sources: &Sources) -> Happened {
        Happened::No { how: "a backup that is not known to be whole is none; it is made again".into() }
    }
}
