//! A part of a view: what was read, or why it was not. Unknown is never empty, and never zero.

use serde::{Deserialize, Serialize};

/// `{"known": …}` or `{"unknown": "why, in one sentence"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Part<T> {
    /// It was read. `null` inside: looked for, and not there.
    Known(T),
    /// It was not, and why.
    Unknown(String),
}

impl<T> Part<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is unknown.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(why),
        }
    }

    /// The value folded on; what can't be folded turns unknown.
    pub fn and_then<U>(self, fold: impl FnOnce(T) -> Result<U, String>) -> Part<U> {
        match self {
            Self::Known(value) => fold(value).map_or_else(Part::Unknown, Part::Known),
            Self::Unknown(why) => Part::Unknown(why),
        }
    }

    /// The value folded on.
    pub fn map<U>(self, fold: impl FnOnce(T) -> U) -> Part<U> {
        self.and_then(|value| Ok(fold(value)))
    }
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Part<T> {
    fn from(read: Result<T, E>) -> Self {
        match read {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

/// A tenant that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Unread {
    /// Its slug.
    pub tenant: String,
    /// Why, in one sentence.
    pub why: String,
}

impl Unread {
    /// A tenant that is registered and has no schema.
    pub fn without_schema(slug: &crate::model::TenantSlug) -> Self {
        let why = format!("registered, but schema {} does not exist", slug.schema());
        Self { tenant: slug.to_string(), why }
    }
}
