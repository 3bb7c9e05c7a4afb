//! The one list of commands the window may call. From it come the Tauri commands (whose bodies
//! only call `shell::api`), the names the capability file allows, and the TypeScript signatures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(test)]
use super::{
    BundleFile, BundlePreview, BundleRequest, BundleSave, BundleText, BundleView, BundleWritten, CatalogView,
    ChecksView, DiagnoseView, FailureMode, FailureModeDraft, LogRequest, LogsView, PaymentDetail, PaymentId,
    PaymentsPage, PaymentsQuery, PlanView, PlaybookView, RunView, RunbookView, RunsView, SnapshotView,
    TenantDetail, TenantId, ThreadDetail, ThreadId, TriageView, TrustRequest,
};
use crate::{model::Subject, ports::LogLine};

/// No request fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Empty {}

/// A playbook's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlaybookId {
    /// Such as `01-service-unhealthy`.
    pub id: String,
}

/// A run's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct RunId {
    /// A ULID.
    pub run: String,
}

/// A plan's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlanId {
    /// A ULID.
    pub plan_id: String,
}

/// Make a plan, or ask for the parameters' live choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlanRequest {
    /// The playbook.
    pub id: String,
    /// Which of its findings; empty: its first.
    #[serde(default)]
    pub subject: Subject,
    /// Chosen parameters by name.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub params: BTreeMap<String, Value>,
}

/// Confirm a plan and apply it. The digest is what the operator saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ApplyRequest {
    /// The plan.
    pub plan_id: String,
    /// Its digest, as shown.
    pub digest: String,
    /// What was typed, where a phrase is asked for.
    pub phrase: Option<String>,
}

/// Take a run back. Without a digest: say what that would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct UndoRequest {
    /// The run to take back.
    pub run: String,
}

/// The last lines of a service's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogTailRequest {
    /// The service.
    pub service: String,
    /// How many, at most 500.
    pub lines: u32,
}

/// Which question to the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogSession {
    /// As `logs` named it.
    pub session: String,
}

/// Calls `$then!` with the whole list: `name(Request) -> Answer;` in the order of the window's use.
///
/// `snapshot` the present snapshot; `triage` the present ranking; `playbooks` the catalogue;
/// `runbook` when each row was last seen and drilled;
/// `playbook` one page; `trust` lets one run that is not part of the console; `diagnose` one playbook's findings now; `choices` the parameters with the
/// live system's choices for one finding; `plan` makes and keeps a plan;
/// `plan_checks` looks at what its manual steps wait for; `apply` confirms and
/// starts it, giving the run's id at once (events come by the channel); `undo_plan` what an undo
/// would do; `undo` starts it; `resume_plan` what going on with an interrupted run would do;
/// `resume` starts it; `verify_run` only looks, and closes it; `cancel` stops a run at the next safe point; `runs` the journal;
/// `run` one run; `log_tail` last lines; `logs` lines of all logs, by time; `logs_close` ends what follows them;
/// `payments_page` some payments, stuck ones first; `payment` all about one; `thread` all about one conversation;
/// `tenant` all about one tenant; `bundle_preview` makes a bundle and shows it, `bundle_cancel` stops that,
/// `bundle_file` one of its files, `bundle_save` writes what was shown; `bundle_opened` the bundle that is open;
/// `failure_mode` the files of a row that there is not yet; `failure_mode_write` writes them.
#[macro_export]
macro_rules! with_commands {
    ($then:ident) => {
        $then! {
            snapshot(Empty) -> SnapshotView;
            triage(Empty) -> TriageView;
            playbooks(Empty) -> CatalogView;
            runbook(Empty) -> RunbookView;
            playbook(PlaybookId) -> PlaybookView;
            trust(TrustRequest) -> PlaybookView;
            diagnose(PlaybookId) -> DiagnoseView;
            choices(PlanRequest) -> PlaybookView;
            plan(PlanRequest) -> PlanView;
            plan_checks(PlanId) -> ChecksView;
            apply(ApplyRequest) -> RunId;
            undo_plan(UndoRequest) -> PlanView;
            undo(ApplyRequest) -> RunId;
            resume_plan(RunId) -> PlanView;
            resume(ApplyRequest) -> RunId;
            verify_run(RunId) -> RunView;
            cancel(RunId) -> Empty;
            runs(Empty) -> RunsView;
            run(RunId) -> RunView;
            log_tail(LogTailRequest) -> LogTail;
            logs(LogRequest) -> LogsView;
            logs_close(LogSession) -> Empty;
            payments_page(PaymentsQuery) -> PaymentsPage;
            payment(PaymentId) -> PaymentDetail;
            thread(ThreadId) -> ThreadDetail;
            tenant(TenantId) -> TenantDetail;
            bundle_preview(BundleRequest) -> BundlePreview;
            bundle_cancel(Empty) -> Empty;
            bundle_file(BundleFile) -> BundleText;
            bundle_opened(Empty) -> BundleView;
            bundle_save(BundleSave) -> BundleWritten;
            failure_mode(FailureMode) -> FailureModeDraft;
            failure_mode_write(FailureMode) -> FailureModeDraft;
        }
    };
}

/// The last lines of a service's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogTail {
    /// Oldest first.
    pub lines: Vec<LogLine>,
}

macro_rules! names_and_types {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        /// The names of all commands.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),*];

        /// Request and answer of each command, for TypeScript.
        #[cfg(test)]
        #[derive(ts_rs::TS)]
        #[ts(export, export_to = "wire.ts")]
        #[expect(dead_code, reason = "only its TypeScript form is used")]
        struct Commands {
            $($name: ($request, $answer)),*
        }
    };
}
with_commands!(names_and_types);
