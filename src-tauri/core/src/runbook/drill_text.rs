//! The first text of a drill: listed like any other, and red until its fault is written.

use super::{
    draft::FailureMode,
    quote::{comment, toml},
};
use crate::model::Row;

/// The drill's file of a failure mode whose fields are checked; `playbook` is the script's path.
pub(super) fn drill(told: &FailureMode, id: &str, row: &Row, playbook: &str) -> String {
    let heading = comment(&format!("Row {row}: {}", told.title)).replacen("//", "#", 1);
    format!(
        "{heading}# Still to be written; tests/lab/README.md has every act and every key, and the other files here are examples. \
         `unwritten`
# says what, and fails the drill until something else stands in its place.
id = {id}
needs = []  # services without which the row must be unknown

[[variant]]
name = \"as-reported\"
title = {symptom}
says = \"still to be written: part of the reason that detect() gives\"
inject = [{{ unwritten = {inject} }}]
visible = {{ unwritten = {visible} }}
",
        id = toml(id),
        symptom = toml(&told.symptom),
        inject = toml("acts that cause the fault in the lab"),
        visible = toml(&format!(
            "how the fault is known to be there before the console looks; then detect() and plan() in {playbook}"
        )),
    )
}
