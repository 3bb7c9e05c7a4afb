//! A patch of the checkout.

use async_trait::async_trait;

use super::{
    Acting, Described, Emit, Happened, Kind, Looking, StepDone, StepStop, changed_file, patched_paths,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::counted,
    playbook::step::{PatchStep, Risk, Step},
    ports::{ChangeError, FileFacts, PatchChange, Sources},
    remedy::{FileOf, PlanError, Precondition},
};

fn files_of(found: &[Precondition]) -> Vec<FileFacts> {
    let file = |p: &Precondition| match p {
        Precondition::File { of: FileOf::Checkout, facts } => Some(facts.clone()),
        _ => None,
    };
    found.iter().filter_map(file).collect()
}

fn as_preconditions(files: Vec<FileFacts>) -> Vec<Precondition> {
    files.into_iter().map(|facts| Precondition::File { of: FileOf::Checkout, facts }).collect()
}

#[async_trait]
impl Kind for PatchStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let facts = looking.sources.repo()?.patch(&self.diff, self.reverse).await?;
        if let Some(why) = facts.refused {
            // What is not as the run left it is not taken out: that is no fault of the plan.
            return Err(match self.reverse {
                true => PlanError::NotUndoable(format!("the patch can't be taken out again: {why}")),
                false => PlanError::NotNow(format!("the patch does not apply: {why}")),
            });
        }
        let named = patched_paths(&self.diff);
        if facts.files.is_empty() || facts.files.iter().any(|file| !named.contains(&file.path)) {
            // The step would then depend on no file, or not on all of them.
            let files: Vec<&str> = facts.files.iter().map(|file| file.path.as_str()).collect();
            return Err(PlanError::NotNow(format!(
                "patch {}: the diff does not name its files as git does; make it with git diff, in the checkout",
                if files.is_empty() { "nothing".into() } else { files.join(", ") }
            )));
        }
        // What an undo meets is this console's own change, which git does not know yet.
        if !facts.unclean.is_empty() && !self.reverse {
            let files = facts.unclean.join(", ");
            return Err(PlanError::NotNow(format!(
                "patch {files}: it has changes of its own that git does not know; commit or undo them first"
            )));
        }
        Ok(as_preconditions(facts.files))
    }

    fn describe(&self, found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let files: Vec<String> = files_of(found).into_iter().map(|f| f.path).collect();
        let backwards = if self.reverse { " -R" } else { "" };
        Described {
            title: self.title.clone(),
            preview: format!("git apply{backwards}\n{}", self.diff),
            command: format!("git apply{backwards} <<'PATCH'\n{}\nPATCH", self.diff.trim_end()),
            risk: Risk::Reversible,
            before: Some(format!("{} as git last knew: {}", counted(files.len(), "file"), files.join(", "))),
            after: Some("patched, not committed".into()),
            blast_radius: self.blast_radius.clone(),
            undo: Some(format!("Take the patch out of {} again", files.join(", "))),
        }
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        matches!(precondition, Precondition::File { of: FileOf::Checkout, facts }
            if patched_paths(&self.diff).contains(&facts.path))
    }

    async fn act(&self, acting: &Acting<'_>, _emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let repo = acting.acts.repo().map_err(|e| StepStop::Failed(e.to_string()))?;
        let change = PatchChange {
            diff: &self.diff,
            reverse: self.reverse,
            expect: &files_of(acting.before),
            modes: self.modes.as_ref(),
            contents: self.contents.as_ref(),
        };
        match repo.apply(&change).await {
            Ok(files) => Ok(StepDone {
                detail: format!("{} patched", counted(files.len(), "file")),
                after: as_preconditions(files),
                ..StepDone::default()
            }),
            Err(ChangeError::GuardChanged { what, planned, now }) => {
                Err(StepStop::Changed(changed_file(FileOf::Checkout, what, planned, now)))
            }
            Err(error) => Err(StepStop::Failed(error.to_string())),
        }
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn take_back(&self, left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        let before = files_of(&left.before);
        let modes = before.iter().filter_map(|f| Some((f.path.clone(), f.mode.clone()?))).collect();
        let contents = before.into_iter().filter_map(|f| Some((f.path, f.fingerprint?))).collect();
        Ok(Step::Patch(Self {
            modes: Some(modes),
            // Where a hunk fits at several places, git may take it out at another one.
            contents: Some(contents),
            title: format!("Take out again: {}", self.title),
            reverse: !self.reverse,
            ..self.clone()
        }))
    }

    /// Files that are neither as before nor have the patch are half patched, or somebody else
    /// changed them.
    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let Ok(repo) = sources.repo() else { return Happened::Unknown("there is no checkout".into()) };
        match (repo.patch(&self.diff, self.reverse).await, repo.patch(&self.diff, !self.reverse).await) {
            // Not asked by trying: a patch may fit forwards and backwards.
            (Ok(forwards), Ok(_)) if forwards.files == files_of(&begun.before) => {
                Happened::No { how: "the files are as before".into() }
            }
            (Ok(_), Ok(backwards)) if backwards.refused.is_none() => Happened::Yes {
                how: "the files have the patch".into(),
                returned: Vec::new(),
                after: as_preconditions(backwards.files),
            },
            (Ok(forwards), Ok(_)) => Happened::Unknown(half(&forwards.files, &files_of(&begun.before))),
            (Err(error), _) | (_, Err(error)) => Happened::Unknown(error.to_string()),
        }
    }
}

/// Which files are as before the patch and which are not, and how to go on by hand.
fn half(now: &[FileFacts], before: &[FileFacts]) -> String {
    let is_as_before = |facts: &&FileFacts| before.contains(facts);
    let (same, other): (Vec<&FileFacts>, Vec<&FileFacts>) = now.iter().partition(is_as_before);
    let names = |files: &[&FileFacts]| files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>().join(", ");
    let (same, other) = (names(&same), names(&other));
    format!(
        "of the patch's files these are as before it: {same}; and these are not: {other}. What they were is \
         beside them, in .ratiba-patch-…-old, or in git"
    )
}
