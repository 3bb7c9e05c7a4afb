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
mod span;
mod stamps;
mod values;
mod vendored;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde::de::IgnoredAny;

use crate::ports::{KnownSecrets, SecretFinder};

use self::{
    everywhere::Everywhere,
    find::Finder,
    hits::Hit,
    replace::{Replaced, replaced},
    rules::Rules,
    stamps::Unstamped,
};
pub use self::{
    leaks::{Leak, Scanner},
    pseudonyms::{Kind, Pseudonym, Pseudonyms},
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

/// Does a job for each number below the first, in any order and on as many threads as it likes, and comes
/// back when all of them are done. [`in_turn`] is one.
pub type Spread<'s> = &'s dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// One job after the other, on this thread.
pub fn in_turn(count: usize, job: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(job);
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
    /// of them. What takes long is handed to `spread`, file by file; however it does the jobs, the same files
    /// give the same bytes and names. A job that it leaves out withholds its file.
    pub fn redact_all(
        &self,
        parts: &[(Content, &[u8])],
        names: &mut Pseudonyms,
        spread: Spread<'_>,
    ) -> Vec<Cleaned> {
        let known = self.known.finder();
        let found: Vec<Mutex<Option<Found<'_>>>> = parts.iter().map(|_| Mutex::default()).collect();
        spread(parts.len(), &|n| {
            if let (Some((what, bytes)), Some(slot)) = (parts.get(n), found.get(n)) {
                put(slot, find(known.as_ref(), *what, bytes));
            }
        });
        // Names are given in the bundle's order, whichever file was ready first.
        let named: Vec<Mutex<Option<Named>>> =
            found.into_iter().map(|slot| Mutex::new(taken(&slot).map(|found| found.named(names)))).collect();
        let everywhere = Everywhere::new(names);
        let cleaned: Vec<OnceLock<Cleaned>> = parts.iter().map(|_| OnceLock::new()).collect();
        spread(parts.len(), &|n| {
            if let (Some(slot), Some(out)) = (named.get(n), cleaned.get(n))
                && let Some(named) = taken(slot)
            {
                out.get_or_init(|| named.cleaned(&everywhere));
            }
        });
        let left_out = || Cleaned::Withheld("It was not looked at.".into());
        cleaned.into_iter().map(|slot| slot.into_inner().unwrap_or_else(left_out)).collect()
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

fn put<T>(slot: &Mutex<Option<T>>, value: T) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

fn taken<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn find<'t>(known: &dyn SecretFinder, what: Content, bytes: &'t [u8]) -> Found<'t> {
    let withheld = |why: String| Found { text: Err(why), hits: Vec::new(), was_json: false };
    if bytes.len() > LONGEST {
        return withheld(format!("It is longer than {} MiB, too long to be cleaned.", LONGEST >> 20));
    }
    if memchr::memchr(0, bytes).is_some() {
        return withheld("It has zero bytes: it is no text, and can't be cleaned.".into());
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    if let Cow::Owned(text) = &text {
        let odd = text.matches('\u{fffd}').count();
        if odd * 10 > text.len() {
            return withheld("More than a tenth of it is not UTF-8: it can't be cleaned.".into());
        }
    }
    let Some(rules) = Rules::get() else {
        return withheld("The rules that it is cleaned with can't be read.".into());
    };
    let mut columns = Vec::new();
    if what == Content::Csv {
        csv::find(&text, &mut columns);
    }
    let finder = Finder { rules, known };
    let hits = match what {
        Content::Stamped => {
            let plain = Unstamped::of(&text);
            let mut hits = finder.all(&plain.text, columns);
            hits.iter_mut().for_each(|hit| hit.range = plain.raw(&hit.range));
            hits
        }
        Content::Text | Content::Json | Content::Csv => finder.all(&text, columns),
    };
    let was_json = what == Content::Json && is_json(&text);
    Found { text: Ok(text), hits, was_json }
}

impl Found<'_> {
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
