//! The runbook's four questions, answered from what is read: every source on its own, all at the same time.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    logs::{LogEntry, LogQuery, OwnTries, PatternCounter, plain_text},
    model::{ContainerFacts, LastGood, ThreadRecord, Verdict, VerdictKind, counted, masked},
    observe::{is_stuck, worst_container},
    ports::{PythonFile, Read, RepoHistory, Sources, SqlRead},
    triage::{
        AlembicView, ChangedView, Deed, FailingService, MemoHit, Sign, UnmatchedView, WhenView, alembic,
        began, failing, memo_hits, ruled_out, symptoms,
    },
    wire::{Empty, LogSign, LogsRead},
};

use super::{Console, LogNews, LogsRequest};

/// Where nothing is known of a good moment, what is new is so since then.
const USUALLY: SignedDuration = SignedDuration::from_hours(1);
/// Logs are read so much farther back, to know what is not new.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// And never farther back than this.
const FARTHEST: SignedDuration = SignedDuration::from_hours(24);
/// Within this time the logs are read, or left out.
const LOGS_WITHIN: Duration = Duration::from_secs(10);
/// Lines that are held back until it is known whether the console caused them.
const MAY_BE_OWN: usize = 10_000;
/// Shapes that are told.
const SHAPES: usize = 20;
/// Commits that are told.
const COMMITS: u32 = 20;
/// A container that was made within this time is told as something that was done.
const MADE_WITHIN: SignedDuration = SignedDuration::from_hours(72);

/// What the logs say.
pub(super) struct LogAnswer {
    pub signs: Vec<LogSign>,
    pub read: LogsRead,
}

impl Console {
    /// When nothing was wrong last, as far as this console saw.
    pub(super) async fn last_good(&self) -> (Option<LastGood>, Option<String>) {
        match self.sightings.good().await {
            Ok(good) => (good, None),
            Err(error) => (None, Some(error.to_string())),
        }
    }

    /// Remembers that nothing is wrong now.
    pub(super) async fn remember_good(
        &self,
        ranked: &[Verdict],
        which: &[FailingService],
        at: Timestamp,
        head: Option<String>,
    ) {
        let is_seen = |v: &Verdict| matches!(v.verdict, VerdictKind::Present | VerdictKind::Suspected);
        // What could not be looked at was not seen to be well.
        if ranked.iter().any(is_seen) || !which.is_empty() || self.unread_services().is_some() {
            return;
        }
        // Where it can't be kept, the next question says since when by other means.
        let _unkept = self.sightings.keep_good(&LastGood { at, commit: head }).await;
    }

    /// Services that are not well, cause first.
    pub(super) async fn which(&self) -> (Vec<FailingService>, Option<String>) {
        let needs = self.sources.compose.dependencies().await;
        let (needs, unread) = match needs {
            Ok(needs) => (needs, None),
            // Without a compose file nobody says what needs what.
            Err(error) => (ratiba_core::triage::Dependencies::new(), Some(error.to_string())),
        };
        (failing(&self.folded().services, &needs), unread)
    }

    /// Warnings and worse since the last good moment, by their shape.
    pub(super) async fn what_logs_say(
        &self,
        look: &Sources,
        good: Option<&LastGood>,
        now: Timestamp,
    ) -> LogAnswer {
        let back = |by: SignedDuration, from: Timestamp| from.checked_sub(by).unwrap_or(from);
        let since = good.map_or_else(|| back(USUALLY, now), |good| good.at).max(back(FARTHEST, now));
        let from = back(BEFORE, since);
        let mut read = LogsRead { since: Some(since), from: Some(from), own: 0, notes: Vec::new() };
        let counted = tokio::time::timeout(LOGS_WITHIN, self.patterns(look, since, from)).await;
        let signs = match counted {
            Ok(Ok((signs, own, notes))) => {
                (read.own, read.notes) = (own, notes);
                signs
            }
            Ok(Err(why)) => {
                read.notes.push(why);
                Vec::new()
            }
            Err(_) => {
                read.notes.push(format!("the logs were not read within {} s", LOGS_WITHIN.as_secs()));
                Vec::new()
            }
        };
        LogAnswer { signs, read }
    }

    async fn patterns(
        &self,
        look: &Sources,
        since: Timestamp,
        from: Timestamp,
    ) -> Result<(Vec<LogSign>, u32, Vec<String>), String> {
        let query = LogQuery { level: Some("warning".into()), since: Some(from), ..LogQuery::default() };
        let request = LogsRequest { query, ..LogsRequest::default() };
        let mut lines = self.log_reader_of(look).open(&request).await.map_err(|e| e.message)?;
        let mut counter = PatternCounter::new(Some(since));
        let mut notes = Vec::new();
        let backend = self.profile.services.backend.as_str();
        let mut may_be_own: Vec<(Arc<str>, LogEntry)> = Vec::new();
        while let Some(news) = lines.next().await {
            match news {
                LogNews::Entry { service, entry } => {
                    let (record, _) = entry.record();
                    if &*service == backend
                        && OwnTries::may_be(&record.event)
                        && may_be_own.len() < MAY_BE_OWN
                    {
                        may_be_own.push((service, entry));
                        continue;
                    }
                    counter
                        .take(&service, &record, entry.at, || self.shown_line(&plain_text(&entry, &record)));
                }
                LogNews::Note(note) => notes.push(note),
                LogNews::Live => {}
            }
        }
        // Asked for last: the console may have tried while the lines were read.
        let mut tries = OwnTries::new(self.sources.http.webhook_tries().await);
        let mut own = 0;
        for (service, entry) in may_be_own {
            let (record, _) = entry.record();
            if tries.is_own(&record.event, entry.at) {
                own += 1;
            } else {
                counter.take(&service, &record, entry.at, || self.shown_line(&plain_text(&entry, &record)));
            }
        }
        if counter.left_out > 0 {
            notes.push(format!(
                "{} more bad lines have shapes of their own, and are not listed",
                counter.left_out
            ));
        }
        let patterns = counter.patterns();
        let more = patterns.len().saturating_sub(SHAPES);
        if more > 0 {
            notes.push(format!(
                "{more} more shapes of bad lines: `ratibactl logs --level warning --since {since}` has all"
            ));
        }
        let shown = |mut pattern: ratiba_core::logs::LogPattern| {
            pattern.shape = self.shown_line(&pattern.shape);
            LogSign::from(pattern)
        };
        Ok((patterns.into_iter().take(SHAPES).map(shown).collect(), own, notes))
    }

    /// A line's beginning as it may be shown.
    pub(super) fn shown_line(&self, text: &str) -> String {
        let hidden = self.known().hide(text).unwrap_or_else(|| text.to_owned());
        let masked = masked(&hidden);
        let end = (0..=400.min(masked.len())).rev().find(|at| masked.is_char_boundary(*at)).unwrap_or(0);
        let cut = masked.get(..end).unwrap_or(&masked);
        if cut.len() < masked.len() { format!("{cut} [cut]") } else { masked }
    }

    /// Bad signs with their times, beside what was done to the stack.
    pub(super) async fn when_began(
        self: &Arc<Self>,
        which: &[FailingService],
        logs: &LogAnswer,
        history: Option<&RepoHistory>,
        now: Timestamp,
    ) -> WhenView {
        let mut signs: Vec<Sign> = Vec::new();
        let mut sign = |at: Timestamp, what: String, source: &str| {
            signs.push(Sign { at, what, source: source.into() });
        };
        let not_known_of = which.iter().filter(|s| s.since.is_none()).map(|s| s.service.clone()).collect();
        for service in which {
            if let Some(at) = service.since {
                sign(at, format!("{}: {}", service.service, service.detail), "docker");
            }
        }
        for one in
            logs.signs.iter().filter(|one| one.is_new && matches!(one.level.as_str(), "error" | "critical"))
        {
            if let Some(at) = one.at {
                sign(at, format!("{}: {}", one.service, first_line(&one.line)), "logs");
            }
        }
        let mut unread = Vec::new();
        let readings = self.state().readings.clone();
        let limits = &self.profile.thresholds;
        match readings.tenants.last.as_ref().filter(|_| readings.tenants.error.is_none()) {
            Some(last) => {
                let waits = SignedDuration::from_secs(i64::from(limits.payment_stuck_s));
                let stuck = last.value.iter().flat_map(|t| t.payments.iter().map(move |p| (t, p)));
                for (tenant, payment) in stuck.filter(|(_, payment)| payment.stuck > 0) {
                    // It is stuck since it waited too long.
                    if let Some(at) = payment.oldest.and_then(|at| at.checked_add(waits).ok()) {
                        sign(
                            at,
                            format!("{}: a payment is stuck in {}", tenant.tenant.slug, payment.state),
                            "postgres",
                        );
                    }
                }
            }
            None => unread.push(format!("stuck payments: {}", readings.tenants.why_unknown())),
        }
        match readings.threads.last.as_ref().filter(|_| readings.threads.error.is_none()) {
            Some(last) => {
                for record in &last.value {
                    if let ThreadRecord::Thread(thread) = record
                        && is_stuck(thread, limits, now)
                        && let Some(at) = thread.entered_at
                    {
                        let what = format!("{}: a thread is stuck in {}", thread.tenant_slug, thread.state);
                        sign(at, what, "redis");
                    }
                }
            }
            None => unread.push(format!("stuck threads: {}", readings.threads.why_unknown())),
        }
        unread.extend(logs.read.notes.iter().map(|note| format!("logs: {note}")));
        let deeds =
            self.deeds(history, readings.containers.last.as_ref().map(|l| l.value.as_slice()), now).await;
        began(signs, deeds, not_known_of, unread)
    }

    /// What was done to the stack.
    async fn deeds(
        self: &Arc<Self>,
        history: Option<&RepoHistory>,
        containers: Option<&[ContainerFacts]>,
        now: Timestamp,
    ) -> Vec<Deed> {
        let mut deeds: Vec<Deed> = Vec::new();
        let mut deed = |at: Timestamp, what: String, source: &str| {
            deeds.push(Deed { at, what, source: source.into() });
        };
        for (at, what) in history.iter().flat_map(|h| &h.moves) {
            deed(*at, what.clone(), "git");
        }
        for (at, what) in made_together(containers.unwrap_or_default(), now) {
            deed(at, what, "docker");
        }
        if let Ok(dotenv) = self.sources.dotenv()
            && let Ok(Some(at)) = dotenv.written_at().await
        {
            deed(at, ".env written".into(), "dotenv");
        }
        if let Ok(runs) = self.runs(Empty {}).await {
            for run in runs.runs.iter().take(10) {
                deed(run.started_at, format!("run of {} by this console", run.playbook), "journal");
            }
        }
        deeds
    }

    /// What was done to the checkout since the last good moment, or what is taken for it.
    pub(super) async fn history(
        &self,
        good: Option<&LastGood>,
        now: Timestamp,
    ) -> (Option<RepoHistory>, Option<String>, String) {
        let before = now.checked_sub(USUALLY).unwrap_or(now);
        let (commit, at, why) = match good {
            Some(LastGood { at, commit: Some(commit) }) => (
                Some(commit.as_str()),
                *at,
                format!("the commit at which nothing was wrong last, on {at:.0}"),
            ),
            Some(LastGood { at, commit: None }) => {
                (None, *at, format!("the last commit before nothing was wrong last, on {at:.0}"))
            }
            None => (
                None,
                before,
                "the last commit before the last hour; since when something is wrong is not known".into(),
            ),
        };
        let repo = match self.sources.repo() {
            Ok(repo) => repo,
            Err(error) => return (None, Some(error.to_string()), why),
        };
        let mut paths = vec![self.profile.repo.backend.clone()];
        if let Some(root) = &self.profile.repo.path {
            let files = self.profile.compose.file.iter().chain(&self.profile.compose.overrides);
            paths.extend(
                files.filter_map(|file| Some(file.strip_prefix(root)?.trim_start_matches('/').to_owned())),
            );
        }
        match repo.history(commit, Some(at), &paths).await {
            Ok(history) => (Some(history), None, why),
            Err(error) => (None, Some(error.to_string()), why),
        }
    }

    /// What changed, beside that history.
    pub(super) async fn changed(
        &self,
        good: Option<LastGood>,
        history: Option<&RepoHistory>,
        unread_history: Option<String>,
        why_base: String,
    ) -> ChangedView {
        let commits = async {
            match self.sources.repo() {
                Ok(repo) => repo.recent_commits(COMMITS).await,
                Err(error) => Err(error),
            }
        };
        let dotenv_at = async {
            match self.sources.dotenv() {
                Ok(dotenv) => dotenv.written_at().await.ok().flatten(),
                Err(_) => None,
            }
        };
        let (commits, revisions, drift, dotenv_at) =
            tokio::join!(commits, self.revisions(), self.sources.compose.config_hashes(), dotenv_at);
        let mut view = ChangedView { last_good: good, dotenv_at, ..ChangedView::default() };
        match commits {
            Ok(commits) => view.commits = Some(commits),
            Err(error) => view.error = Some(error.to_string()),
        }
        if let Some(history) = history {
            let branch = if history.branch.is_empty() { "no branch" } else { &history.branch };
            view.head = Some(format!("{branch} at {}", history.head));
            view.base =
                history.base.as_ref().map(|base| format!("{} ({why_base})", base.get(..12).unwrap_or(base)));
            view.diff_stat.clone_from(&history.diff_stat);
        }
        view.unread.extend(unread_history.filter(|why| view.error.as_ref() != Some(why)));
        match revisions {
            Ok(revisions) => view.alembic = Some(revisions),
            Err(error) => view.unread.push(format!("alembic's revisions: {error}")),
        }
        match drift {
            Ok(hashes) => {
                let readings = self.state().readings.containers.clone();
                let containers = readings.last.map(|last| last.value).unwrap_or_default();
                view.drift = hashes
                    .iter()
                    .filter(|(service, hash)| {
                        worst_container(&containers, service)
                            .is_some_and(|c| !c.config_hash.is_empty() && c.config_hash != **hash)
                    })
                    .map(|(service, _)| service.clone())
                    .collect();
            }
            Err(error) => view.unread.push(format!("drift from the compose file: {error}")),
        }
        view
    }

    async fn revisions(&self) -> Read<AlembicView> {
        let repo = self.sources.repo()?;
        let folder = &self.profile.repo.revisions;
        let files = async {
            let entries = repo.list(folder).await?;
            let paths: Vec<String> =
                entries.into_iter().map(|e| e.path).filter(|path| path.ends_with(".py")).collect();
            repo.python(&paths).await
        };
        let sql =
            SqlRead { sql: "SELECT version_num FROM public.alembic_version".into(), params: Vec::new() };
        let rows = async { self.sources.database()?.query(&sql).await };
        let (files, rows): (Read<Vec<PythonFile>>, _) = tokio::join!(files, rows);
        Ok(alembic(&rows?, &files?))
    }

    /// Where something is wrong and no row says what: what is left to do.
    pub(super) async fn unmatched(
        &self,
        ranked: &[Verdict],
        which: &[FailingService],
        logs: &LogAnswer,
    ) -> Option<UnmatchedView> {
        let is_seen = |v: &Verdict| matches!(v.verdict, VerdictKind::Present | VerdictKind::Suspected);
        let is_bad = !which.is_empty() || logs.signs.iter().any(|s| s.is_new && s.level != "warning");
        if ranked.iter().any(is_seen) || !is_bad {
            return None;
        }
        let (ruled_out, not_evaluable) = ruled_out(ranked);
        let mut view = UnmatchedView { ruled_out, not_evaluable, ..UnmatchedView::default() };
        match self.memos_about(which, &logs.signs).await {
            Ok(memos) => view.memos = memos,
            Err(why) => view.unread.push(format!("close-out memos: {why}")),
        }
        view.bundle = Some("ratibactl bundle export -o FILE.zip".into());
        Some(view)
    }

    /// Lines of the close-out memos that mention what is seen.
    pub(super) async fn memos_about(
        &self,
        which: &[FailingService],
        signs: &[LogSign],
    ) -> Result<Vec<MemoHit>, String> {
        let pattern = self.profile.repo.memos.as_ref();
        let pattern = pattern.ok_or("the profile does not say where they are ([repo] memos)")?;
        let memos = self.sources.host.texts(pattern).await.map_err(|error| error.to_string())?;
        let mut seen: Vec<String> = which.iter().map(|s| s.detail.clone()).collect();
        seen.extend(signs.iter().filter(|s| s.is_new).map(|s| s.shape.clone()));
        let shown = |hit: MemoHit| MemoHit { text: self.shown_line(&hit.text), ..hit };
        Ok(memo_hits(&memos, &symptoms(&seen)).into_iter().map(shown).collect())
    }
}

/// Containers that were made lately; those that were made in one go are one.
fn made_together(containers: &[ContainerFacts], now: Timestamp) -> Vec<(Timestamp, String)> {
    let made =
        |c: &ContainerFacts| c.created_at.filter(|at| !c.oneoff && now.duration_since(*at) < MADE_WITHIN);
    let mut made: Vec<(Timestamp, &str)> =
        containers.iter().filter_map(|c| Some((made(c)?, c.service.as_str()))).collect();
    made.sort();
    let mut goes: Vec<(Timestamp, Vec<&str>)> = Vec::new();
    for (at, service) in made {
        match goes.last_mut().filter(|(first, _)| at.duration_since(*first) < SignedDuration::from_mins(1)) {
            Some((_, services)) => services.push(service),
            None => goes.push((at, vec![service])),
        }
    }
    let told = |(at, mut services): (Timestamp, Vec<&str>)| {
        services.sort_unstable();
        services.dedup();
        (at, format!("made: {} of {}", counted(services.len(), "container"), services.join(", ")))
    };
    goes.into_iter().map(told).collect()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
