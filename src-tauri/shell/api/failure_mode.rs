//! A new failure mode: its playbook and its drill in a checkout of the console, and its row in a page.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ratiba_core::{
    playbook::ScriptFile,
    remedy::Refusal,
    runbook::{self, Draft, DraftError, DrillKey, FailureMode},
    wire::{FailureModeDraft, WireError},
};

use super::{
    Console,
    drill::DrillFile,
    failed,
    playbooks::blocking,
    refused,
    runbook_page::{LARGEST_PAGE, Playbooks},
    usage,
};
use crate::{
    paths,
    whole_files::{self, Replacement},
    wiring,
};

/// A checkout of the console, as its playbooks and drills are now.
pub struct Checkout {
    root: PathBuf,
    /// Its playbooks.
    pub playbooks: Playbooks,
}

/// What is about to be written. Nothing was yet.
pub struct Prepared {
    /// The new row.
    pub draft: Draft,
    /// New files, by where they will be.
    pub files: Vec<(PathBuf, String)>,
    page: Option<Replacement>,
}

impl Checkout {
    /// The checkout in this folder.
    ///
    /// # Errors
    /// The folder is no checkout of the console, or its drills can't be read.
    pub fn open(root: &Path) -> Result<Self, WireError> {
        let missing = ["playbooks", "tests/drills"].into_iter().find(|part| !root.join(part).is_dir());
        if let Some(missing) = missing {
            return Err(usage(
                format!("write a new failure mode in {}: it has no folder {missing}", root.display()),
                "Name a checkout of Ratiba Console with --dir: playbooks and drills are part of it.",
            ));
        }
        Ok(Self { root: root.to_owned(), playbooks: wiring::playbooks_of(Some(&root.join("playbooks")))? })
    }

    /// Makes the new files, and tries them as the console would read them.
    ///
    /// # Errors
    /// A field that can't be used; a file that is there; a page that has no place for a row.
    pub fn prepare(&self, told: &FailureMode, page: Option<&Path>) -> Result<Prepared, WireError> {
        let draft = runbook::draft(told, &self.playbooks.catalog).map_err(|error| unusable(&error))?;
        let files: Vec<(PathBuf, String)> = [&draft.playbook, &draft.drill]
            .map(|file| (self.root.join(&file.path), file.text.clone()))
            .into();
        if let Some((there, _)) = files.iter().find(|(path, _)| std::fs::symlink_metadata(path).is_ok()) {
            return Err(exists(there));
        }
        self.proven_to_load(&draft)?;
        let page = page.map(|path| self.page_with(path, told, &draft)).transpose()?;
        Ok(Prepared { draft, files, page })
    }

    /// What the console itself could not read is never written.
    fn proven_to_load(&self, draft: &Draft) -> Result<(), WireError> {
        let unusable = |why: String| {
            failed(
                format!("make a new failure mode: the files would be of no use: {why}"),
                "Please report it.",
            )
        };
        let catalog = self.playbooks.catalog.with(script_of(draft));
        let playbook = catalog.get(&draft.id).ok_or_else(|| unusable("the playbook is not found".into()))?;
        if let Some(error) = &playbook.error {
            return Err(unusable(error.to_string()));
        }
        DrillFile::parse(&draft.drill.text).map(|_| ()).map_err(unusable)
    }

    fn page_with(&self, path: &Path, told: &FailureMode, draft: &Draft) -> Result<Replacement, WireError> {
        let trouble = |why: String| {
            usage(
                format!("put the row into {}: {why}", path.display()),
                "Give a page that `ratibactl runbook render` wrote or one with a Markdown table, or leave --page out.",
            )
        };
        let was = paths::read_text(path, LARGEST_PAGE).map_err(trouble)?;
        let text = if runbook::is_generated(&was) {
            if self.playbooks.render()?.text != was {
                return Err(trouble(
                    "it was not made from these playbooks as they are; render it again first".into(),
                ));
            }
            let mut drills = self.playbooks.drills.clone();
            let variants = DrillFile::parse(&draft.drill.text).map(|file| file.variant).unwrap_or_default();
            drills.extend(variants.into_iter().map(|v| DrillKey { id: draft.id.clone(), variant: v.name }));
            let catalog = self.playbooks.catalog.with(script_of(draft));
            let proven = self.playbooks.proven.clone();
            Playbooks { catalog, drills, proven }.render()?.text
        } else {
            runbook::with_row(&was, told, &draft.row).map_err(trouble)?
        };
        Ok(Replacement { path: path.to_owned(), was, text })
    }
}

impl Prepared {
    /// The page that gets the row.
    pub fn page(&self) -> Option<&Path> {
        self.page.as_ref().map(|page| page.path.as_path())
    }

    /// Lines that the page has then and does not have now.
    pub fn page_lines(&self) -> Vec<&str> {
        let Some(page) = &self.page else { return Vec::new() };
        let before: std::collections::BTreeSet<&str> = page.was.lines().collect();
        page.text.lines().filter(|line| !before.contains(line)).collect()
    }

    /// Writes all of it, or nothing.
    ///
    /// # Errors
    /// What could not be written; a file that came meanwhile is never overwritten.
    pub fn write(&self) -> Result<(), WireError> {
        whole_files::create_all(&self.files, self.page.as_ref()).map_err(|(path, error)| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(&path),
            _ => failed(
                format!("write {}: {error}; nothing was written", path.display()),
                "Check the folder and its rights.",
            ),
        })
    }
}

impl Console {
    /// The files of a failure mode as they would be written, and where. Nothing is.
    pub async fn failure_mode(self: &Arc<Self>, told: FailureMode) -> Result<FailureModeDraft, WireError> {
        let console = self.clone();
        blocking(move || match console.checkout() {
            Ok((root, checkout)) => {
                let prepared = checkout.prepare(&told, None)?;
                Ok(FailureModeDraft::new(&prepared.draft, Ok(root.display().to_string())))
            }
            Err(why) => {
                let draft = runbook::draft(&told, &console.catalog()).map_err(|error| unusable(&error))?;
                Ok(FailureModeDraft::new(&draft, Err(why)))
            }
        })
        .await?
    }

    /// Writes them: all or none, and no file is overwritten.
    pub async fn failure_mode_write(
        self: &Arc<Self>,
        told: FailureMode,
    ) -> Result<FailureModeDraft, WireError> {
        if self.environment.read_only {
            return Err(refused(&Refusal::ReadOnly));
        }
        let console = self.clone();
        blocking(move || {
            let (root, checkout) = console.checkout().map_err(|why| {
                usage(
                    format!("write a new failure mode: {why}"),
                    "Copy the files, or use `ratibactl runbook new`.",
                )
            })?;
            let prepared = checkout.prepare(&told, None)?;
            prepared.write()?;
            Ok(FailureModeDraft::new(&prepared.draft, Ok(root.display().to_string())))
        })
        .await?
    }

    /// The checkout that the window may write to, or why there is none: the shipped playbooks are part of the binary, so that
    /// only a folder of playbooks which the operator names leads to one.
    fn checkout(&self) -> Result<(PathBuf, Checkout), String> {
        if self.environment.read_only {
            return Err("this profile is read-only".into());
        }
        let named = std::env::var_os("RATIBA_PLAYBOOKS").filter(|dir| !dir.is_empty());
        let Some(dir) = named.map(PathBuf::from) else {
            return Err("the playbooks are part of the console: RATIBA_PLAYBOOKS names no folder".into());
        };
        let not_one =
            || format!("{} is not the folder playbooks of a checkout with tests/drills", dir.display());
        let full = dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?;
        let root = full.parent().filter(|_| full.ends_with("playbooks")).ok_or_else(not_one)?;
        let checkout = Checkout::open(root).map_err(|error| error.message)?;
        Ok((root.to_owned(), checkout))
    }
}

fn unusable(error: &DraftError) -> WireError {
    usage(format!("make a new failure mode: {error}"), "Give it otherwise.")
}

fn exists(path: &Path) -> WireError {
    usage(
        format!("write {}: a file of that name is there, and is not overwritten", path.display()),
        "Give another --id or --row, or take that file away.",
    )
}

fn script_of(draft: &Draft) -> ScriptFile {
    ScriptFile { name: format!("{}.rhai", draft.id), text: draft.playbook.text.clone() }
}
