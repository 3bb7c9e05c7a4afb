//! `repo::commits(n)`, `repo::entry(path)`, `repo::list(path)`, `repo::text(path)`, `repo::python(path)`,
//! `repo::elsewhere(name)`, `repo::json(path)`, `repo::toml(path)`, `repo::pytest_cache(folder)`: the checkout as
//! it is in the working tree.

use std::sync::Arc;

use rhai::Module;
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, parsed, shown, thrown};
use crate::model::{SourceError, SourceErrorKind, SourceName};

type OfText = fn(String) -> Question;
type Parse = fn(&str) -> Result<Value, String>;

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let questions: [(&str, OfText); 5] = [
        ("entry", |path| Question::RepoEntry { path }),
        ("list", |path| Question::RepoList { path }),
        ("text", |path| Question::RepoText { path }),
        ("elsewhere", |name| Question::RepoElsewhere { name }),
        ("pytest_cache", |folder| Question::PytestCache { folder }),
    ];
    for (name, question) in questions {
        let asked = pass.clone();
        module.set_native_fn(name, move |what: &str| -> Probed {
            let answer = ask(&asked, question(what.to_owned()))?;
            shown(&answer, &answer.value)
        });
    }
    let forms: [(&str, Parse); 2] = [("json", parsed::json), ("toml", parsed::toml)];
    for (name, parse) in forms {
        let asked = pass.clone();
        module.set_native_fn(name, move |path: &str| -> Probed {
            let answer = ask(&asked, Question::RepoText { path: path.to_owned() })?;
            let Some(text) = answer.value.as_str() else { return shown(&answer, &Value::Null) };
            let value = parse(text).map_err(|why| {
                thrown(SourceError {
                    source_name: SourceName::Repo,
                    kind: SourceErrorKind::Invalid,
                    attempted: format!("read {path} of the checkout"),
                    happened: why,
                    hint: "Correct the file.".into(),
                })
            })?;
            shown(&answer, &value)
        });
    }
    let asked = pass.clone();
    module.set_native_fn("commits", move |count: i64| -> Probed {
        let count = u32::try_from(count.clamp(1, 100)).unwrap_or(1);
        let answer = ask(&asked, Question::Commits { count })?;
        shown(&answer, &answer.value)
    });
    // A file, or all the .py files of a folder.
    let asked = pass.clone();
    module.set_native_fn("python", move |path: &str| -> Probed {
        let paths = if path.ends_with(".py") {
            vec![path.to_owned()]
        } else {
            let listed = ask(&asked, Question::RepoList { path: path.to_owned() })?;
            let entries = listed.value.as_array().map(Vec::as_slice).unwrap_or_default();
            let said = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
            let files = entries.iter().filter(|entry| said(entry, "kind").as_deref() == Some("file"));
            files.filter_map(|entry| said(entry, "path")).filter(|path| path.ends_with(".py")).collect()
        };
        let answer = ask(&asked, Question::RepoPython { paths })?;
        shown(&answer, &answer.value)
    });
    module
}
