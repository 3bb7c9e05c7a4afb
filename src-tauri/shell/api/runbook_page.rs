//! The runbook page: made from playbooks, and a page that somebody has beside them. No stack is looked at.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ratiba_core::{
    playbook::{Catalog, Proven},
    runbook::{self, Checked, DrillKey, Page, Verified},
    wire::WireError,
};

use super::{failed, usage};
use crate::{paths, whole_files};

/// No runbook page is larger.
pub const LARGEST_PAGE: u64 = 4 << 20;

/// Playbooks, the drills that there are, and what those have proven.
pub struct Playbooks {
    /// The playbooks.
    pub catalog: Catalog,
    /// All drills.
    pub drills: Vec<DrillKey>,
    /// What they have proven.
    pub proven: Proven,
}

/// A page, made.
pub struct Rendered {
    /// Markdown.
    pub text: String,
    /// How many rows it has, extras included.
    pub rows: usize,
    /// Those whose drills have not all passed with the script as it is, by their ids, and why.
    pub unproven: Vec<(String, String)>,
}

impl Playbooks {
    /// The facts of the page.
    ///
    /// # Errors
    /// Which playbook can't be used.
    pub fn page(&self) -> Result<Page, WireError> {
        Page::new(&self.catalog, &self.drills, &self.proven).map_err(|why| {
            failed(
                format!("make the runbook page: {why}"),
                "Fix the playbook: `ratibactl playbooks check DIR`.",
            )
        })
    }

    /// The page as Markdown.
    ///
    /// # Errors
    /// Which playbook can't be used.
    pub fn render(&self) -> Result<Rendered, WireError> {
        let page = self.page()?;
        let unproven = page.rows.iter().filter_map(|row| match &row.verified {
            Verified::On(_) => None,
            Verified::Not(why) => Some((row.id.clone(), why.clone())),
        });
        Ok(Rendered { text: runbook::render(&page), rows: page.rows.len(), unproven: unproven.collect() })
    }

    /// A page's text beside the playbooks; `named` is how it was given.
    ///
    /// # Errors
    /// Why it is no runbook page.
    pub fn check(
        &self,
        named: &str,
        text: &str,
        now: Timestamp,
        older_than: u32,
    ) -> Result<Checked, WireError> {
        let read = runbook::read(text).map_err(|why| {
            usage(
                format!("read the runbook page {named}: {why}"),
                "Give a page that `ratibactl runbook render` wrote, a Markdown table, or the page's text as a browser copies it.",
            )
        })?;
        Ok(runbook::check(&read, &self.page()?, now, older_than))
    }
}

/// Writes a page. `Ok(false)`: it is there already, byte for byte.
///
/// # Errors
/// It would overwrite what the console did not make, and `force` was not given; or it can't be written.
pub fn write_page(path: &Path, text: &str, force: bool) -> Result<bool, WireError> {
    let trouble = |why: String| {
        usage(format!("write the runbook page to {}: {why}", path.display()), "Choose another place with -o.")
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if std::fs::symlink_metadata(path).is_ok() {
                return Err(trouble("it is a link that leads nowhere".into()));
            }
        }
        Err(error) => return Err(trouble(error.to_string())),
        Ok(meta) if !meta.is_file() => return Err(trouble("it is not a regular file".into())),
        Ok(_) => {
            let there = paths::read_text(path, LARGEST_PAGE);
            if there.as_deref() == Ok(text) {
                return Ok(false);
            }
            if !force && !there.is_ok_and(|there| runbook::is_generated(&there)) {
                return Err(WireError {
                    code: "refused".into(),
                    message: format!(
                        "write the runbook page to {}: the file there was not made by `ratibactl runbook render`",
                        path.display()
                    ),
                    hint: "Choose another place with -o, or overwrite it with --force.".into(),
                    changes: Vec::new(),
                });
            }
        }
    }
    whole_files::put(path, text).map_err(|error| trouble(error.to_string()))?;
    Ok(true)
}

/// Reads a page's file; `-` is standard input.
///
/// # Errors
/// It is not there, too large, no file, or not UTF-8.
pub fn read_page(named: &str) -> Result<String, WireError> {
    let text = match named {
        "-" | "/dev/stdin" => paths::bounded_text(std::io::stdin().lock(), LARGEST_PAGE),
        path => paths::read_text(&PathBuf::from(path), LARGEST_PAGE),
    };
    text.map_err(|why| {
        usage(
            format!("read the runbook page {named}: {why}"),
            "Give a Markdown or text file, or `-` for standard input.",
        )
    })
}
