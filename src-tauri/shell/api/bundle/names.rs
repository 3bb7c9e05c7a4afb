//! Where what was collected stands in a bundle: whoever reads one finds it by the same names.

/// [`ratiba_core::wire::SnapshotView`].
pub const SNAPSHOT: &str = "snapshot.json";
/// [`ratiba_core::wire::TriageView`].
pub const TRIAGE: &str = "triage.json";
/// [`ratiba_core::model::ContainerFacts`], all.
pub const CONTAINERS: &str = "compose-ps.json";
/// The same as a table.
pub const CONTAINERS_TABLE: &str = "compose-ps.txt";
/// [`ratiba_core::wire::TenantDetail`], one a line.
pub const TENANTS: &str = "tenants.jsonl";
/// [`ratiba_core::wire::ThreadDetail`] of stuck conversations, one a line.
pub const THREADS: &str = "threads.jsonl";
/// [`ratiba_core::wire::PaymentsPage`], the first so many.
pub const PAYMENTS: &str = "payments.json";
/// [`ratiba_core::wire::PaymentDetail`] of stuck payments, one a line.
pub const PAYMENT_DETAILS: &str = "payment-details.jsonl";
/// [`ratiba_core::wire::RunsView`].
pub const RUNS: &str = "runs.json";
/// [`ratiba_core::wire::RunView`] of the run that it is about.
pub const RUN: &str = "run.json";
/// The journal's entries, one a line.
pub const JOURNAL: &str = "journal.jsonl";
/// The latest commits.
pub const COMMITS: &str = "git-log.txt";
/// How the checkout differs from what it was.
pub const DIFF_STAT: &str = "git-diff-stat.txt";
/// The database's revision beside the checkout's.
pub const ALEMBIC: &str = "alembic.json";
/// Lines of close-out memos that mention what is seen.
pub const MEMOS: &str = "memos.json";
/// Of what the console, the engine's containers and the databases are.
pub const VERSIONS: &str = "versions.json";
/// The profile, without its references to secrets.
pub const PROFILE: &str = "profile.json";
/// The folder of containers' logs.
pub const LOGS: &str = "logs";
/// The folder of the machine's log files.
pub const FILES: &str = "logs/files";
