//! A new failure mode, as the window's form shows it before and after it is written.

use serde::{Deserialize, Serialize};

use crate::runbook::{Draft, DraftFile};

/// The beginning of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct FailureModeDraft {
    /// The playbook's id, with its number.
    pub id: String,
    /// The row, such as `14` or `e6`.
    pub row: String,
    /// The playbook and the drill.
    pub files: Vec<DraftFile>,
    /// The checkout that the files go into; absent: there is none that the window may write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why the window can't write them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

impl FailureModeDraft {
    /// What is shown of a draft, with the checkout that it goes into, or why there is none.
    pub fn new(draft: &Draft, place: Result<String, String>) -> Self {
        let (place, why_not) = match place {
            Ok(place) => (Some(place), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            id: draft.id.clone(),
            row: draft.row.to_string(),
            files: vec![draft.playbook.clone(), draft.drill.clone()],
            place,
            why_not,
        }
    }
}
