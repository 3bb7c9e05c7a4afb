//! One key of the `.env`. Values are only known by their keyed fingerprints here.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Acting, Described, Emit, Happened, Kind, Looking, StepDone, StepStop, changed_file};
use crate::{
    journal::{RunRecord, StepRecord},
    model::Change,
    playbook::step::{DotenvStep, DotenvValue, Risk, Step},
    ports::{ChangeError, DotenvChange, DotenvChanges, DotenvKept, FileFacts, Sources},
    remedy::{FileOf, PlanError, Precondition},
};

fn file_of(found: &[Precondition]) -> Option<&FileFacts> {
    found.iter().find_map(|p| match p {
        Precondition::File { of: FileOf::Dotenv, facts } => Some(facts),
        _ => None,
    })
}

fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}

impl DotenvStep {
    fn change(&self, before: &[Precondition]) -> Option<DotenvChange> {
        let expect = file_of(before)?.clone();
        Some(DotenvChange { key: self.key.clone(), to: self.to.clone(), only_one: self.only_one, expect })
    }

    fn to_do<'a>(&self, acting: &'a Acting<'_>) -> Result<(&'a dyn DotenvChanges, DotenvChange), StepStop> {
        let failed = |why: String| StepStop::Failed(why);
        let dotenv = acting.acts.dotenv().map_err(|e| failed(e.to_string()))?;
        let change = self.change(acting.before);
        Ok((dotenv, change.ok_or_else(|| failed("the plan does not say what it must find".into()))?))
    }

    fn becomes(&self) -> String {
        match &self.to {
            DotenvValue::Plain(value) => format!("{}={value}", self.key),
            DotenvValue::Secret(secret) => {
                format!(
                    "{}=(secret from {}, fingerprint {})",
                    self.key,
                    secret.from,
                    short(&secret.fingerprint)
                )
            }
            DotenvValue::Removed => format!("no {}", self.key),
            DotenvValue::AsKept { .. } => "the whole file as it was before, byte for byte".into(),
        }
    }
}

/// Nothing was written. Where something changed since the plan was made, that is named: a secret by
/// its fingerprints alone.
fn stopped(error: ChangeError) -> StepStop {
    match error {
        ChangeError::GuardChanged { what, planned, now } => match (&planned[..], &now[..]) {
            ([Value::String(was)], [Value::String(is)]) => {
                StepStop::Changed(vec![Change::new(what, "fingerprint", short(was), short(is))])
            }
            _ => StepStop::Changed(changed_file(FileOf::Dotenv, what, planned, now)),
        },
        other => StepStop::Failed(other.to_string()),
    }
}

#[async_trait]
impl Kind for DotenvStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let is_undo = matches!(self.to, DotenvValue::AsKept { .. });
        if !is_undo && !self.has_a_key() {
            return Err(PlanError::Script(format!(
                "set {:?} in the .env: a key is letters, digits and _, with no digit first",
                self.key
            )));
        }
        let dotenv = looking.sources.dotenv()?;
        let facts = dotenv.file().await?;
        if facts.fingerprint.is_none() {
            return Err(PlanError::NotNow(format!("{} is not there", facts.path)));
        }
        if let DotenvValue::Secret(secret) = &self.to
            && dotenv.secret(&secret.from).await? != secret.fingerprint
        {
            let what = format!("the secret that {} refers to is another one now", secret.from);
            return Err(PlanError::NotNow(what));
        }
        let found = vec![Precondition::File { of: FileOf::Dotenv, facts }];
        if let Some(change) = self.change(&found).filter(|_| !is_undo)
            && let Some(why) = dotenv.obstacle(&change).await?
        {
            return Err(PlanError::NotNow(format!("set {} in {}: {why}", self.key, change.expect.path)));
        }
        Ok(found)
    }

    fn describe(&self, found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let path = file_of(found).map_or(".env", |f| f.path.as_str());
        let becomes = self.becomes();
        let stays = match self.only_one {
            true => format!("earlier lines of {} go; all other lines and the file's mode stay", self.key),
            false => "all other lines and the file's mode stay".to_owned(),
        };
        let fingerprint =
            file_of(found).and_then(|f| f.fingerprint.as_deref()).map(short).unwrap_or_default();
        Described {
            title: self.title.clone(),
            preview: format!("{path}: {becomes}\n{stays}"),
            command: format!("# edit {path}: {becomes}"),
            risk: Risk::Reversible,
            before: Some(format!("{path} as it is (fingerprint {fingerprint})")),
            after: Some(becomes),
            blast_radius: self.blast_radius.clone(),
            undo: Some(format!("Put back {path} as it was, byte for byte")),
        }
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        matches!(precondition, Precondition::File { of: FileOf::Dotenv, .. })
    }

    async fn keep(&self, acting: &Acting<'_>) -> Result<Value, StepStop> {
        let (dotenv, change) = self.to_do(acting)?;
        let kept = dotenv.keep(&acting.name(), &change).await.map_err(stopped)?;
        Ok(json!(kept))
    }

    async fn act(&self, acting: &Acting<'_>, _emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let (dotenv, change) = self.to_do(acting)?;
        let facts = dotenv.set(&change).await.map_err(stopped)?;
        let detail = format!("{} is written", facts.path);
        let after = vec![Precondition::File { of: FileOf::Dotenv, facts }];
        Ok(StepDone { detail, after, ..StepDone::default() })
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn take_back(&self, left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        let kept: DotenvKept = serde_json::from_value(left.kept.clone())
            .map_err(|_| "the journal does not say where the file before was kept")?;
        let DotenvKept { copy, fingerprint, becomes: _ } = kept;
        Ok(Step::Dotenv(Self {
            title: "Put back the .env as it was".into(),
            to: DotenvValue::AsKept { copy, fingerprint },
            only_one: false,
            ..self.clone()
        }))
    }

    /// The file is replaced in one: it is the one before, or it is not.
    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let facts = match sources.dotenv() {
            Ok(dotenv) => dotenv.file().await,
            Err(error) => Err(error),
        };
        let (Ok(facts), Some(before)) = (facts, file_of(&begun.before)) else {
            return Happened::Unknown("the .env can't be looked at".into());
        };
        if facts == *before {
            return Happened::No { how: format!("{} is as it was before", facts.path) };
        }
        let kept: Option<DotenvKept> = serde_json::from_value(begun.kept.clone()).ok();
        if facts.fingerprint.is_some() && facts.fingerprint == kept.as_ref().map(|k| k.becomes.clone()) {
            let how = format!("{} is exactly what this step makes of it", facts.path);
            let after = vec![Precondition::File { of: FileOf::Dotenv, facts }];
            return Happened::Yes { how, returned: Vec::new(), after };
        }
        Happened::Unknown(format!(
            "{} is neither as it was before nor what this step makes of it; the file before was kept as {}",
            facts.path,
            kept.map_or_else(|| "nothing".into(), |k| k.copy)
        ))
    }
}
