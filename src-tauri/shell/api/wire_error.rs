//! Errors of the layers below, as the callers get them.

use ratiba_core::{
    model::SourceError,
    playbook::{ScriptError, ScriptErrorKind},
    ports::JournalError,
    remedy::{PlanError, Refusal},
    wire::WireError,
};

/// What to do about a journal that is not what was written.
pub const CHANGED_JOURNAL: &str = "It was changed, or the disk lost some of it, and nothing is applied onto it. Put a \
copy back, or move journals/PROFILE.sqlite and anchors/PROFILE.anchor in ~/.local/state/ratiba-console away, and keep \
both: a new journal begins.";

fn error(code: &str, message: impl Into<String>, hint: impl Into<String>) -> WireError {
    WireError { code: code.into(), message: message.into(), hint: hint.into(), changes: Vec::new() }
}

/// It was asked wrongly.
pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> WireError {
    error("usage", message, hint)
}

/// What was named is not there.
pub fn not_found(message: impl Into<String>, hint: impl Into<String>) -> WireError {
    error("not_found", message, hint)
}

/// It was tried and did not work.
pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> WireError {
    error("failed", message, hint)
}

/// It is not done, because what was confirmed no longer holds.
pub fn refused(refusal: &Refusal) -> WireError {
    let hint = match refusal {
        Refusal::OtherPlan => "Make the plan again, look at it, and confirm the digest it shows.",
        Refusal::Expired(_)
        | Refusal::NotYetMade(_)
        | Refusal::Used(_)
        | Refusal::UsedUp
        | Refusal::MovedOn(_)
        | Refusal::Changed(_) => "Make a new plan and look at it.",
        Refusal::WrongPhrase => "Type the phrase exactly as the plan shows it (`--phrase TEXT`).",
        Refusal::Locked(_) => "Wait until it is done, then look again.",
        Refusal::ReadOnly => "Use a profile without read_only, or copy the plan as commands.",
        Refusal::Unchecked(_) => "Bring that source back first, then make a new plan.",
    };
    WireError { changes: refusal.changes().to_vec(), ..error("refused", refusal.to_string(), hint) }
}

/// A source that is needed can't be reached.
pub fn unreachable(source: &SourceError) -> WireError {
    error("unreachable", source.to_string(), source.hint.clone())
}

pub(super) fn journal(trouble: &JournalError) -> WireError {
    match trouble {
        JournalError::Damaged { attempted, damage, what_to_do } => {
            error("failed", format!("{attempted}: {damage}"), format!("{what_to_do}."))
        }
        JournalError::HoldsSecret { .. } | JournalError::ReturnsSecret { .. } => error(
            "failed",
            trouble.to_string(),
            "A playbook sets a secret by a parameter of kind secret, and leaves it out of everything else.",
        ),
        JournalError::Store { .. } | JournalError::Locked { .. } => error(
            "failed",
            trouble.to_string(),
            "Check the disk and the rights of ~/.local/state/ratiba-console.",
        ),
    }
}

pub(super) fn script(trouble: &ScriptError) -> WireError {
    match &trouble.kind {
        ScriptErrorKind::Probe(source) => unreachable(source),
        ScriptErrorKind::Untrusted => error(
            "refused",
            trouble.to_string(),
            "Read the file; `ratibactl playbooks show ID` prints what trusts it.",
        ),
        ScriptErrorKind::TrustUnread => error(
            "failed",
            trouble.to_string(),
            "Look at the journal with `ratibactl doctor`; the playbook itself need not be at fault.",
        ),
        ScriptErrorKind::Said => {
            let why = trouble.sentence().to_owned();
            error("usage", why, "Choose other parameters, or change what it names.")
        }
        ScriptErrorKind::Invalid | ScriptErrorKind::Limit | ScriptErrorKind::Failed => {
            error("failed", trouble.to_string(), "Fix the playbook, or choose other parameters.")
        }
    }
}

pub(super) fn plan(trouble: &PlanError) -> WireError {
    match trouble {
        PlanError::Source(source) => unreachable(source),
        PlanError::Script(what) => error("failed", what.clone(), "Fix the playbook."),
        PlanError::NotNow(what) => {
            error("failed", what.clone(), "Change what it names, then make the plan again.")
        }
        PlanError::NotResumable(what) => error(
            "refused",
            what.clone(),
            "`ratibactl runs show RUN` says what can be done with the run; a new plan is always one of it.",
        ),
        PlanError::NotUndoable(what) => {
            error("refused", what.clone(), "Look at what is there now; the console takes nothing newer away.")
        }
    }
}

/// The exit code of an error, as `ratibactl --help` documents it.
pub fn exit_code(error: &WireError) -> u8 {
    match error.code.as_str() {
        "usage" | "not_found" => 2,
        "unreachable" => 3,
        "refused" => 4,
        _ => 1,
    }
}
