//! Texts of this machine by a pattern, such as a person's notes.

use std::{fs, io, path::Path, time::Duration};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::Read,
};

use crate::deadline::within;

const DEADLINE: Duration = Duration::from_secs(5);
const MOST_FILES: usize = 200;
const LARGEST: u64 = 1 << 20;

/// Name and text of each file that the pattern leads to, by name. `*` stands for any part of a file's name, not of
/// a folder's.
pub(super) async fn of(pattern: &str) -> Read<Vec<(String, String)>> {
    let attempted = format!("read {pattern}");
    let trouble = |happened: String| SourceError {
        source_name: SourceName::Host,
        kind: SourceErrorKind::Missing,
        attempted: attempted.clone(),
        happened,
        hint: "Correct [repo] memos in the profile.".into(),
    };
    let wanted = pattern.to_owned();
    within(SourceName::Host, &attempted, DEADLINE, async {
        let read = tokio::task::spawn_blocking(move || read(&wanted)).await;
        read.map_err(|e| trouble(e.to_string()))?.map_err(|e| trouble(e.to_string()))
    })
    .await
}

fn read(pattern: &str) -> io::Result<Vec<(String, String)>> {
    let path = Path::new(pattern);
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let facts = entry.metadata()?;
        if facts.is_file() && facts.len() <= LARGEST && is_like(&name, &wanted) {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    found.truncate(MOST_FILES);
    found
        .into_iter()
        .map(|(name, path)| Ok((name, String::from_utf8_lossy(&fs::read(path)?).into_owned())))
        .collect()
}

fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_a_name() {
        for (name, pattern, is) in [
            ("project_m3_landed.md", "project_m*_landed.md", true),
            ("project_m_landed.md", "project_m*_landed.md", true),
            ("project_m3_landed.md.bak", "project_m*_landed.md", false),
            ("landed.md", "project_m*_landed.md", false),
            ("a.md", "a.md", true),
            ("a.mdx", "a.md", false),
            ("aba", "a*b*a", true),
            ("aa", "a*b*a", false),
            ("ab", "ab*b", false),
            ("x", "*", true),
        ] {
            assert_eq!(is_like(name, pattern), is, "{name} {pattern}");
        }
    }

    #[tokio::test]
    async fn texts_come_by_name_and_what_is_not_there_is_said() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["m2_landed.md", "m10_landed.md", "other.txt"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        let texts = of(dir.path().join("m*_landed.md").to_str().unwrap()).await.unwrap();
        assert_eq!(
            texts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["m10_landed.md", "m2_landed.md"]
        );
        let error = of(dir.path().join("absent/x*").to_str().unwrap()).await.unwrap_err();
        assert!(error.happened.contains("No such file"), "{error:?}");
    }
}
