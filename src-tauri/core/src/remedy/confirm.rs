//! The operator's answer to a plan. The core checks it, not the dialog.

use jiff::Timestamp;

use super::{Plan, digest};
use crate::{model::Change, observe::moment};

/// What the operator did to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorAnswer {
    /// One deliberate click (or `--yes`).
    Click,
    /// Typed text.
    Phrase(String),
}

/// A plan the operator has confirmed. Only [`confirm`] makes one.
#[derive(Debug)]
pub struct Confirmed {
    pub(super) plan: Plan,
    pub(super) digest: String,
    pub(super) operator: String,
}

/// Why a plan is not applied. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The digest given is not this plan's.
    #[error(
        "the digest given is not this plan's: it was mistyped, or the plan is another one than was shown"
    )]
    OtherPlan,
    /// Its time is over.
    #[error("this plan expired at {}", moment(*.0))]
    Expired(Timestamp),
    /// By this machine's clock it is of a time to come.
    #[error(
        "this plan was made at {}, which is still to come by this machine's clock: one of the two is wrong",
        moment(*.0)
    )]
    NotYetMade(Timestamp),
    /// The typed text is not what was asked for.
    #[error("this plan loses data and is confirmed by typing its phrase; what was typed is something else")]
    WrongPhrase,
    /// It was used before, by this run.
    #[error("this plan was already used, by run {0}")]
    Used(String),
    /// It was used before, and the console ended before its run began.
    #[error("this plan was already used, but nothing was done: the console ended before the run began")]
    UsedUp,
    /// The run it is about is no longer as it was.
    #[error("run {0} went on, was taken back or was closed since this plan")]
    MovedOn(String),
    /// Somebody else is applying.
    #[error("{0}")]
    Locked(String),
    /// The stack is not as it was.
    #[error("the stack changed since this plan: {}", Change::sentence(.0))]
    Changed(Vec<Change>),
    /// The profile allows no acts.
    #[error("this profile is read-only")]
    ReadOnly,
    /// What has to be checked first could not be.
    #[error("what this plan depends on could not be checked: {0}")]
    Unchecked(String),
}

impl Refusal {
    /// What is not as planned, where that is why.
    pub fn changes(&self) -> &[Change] {
        match self {
            Self::Changed(changes) => changes,
            _ => &[],
        }
    }
}

impl Confirmed {
    /// The plan's id.
    pub fn plan_id(&self) -> &str {
        &self.plan.plan_id
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Checks the answer to a plan. `shown_digest` is the digest of what the operator saw.
pub fn confirm(
    plan: Plan,
    shown_digest: &str,
    answer: &OperatorAnswer,
    operator: &str,
    now: Timestamp,
) -> Result<Confirmed, Refusal> {
    let digest = digest(&plan);
    if digest != shown_digest.trim().to_ascii_lowercase() {
        return Err(Refusal::OtherPlan);
    }
    plan.is_current(now)?;
    match (&plan.phrase, answer) {
        (None, _) => {}
        (Some(asked), OperatorAnswer::Phrase(typed)) if typed.trim() == asked => {}
        (Some(_), _) => return Err(Refusal::WrongPhrase),
    }
    Ok(Confirmed { plan, digest, operator: operator.to_owned() })
}
