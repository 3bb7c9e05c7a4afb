//! A patch of the checkout.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Acting, Described, Emit, Happened, Kind, Looking, StepDone, StepStop, changed_file, patched_paths,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::counted,
    playbook::step::{PatchStep, Risk, Step},
    ports::{ChangeError, FileFacts, PatchChange, PatchOf, Read, RepoChanges, Sources},
    remedy::{FileOf, PlanError, Precondition, StepState, render::shell_line},
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

async fn now(files: &[FileFacts], sources: &Sources) -> Read<Vec<FileFacts>> {
    let repo = sources.repo()?;
    let mut now = Vec::new();
    for file in files {
        now.push(repo.file(&file.path).await?);
    }
    Ok(now)
}

impl PatchStep {
    fn of(&self) -> PatchOf<'_> {
        PatchOf { diff: &self.diff, reverse: self.reverse, in_place: &self.in_place }
    }

    fn change<'a>(&'a self, expect: &'a [FileFacts]) -> PatchChange<'a> {
        let (modes, contents) = (self.modes.as_ref(), self.contents.as_ref());
        PatchChange { of: self.of(), expect, modes, contents }
    }

    /// Nothing was changed; what was in place before is.
    fn stopped_again(&self, error: ChangeError) -> StepStop {
        match stopped(error) {
            StepStop::Failed(why) if !self.in_place.is_empty() => {
                let already = names(&self.in_place.iter().collect::<Vec<_>>());
                StepStop::Failed(format!("{why}; as before this attempt: {already} stay as they were"))
            }
            stop => stop,
        }
    }

    /// The files as they were before any of them had the patch.
    fn before_any(&self, mut before: Vec<FileFacts>) -> Vec<FileFacts> {
        for file in &mut before {
            if let Some(was) = self.in_place.iter().find(|was| was.path == file.path) {
                file.clone_from(was);
            }
        }
        before
    }
}

fn repo_of<'a>(acting: &'a Acting<'_>) -> Result<&'a dyn RepoChanges, StepStop> {
    acting.acts.repo().map_err(|e| StepStop::Failed(e.to_string()))
}

/// Nothing was changed.
fn stopped(error: ChangeError) -> StepStop {
    match error {
        ChangeError::GuardChanged { what, planned, now } => {
            StepStop::Changed(changed_file(FileOf::Checkout, what, planned, now))
        }
        other => StepStop::Failed(other.to_string()),
    }
}

#[async_trait]
impl Kind for PatchStep {
    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let facts = looking.sources.repo()?.patch(&self.of()).await?;
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
        // What an undo meets, and the rest of a run, is this console's own change, which git does not know
        // yet.
        let left = files_of(looking.left);
        let is_own = |path: &&String| facts.files.iter().any(|f| f.path == **path && left.contains(f));
        let unclean: Vec<String> = facts.unclean.iter().filter(|path| !is_own(path)).cloned().collect();
        if !unclean.is_empty() && !self.reverse {
            let files = unclean.join(", ");
            return Err(PlanError::NotNow(format!(
                "patch {files}: it has changes of its own that git does not know; commit or undo them first"
            )));
        }
        Ok(as_preconditions(facts.files))
    }

    fn describe(&self, found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let files = files_of(found);
        let (so, rest): (Vec<&FileFacts>, Vec<&FileFacts>) =
            files.iter().partition(|file| self.of().leaves(&file.path));
        let argv: Vec<String> = ["git".to_owned()].into_iter().chain(self.of().arguments()).collect();
        let line = shell_line(&argv);
        let (is, becomes) = match self.reverse {
            false => ("as git last knew", "patched, not committed"),
            true => ("with the patch", "as before the patch"),
        };
        let mut before = format!("{} {is}: {}", counted(rest.len(), "file"), names(&rest));
        if !so.is_empty() {
            before += &format!("; {becomes} already: {}", names(&so));
        }
        Described {
            title: self.title.clone(),
            preview: format!("{line}\n{}", self.diff),
            // In a folder of a repository, git would read the names from the repository's root.
            command: format!(
                "GIT_CEILING_DIRECTORIES=\"${{PWD%/*}}\" {line} <<'PATCH'\n{}\nPATCH",
                self.diff.trim_end()
            ),
            risk: Risk::Reversible,
            before: Some(before),
            after: Some(becomes.into()),
            blast_radius: self.blast_radius.clone(),
            undo: Some(format!("Take the patch out of {} again", names(&files.iter().collect::<Vec<_>>()))),
        }
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        matches!(precondition, Precondition::File { of: FileOf::Checkout, facts }
            if patched_paths(&self.diff).contains(&facts.path))
    }

    async fn keep(&self, acting: &Acting<'_>) -> Result<Value, StepStop> {
        let expect = files_of(acting.before);
        let becomes = repo_of(acting)?.becomes(&self.change(&expect)).await.map_err(stopped)?;
        Ok(json!({ "becomes": becomes }))
    }

    async fn act(&self, acting: &Acting<'_>, _emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let expect = files_of(acting.before);
        match repo_of(acting)?.apply(&self.change(&expect)).await {
            Ok(files) => Ok(StepDone {
                detail: format!(
                    "{} patched",
                    counted(files.len().saturating_sub(self.in_place.len()), "file")
                ),
                after: as_preconditions(files),
                ..StepDone::default()
            }),
            // Where one could not be put in its place, another may not have come back from there.
            Err(error @ ChangeError::Source(_)) => match now(&expect, acting.sources).await {
                Ok(now) if now == expect => Err(self.stopped_again(error)),
                Ok(_) | Err(_) => Err(StepStop::InDoubt(error.to_string())),
            },
            Err(error) => Err(stopped(error)),
        }
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn take_back(&self, left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        let before = self.before_any(files_of(&left.before));
        let modes = before.iter().filter_map(|f| Some((f.path.clone(), f.mode.clone()?))).collect();
        let contents = before.iter().filter_map(|f| Some((f.path.clone(), f.fingerprint.clone()?))).collect();
        // Of one that was done in part, the files that it did not come to are as before already.
        let is_in_part = left.state == StepState::Interrupted;
        let untouched = before.into_iter().filter(|file| is_in_part && !self.of().leaves(&file.path));
        Ok(Step::Patch(Self {
            modes: Some(modes),
            // Where a hunk fits at several places, git may take it out at another one.
            contents: Some(contents),
            in_place: untouched.collect(),
            title: format!("Take out again: {}", self.title),
            reverse: !self.reverse,
            ..self.clone()
        }))
    }

    fn is_rest(&self) -> bool {
        !self.in_place.is_empty()
    }

    fn whole(&self) -> Option<Step> {
        Some(Step::Patch(Self { in_place: Vec::new(), ..self.clone() }))
    }

    fn found(&self, begun: &StepRecord) -> Vec<Precondition> {
        as_preconditions(self.before_any(files_of(&begun.before)))
    }

    /// Files are put in their places one after the other: each is as before, or as the step makes it,
    /// or somebody else changed it.
    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let before = files_of(&begun.before);
        let now = match now(&before, sources).await {
            Ok(now) => now,
            Err(error) => return Happened::Unknown(error.to_string()),
        };
        let first = self.before_any(before.clone());
        if now == first && !begun.is_rest {
            return Happened::No { how: "the files are as before".into() };
        }
        let kept =
            begun.kept.get("becomes").and_then(|b| serde_json::from_value::<Vec<FileFacts>>(b.clone()).ok());
        let Some(becomes) = kept else {
            return Happened::Unknown("the record does not say what the step makes of its files".into());
        };
        if now == becomes {
            let how = "the files have the patch".into();
            return Happened::Yes { how, returned: Vec::new(), after: as_preconditions(now) };
        }
        let (patched, others): (Vec<&FileFacts>, Vec<&FileFacts>) =
            now.iter().partition(|file| becomes.contains(file) && !first.contains(file));
        let (same, strange): (Vec<&FileFacts>, Vec<&FileFacts>) =
            others.into_iter().partition(|file| first.contains(file));
        let mut how = format!(
            "of its {} some are as this step makes them ({}) and some as before it ({})",
            counted(now.len(), "file"),
            names(&patched),
            names(&same)
        );
        if !strange.is_empty() {
            how += &format!(
                "; and these are neither: {}. `git diff` shows what git last knew of them",
                names(&strange)
            );
            return Happened::Unknown(how);
        }
        let is_there = !patched.is_empty();
        // Of some there was nothing to do.
        let is_done = |was: &FileFacts| becomes.contains(was) || patched.iter().any(|f| f.path == was.path);
        let in_place = first.into_iter().filter(is_done);
        let rest = Step::Patch(Self { in_place: in_place.collect(), ..self.clone() });
        Happened::InPart { how, rest, after: as_preconditions(now), is_there }
    }
}

/// The names of files, the first few of many.
fn names(files: &[&FileFacts]) -> String {
    const SHOWN: usize = 8;
    if files.is_empty() {
        return "none".into();
    }
    let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let shown: Vec<String> = files.iter().take(SHOWN).map(|f| f.path.chars().map(plain).collect()).collect();
    let more = files.len().saturating_sub(SHOWN);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{and_more}", shown.join(", "))
}
