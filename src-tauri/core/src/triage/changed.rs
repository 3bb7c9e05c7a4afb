//! What changed since the stack was last well.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{model::LastGood, ports::PythonFile};

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct ChangedView {
    /// The latest commits, newest first: short id, time, subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commits: Option<Vec<String>>,
    /// Why the checkout can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The branch, and the commit that is checked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// When nothing was wrong last, as far as this console saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGood>,
    /// What the diff below begins with, and why that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// `git diff --stat` of the back end and the compose files since then, edits without a commit included.
    #[serde(default)]
    pub diff_stat: Vec<String>,
    /// Alembic's revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alembic: Option<AlembicView>,
    /// Services whose container was made from another configuration than compose would make it from now.
    #[serde(default)]
    pub drift: Vec<String>,
    /// When the `.env` was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub dotenv_at: Option<Timestamp>,
    /// What could not be looked at, each one sentence.
    #[serde(default)]
    pub unread: Vec<String>,
}

/// The revision that the database has beside the newest ones of the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct AlembicView {
    /// What the database says it has.
    pub database: Vec<String>,
    /// The checkout's revisions that no other follows.
    pub heads: Vec<String>,
    /// In one line: whether they are the same.
    pub says: String,
}

/// Compares what the database has with the revisions of the checkout.
pub fn alembic(rows: &[Value], files: &[PythonFile]) -> AlembicView {
    let mut database: Vec<String> =
        rows.iter().filter_map(|row| Some(row.get("version_num")?.as_str()?.to_owned())).collect();
    database.sort();
    let text = |file: &PythonFile, name: &str| -> Vec<String> {
        match file.names.get(name) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    };
    let followed: BTreeSet<String> = files.iter().flat_map(|file| text(file, "down_revision")).collect();
    let all: BTreeSet<String> = files.iter().flat_map(|file| text(file, "revision")).collect();
    let heads: Vec<String> = all.iter().filter(|revision| !followed.contains(*revision)).cloned().collect();
    let unknown: Vec<&String> = database.iter().filter(|revision| !all.contains(*revision)).collect();
    let says = match (database.is_empty(), heads.len(), unknown.first()) {
        (_, 0, _) => "the checkout has no revisions".to_owned(),
        (true, ..) => "the database has no revision at all: it was never migrated".to_owned(),
        (false, _, Some(unknown)) => {
            format!("the database is at {unknown}, which the checkout does not have")
        }
        (false, heads, None) if heads > 1 => format!("the checkout has {heads} heads"),
        _ if database == heads => "the database is at the checkout's head".to_owned(),
        _ => format!(
            "the database is at {}, and the checkout's head is {}: a migration is missing",
            database.join(", "),
            heads.join(", ")
        ),
    };
    AlembicView { database, heads, says }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn revision(id: &str, down: Value) -> PythonFile {
        PythonFile {
            path: format!("{id}.py"),
            tracked: true,
            edited: false,
            names: BTreeMap::from([("revision".into(), json!(id)), ("down_revision".into(), down)]),
            lines: BTreeMap::new(),
            error: None,
        }
    }

    #[test]
    fn the_database_s_revision_is_told_beside_the_checkout_s() {
        let chain = [revision("a", json!(null)), revision("b", json!("a"))];
        let says = |rows: Value, files: &[PythonFile]| alembic(rows.as_array().unwrap(), files).says;
        assert!(says(json!([{ "version_num": "b" }]), &chain).contains("at the checkout's head"));
        assert!(says(json!([{ "version_num": "a" }]), &chain).contains("a migration is missing"));
        assert!(says(json!([{ "version_num": "z" }]), &chain).contains("which the checkout does not have"));
        assert!(says(json!([]), &chain).contains("never migrated"));
        let two = [revision("a", json!(null)), revision("b", json!("a")), revision("c", json!("a"))];
        assert!(says(json!([{ "version_num": "b" }]), &two).contains("2 heads"));
        let merged = [two[0].clone(), two[1].clone(), two[2].clone(), revision("d", json!(["b", "c"]))];
        assert!(says(json!([{ "version_num": "d" }]), &merged).contains("at the checkout's head"));
        assert!(says(json!([]), &[]).contains("no revisions"));
    }
}
