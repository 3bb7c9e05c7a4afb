//! The points at which a process is killed: the ports, wrapped. Each call is counted; at the k-th
//! point the process sends itself KILL.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ratiba_core::{
    journal::{Entry, EntryDraft, History},
    model::SourceError,
    ports::{
        BackupError, BackupMade, Backups, BeforeCommit, ChangeError, CommandEnd, CommandLimits,
        ComposeCommands, ContainerCommands, DatabaseChanges, DotenvChange, DotenvChanges, DotenvKept,
        ExecCommand, FileFacts, JournalError, JournalStore, PatchChange, RedisChange, RedisChanges,
        RedisValue, RepoChanges, SqlChange, TargetLock,
    },
    remedy::Plan,
};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;

/// Tells the parent, if there is one, something on a line of its own that outlives this process.
pub fn tell(what: &str, text: &str) {
    if std::env::var_os(super::child::TASK).is_none() {
        return;
    }
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\nRATIBA {what} {text}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Counts the points that were passed, and ends the process at the one it is for.
pub struct Points {
    die_at: Option<usize>,
    passed: AtomicUsize,
}

impl Points {
    pub fn new(die_at: Option<usize>) -> Arc<Self> {
        Arc::new(Self { die_at, passed: AtomicUsize::new(0) })
    }

    pub fn at(&self, label: &str) {
        let n = self.passed.fetch_add(1, Ordering::SeqCst);
        tell("at", label);
        if self.die_at == Some(n) {
            tell("die", label);
            kill_process(getpid(), Signal::KILL).unwrap();
            loop {
                std::thread::park();
            }
        }
    }

    /// A point before `work` and one after it.
    pub async fn around<T>(&self, label: &str, work: impl Future<Output = T>) -> T {
        self.at(&format!("before {label}"));
        let done = work.await;
        self.at(&format!("after {label}"));
        done
    }
}

/// A port with its points.
pub struct Marked<T: ?Sized> {
    pub inner: Arc<T>,
    pub points: Arc<Points>,
}

impl<T: ?Sized> Marked<T> {
    pub fn new(inner: Arc<T>, points: &Arc<Points>) -> Arc<Self> {
        Arc::new(Self { inner, points: points.clone() })
    }
}

#[async_trait]
impl JournalStore for Marked<dyn JournalStore> {
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError> {
        let word = serde_json::to_value(draft.kind).unwrap().as_str().unwrap().to_owned();
        let n = draft.body.get("n").map(|n| format!(" {n}")).unwrap_or_default();
        let label = format!("append {word}{n}");
        self.points.at(&format!("before {label}"));
        let entry = self.inner.append(draft).await;
        if let Ok(entry) = &entry {
            tell("ack", &format!("{} {}", entry.seq, entry.hash));
        }
        self.points.at(&format!("after {label}"));
        entry
    }

    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        self.inner.entries(run).await
    }

    async fn history(&self) -> Result<History, JournalError> {
        self.inner.history().await
    }

    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError> {
        self.points.around("keep_plan", self.inner.keep_plan(plan)).await
    }

    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError> {
        self.inner.plan(plan_id).await
    }

    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError> {
        self.points.around("use_plan", self.inner.use_plan(plan_id, digest)).await
    }

    async fn target_holder(&self, target: &str) -> Result<Option<String>, JournalError> {
        self.inner.target_holder(target).await
    }

    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
        self.points.around("lock_target", self.inner.lock_target(target, holder)).await
    }
}

/// Points inside the transaction, around the entry that has its id.
struct InTransaction<'a> {
    inner: &'a dyn BeforeCommit,
    points: &'a Points,
}

#[async_trait]
impl BeforeCommit for InTransaction<'_> {
    async fn prepared(&self, xid: &str, rows: &[Value]) -> Result<(), String> {
        self.points.around("prepared", self.inner.prepared(xid, rows)).await
    }
}

#[async_trait]
impl DatabaseChanges for Marked<dyn DatabaseChanges> {
    async fn change(&self, change: &SqlChange, before: &dyn BeforeCommit) -> Result<Vec<Value>, ChangeError> {
        let inside = InTransaction { inner: before, points: &self.points };
        self.points.around("sql change", self.inner.change(change, &inside)).await
    }
}

#[async_trait]
impl RedisChanges for Marked<dyn RedisChanges> {
    async fn set(&self, change: &RedisChange) -> Result<RedisValue, ChangeError> {
        self.points.around("redis set", self.inner.set(change)).await
    }
}

#[async_trait]
impl DotenvChanges for Marked<dyn DotenvChanges> {
    async fn keep(&self, name: &str, change: &DotenvChange) -> Result<DotenvKept, ChangeError> {
        self.points.around("dotenv keep", self.inner.keep(name, change)).await
    }

    async fn set(&self, change: &DotenvChange) -> Result<FileFacts, ChangeError> {
        self.points.around("dotenv set", self.inner.set(change)).await
    }
}

#[async_trait]
impl RepoChanges for Marked<dyn RepoChanges> {
    async fn becomes(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        self.inner.becomes(change).await
    }

    async fn apply(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        self.points.around("patch", self.inner.apply(change)).await
    }
}

#[async_trait]
impl ComposeCommands for Marked<dyn ComposeCommands> {
    async fn run(
        &self,
        argv: &[String],
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        let mut during = once_during("compose", &self.points, line);
        self.points.around("compose", self.inner.run(argv, limits, &mut during)).await
    }
}

#[async_trait]
impl ContainerCommands for Marked<dyn ContainerCommands> {
    async fn exec(
        &self,
        command: &ExecCommand,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        let label = format!("exec {}", command.argv[0]);
        let mut during = once_during(&label, &self.points, line);
        self.points.around(&label, self.inner.exec(command, limits, &mut during)).await
    }

    async fn remove(&self, name: &str) -> Result<(), SourceError> {
        self.inner.remove(name).await
    }

    async fn with_volumes(
        &self,
        name: &str,
        like: &str,
        volumes: &[String],
        argv: &[String],
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        self.inner.with_volumes(name, like, volumes, argv, limits, line).await
    }
}

#[async_trait]
impl Backups for Marked<dyn Backups> {
    async fn make(
        &self,
        of: &ratiba_core::playbook::step::BackupOf,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        self.points.around("backup", self.inner.make(of, name, limits, line)).await
    }

    async fn check(
        &self,
        of: &ratiba_core::playbook::step::BackupOf,
        made: &BackupMade,
    ) -> Result<(), String> {
        self.inner.check(of, made).await
    }
}

/// A point at the first line of a command's output.
fn once_during<'a>(
    label: &str,
    points: &'a Points,
    line: &'a mut (dyn FnMut(String) + Send),
) -> impl FnMut(String) + Send + 'a {
    let label = format!("during {label}");
    let mut is_first = true;
    move |text| {
        if std::mem::replace(&mut is_first, false) {
            points.at(&label);
        }
        line(text);
    }
}
