//! From a finding to a repaired stack: plan, confirm, apply, verify, undo.

mod plan;

pub use plan::{Plan, PlannedStep, Precondition};

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
