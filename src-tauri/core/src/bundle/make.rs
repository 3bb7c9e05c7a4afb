//! From what was collected to an archive: cleaned as one, listed, packed, and looked at once more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    archive::{digest, written},
    drafts::with_digest,
    entry_name::safe,
    manifest::{
        BundleOf, ERRORS, FileRow, FileState, LogOf, MANIFEST, Manifest, README, REDACTIONS, SCHEMA, Tool,
        Window,
    },
    open::open,
    parts::{Part, Taken},
    redact::{Clean, Cleaned, Content, Pseudonyms, RULES, Redactor, Spread},
    report::{Redactions, RedactionsByFile, Uncollected},
};
use crate::remedy::hex;

/// Lines of one file that `redactions.json` names.
const LINES: usize = 1_000;
/// Leaks that are told.
const TOLD: usize = 10;

/// Everything that goes into a bundle, as it was collected.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// What makes it.
    pub tool: Tool,
    /// When collecting began.
    pub captured_at: Timestamp,
    /// The stack.
    pub stack: BundleOf,
    /// Which time the logs are of.
    pub window: Window,
    /// What its maker wrote about it.
    pub note: Option<String>,
    /// The digest of the bundle that it is cleaned anew from.
    pub redacted_from: Option<String>,
    /// The page that is read first.
    pub readme: String,
    /// Texts that go with the bundle, and not in it; its digest comes into them.
    pub beside: Vec<String>,
    /// The files.
    pub parts: Vec<Part>,
}

/// A bundle that may leave.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeBundle {
    /// The zip's bytes.
    pub archive: Arc<[u8]>,
    /// Their SHA-256.
    pub digest: String,
    /// What is in it.
    pub manifest: Manifest,
    /// The texts beside it, cleaned.
    pub beside: Vec<String>,
    /// Whom each pseudonym stands for. This stays.
    pub names: Pseudonyms,
}

/// Why there is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    /// Something that must not leave would: where, and its name.
    #[error("something that must not leave is still in it: {}", .0.join("; "))]
    Leaks(Vec<String>),
    /// It can't be made.
    #[error("{0}")]
    Failed(String),
}

/// Cleans, lists and packs. The same things collected give the same bytes. `names` are those that are given
/// already, for a bundle that is cleaned anew.
pub fn make(
    collected: Collected,
    redactor: &Redactor,
    names: Pseudonyms,
    spread: Spread<'_>,
) -> Result<MadeBundle, NotMade> {
    let Collected { tool, captured_at, stack, window, note, redacted_from, readme, beside, mut parts } =
        collected;
    let mut names = names;
    parts.sort_by(|one, other| one.path.cmp(&other.path));
    let head = Head {
        stack: stack.clone(),
        because: window.because.clone(),
        note,
        beside,
        rows: parts.iter().map(HeadRow::of).collect(),
    };
    let head =
        serde_json::to_vec(&head).map_err(|e| NotMade::Failed(format!("list what was collected: {e}")))?;
    let mut cleaned = {
        let mut texts = vec![(Content::Json, head.as_slice()), (Content::Text, readme.as_bytes())];
        texts.extend(parts.iter().map(|part| match &part.taken {
            Taken::Bytes(content, bytes) => (*content, bytes.as_slice()),
            Taken::Skipped(_) | Taken::Failed(_) => (Content::Text, &b""[..]),
        }));
        redactor.redact_all(&texts, &mut names, spread).into_iter()
    };
    let head: Head = whole(cleaned.next(), "its list")?;
    let readme = clean(cleaned.next(), README)?;
    let mut packed = Packed::default();
    for ((part, head), cleaned) in parts.into_iter().zip(head.rows).zip(cleaned) {
        packed.take(part, head, cleaned);
    }
    packed.add_own(README, "the console", readme);
    let manifest = packed.manifest(Manifest {
        schema: SCHEMA.into(),
        tool,
        captured_at,
        stack: head.stack,
        window: Window { because: head.because, ..window },
        note: head.note,
        redacted_from,
        rules: RULES.into(),
        pseudonyms: names.len(),
        files: Vec::new(),
    })?;
    let archive: Arc<[u8]> = written(&packed.files).map_err(NotMade::Failed)?.into();
    drop(packed);
    looked_at_again(&archive, redactor, &names, spread)?;
    let digest = digest(&archive);
    let beside = head.beside.iter().map(|text| with_digest(text, &digest)).collect();
    Ok(MadeBundle { digest, archive, manifest, beside, names })
}

/// What the manifest will say that comes from outside: it is cleaned like everything else.
#[derive(Serialize, Deserialize)]
struct Head {
    stack: BundleOf,
    because: String,
    note: Option<String>,
    beside: Vec<String>,
    rows: Vec<HeadRow>,
}

#[derive(Serialize, Deserialize)]
struct HeadRow {
    path: String,
    origin: String,
    argv: Option<Vec<String>>,
    truncated: Option<String>,
    why: Option<String>,
    log: Option<LogOf>,
}

impl HeadRow {
    fn of(part: &Part) -> Self {
        let why = match &part.taken {
            Taken::Bytes(..) => None,
            Taken::Skipped(why) | Taken::Failed(why) => Some(why.clone()),
        };
        let Part { path, origin, argv, truncated, log, .. } = part.clone_head();
        Self { path, origin, argv, truncated, why, log }
    }
}

impl Part {
    /// Without its content.
    fn clone_head(&self) -> Self {
        Self {
            path: self.path.clone(),
            collector: self.collector,
            origin: self.origin.clone(),
            argv: self.argv.clone(),
            exit_code: self.exit_code,
            duration_ms: self.duration_ms,
            truncated: self.truncated.clone(),
            log: self.log.clone(),
            taken: Taken::Skipped(String::new()),
        }
    }
}

fn clean(cleaned: Option<Cleaned>, what: &str) -> Result<Clean, NotMade> {
    match cleaned {
        Some(Cleaned::Clean(clean)) => Ok(clean),
        Some(Cleaned::Withheld(why)) => Err(NotMade::Failed(format!("{what} can't be cleaned: {why}"))),
        None => Err(NotMade::Failed(format!("{what} was not cleaned"))),
    }
}

fn whole<T: DeserializeOwned>(cleaned: Option<Cleaned>, what: &str) -> Result<T, NotMade> {
    serde_json::from_slice(&clean(cleaned, what)?.bytes)
        .map_err(|e| NotMade::Failed(format!("{what} is none once it is cleaned: {e}")))
}

/// Files and rows, as they come.
#[derive(Default)]
struct Packed {
    files: Vec<(String, Vec<u8>)>,
    rows: Vec<FileRow>,
    taken: BTreeSet<String>,
    redactions: Redactions,
}

impl Packed {
    /// A path that no other file has.
    fn path(&mut self, wanted: &str) -> String {
        let wanted = safe(wanted);
        let mut path = wanted.clone();
        let mut n = 2;
        while [MANIFEST, README, ERRORS, REDACTIONS].contains(&path.as_str())
            || !self.taken.insert(path.to_lowercase())
        {
            path = format!("{wanted}-{n}");
            n += 1;
        }
        path
    }

    fn take(&mut self, part: Part, head: HeadRow, cleaned: Cleaned) {
        let path = self.path(&head.path);
        let mut row = FileRow {
            path: path.clone(),
            collector: part.collector.to_owned(),
            origin: head.origin,
            argv: head.argv,
            exit_code: part.exit_code,
            duration_ms: part.duration_ms,
            bytes: 0,
            truncated: head.truncated,
            sha256: None,
            redactions: BTreeMap::new(),
            state: FileState::Ok,
            why: None,
            log: head.log,
        };
        match (part.taken, cleaned) {
            (Taken::Skipped(_), _) => (row.state, row.why) = (FileState::Skipped, head.why),
            (Taken::Failed(_), _) => (row.state, row.why) = (FileState::Failed, head.why),
            (Taken::Bytes(..), Cleaned::Withheld(why)) => {
                (row.state, row.why) = (FileState::Withheld, Some(why));
            }
            (Taken::Bytes(..), Cleaned::Clean(clean)) => self.add(&path, &mut row, clean),
        }
        self.rows.push(row);
    }

    fn add_own(&mut self, path: &str, by: &str, clean: Clean) {
        let mut row = FileRow {
            path: path.to_owned(),
            collector: by.to_owned(),
            origin: "written by the console".into(),
            argv: None,
            exit_code: None,
            duration_ms: 0,
            bytes: 0,
            truncated: None,
            sha256: None,
            redactions: BTreeMap::new(),
            state: FileState::Ok,
            why: None,
            log: None,
        };
        self.add(path, &mut row, clean);
        self.rows.push(row);
    }

    fn add(&mut self, path: &str, row: &mut FileRow, clean: Clean) {
        row.bytes = clean.bytes.len() as u64;
        row.sha256 = Some(hex(&Sha256::digest(&clean.bytes)));
        row.redactions.clone_from(&clean.counts);
        if !clean.counts.is_empty() {
            for (rule, count) in &clean.counts {
                *self.redactions.by_rule.entry(rule.clone()).or_default() += count;
            }
            let lines = clean.lines.into_iter().take(LINES).collect();
            self.redactions.by_file.insert(path.to_owned(), RedactionsByFile { rules: clean.counts, lines });
        }
        self.files.push((path.to_owned(), clean.bytes));
    }

    /// Adds what the bundle says of itself; the page that is read first is the first file.
    fn manifest(&mut self, mut manifest: Manifest) -> Result<Manifest, NotMade> {
        let missing: Vec<Uncollected> = self
            .rows
            .iter()
            .filter(|row| row.state != FileState::Ok)
            .map(|row| Uncollected {
                path: row.path.clone(),
                collector: row.collector.clone(),
                state: row.state.as_str().into(),
                why: row.why.clone().unwrap_or_default(),
            })
            .collect();
        self.redactions.rules.clone_from(&manifest.rules);
        let redactions = json(&self.redactions)?;
        for (path, bytes) in [(ERRORS, json(&missing)?), (REDACTIONS, redactions)] {
            self.add_own(path, "the console", Clean { bytes, counts: BTreeMap::new(), lines: Vec::new() });
        }
        self.rows.sort_by(|one, other| one.path.cmp(&other.path));
        manifest.files = std::mem::take(&mut self.rows);
        self.files.push((MANIFEST.into(), json(&manifest)?));
        let first = [README, MANIFEST, ERRORS, REDACTIONS];
        let rank = |path: &str| first.iter().position(|own| *own == path).unwrap_or(first.len());
        self.files.sort_by(|(one, _), (other, _)| rank(one).cmp(&rank(other)).then_with(|| one.cmp(other)));
        Ok(manifest)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, NotMade> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|e| NotMade::Failed(format!("write what is in it: {e}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads the finished archive as whoever gets it will: it must be one, and nothing that is known may be in it.
fn looked_at_again(
    archive: &Arc<[u8]>,
    redactor: &Redactor,
    names: &Pseudonyms,
    spread: Spread<'_>,
) -> Result<(), NotMade> {
    let opened =
        open(archive.clone()).map_err(|why| NotMade::Failed(format!("it can't be read back: {why}")))?;
    let mismatches = opened.mismatches();
    if let Some(first) = mismatches.first() {
        return Err(NotMade::Failed(format!("it is not what was written: {first}")));
    }
    let paths: Vec<&str> = opened.paths().collect();
    let scanner = redactor.scanner(names);
    let logs = opened
        .manifest()
        .files
        .iter()
        .filter(|row| row.log.as_ref().is_some_and(|log| log.container.is_some()));
    let stamped: BTreeSet<&str> = logs.map(|row| row.path.as_str()).collect();
    let found: Mutex<BTreeSet<String>> = Mutex::default();
    let note = |said: String| {
        found.lock().unwrap_or_else(PoisonError::into_inner).insert(said);
    };
    spread(paths.len(), &|n| {
        let Some(path) = paths.get(n) else { return };
        match opened.file(path) {
            Some(Ok(bytes)) => {
                let is_stamped = stamped.contains(path);
                let leaks = if is_stamped { scanner.leaks_in_log(&bytes) } else { scanner.leaks(&bytes) };
                for leak in leaks {
                    note(format!("{} in {path} at byte {}", leak.what, leak.offset));
                }
            }
            _ => note(format!("{path} can't be read back")),
        }
        for leak in scanner.leaks(path.as_bytes()) {
            note(format!("{} in the name of a file", leak.what));
        }
    });
    let leaks: Vec<String> = found.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect();
    match leaks.is_empty() {
        true => Ok(()),
        false => Err(NotMade::Leaks(leaks.into_iter().take(TOLD).collect())),
    }
}
