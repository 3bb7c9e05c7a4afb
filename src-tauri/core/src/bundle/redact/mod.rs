//! The one way that bytes take into a bundle. What may not leave is replaced: secrets by what they are,
//! what belongs to people by pseudonyms, what people said by its length. What can't be cleaned is withheld.
//!
//! `names` say what a value is by the name before it (`assigned`, `json`, `csv`); `rules` know it by its
//! shape (`vendored`: gitleaks', `own`); `people` are numbers, addresses, ids and receipts; the port
//! [`KnownSecrets`] finds this stack's own secrets; `encoded` undoes escapes, percent signs, base64 and hex,
//! and all of them look again.

mod assigned;
mod csv;
mod encoded;
mod everywhere;
mod find;
mod hits;
mod json;
mod leaks;
mod names;
mod own;
mod own_code;
mod people;
mod pseudonyms;
mod replace;
mod rules;
mod searched;
mod span;
mod spread;
mod stamps;
mod values;
mod vendored;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use serde::de::IgnoredAny;

use crate::ports::{KnownSecrets, SecretFinder};

use self::{
    everywhere::Everywhere,
    hits::Hit,
    replace::{Replaced, replaced},
    searched::Searched,
    spread::each,
};
pub use self::{
    leaks::{Leak, Scanner},
    pseudonyms::{Kind, Pseudonym, Pseudonyms},
    spread::{Spread, in_turn},
};

/// Which rules clean: gitleaks' by their version, and the console's own.
pub const RULES: &str = concat!("gitleaks 8.30.1 and ratiba-console ", env!("CARGO_PKG_VERSION"));
/// The longest text that is cleaned, in bytes: collectors cut long before.
pub const LONGEST: usize = 64 << 20;

/// What the bytes are. Lines of JSON, and JSON within lines, are recognised in every text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Logs, output of commands, configuration, prose.
    Text,
    /// One document of JSON: if it was one, it still is. If not, it is a text.
    Json,
    /// A log whose lines stand behind the engine's time and `o` or `e`.
    Stamped,
    /// A table whose first line names the columns, parted by `,`, `;`, `|` or tabs.
    Csv,
}

/// What became of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleaned {
    /// They may leave.
    Clean(Clean),
    /// They may not, for the reason that is given in one sentence.
    Withheld(String),
}

/// Bytes that may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// UTF-8; what was not is `U+FFFD`.
    pub bytes: Vec<u8>,
    /// How often each rule found something.
    pub counts: BTreeMap<String, usize>,
    /// The lines, from 1, on which something was found.
    pub lines: Vec<usize>,
}

/// What was found in one text, not yet replaced.
pub struct Found<'t> {
    text: Result<Cow<'t, str>, String>,
    hits: Vec<Hit>,
    was_json: bool,
}

/// Cleans what goes into a bundle. The same bytes and the same names give the same bytes.
pub struct Redactor {
    known: Arc<dyn KnownSecrets>,
}

impl Redactor {
    /// One that also knows this stack's secrets.
    pub fn new(known: Arc<dyn KnownSecrets>) -> Self {
        Self { known }
    }

    /// The bytes as they may leave. A value that is first recognised in a later file may stand, in a form that
    /// nobody could recognise, in an earlier one: files that leave together are cleaned by [`Self::redact_all`].
    pub fn redact(&self, what: Content, bytes: &[u8], names: &mut Pseudonyms) -> Cleaned {
        self.replace(self.find(what, bytes), names)
    }

    /// All files of a bundle, in its order, as they may leave: what any of them gives a name is hidden in each
    /// of them. What takes long is handed to `spread`, piece by piece; however it does the jobs, the same files
    /// give the same bytes and names. A job that it leaves out withholds its file.
    pub fn redact_all(
        &self,
        parts: &[(Content, &[u8])],
        names: &mut Pseudonyms,
        spread: Spread<'_>,
    ) -> Vec<Cleaned> {
        let known = self.known.finder();
        let texts = each(spread, parts.len(), |n| {
            let (what, bytes) = parts.get(n)?;
            Some(Searched::of(*what, bytes))
        });
        // By pieces: one long text would still be searched when all other threads are done.
        let pieces: Vec<(usize, Range<usize>)> = texts
            .iter()
            .enumerate()
            .flat_map(|(n, text)| {
                let pieces = text.iter().flatten().flat_map(Searched::pieces);
                pieces.map(move |piece| (n, piece))
            })
            .collect();
        let hits = each(spread, pieces.len(), |n| {
            let (which, piece) = pieces.get(n)?;
            Some(texts.get(*which)?.as_ref()?.as_ref().ok()?.hits(known.as_ref(), piece))
        });
        let mut hits = pieces.iter().zip(hits).peekable();
        // Names are given in the bundle's order, whichever piece was ready first.
        let named: Vec<Mutex<Option<Named>>> = texts
            .into_iter()
            .enumerate()
            .map(|(n, text)| {
                let own = std::iter::from_fn(|| hits.next_if(|((which, _), _)| *which == n));
                let own: Vec<_> = own.map(|(_, hits)| hits).collect();
                let found = match text? {
                    Ok(text) => text.found(own.into_iter().collect::<Option<Vec<_>>>()?),
                    Err(why) => Found::withheld(why),
                };
                Some(found.named(names))
            })
            .map(Mutex::new)
            .collect();
        let everywhere = Everywhere::new(names);
        let cleaned = each(spread, named.len(), |n| Some(taken(named.get(n)?)?.cleaned(&everywhere)));
        let left_out = || Cleaned::Withheld("It was not looked at.".into());
        cleaned.into_iter().map(|cleaned| cleaned.unwrap_or_else(left_out)).collect()
    }

    /// The first half of [`Self::redact`], which needs no names: several files can be looked at side by side.
    pub fn find<'t>(&self, what: Content, bytes: &'t [u8]) -> Found<'t> {
        find(self.known.finder().as_ref(), what, bytes)
    }

    /// The second half: replaces what was found, file by file in the bundle's order.
    pub fn replace(&self, found: Found<'_>, names: &mut Pseudonyms) -> Cleaned {
        let named = found.named(names);
        named.cleaned(&Everywhere::new(names))
    }

    /// The second look, at finished files and their names: whatever is known, secrets and everything that has a
    /// pseudonym, in any form. Empty: nothing of it is there. An archive has to be unpacked for it.
    pub fn scan(&self, bytes: &[u8], names: &Pseudonyms) -> Vec<Leak> {
        self.scanner(names).leaks(bytes)
    }

    /// The same for many files.
    pub fn scanner(&self, names: &Pseudonyms) -> Scanner {
        Scanner::new(self.known.finder(), names)
    }
}

fn taken<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn find<'t>(known: &dyn SecretFinder, what: Content, bytes: &'t [u8]) -> Found<'t> {
    match Searched::of(what, bytes) {
        Ok(text) => {
            let hits: Vec<_> = text.pieces().iter().map(|piece| text.hits(known, piece)).collect();
            text.found(hits)
        }
        Err(why) => Found::withheld(why),
    }
}

impl Found<'_> {
    fn withheld(why: String) -> Self {
        Self { text: Err(why), hits: Vec::new(), was_json: false }
    }

    fn named(self, names: &mut Pseudonyms) -> Named {
        let text = self.text.map(|text| replaced(&text, self.hits, names));
        Named { text, was_json: self.was_json }
    }
}

/// A text in which all that was found in itself is replaced.
struct Named {
    text: Result<Replaced, String>,
    was_json: bool,
}

impl Named {
    fn cleaned(self, everywhere: &Everywhere) -> Cleaned {
        let out = match self.text {
            Ok(out) => out.hide(everywhere),
            Err(why) => return Cleaned::Withheld(why),
        };
        if self.was_json && !is_json(&out.text) {
            return Cleaned::Withheld("It was JSON, and would be none once it is cleaned.".into());
        }
        Cleaned::Clean(Clean { bytes: out.text.into_bytes(), counts: out.counts, lines: out.lines })
    }
}

/// Whether a document of JSON is one. Nested too deep for the reader, it is none.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
