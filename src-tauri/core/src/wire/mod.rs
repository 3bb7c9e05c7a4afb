//! Everything that crosses to the window and to `--json`: one set of shapes for both.
//! Only the shell imports this.

mod commands;
mod error;
mod playbook;
mod run;
mod snapshot;
mod triage;

pub use commands::{
    ApplyRequest, COMMANDS, Empty, LogTail, LogTailRequest, PlanRequest, PlaybookId, RunId, UndoRequest,
};
pub use error::WireError;
pub use playbook::{CatalogView, ParamChoice, ParamKind, ParamView, PlaybookSection, PlaybookView, Severity};
pub use run::{
    ConfirmView, PlanStepView, PlanView, RunEvent, RunOutcome, RunStepView, RunView, RunsView, StepState,
    UndoView,
};
pub use snapshot::{Environment, PaymentStuck, ServiceView, SnapshotView, TenantView, Update};
pub use triage::{DiagnoseView, TriageView};
