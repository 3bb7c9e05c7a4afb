//! The stack's secrets, to find them again in any text, alone or within something longer.

mod finder;
mod forms;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use ratiba_core::ports::{KnownSecrets, SecretFinder};

use self::{finder::Finder, forms::forms_of};
use crate::dotenv;

/// Shorter ones can't be told from ordinary text.
const SHORTEST: usize = 8;
/// A plain word is only taken for a secret from this length on: "ratiba" as a password would
/// otherwise blacken every name of the stack.
const SHORTEST_WORD: usize = 16;
/// Parts of the names of keys that hold secrets.
const SECRET_NAMES: &[&str] = &[
    "PASS",
    "_PWD",
    "SECRET",
    "TOKEN",
    "KEY",
    "CREDENTIAL",
    "PRIVATE",
    "AUTH",
    "SALT",
    "SIGNATURE",
    "COOKIE",
];
/// Those of them whose value may be all digits. A number under another name is a port or a count.
const NAMES_OF_NUMBERS: &[&str] = &["PASS", "_PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE"];
/// Words of a name which say that its number is no secret.
const OPEN_NUMBERS: &[&str] =
    &["PHONE", "MSISDN", "NUMBER", "PORT", "SHORTCODE", "TILL", "PAYBILL", "ID", "TTL", "EXPIRY", "EXPIRES"];

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
    /// For what is known now; `None`: something came to it.
    finder: Option<Arc<Finder>>,
    /// Whether there is a form that a text without line ends no longer has.
    has_line_ends: bool,
}

fn is_number(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_digit())
}

fn is_worth_hiding(value: &str) -> bool {
    let plain_word = value.chars().all(char::is_alphabetic);
    value.len() >= if plain_word { SHORTEST_WORD } else { SHORTEST }
        // An address or a date.
        && (is_number(value) || !value.chars().all(|c| c.is_ascii_digit() || ".:-".contains(c)))
}

/// Whether a value under this key of a `.env` is a secret.
fn is_secret(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    match is_number(value) {
        true => has(NAMES_OF_NUMBERS) && !upper.split('_').any(|word| OPEN_NUMBERS.contains(&word)),
        false => has(SECRET_NAMES),
    }
}

/// A line such as `-----BEGIN PRIVATE KEY-----`, which is the same in everybody's key.
fn is_armour(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----")
}

/// The password of a URL.
fn password_of(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    authority.rsplit_once('@')?.0.split_once(':').map(|(_, password)| password)
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

    /// The finder for what is known now. Nobody waits for another one's search: the lock ends here.
    fn now(&self) -> Arc<Finder> {
        let mut held = self.held();
        self.refresh(&mut held);
        let Held { names, has_line_ends, finder, .. } = &mut *held;
        finder.get_or_insert_with(|| Arc::new(Finder::new(names, *has_line_ends))).clone()
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
        let text = String::from_utf8_lossy(&bytes);
        // Line by line too: a quote that is never closed must not swallow the secrets after it.
        for (name, value) in dotenv::entries(&text).into_iter().chain(text.lines().flat_map(dotenv::entries))
        {
            if is_secret(&name, &value) {
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
    /// Output is hidden line by line: of a secret over several lines, each is one.
    fn add(&mut self, name: &str, value: &str) {
        let is_long = value.trim_end().contains('\n');
        if is_long {
            self.add_one(name, &value.lines().map(str::trim).collect::<String>());
        }
        for line in value.lines().map(str::trim).filter(|line| is_long && !is_armour(line)) {
            self.add_one(name, line);
        }
        self.add_one(name, value);
    }

    fn add_one(&mut self, name: &str, value: &str) {
        if !is_worth_hiding(value) {
            return;
        }
        self.has_line_ends |= value.contains('\n') || value.ends_with(['\\', ' ']) || value.starts_with(' ');
        for form in forms_of(value).into_iter().filter(|form| form.len() >= SHORTEST) {
            if let Entry::Vacant(free) = self.names.entry(form) {
                // It is somebody's path, and goes to terminals.
                free.insert(name.replace(char::is_control, "?"));
                self.finder = None;
            }
        }
    }
}

impl KnownSecrets for Known {
    fn hide(&self, text: &str) -> Option<String> {
        if text.len() < SHORTEST { None } else { self.now().hide(text) }
    }

    fn names_in(&self, text: &str) -> Vec<String> {
        if text.len() < SHORTEST { Vec::new() } else { self.now().names_in(text) }
    }

    fn finder(&self) -> Arc<dyn SecretFinder> {
        self.now()
    }
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };

    use ratiba_core::ports::SecretAt;

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
            format!("redis://:{}@h/0", "c4n4ry%2F%22p%2Bss%5Cw0rd"),
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
        fs::write(&path, "A_KEY=\"not-closed\nAPI_TOKEN=second-one-22\nB=\"b\"\n").unwrap();
        assert_eq!(known.hide("first-one-1 second-one-22").unwrap(), "‹API_TOKEN› ‹API_TOKEN›");
    }

    #[test]
    fn a_plain_word_blackens_nothing() {
        let known = Known::default();
        for word in ["ratiba", "postgres", "1234567", "changeme", "127.0.0.1:5434", "2026-11-25"] {
            known.remember("P", word);
        }
        assert_eq!(known.hide("ratiba postgres 1234567 changeme 127.0.0.1:5434 2026-11-25"), None);
    }

    fn known_from(dotenv: &str) -> Known {
        let known = Known::default();
        for (name, value) in dotenv::entries(dotenv) {
            if is_secret(&name, &value) {
                known.remember(&name, &value);
            }
        }
        known
    }

    #[test]
    fn what_other_languages_make_of_a_secret_in_urls_and_json_is_found() {
        let known = Known::default();
        known.remember("N", "pä/ss w&rd+\u{1f511}");
        let forms = [
            // Python: quote, quote_plus; lower-case hex; JavaScript: encodeURI.
            "p%C3%A4/ss%20w%26rd%2B%F0%9F%94%91",
            "p%C3%A4%2Fss+w%26rd%2B%F0%9F%94%91",
            "p%c3%a4%2fss%20w%26rd%2b%f0%9f%94%91",
            "p%C3%A4/ss%20w&rd+%F0%9F%94%91",
            // PHP: \/; Python: only ASCII; Go: \u0026; all of that; and once more within JSON.
            "pä\\/ss w&rd+\u{1f511}",
            "p\\u00e4/ss w&rd+\\ud83d\\udd11",
            "p\\u00E4/ss w&rd+\\uD83D\\uDD11",
            "pä/ss w\\u0026rd+\u{1f511}",
            "p\\u00e4\\/ss w\\u0026rd\\u002b\\ud83d\\udd11",
            "p\\\\u00e4/ss w&rd+\\\\ud83d\\\\udd11",
        ];
        for text in forms {
            assert_eq!(known.hide(&format!("<{text}>")).as_deref(), Some("<‹N›>"), "{text}");
        }
    }

    #[test]
    fn a_secret_over_several_lines_is_found_in_each_of_them() {
        let known = known_from(
            "A=1\nX_PRIVATE_KEY=\"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEF==\nab\n-----END KEY-----\n\"\nB=2\n",
        );
        let hidden = |text| known.hide(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(hidden("x MIIEvQIBADANBgkq"), "x ‹X_PRIVATE_KEY›");
        assert_eq!(hidden("hkiG9w0BAQEF=="), "‹X_PRIVATE_KEY›");
        assert_eq!(known.hide("-----BEGIN KEY-----"), None, "everybody's key begins so");
    }

    #[test]
    fn a_number_is_a_secret_where_its_name_says_so() {
        let known = known_from(
            "DB_PASSWORD=83620174\nSUPPORT_TOKEN=55501234\nAPI_KEY=1234567\nAUTH_PHONE=254712345678\n\
             KEY_ID=20261125\nAUTH_SINCE=17640851\n",
        );
        assert_eq!(known.hide("pw 83620174 55501234").as_deref(), Some("pw ‹DB_PASSWORD› ‹SUPPORT_TOKEN›"));
        assert_eq!(known.hide("1234567 254712345678 20261125 17640851"), None);
    }

    #[test]
    fn a_secret_is_found_over_line_ends_in_any_surroundings_and_with_all_its_bytes() {
        let known = Known::default();
        known.remember("N", SECRET);
        let (head, tail) = SECRET.split_at(6);
        let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
        let wrapped = STANDARD_NO_PAD.encode(format!("some text before {SECRET} and after it"));
        for text in [
            format!("a\nb {SECRET} c\nd"),
            format!("a\n{head}\n{tail}\nd"),
            format!("x={head}\\\n    {tail} d"),
            format!("x={head}\r\n\t{tail}\r\nd"),
            format!("x={head}\n\n\n{tail}"),
            format!("id {hex}0"),
            format!("{}\n{}\n", &wrapped[..28], &wrapped[28..]),
        ] {
            let found = known.finder().places_in(text.as_bytes());
            let [one] = found.as_slice() else { panic!("{found:?} in {text}") };
            assert_eq!(one.name, "N");
            let rest = format!("{}{}", &text[..one.range.start], &text[one.range.end..]);
            for part in [head, tail, &hex[..8]] {
                assert!(!rest.contains(part), "{rest:?} of {text:?}");
            }
        }
        let mut bytes = vec![0xff, 0xe2];
        bytes.extend(SECRET.bytes());
        bytes.push(0x80);
        assert_eq!(
            known.finder().places_in(&bytes),
            [SecretAt { range: 2..2 + SECRET.len(), name: "N".into() }]
        );
        assert_eq!(known.finder().places_in(b"nothing\nof it\n"), []);
    }
}
