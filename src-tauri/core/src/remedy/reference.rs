//! Filling in what an earlier step of the run returned.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{PlanError, PlannedStep};
use crate::playbook::step::{Reference, Step, Word};

/// Rows that the run's steps returned, by step.
pub(super) type Returned = BTreeMap<u32, Vec<Value>>;

fn column(reference: &Reference, returned: &Returned) -> Result<Vec<Value>, String> {
    let rows = returned.get(&reference.of_step);
    let values: Option<Vec<Value>> =
        rows.and_then(|rows| rows.iter().map(|row| row.get(&reference.column).cloned()).collect());
    values.ok_or_else(|| format!("{reference} is not there"))
}

/// A bound value; of a reference, the whole column as an array.
pub(super) fn value(given: &Value, returned: &Returned) -> Result<Value, String> {
    match Reference::of(given) {
        Some(reference) => column(&reference, returned).map(Value::Array),
        None => Ok(given.clone()),
    }
}

/// The words of a command.
pub(super) fn words(given: &[Word], returned: &Returned) -> Result<Vec<String>, String> {
    let word = |word: &Word| match word {
        Word::Text(text) => Ok(text.clone()),
        Word::OfStep(reference) => match column(reference, returned)?.as_slice() {
            [Value::String(text)] => Ok(text.clone()),
            [other] => Ok(other.to_string()),
            several => Err(format!("{reference} is not one value but {}", several.len())),
        },
    };
    given.iter().map(word).collect()
}

/// What a command's undo takes is resolved when it is taken back: the numbers are those of the run.
fn named(step: &Step) -> Vec<Reference> {
    match step {
        Step::Sql(sql) => sql.params.iter().filter_map(Reference::of).collect(),
        Step::Command(command) => {
            let undo = command.undo.iter().flat_map(|undo| &undo.argv);
            command.argv.iter().chain(undo).filter_map(of_word).collect()
        }
        _ => Vec::new(),
    }
}

/// The values that a step takes from what others returned.
pub(super) fn used(step: &Step, returned: &Returned) -> Vec<Value> {
    named(step).iter().filter_map(|reference| column(reference, returned).ok()).flatten().collect()
}

/// Whether a step needs what another returned.
pub(super) fn needs_another(step: &Step) -> bool {
    !named(step).is_empty()
}

/// Each reference must name an earlier step that returns rows.
pub(super) fn check(steps: &[PlannedStep]) -> Result<(), PlanError> {
    let gives = |n: u32| steps.iter().any(|s| s.n == n && matches!(s.step, Step::Sql(_) | Step::Backup(_)));
    for step in steps {
        let bad = named(&step.step).into_iter().find(|r| r.of_step >= step.n || !gives(r.of_step));
        if let Some(bad) = bad {
            let (n, of) = (step.n, bad.of_step);
            let why =
                format!("step {n} needs what step {of} returns, and that is no earlier sql or backup step");
            return Err(PlanError::Script(why));
        }
    }
    Ok(())
}

fn of_word(word: &Word) -> Option<Reference> {
    match word {
        Word::OfStep(reference) => Some(reference.clone()),
        Word::Text(_) => None,
    }
}
