//! The stack's secrets, to find them again in any text: as they are, escaped as in JSON, encoded as
//! in a URL, and in base64, alone or within something longer.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use ratiba_core::ports::KnownSecrets;

use crate::dotenv;

/// Shorter ones can't be told from ordinary text.
const SHORTEST: usize = 8;
/// A plain word is only taken for a secret from this length on: "ratiba" as a password would
/// otherwise blacken every name of the stack.
const SHORTEST_WORD: usize = 16;
/// Parts of the names of keys that hold secrets.
const SECRET_NAMES: &[&str] =
    &["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE", "AUTH", "SALT", "SIGNATURE", "COOKIE"];

/// Secrets that were resolved, and those of a `.env`, which is read again whenever it changed. What
/// was a secret once stays one.
#[derive(Default)]
pub struct Known {
    dotenv: Option<PathBuf>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    names: BTreeMap<String, String>,
    read: Option<(SystemTime, u64)>,
    finder: Option<(AhoCorasick, Vec<String>)>,
}

fn is_worth_hiding(value: &str) -> bool {
    let plain_word = value.chars().all(char::is_alphabetic);
    value.len() >= if plain_word { SHORTEST_WORD } else { SHORTEST }
        && !value.chars().all(|c| c.is_ascii_digit() || ".:-".contains(c))
}

/// The password of a URL.
fn password_of(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    authority.rsplit_once('@')?.0.split_once(':').map(|(_, password)| password)
}

fn percent_encoded(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    value.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Base64 of something that has `value` in it, whatever stands before: the digits that depend on
/// the value alone, for each of the three places it can begin at.
fn within_base64(value: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3_usize {
        let padded = [vec![0; before], value.to_vec()].concat();
        // Six bits a digit: the first ones mix with what is before, the last with what comes after.
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            found.extend(encoded.get(from..to).map(str::to_owned));
        }
    }
    found
}

fn forms_of(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned(), percent_encoded(value), percent_encoded(value).to_lowercase()];
    // Within JSON, and within JSON that is a text in JSON.
    let mut inside = value.to_owned();
    for _ in 0..2 {
        let quoted = serde_json::Value::String(inside).to_string();
        inside = quoted.trim_matches('"').to_owned();
        forms.push(inside.clone());
    }
    forms.extend(within_base64(value.as_bytes()));
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

impl Known {
    /// Knows the secrets of this `.env` from the start.
    pub fn of_dotenv(dotenv: Option<PathBuf>) -> Self {
        Self { dotenv, held: Mutex::default() }
    }

    /// Remembers a secret that was looked up.
    pub fn remember(&self, name: &str, value: &str) {
        self.held().add(name, value);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the `.env` where it is another one than last time.
    fn refresh(&self, held: &mut Held) {
        let Some(path) = &self.dotenv else { return };
        let Ok(meta) = fs::metadata(path) else { return };
        let now = meta.modified().ok().map(|at| (at, meta.len()));
        if now.is_some() && now == held.read {
            return;
        }
        let Ok(bytes) = fs::read(path) else { return };
        for (name, value) in dotenv::entries(&String::from_utf8_lossy(&bytes)) {
            let upper = name.to_ascii_uppercase();
            if SECRET_NAMES.iter().any(|part| upper.contains(part)) {
                held.add(&name, &value);
            }
            if let Some(password) = password_of(&value) {
                held.add(&name, password);
            }
        }
        held.read = now;
    }
}

impl Held {
    fn add(&mut self, name: &str, value: &str) {
        if !is_worth_hiding(value) {
            return;
        }
        for form in forms_of(value) {
            if let Entry::Vacant(free) = self.names.entry(form) {
                free.insert(name.to_owned());
                self.finder = None;
            }
        }
    }

    fn finder(&mut self) -> Option<&(AhoCorasick, Vec<String>)> {
        if self.finder.is_none() && !self.names.is_empty() {
            let finder =
                AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(self.names.keys());
            self.finder = finder.ok().map(|finder| (finder, self.names.values().cloned().collect()));
        }
        self.finder.as_ref()
    }
}

impl KnownSecrets for Known {
    fn hide(&self, text: &str) -> Option<String> {
        let mut held = self.held();
        self.refresh(&mut held);
        let (finder, names) = held.finder()?;
        if !finder.is_match(text) {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        finder.replace_all_with(text, &mut out, |found, _, out| {
            let name = names.get(found.pattern().as_usize()).map_or("secret", String::as_str);
            out.push_str(&format!("‹{name}›"));
            true
        });
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "c4n4ry/\"p+ss\\w0rd";

    #[test]
    fn every_form_of_a_secret_is_found_in_whatever_is_around_it() {
        let known = Known::default();
        known.remember("NAME", SECRET);
        let basic = |user: &str| STANDARD_NO_PAD.encode(format!("{user}:{SECRET}"));
        let json = serde_json::json!({ "a": SECRET }).to_string();
        let forms = [
            format!("x{SECRET}y"),
            json.clone(),
            serde_json::json!({ "line": json }).to_string(),
            format!("redis://:{}@h/0", percent_encoded(SECRET)),
            format!("Authorization: Basic {}", basic("a")),
            basic("ab"),
            basic("abc"),
            URL_SAFE_NO_PAD.encode(SECRET),
        ];
        for text in forms {
            let hidden = known.hide(&text).unwrap_or_else(|| panic!("not found in {text}"));
            assert!(hidden.contains("‹NAME›") && !hidden.contains(SECRET), "{hidden}");
        }
        assert_eq!(known.hide("nothing of it"), None);
    }

    #[test]
    fn a_new_value_in_the_env_is_known_at_once_and_the_old_one_still() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        fs::write(&path, "API_TOKEN=first-one-1\nLOG_LEVEL=information-1\nDB=postgres://u:pass-w0rd-x@h/d\n")
            .unwrap();
        let known = Known::of_dotenv(Some(path.clone()));
        assert_eq!(
            known.hide("first-one-1 information-1 pass-w0rd-x").unwrap(),
            "‹API_TOKEN› information-1 ‹DB›"
        );
        fs::write(&path, "API_TOKEN=second-one-22\n").unwrap();
        assert_eq!(known.hide("first-one-1 second-one-22").unwrap(), "‹API_TOKEN› ‹API_TOKEN›");
    }

    #[test]
    fn a_plain_word_blackens_nothing() {
        let known = Known::default();
        for word in ["ratiba", "postgres", "12345678", "changeme"] {
            known.remember("P", word);
        }
        assert_eq!(known.hide("ratiba postgres 12345678 changeme"), None);
    }
}
