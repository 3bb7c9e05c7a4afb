//! Everything that crosses to the window and to `--json`: one set of shapes for both.
//! Only the shell imports this.

mod commands;
mod error;
mod playbook;
mod run;
mod snapshot;
mod triage;

pub use crate::{
    observe::{PaymentStuck, ServiceView, TenantView},
    playbook::{ParamChoice, ParamKind, ParamView, PlaybookSection, Severity, Trust},
    remedy::{RunEvent, RunOutcome, StepState},
};
pub use commands::{
    ApplyRequest, COMMANDS, Empty, LogTail, LogTailRequest, PlanRequest, PlaybookId, RunId, UndoRequest,
};
pub use error::WireError;
pub use playbook::{CatalogView, PlaybookView, TrustRequest};
pub use run::{
    ConfirmView, InterruptedView, PlanStepView, PlanView, RunStepView, RunView, RunsView, UndoView,
};
pub use snapshot::{Environment, SnapshotView, Update};
pub use triage::{DiagnoseView, TriageView};
