//! What compose said of the present files, kept for the next console: asking it takes a third of a second and
//! more, and the answer is the same as long as all that goes into it is.
//!
//! What can't be named by its content is not kept: files that compose reads and this does not know of.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{fingerprint::FingerprintKey, private};

/// Words of a compose file that lead compose to further files.
const LEADS_ON: [&str; 5] = ["extends", "include", "env_file", "label_file", "file"];

/// For how many states of the files answers are kept: a line of `.env` that was changed and taken back, and
/// the window beside a terminal of another environment.
const CAUSES: usize = 4;

/// The folder of kept answers, and the key that names their causes.
pub struct KeptAnswers {
    /// Where.
    pub dir: PathBuf,
    /// Names what an answer depends on: secrets of the `.env` are part of it.
    pub key: Arc<FingerprintKey>,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    cause: String,
    answers: BTreeMap<String, Vec<String>>,
}

/// All that an answer depends on, as one fingerprint; `None`: something else may count too.
pub(super) fn cause(
    kept: &KeptAnswers,
    program: &[String],
    files: &[PathBuf],
    dotenv: Option<&Path>,
) -> Option<String> {
    let mut bytes = Vec::new();
    let mut add = |name: &str, content: &[u8]| {
        bytes.extend_from_slice(format!("{name} {} ", content.len()).as_bytes());
        bytes.extend_from_slice(content);
    };
    for part in program {
        add("program", part.as_bytes());
        if let Ok(facts) = fs::metadata(part) {
            add("size", &facts.len().to_le_bytes());
            add("modified", format!("{:?}", facts.modified().ok()?).as_bytes());
        }
    }
    let mut texts = String::new();
    for file in files {
        let text = fs::read_to_string(file).ok()?;
        if text.lines().any(leads_on) {
            return None;
        }
        add("file", file.to_string_lossy().as_bytes());
        add("text", text.as_bytes());
        texts.push_str(&text);
    }
    let dotenv = match dotenv.map(fs::read) {
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return None,
        Some(read) => read.unwrap_or_default(),
        None => Vec::new(),
    };
    add("dotenv", &dotenv);
    // Of this process's environment what the files could mean.
    let mut variables: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with("COMPOSE_") || has_word(&texts, name))
        .collect();
    variables.sort();
    for (name, value) in variables {
        add(&name, value.as_bytes());
    }
    kept.key.of(&bytes).ok()
}

/// Whether this stands in the text, and not as a part of another word: a shell's `_` would be anywhere.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let behind = text.get(at + word.len()..).and_then(|behind| behind.chars().next());
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}

/// Whether one of the words is a key in this line; not `max-file`.
fn leads_on(line: &str) -> bool {
    let is_key = |word: &str, at: usize| {
        let (before, behind) =
            (line.get(..at).unwrap_or_default(), line.get(at + word.len()..).unwrap_or_default());
        let begins = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"-_".contains(c));
        begins && behind.trim_start_matches(['"', '\'']).trim_start().starts_with(':')
    };
    let found = LEADS_ON.iter().any(|word| line.match_indices(word).any(|(at, _)| is_key(word, at)));
    found && !line.trim_start().starts_with('#')
}

impl KeptAnswers {
    fn path(&self, project: &str) -> PathBuf {
        self.dir.join(format!("{project}.json"))
    }

    /// The last one first. A file that can't be read has none, and is asked for again.
    fn read(&self, project: &str) -> Vec<Kept> {
        let read = fs::read(self.path(project)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        read.unwrap_or_default()
    }

    /// What was said to this question.
    pub(super) fn answer(&self, project: &str, cause: &str, question: &str) -> Option<Vec<String>> {
        self.read(project).into_iter().find(|kept| kept.cause == cause)?.answers.remove(question)
    }

    /// Keeps an answer. One that can't be kept is asked for again.
    pub(super) fn keep(&self, project: &str, cause: &str, question: &str, lines: &[String]) {
        let mut all = self.read(project);
        let at = all.iter().position(|kept| kept.cause == cause);
        let mut kept =
            at.map_or_else(|| Kept { cause: cause.to_owned(), ..Kept::default() }, |at| all.remove(at));
        kept.answers.insert(question.to_owned(), lines.to_vec());
        all.insert(0, kept);
        all.truncate(CAUSES);
        let _asked_again = self.write(project, &all);
    }

    fn write(&self, project: &str, all: &[Kept]) -> io::Result<()> {
        private::folder(&self.dir)?;
        let path = self.path(project);
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let written = (|| {
            let mut file = private::file(&beside)?;
            file.write_all(&serde_json::to_vec(all).map_err(io::Error::other)?)?;
            fs::rename(&beside, &path)
        })();
        if written.is_err() {
            let _absent = fs::remove_file(&beside);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    #[test]
    fn an_answer_is_kept_until_something_it_depends_on_changes() {
        let dir = tempfile::tempdir().unwrap();
        let key = Arc::new(FingerprintKey::new(dir.path().join("key")));
        let kept = KeptAnswers { dir: dir.path().join("kept"), key };
        let (file, dotenv) = (dir.path().join("docker-compose.yml"), dir.path().join(".env"));
        fs::write(&file, "services:\n  a: {image: $IMAGE}\n").unwrap();
        let now = || cause(&kept, &["docker-compose".into()], std::slice::from_ref(&file), Some(&dotenv));
        let first = now().unwrap();
        kept.keep("lab", &first, "--services", &lines("a"));
        kept.keep("lab", &first, "--hash=*", &lines("a 12"));
        assert_eq!(kept.answer("lab", &now().unwrap(), "--services"), Some(lines("a")));
        assert_eq!(kept.answer("lab", &now().unwrap(), "--hash=*"), Some(lines("a 12")));
        fs::write(&dotenv, "IMAGE=canary-secret\n").unwrap();
        let second = now().unwrap();
        assert_eq!(kept.answer("lab", &second, "--services"), None);
        kept.keep("lab", &second, "--services", &lines("b"));
        fs::remove_file(&dotenv).unwrap();
        assert_eq!(kept.answer("lab", &now().unwrap(), "--services"), Some(lines("a")), "it is as it was");
        for n in 2..=CAUSES {
            kept.keep("lab", &n.to_string(), "--services", &lines("c"));
        }
        assert_eq!(kept.answer("lab", &first, "--services"), None, "the eldest goes");
        assert_eq!(kept.answer("lab", &second, "--services"), Some(lines("b")));
        let on_disk = fs::read_to_string(dir.path().join("kept/lab.json")).unwrap();
        assert!(!on_disk.contains("canary"), "{on_disk}");
    }

    #[test]
    fn a_variable_counts_where_it_is_named() {
        let text = "a: ${IMAGE:-x}\nb: $TAG\nc: [PLAIN]\n";
        for word in ["IMAGE", "TAG", "PLAIN"] {
            assert!(has_word(text, word), "{word}");
        }
        for word in ["MAGE", "TA", "_", "P"] {
            assert!(!has_word(text, word), "{word}");
        }
    }

    #[test]
    fn files_that_lead_to_others_are_asked_about_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let key = Arc::new(FingerprintKey::new(dir.path().join("key")));
        let kept = KeptAnswers { dir: dir.path().join("kept"), key };
        let file = dir.path().join("docker-compose.yml");
        for text in
            ["include: [other.yml]", "services: {a: {env_file: x.env}}", "services: {a: {extends: b}}"]
        {
            fs::write(&file, text).unwrap();
            assert_eq!(cause(&kept, &[], std::slice::from_ref(&file), None), None, "{text}");
        }
        fs::write(&file, "# include: no\nservices: {a: {logging: {options: {max-file: 3}}}}").unwrap();
        assert!(cause(&kept, &[], std::slice::from_ref(&file), None).is_some());
    }
}
