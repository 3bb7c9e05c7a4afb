//! From a finding to a repaired stack: plan, confirm, apply, verify, undo.

mod apply;
mod cancel;
mod confirm;
mod digest;
mod event;
mod identity;
mod impact;
mod kinds;
mod left_out;
mod make;
mod plan;
mod precondition;
mod reference;
mod render;
mod resolve;
mod restored;
mod resume;
mod undo;
mod verify;

pub use apply::{ApplyContext, RunEnd, apply};
pub use cancel::{Cancel, Canceller, cancel_pair};
pub use confirm::{Confirmed, OperatorAnswer, Refusal, confirm};
pub use digest::{canonical, digest};
pub use event::{RunEvent, RunOutcome, StepState};
pub use impact::Impact;
pub use kinds::{CheckSeen, look_at_checks};
pub use make::{MakePlan, PlanError, make};
pub use plan::{Plan, PlannedStep, ResolvedStep};
pub use precondition::{FileOf, Precondition};
pub use render::shell_word;
pub use resolve::{Resolution, resolve};
pub use restored::restored;
pub use resume::make_resume;
pub use undo::make_undo;
pub use verify::{Look, Lookout, verify};

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
