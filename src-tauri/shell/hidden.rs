//! Keeping the stack's secrets out of the journal and out of all that is shown.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use ratiba_core::{
    journal::{Entry, EntryDraft, EntryKind, History, LEFT_OUT},
    ports::{JournalError, JournalStore, KnownSecrets, TargetLock},
    remedy::Plan,
};
use serde_json::{Map, Value, json};

/// Replaces each secret in the value's texts and keys by its name; gives the names. Text by text, so
/// that whatever stands in a secret or in its name, the value stays what it is.
pub(crate) fn hide_in(value: &mut Value, known: &dyn KnownSecrets) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    hide(value, known, &mut names);
    names
}

fn hide(value: &mut Value, known: &dyn KnownSecrets, names: &mut BTreeSet<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            // Only a whole one: any other has its digits by chance, and must stay a number.
            let text = number.to_string();
            let whole = known.names_in(&text).pop().filter(|name| known.hide(&text) == Some(in_place(name)));
            if let Some(name) = whole {
                *value = in_place(&name).into();
                names.insert(name);
            }
        }
        Value::String(text) => {
            if let Some(hidden) = hidden_text(text, known, names) {
                *text = hidden;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, known, names)),
        Value::Object(map) => {
            map.values_mut().for_each(|item| hide(item, known, names));
            hide_keys(map, known, names);
        }
    }
}

/// Two keys may be hidden by one name: both values stay.
fn hide_keys(map: &mut Map<String, Value>, known: &dyn KnownSecrets, names: &mut BTreeSet<String>) {
    let found: Vec<(String, String)> =
        map.keys().filter_map(|key| Some((key.clone(), hidden_text(key, known, names)?))).collect();
    for (key, hidden) in found {
        let Some(value) = map.remove(&key) else { continue };
        let free = (2..).map(|n| format!("{hidden} ({n})"));
        let mut candidates = std::iter::once(hidden.clone()).chain(free);
        if let Some(name) = candidates.find(|name| !map.contains_key(name)) {
            map.insert(name, value);
        }
    }
}

fn hidden_text(text: &str, known: &dyn KnownSecrets, names: &mut BTreeSet<String>) -> Option<String> {
    let hidden = known.hide(text)?;
    names.extend(known.names_in(text));
    Some(hidden)
}

/// What stands in a secret's place.
fn in_place(name: &str) -> String {
    format!("‹{name}›")
}

/// A value without the stack's secrets. `None`: it can't be said without them.
#[cfg(any(test, feature = "desktop"))]
pub(crate) fn hidden<T: serde::Serialize + serde::de::DeserializeOwned>(
    value: T,
    known: &dyn KnownSecrets,
) -> Option<T> {
    let mut json = serde_json::to_value(&value).ok()?;
    if hide_in(&mut json, known).is_empty() { Some(value) } else { serde_json::from_value(json).ok() }
}

/// A journal into which no secret gets.
pub(crate) struct HidingJournal {
    pub(crate) inner: Arc<dyn JournalStore>,
    pub(crate) known: Arc<dyn KnownSecrets>,
}

impl HidingJournal {
    /// What is used or compared later is refused where a secret is in it: with the secret's name in
    /// its place it would be something else.
    fn checked(&self, kind: EntryKind, body: &Value) -> Result<(), JournalError> {
        match kind {
            EntryKind::RunStarted | EntryKind::RunResumed => {
                self.without_secret(body.get("plan").unwrap_or(&Value::Null))
            }
            EntryKind::StepPrepared => {
                let rows = body.get("rows").and_then(Value::as_array).into_iter().flatten();
                for (column, value) in rows.filter_map(Value::as_object).flatten() {
                    let mut cell = json!({ column: value });
                    if let Some(name) = hide_in(&mut cell, self.known.as_ref()).pop_first() {
                        return Err(JournalError::ReturnsSecret { name, column: column.clone() });
                    }
                }
                Ok(())
            }
            EntryKind::StepIntent
            | EntryKind::StepOutcome
            | EntryKind::StepResolved
            | EntryKind::Verified
            | EntryKind::RunFinished
            | EntryKind::Refused
            | EntryKind::PlaybookTrusted => Ok(()),
        }
    }

    fn without_secret(&self, value: &Value) -> Result<(), JournalError> {
        match hide_in(&mut value.clone(), self.known.as_ref()).pop_first() {
            Some(name) => Err(JournalError::HoldsSecret { name }),
            None => Ok(()),
        }
    }

    /// The body without secrets, which says where any were.
    fn hidden_body(&self, mut body: Value) -> Value {
        let Value::Object(fields) = &mut body else {
            hide_in(&mut body, self.known.as_ref());
            return body;
        };
        let mut left_out = Map::new();
        for (field, value) in fields.iter_mut() {
            let names = hide_in(value, self.known.as_ref());
            if !names.is_empty() {
                left_out.insert(field.clone(), json!(names));
            }
        }
        if !left_out.is_empty() {
            fields.insert(LEFT_OUT.into(), left_out.into());
        }
        body
    }
}

#[async_trait]
impl JournalStore for HidingJournal {
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError> {
        self.checked(draft.kind, &draft.body)?;
        self.inner.append(EntryDraft { body: self.hidden_body(draft.body), ..draft }).await
    }

    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        self.inner.entries(run).await
    }

    async fn history(&self) -> Result<History, JournalError> {
        self.inner.history().await
    }

    /// What is confirmed must be what runs: a plan is not changed, it is not kept.
    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError> {
        self.without_secret(&json!(plan))?;
        self.inner.keep_plan(plan).await
    }

    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError> {
        self.inner.plan(plan_id).await
    }

    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError> {
        self.inner.use_plan(plan_id, digest).await
    }

    async fn target_holder(&self, target: &str) -> Result<Option<String>, JournalError> {
        self.inner.target_holder(target).await
    }

    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
        self.inner.lock_target(target, holder).await
    }
}

#[cfg(test)]
mod tests {
    use ratiba_adapters::known_secrets::Known;

    use super::*;
    use ratiba_core::remedy::RunEvent;

    #[test]
    fn what_goes_to_the_window_comes_back_whole() {
        let known = Known::default();
        known.remember("we\"ird", "s3cret\\in \"quotes\"");
        let line = |text: &str| RunEvent::StepOutput { n: 1, line: text.into() };
        let event = line("a s3cret\\in \"quotes\" b");
        assert_eq!(hidden(event, &known), Some(line("a ‹we\"ird› b")));
    }

    #[test]
    fn a_secret_is_hidden_in_texts_keys_and_numbers_and_the_rest_stays_whatever_its_name_is() {
        let known = Known::default();
        known.remember("file:/tmp/we\"ird\\", "s3cret\",\"x\":[");
        known.remember("PIN", "83620174");
        let mut value = json!({
            "line": "a s3cret\",\"x\":[ b",
            "s3cret\",\"x\":[": 1,
            "pin": 83620174,
            "bytes": 9836201749_u64,
            "rest": ["s3cret", null, true],
        });
        let names = hide_in(&mut value, &known);
        assert_eq!(names.len(), 2);
        assert_eq!(
            value,
            json!({
                "line": "a ‹file:/tmp/we\"ird\\› b",
                "‹file:/tmp/we\"ird\\›": 1,
                "pin": "‹PIN›",
                "bytes": 9836201749_u64,
                "rest": ["s3cret", null, true],
            })
        );
    }
}
