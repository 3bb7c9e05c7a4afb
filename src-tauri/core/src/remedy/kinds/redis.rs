//! Compare-and-set of one value in Redis.

use async_trait::async_trait;

use super::{Acting, Described, Emit, Happened, Kind, Looking, StepDone, StepStop};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{Change, SourceErrorKind},
    playbook::step::{RedisStep, Risk, Step},
    ports::{ChangeError, RedisChange, RedisValue, Sources},
    remedy::{PlanError, Precondition, render},
};

impl RedisStep {
    fn is_it(&self, precondition: &Precondition) -> bool {
        matches!(precondition, Precondition::Redis { key, field, .. }
            if *key == self.key && *field == self.field)
    }

    fn found<'p>(&self, preconditions: &'p [Precondition]) -> Option<&'p RedisValue> {
        preconditions.iter().find_map(|p| match p {
            Precondition::Redis { found, .. } if self.is_it(p) => Some(found),
            _ => None,
        })
    }

    fn command(&self) -> Vec<String> {
        let words: Vec<&str> = match (&self.field, &self.value) {
            (None, Some(value)) => vec!["SET", &self.key, value, "KEEPTTL"],
            (None, None) => vec!["DEL", &self.key],
            (Some(field), Some(value)) => vec!["HSET", &self.key, field, value],
            (Some(field), None) => vec!["HDEL", &self.key, field],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn precondition(&self, found: RedisValue) -> Precondition {
        Precondition::Redis { key: self.key.clone(), field: self.field.clone(), found }
    }

    /// The server that must do it: the plan's, or, where an earlier step may have started it anew, the
    /// one that is there now.
    async fn server(&self, acting: &Acting<'_>) -> Result<String, StepStop> {
        let mut before = acting.plan.steps.iter().take_while(|s| s.n < acting.n);
        if !before.any(|s| matches!(s.step, Step::Compose(_) | Step::Project(_))) {
            return Ok(acting.plan.target.redis_run_id.clone().unwrap_or_default());
        }
        let now = async { acting.sources.threads()?.server().await };
        now.await.map(|server| server.run_id).map_err(|e| StepStop::Failed(format!("{e}. {}", e.hint)))
    }

    async fn look(&self, sources: &Sources) -> Result<Precondition, crate::model::SourceError> {
        let found = sources.threads()?.value(&self.key, self.field.as_deref()).await?;
        Ok(self.precondition(found))
    }
}

#[async_trait]
impl Kind for RedisStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let found = self.look(looking.sources).await?;
        if let Precondition::Redis { found, .. } = &found {
            let wanted = if self.field.is_some() { "hash" } else { "string" };
            if found.kind != wanted && found.kind != "none" {
                let (key, kind) = (&self.key, &found.kind);
                return Err(PlanError::NotNow(format!("{key} is a {kind} in Redis, not a {wanted}")));
            }
        }
        Ok(vec![found])
    }

    fn describe(&self, found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let line = render::shell_line(&self.command());
        let word = |value: Option<&String>| value.map_or_else(|| "not there".to_owned(), Clone::clone);
        let before = self.found(found);
        Described {
            title: self.title.clone(),
            preview: format!("{line}\nonly if the value is still the one before"),
            command: format!("redis-cli -e {line}"),
            risk: Risk::Reversible,
            before: Some(word(before.and_then(|b| b.value.as_ref()))),
            after: Some(word(self.value.as_ref())),
            blast_radius: self.blast_radius.clone(),
            undo: Some(format!("put back the value before in {}", self.key)),
        }
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        self.is_it(precondition)
    }

    async fn act(&self, acting: &Acting<'_>, _emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let expect = self.found(acting.before).cloned();
        let expect =
            expect.ok_or_else(|| StepStop::Failed("the plan does not say what it must find".into()))?;
        let change = RedisChange {
            key: self.key.clone(),
            field: self.field.clone(),
            expect,
            value: self.value.clone(),
            ttl_ms: self.ttl_ms,
            run_id: self.server(acting).await?,
        };
        let redis = acting.acts.redis().map_err(|e| StepStop::Failed(e.to_string()))?;
        match redis.set(&change).await {
            // What it wrote, not what is there by now: that may be somebody else's already.
            Ok(written) => {
                let after = vec![self.precondition(written)];
                let detail = format!("{} is set", self.key);
                let detail = if self.value.is_none() { format!("{} is removed", self.key) } else { detail };
                Ok(StepDone { detail, after, ..StepDone::default() })
            }
            Err(ChangeError::GuardChanged { what, planned, now }) => {
                Err(StepStop::Changed(vec![Change::new(what, "value", planned, now)]))
            }
            Err(ChangeError::OtherTarget { now }) => {
                let planned = change.run_id.clone();
                Err(StepStop::Changed(vec![Change::new("the stack", "redis run_id", planned, now)]))
            }
            // The command went out and no answer came: it may have been carried out.
            Err(ChangeError::Source(error)) if error.kind == SourceErrorKind::TimedOut => {
                self.in_doubt(&change, error.to_string(), acting).await
            }
            Err(ChangeError::Unknown { why, .. }) => self.in_doubt(&change, why, acting).await,
            Err(error) => Err(StepStop::Failed(error.to_string())),
        }
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn take_back(&self, left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        let before = self.found(&left.before).ok_or("the journal does not say what was there before")?;
        Ok(Step::Redis(Self {
            title: format!("Put back the value before in {}", self.key),
            value: before.value.clone(),
            ttl_ms: before.ttl_ms,
            ..self.clone()
        }))
    }

    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let now = match self.look(sources).await {
            Ok(now) => now,
            Err(error) => return Happened::Unknown(error.to_string()),
        };
        let Precondition::Redis { found, .. } = &now else { return Happened::Unknown(String::new()) };
        let before = self.found(&begun.before).and_then(|b| b.value.as_ref());
        match found.value.as_ref() {
            value if value == self.value.as_ref() => Happened::Yes {
                how: format!("seen in Redis: {} has the new value", self.key),
                returned: Vec::new(),
                after: vec![now],
            },
            value if value == before => {
                Happened::No { how: format!("seen in Redis: {} has the value before", self.key) }
            }
            _ => Happened::Unknown(format!("{} has neither the value before nor the new one", self.key)),
        }
    }
}

impl RedisStep {
    async fn in_doubt(
        &self,
        change: &RedisChange,
        why: String,
        acting: &Acting<'_>,
    ) -> Result<StepDone, StepStop> {
        let Ok(now) = self.look(acting.sources).await else { return Err(StepStop::InDoubt(why)) };
        let Precondition::Redis { found, .. } = &now else { return Err(StepStop::InDoubt(why)) };
        if found.value == change.value {
            let detail = format!("{why}; {} has the new value", self.key);
            return Ok(StepDone { detail, after: vec![now], ..StepDone::default() });
        }
        if found.value == change.expect.value {
            return Err(StepStop::Failed(format!("{why}; {} has the value before", self.key)));
        }
        Err(StepStop::InDoubt(why))
    }
}
