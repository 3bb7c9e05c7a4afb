//! Rows of the table `entries`.

use jiff::Timestamp;
use ratiba_core::{
    journal::{Entry, EntryKind, Link, Unreadable},
    remedy::canonical,
};
use sqlx::{
    Row, SqliteConnection,
    sqlite::{SqliteArguments, SqliteRow},
};

/// All entries, or those of one run. The columns have the names given here, whatever stands in the file.
pub(super) const SELECT: &str = "SELECT seq AS seq, run AS run, at AS at, kind AS kind, body AS body, prev AS prev, \
    hash AS hash FROM entries WHERE ?1 IS NULL OR run = ?1 ORDER BY seq";

/// An entry's texts, as they stand in the file.
struct Texts {
    at: String,
    kind: String,
    body: String,
}

impl Texts {
    fn of(entry: &Entry) -> Self {
        let kind = serde_json::to_value(entry.kind).ok().and_then(|k| k.as_str().map(str::to_owned));
        Self {
            at: entry.at.to_string(),
            kind: kind.unwrap_or_default(),
            // Not `to_string`: which order that writes keys in depends on the build.
            body: canonical(&entry.body),
        }
    }
}

/// The row as an entry. Only what a console writes is one: another spelling of the same is an edit.
pub(super) fn entry(row: &SqliteRow) -> Result<Entry, Unreadable> {
    let seq = row.try_get::<i64, _>("seq").ok();
    let bad = |why: String| Unreadable { seq, why };
    let text = |column: &str| row.try_get::<String, _>(column).map_err(|e| bad(e.to_string()));
    let told = |column: &str, why: &dyn std::fmt::Display| bad(format!("its {column}: {why}"));
    let texts = Texts { at: text("at")?, kind: text("kind")?, body: text("body")? };
    let kind: Result<EntryKind, _> = serde_json::from_value(texts.kind.clone().into());
    let entry = Entry {
        seq: seq
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| bad("its place is not a number from 1".into()))?,
        run: text("run")?,
        at: texts.at.parse::<Timestamp>().map_err(|e| told("time", &e))?,
        kind: kind.map_err(|e| told("kind", &e))?,
        body: serde_json::from_str(&texts.body).map_err(|e| told("body", &e))?,
        prev: text("prev")?,
        hash: text("hash")?,
    };
    let written = Texts::of(&entry);
    for (column, stands, should) in [
        ("time", &texts.at, &written.at),
        ("kind", &texts.kind, &written.kind),
        ("body", &texts.body, &written.body),
    ] {
        if stands != should {
            return Err(told(column, &"it is not spelled as a console writes it"));
        }
    }
    Ok(entry)
}

/// The statement that adds an entry.
pub(super) fn insert(entry: &Entry) -> sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments> {
    let Texts { at, kind, body } = Texts::of(entry);
    sqlx::query("INSERT INTO entries (seq, run, at, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(i64::try_from(entry.seq).unwrap_or(i64::MAX))
        .bind(&entry.run)
        .bind(at)
        .bind(kind)
        .bind(body)
        .bind(&entry.prev)
        .bind(&entry.hash)
}

/// The end of the chain, as it stands in the file.
pub(super) async fn last(connection: &mut SqliteConnection) -> Result<Link, sqlx::Error> {
    let last = sqlx::query("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = last else { return Ok(Link::genesis()) };
    let seq = u64::try_from(row.try_get::<i64, _>("seq")?).map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
    Ok(Link { seq, hash: row.try_get("hash")? })
}
