//! What each service of a compose file needs: read from the file itself, which takes no time and tells no secret.

use std::{collections::BTreeMap, fs, path::Path};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::Read,
};
use serde::Deserialize;

/// Of a compose file, as much as is needed here.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    depends_on: Option<DependsOn>,
}

/// Compose takes both forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum DependsOn {
    Names(Vec<String>),
    Conditions(BTreeMap<String, serde::de::IgnoredAny>),
}

/// Adds what a file says to what those before it say.
pub(super) fn take(path: &Path, found: &mut BTreeMap<String, Vec<String>>) -> Read<()> {
    let trouble = |happened: String| SourceError {
        source_name: SourceName::Compose,
        kind: SourceErrorKind::Invalid,
        attempted: format!("read what the services of {} need", path.display()),
        happened,
        hint: "Check [compose] file, and run `config` on it by hand.".into(),
    };
    let text = fs::read_to_string(path).map_err(|e| trouble(e.to_string()))?;
    let file: File = serde_saphyr::from_str(&text).map_err(|e| trouble(e.to_string()))?;
    for (service, says) in file.services {
        let needs = match says.depends_on {
            None => continue,
            Some(DependsOn::Names(names)) => names,
            Some(DependsOn::Conditions(by_name)) => by_name.into_keys().collect(),
        };
        let all = found.entry(service).or_default();
        all.extend(needs);
        all.sort();
        all.dedup();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(texts: &[&str]) -> Result<BTreeMap<String, Vec<String>>, String> {
        let dir = tempfile::tempdir().unwrap();
        let mut found = BTreeMap::new();
        for (n, text) in texts.iter().enumerate() {
            let path = dir.path().join(format!("{n}.yml"));
            fs::write(&path, text).unwrap();
            take(&path, &mut found).map_err(|e| e.to_string())?;
        }
        Ok(found)
    }

    #[test]
    fn both_forms_are_read_and_a_later_file_adds_to_an_earlier_one() {
        let found = needs(&[
            "x-app: &app {A: 1}\nservices:\n  backend:\n    environment: {<<: *app, B: $$x}\n    depends_on: [postgres, redis]\n  postgres: {image: x}\n",
            "services:\n  backend:\n    depends_on:\n      livekit: {condition: service_started}\n",
        ]);
        let backend = ["livekit", "postgres", "redis"].map(str::to_owned).to_vec();
        assert_eq!(found.unwrap(), BTreeMap::from([("backend".to_owned(), backend)]));
        assert!(needs(&["services: ["]).unwrap_err().contains("0.yml"));
    }
}
