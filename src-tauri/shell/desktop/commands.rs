//! The Tauri commands, generated from the one list: there is no place for a body to grow.

use ratiba_core::wire::{
    ApplyRequest, BundleFile, BundlePreview, BundleRequest, BundleSave, BundleText, BundleView,
    BundleWritten, CatalogView, ChecksView, DiagnoseView, Empty, FailureMode, FailureModeDraft, LogRequest,
    LogSession, LogTail, LogTailRequest, LogsView, PaymentDetail, PaymentId, PaymentsPage, PaymentsQuery,
    PlanId, PlanRequest, PlanView, PlaybookId, PlaybookView, RunId, RunView, RunbookView, RunsView,
    SnapshotView, TenantDetail, TenantId, ThreadDetail, ThreadId, TriageView, TrustRequest, UndoRequest,
    WireError,
};
use tauri::{State, ipc::Invoke};

use super::{Opened, shown};

macro_rules! tauri_commands {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        $(
            #[tauri::command]
            async fn $name(opened: State<'_, Opened>, request: $request) -> Result<$answer, WireError> {
                let console = opened.console().await?;
                console.answers(stringify!($name))?;
                shown(console.$name(request).await, console)
            }
        )*

        /// Answers the listed commands and the subscription, and no other.
        pub(super) fn handler() -> impl Fn(Invoke<tauri::Wry>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![super::subscribe::subscribe, $($name),*]
        }
    };
}
ratiba_core::with_commands!(tauri_commands);
