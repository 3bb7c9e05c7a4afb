//! A stack as a bundle has it: the same answers as a live one gives, of the moment at which it was captured.

use jiff::Timestamp;
use ratiba_core::{
    bundle::{FileState, OpenedBundle},
    detail::{PaymentsPage, TenantsView},
    observe::{FoldRules, Readings, fold},
    wire::{
        Captured, Environment, PaymentDetail, PaymentsQuery, RunView, RunsView, SnapshotView, TenantDetail,
        ThreadDetail, TriageView, WireError,
    },
};
use serde::de::DeserializeOwned;

use super::{bundle::names, not_found, payments::unknown};
use ratiba_core::{
    model::{SourceName, SourceStatus},
    profile::Thresholds,
};

/// An opened bundle.
pub struct Recorded {
    bundle: OpenedBundle,
    file: String,
}

impl Recorded {
    /// Of this file.
    pub fn new(bundle: OpenedBundle, file: String) -> Self {
        Self { bundle, file }
    }

    /// The bundle.
    pub fn bundle(&self) -> &OpenedBundle {
        &self.bundle
    }

    /// When it was captured.
    pub fn captured_at(&self) -> Timestamp {
        self.bundle.manifest().captured_at
    }

    /// What says that this is not the stack itself.
    pub fn captured(&self) -> Captured {
        Captured { file: self.file.clone(), at: self.captured_at(), digest: self.bundle.digest() }
    }

    /// A question that only the stack itself could answer, or something that would be done to it.
    pub fn refusal(&self, what: &str) -> WireError {
        WireError {
            code: "refused".into(),
            message: format!(
                "{what}: {} is a bundle, captured {:.0}: nothing can be asked or done there",
                self.file,
                self.captured_at()
            ),
            hint: "Open the stack's own profile instead.".into(),
            changes: Vec::new(),
        }
    }

    pub(super) fn snapshot(&self, environment: &Environment) -> SnapshotView {
        match self.document::<SnapshotView>(names::SNAPSHOT) {
            Ok(snapshot) => SnapshotView { environment: environment.clone(), ..snapshot },
            // What the bundle has not is not known.
            Err(_) => {
                let at = self.captured_at();
                let nothing = fold(&Readings::default(), &FoldRules::new(Thresholds::default()), at);
                SnapshotView::new(environment, nothing, 0, at)
            }
        }
    }

    pub(super) fn triage(&self) -> Result<TriageView, WireError> {
        self.document(names::TRIAGE)
    }

    pub(super) fn tenants(&self) -> Result<TenantsView, WireError> {
        let snapshot: SnapshotView = self.document(names::SNAPSHOT)?;
        let database = snapshot.sources.iter().find(|source| source.name == SourceName::Postgres);
        if let Some(source) = database.filter(|source| source.status != SourceStatus::Ok) {
            let why = source.error.clone().unwrap_or_else(|| "find the tenants: they were not read".into());
            return Err(unknown(
                format!("{why}, when {} was captured", self.file),
                "What was known then is in `status`.",
            ));
        }
        let total = u64::try_from(snapshot.tenants.len()).unwrap_or(u64::MAX);
        Ok(TenantsView { taken_at: snapshot.taken_at, total, rows: snapshot.tenants })
    }

    pub(super) fn tenant(&self, slug: &str) -> Result<TenantDetail, WireError> {
        let found = self.line(names::TENANTS, |tenant: &TenantDetail| tenant.slug == slug)?;
        found.ok_or_else(|| {
            self.absent(&format!("find the tenant {slug}"), "`tenants list` has those there were.")
        })
    }

    pub(super) fn thread(&self, id: &str) -> Result<ThreadDetail, WireError> {
        let found = self.line(names::THREADS, |thread: &ThreadDetail| thread.id == id)?;
        let hint = "A bundle has stuck conversations only; `logs --thread` has the lines of any.";
        found.ok_or_else(|| self.absent(&format!("show the thread {id}"), hint))
    }

    pub(super) fn payment(&self, id: &str) -> Result<PaymentDetail, WireError> {
        let is_it = |detail: &PaymentDetail| detail.payments.iter().any(|payment| payment.row.id == id);
        let found = self.line(names::PAYMENT_DETAILS, is_it)?;
        let hint = "A bundle has stuck payments in full; `payments list` has the rows of others.";
        found.ok_or_else(|| self.absent(&format!("show the payment {id}"), hint))
    }

    /// The page of what the bundle has. Where it has not all, the whole number is unknown.
    pub(super) fn payments(&self, query: &PaymentsQuery) -> Result<PaymentsPage, WireError> {
        let all: PaymentsPage = self.document(names::PAYMENTS)?;
        let have = all.rows.len() as u64;
        let is_whole = all.total == Some(have);
        let is_narrowed = query.tenant.is_some() || query.state.is_some() || query.older_than_s.is_some();
        let is_wanted = |row: &ratiba_core::detail::PaymentRow| {
            query.tenant.as_ref().is_none_or(|tenant| row.tenant == *tenant)
                && query.state.as_ref().is_none_or(|state| row.state == *state)
                && query.older_than_s.is_none_or(|s| row.age_s.is_some_and(|age| age > s))
        };
        let mut limits = all.limits;
        let rows: Vec<_> = all.rows.into_iter().filter(is_wanted).collect();
        let (total, stuck) = match (is_whole, is_narrowed) {
            (_, false) => (all.total, all.stuck),
            (true, true) => {
                let stuck = rows.iter().filter(|row| row.stuck == Some(true)).count();
                (Some(rows.len() as u64), Some(stuck as u64))
            }
            (false, true) => (None, None),
        };
        if !is_whole {
            let of = all.total.map_or_else(String::new, |total| format!(" of {total}"));
            limits.push(format!("the bundle has the first {have}{of} payments: stuck ones, then the oldest"));
        }
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let rows = rows.into_iter().skip(offset).take(limit).collect();
        let unread =
            all.unread.into_iter().filter(|one| query.tenant.as_ref().is_none_or(|t| one.tenant == *t));
        Ok(PaymentsPage {
            taken_at: all.taken_at,
            total,
            stuck,
            offset: query.offset,
            rows,
            unread: unread.collect(),
            limits,
        })
    }

    pub(super) fn runs(&self) -> Result<RunsView, WireError> {
        self.document(names::RUNS)
    }

    pub(super) fn run(&self, id: &str) -> Result<RunView, WireError> {
        let found = self.runs()?.runs.into_iter().find(|run| run.run == id);
        found.ok_or_else(|| self.absent(&format!("show the run {id}"), "`runs list` has those there were."))
    }

    fn absent(&self, what: &str, hint: &str) -> WireError {
        not_found(format!("{what}: the bundle {} does not have it", self.file), hint)
    }

    fn document<T: DeserializeOwned>(&self, path: &str) -> Result<T, WireError> {
        let bytes = self.bytes(path)?;
        serde_json::from_slice(&bytes).map_err(|error| self.unreadable(path, &error))
    }

    fn unreadable(&self, path: &str, error: &serde_json::Error) -> WireError {
        unknown(
            format!("read {path} of {}: {error}", self.file),
            "Another version of the console may have written it: open it with that one.",
        )
    }

    /// The first line of a file that is the one.
    fn line<T: DeserializeOwned>(
        &self,
        path: &str,
        is_it: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, WireError> {
        let bytes = match self.bytes(path) {
            // There was nothing to write: then it is not there either.
            Err(_) if self.state_of(path) == Some(FileState::Skipped) => return Ok(None),
            read => read?,
        };
        let mut unread = None;
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(value) if is_it(&value) => return Ok(Some(value)),
                Ok(_) => {}
                Err(error) => unread = Some(error),
            }
        }
        // One that can't be read may be the one.
        unread.map_or(Ok(None), |error| Err(self.unreadable(path, &error)))
    }

    fn state_of(&self, path: &str) -> Option<FileState> {
        self.bundle.manifest().files.iter().find(|row| row.path == path).map(|row| row.state)
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, WireError> {
        let why = match self.bundle.file(path) {
            Some(Ok(bytes)) => return Ok(bytes),
            Some(Err(why)) => why,
            None => {
                let row = self.bundle.manifest().files.iter().find(|row| row.path == path);
                row.and_then(|row| row.why.clone()).unwrap_or_else(|| "it was not collected".into())
            }
        };
        Err(unknown(
            format!("read {path} of the bundle {}: {why}", self.file),
            "`ratibactl bundle inspect` shows what it has.",
        ))
    }
}
