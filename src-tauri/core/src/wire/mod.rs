//! Everything that crosses to the window and to `--json`: one set of shapes for both.
//! Only the shell imports this.

mod bundle;
mod commands;
mod error;
mod failure_mode;
mod log;
mod payments;
mod playbook;
mod run;
mod runbook;
mod snapshot;
mod tenants;
mod threads;
mod triage;

pub use crate::{
    detail::{
        BookingRow, CallbackRow, CheckpointRow, CheckpointsHeld, CheckpointsOfThread, KnowledgeHeld, Part,
        PaymentDetail, PaymentRow, PaymentView, PaymentsHeld, PaymentsPage, Provenance, QueryNote,
        RegistryRow, RoutingRow, StaffHeld, StuckThread, TenantDetail, TenantsView, ThreadDetail, ThreadNow,
        ThreadPlace, ThreadsHeld, TimelineEntry, TimelineKind, Unread,
    },
    observe::{PaymentStuck, ServiceView, TenantView},
    playbook::{DrillOutcome, ParamChoice, ParamKind, ParamView, PlaybookSection, Severity, Trust},
    remedy::{RunEvent, RunOutcome, StepState},
    runbook::{DraftFile, FailureMode},
};
pub use bundle::{
    BundleFile, BundlePreview, BundleRequest, BundleSave, BundleText, BundleVerified, BundleView,
    BundleWritten,
};
pub use commands::{
    ApplyRequest, COMMANDS, Empty, LogSession, LogTail, LogTailRequest, PlanId, PlanRequest, PlaybookId,
    RunId, UndoRequest,
};
pub use error::WireError;
pub use failure_mode::FailureModeDraft;
pub use log::{LONGEST_TEXT, LogLineView, LogNewsView, LogRequest, LogsView, SignalsView};
pub use payments::{PaymentId, PaymentsQuery};
pub use playbook::{CatalogView, PlaybookView, TrustRequest};
pub use run::{
    CheckView, ChecksView, ConfirmView, InterruptedView, PlanStepView, PlanView, RunStepView, RunView,
    RunsView, UndoView, WaitsView,
};
pub use runbook::{DrillName, DrillView, RunbookRow, RunbookView};
pub use snapshot::{Captured, Environment, SnapshotView, Update};
pub use tenants::TenantId;
pub use threads::ThreadId;
pub use triage::{
    AlembicView, ChangedView, Deed, DiagnoseView, DiagnosisView, FailingService, LastGood, LiveParams,
    LogSign, LogsRead, MemoHit, Sign, TriageView, UnmatchedView, WhenView,
};
