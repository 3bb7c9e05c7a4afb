//! A bundle that is there, cleaned once more.

use std::sync::Arc;

use ratiba_core::{
    bundle::{
        Collected, ERRORS, FileRow, FileState, MANIFEST, MadeBundle, OpenedBundle, Part, README, REDACTIONS,
        Taken, make,
        redact::{Content, Pseudonyms, Redactor},
    },
    ports::{KnownSecrets, NoSecrets},
    wire::WireError,
};

use super::{collector::COLLECTORS, not_made, spread};
use crate::api::failed;

/// What was replaced when it was made.
const REDACTIONS_BEFORE: &str = "redactions-before.json";

/// Cleans a bundle with this console's rules, and with a stack's secrets where they are known. `names` are those
/// beside it; without them those in it keep their numbers, and new ones go on after them.
pub async fn clean_again(
    opened: OpenedBundle,
    known: Option<Arc<dyn KnownSecrets>>,
    names: Option<Pseudonyms>,
) -> Result<MadeBundle, WireError> {
    let made = tokio::task::spawn_blocking(move || {
        let mut names = names.unwrap_or_default();
        let collected = collected(&opened, &mut names)?;
        let redactor = Redactor::new(known.unwrap_or_else(|| Arc::new(NoSecrets)));
        make(collected, &redactor, names, &spread::over_cores).map_err(not_made)
    });
    made.await.map_err(|e| failed(format!("clean the bundle: {e}"), "Please report it."))?
}

fn collected(opened: &OpenedBundle, names: &mut Pseudonyms) -> Result<Collected, WireError> {
    let manifest = opened.manifest();
    let unread = |why: String| failed(format!("read the bundle: {why}"), "Ask for it again.");
    let mut parts = Vec::new();
    let mut readme = String::new();
    for row in &manifest.files {
        let bytes = match row.state {
            FileState::Ok => Some(
                opened.file(&row.path).unwrap_or_else(|| Err("it is not there".into())).map_err(unread)?,
            ),
            FileState::Skipped | FileState::Withheld | FileState::Failed => None,
        };
        if let Some(bytes) = &bytes {
            names.reserve(&String::from_utf8_lossy(bytes));
        }
        match (row.path.as_str(), bytes) {
            (README, Some(bytes)) => readme = String::from_utf8_lossy(&bytes).into_owned(),
            (MANIFEST | ERRORS, _) => {}
            (REDACTIONS, Some(bytes)) => {
                let taken = Taken::Bytes(Content::Json, bytes);
                parts.push(Part::new(
                    REDACTIONS_BEFORE,
                    "the console",
                    "redactions.json of the bundle before",
                    taken,
                ));
            }
            (_, bytes) => parts.push(part(row, bytes)),
        }
    }
    Ok(Collected {
        tool: manifest.tool.clone(),
        captured_at: manifest.captured_at,
        stack: manifest.stack.clone(),
        window: manifest.window.clone(),
        note: manifest.note.clone(),
        redacted_from: Some(opened.digest()),
        readme,
        beside: Vec::new(),
        parts,
    })
}

fn part(row: &FileRow, bytes: Option<Vec<u8>>) -> Part {
    let is_stamped = row.log.as_ref().is_some_and(|log| log.container.is_some());
    let content = match row.path.ends_with(".json") {
        true => Content::Json,
        false if is_stamped => Content::Stamped,
        false => Content::Text,
    };
    let why = row.why.clone().unwrap_or_default();
    let taken = match (bytes, row.state) {
        (Some(bytes), _) => Taken::Bytes(content, bytes),
        (None, FileState::Skipped) => Taken::Skipped(why),
        (None, _) => Taken::Failed(why),
    };
    let collector =
        COLLECTORS.iter().find(|(id, _)| *id == row.collector).map_or("the console", |(id, _)| id);
    Part {
        argv: row.argv.clone(),
        exit_code: row.exit_code,
        duration_ms: row.duration_ms,
        truncated: row.truncated.clone(),
        log: row.log.clone(),
        ..Part::new(row.path.clone(), collector, row.origin.clone(), taken)
    }
}
