//! One run is killed, and what the next console makes of it is compared with what is so.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ratiba_console::api::Console;
use ratiba_core::{
    journal::{Entry, EntryKind, RunRecord, runs},
    remedy::StepState,
    wire::{Empty, RunId, RunView},
};
use tempfile::TempDir;

use super::{
    cases::Kind,
    child::{Act, Said, apply_kept, carry_out, start},
    points::Points,
    proxy::{Cut, Proxy},
    truth::{Effects, Truth},
    world::{self, Place},
};

/// How the first process is killed.
#[derive(Debug, Clone)]
pub enum Die {
    /// By itself, at the point of this number.
    Point(usize),
    /// By the proxy before Postgres.
    Wire(Cut),
    /// From outside, so long after it passed the point with this label.
    Outside(&'static str, Duration),
}

/// What the operator answers to *interrupted at step N*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Resume,
    Undo,
    Verify,
}

pub const ANSWERS: [Answer; 3] = [Answer::Resume, Answer::Undo, Answer::Verify];

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    pub kind: Kind,
    pub die: Die,
    pub answer: Answer,
    /// The point at which the process that carries out the answer is killed too.
    pub again: Option<usize>,
    pub key: String,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Figures {
    /// Kills of an apply, by label.
    pub kills: BTreeMap<String, usize>,
    /// Kills of an answer, by label.
    pub second: BTreeMap<String, usize>,
    /// Acknowledged entries that are not in the journal.
    pub lost: usize,
    /// Acknowledged entries that were looked for.
    pub acknowledged: usize,
    /// Interrupted steps whose fate was found out.
    pub resolved: usize,
    /// And found out otherwise than it is.
    pub wrong: usize,
    /// Effects that are there twice.
    pub doubles: usize,
    /// Commands of which nobody can know how far they came.
    pub cant_tell: usize,
    /// Transactions that Postgres was still ending when it was first asked.
    pub not_yet: usize,
    /// Everything else that is not as it must be.
    pub problems: Vec<String>,
}

impl Figures {
    pub fn add(&mut self, other: Self) {
        for (label, n) in other.kills {
            *self.kills.entry(label).or_default() += n;
        }
        for (label, n) in other.second {
            *self.second.entry(label).or_default() += n;
        }
        self.lost += other.lost;
        self.acknowledged += other.acknowledged;
        self.resolved += other.resolved;
        self.wrong += other.wrong;
        self.doubles += other.doubles;
        self.cant_tell += other.cant_tell;
        self.not_yet += other.not_yet;
        self.problems.extend(other.problems);
    }

    pub fn killed(&self) -> usize {
        self.kills.values().chain(self.second.values()).sum()
    }
}

/// How long Postgres may take to end the transaction of a client that is gone.
const SETTLES: Duration = Duration::from_secs(10);

pub struct Judge<'a> {
    truth: &'a Truth,
    case: &'a Case,
    place: Place,
    _dir: TempDir,
    pub figures: Figures,
}

impl<'a> Judge<'a> {
    pub fn of(case: &'a Case, truth: &'a Truth, worker: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Place {
            dir: dir.path().to_owned(),
            postgres_port: world::lab().postgres,
            kind: case.kind,
            key: case.key.clone(),
            worker,
        };
        truth.prepare(&place);
        Self { truth, case, place, _dir: dir, figures: Figures::default() }
    }

    fn must(&mut self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            let case = self.case;
            self.figures.problems.push(format!("{:?}: {}", case, what()));
        }
    }

    fn console(&self) -> Arc<Console> {
        world::console(&self.place, &Points::new(None), &self.truth.engines)
    }

    /// Kills an apply, finds out, answers, and looks whether all is as it must be.
    pub async fn carry_out(&mut self) {
        let said = self.killed_apply();
        let found = self.examine(&said).await;
        let Some(run) = found else {
            self.never_began(&said).await;
            return self.over().await;
        };
        self.the_plan_is_used_up(&said).await;
        match self.case.again {
            None => self.answered(&run).await,
            Some(die_at) => self.killed_again(&run, die_at).await,
        }
        self.over().await;
    }

    fn killed_apply(&mut self) -> Said {
        let said = match &self.case.die {
            Die::Point(n) => start(&self.place, Act::Apply, Some(*n)).ended(|_| {}),
            Die::Wire(cut) => {
                let proxy = Proxy::before(world::lab().postgres, Some(cut.clone()));
                let through = Place { postgres_port: proxy.port, ..self.place.clone() };
                let child = start(&through, Act::Apply, None);
                proxy.kills(child.killer());
                let mut said = child.ended(|_| {});
                said.died_at = proxy.was_cut().then(|| cut.to_string());
                said
            }
            Die::Outside(label, after) => {
                let child = start(&self.place, Act::Apply, None);
                let killer = child.killer();
                let (point, after) = (format!("RATIBA at {label}"), *after);
                let mut said = child.ended(|line| {
                    if line == point {
                        let killer = killer.clone();
                        std::thread::spawn(move || {
                            std::thread::sleep(after);
                            killer.kill();
                        });
                    }
                });
                said.died_at = said.was_killed.then(|| format!("some time after \"{label}\""));
                said
            }
        };
        if let Some(label) = said.died_at.clone().filter(|_| said.was_killed) {
            *self.figures.kills.entry(label).or_default() += 1;
        }
        let is_outside = matches!(self.case.die, Die::Outside(..));
        self.must(said.was_killed || is_outside, || format!("it was not killed: {said:?}"));
        said
    }

    /// Reads the journal as the next console does; gives the first run, if there is one.
    async fn examine(&mut self, said: &Said) -> Option<String> {
        let store = self.place.journal();
        let history = store.history().await.unwrap();
        let (entries, bad) = (history.entries(), history.first_bad());
        self.must(bad.is_none(), || format!("the journal does not hold: {bad:?}"));
        for (seq, hash) in &said.acks {
            self.figures.acknowledged += 1;
            if !entries.iter().any(|e| (e.seq, &e.hash) == (*seq, hash)) {
                self.figures.lost += 1;
                self.must(false, || format!("entry {seq} {hash} is lost"));
            }
        }
        let all = runs(&entries);
        let started = entries.iter().filter(|e| e.kind == EntryKind::RunStarted).count();
        self.must(all.len() == started, || format!("{started} runs began, {} are shown", all.len()));
        let first = all.first()?;
        let lock = store.lock_target(&first.plan.lock_name(), "the judge").await;
        self.must(lock.is_ok(), || "the lock is not free".into());
        drop(lock);
        for run in &all {
            self.read_back(run, &entries).await;
        }
        Some(first.run.clone())
    }

    /// A run is interrupted where it is, and what is said of each step is so.
    async fn read_back(&mut self, record: &RunRecord, entries: &[Entry]) {
        let id = &record.run;
        let of: Vec<&Entry> = entries.iter().filter(|e| e.run == *id).collect();
        let open = open_step(&of);
        let ended = of.iter().rev().find(|e| e.kind != EntryKind::Refused);
        let has_ended = ended.is_some_and(|e| e.kind == EntryKind::RunFinished);
        let view = self.told(id, record, open).await;
        let was_undone = record.undone_by.is_some();
        self.must(view.interrupted.is_none() == (has_ended || was_undone), || {
            format!("run {id} ended: {has_ended}; it is shown as {:?}", view.interrupted)
        });
        let effects = self.truth.effects(&self.place).await;
        let is_there = |n: u32| effects.get(&n).copied();
        if let Some(interrupted) = &view.interrupted {
            let first_pending =
                record.steps.iter().find(|s| s.state == StepState::Pending).map(|s| s.planned.n);
            let n = open.or(first_pending);
            self.must(interrupted.n == n, || format!("interrupted at {n:?}, shown: {interrupted:?}"));
            if let (Some(happened), Some(n)) = (interrupted.happened, open) {
                self.figures.resolved += 1;
                let step = record.steps.iter().find(|s| s.planned.n == n).unwrap();
                let so = match step.planned.reverses {
                    Some(reversed) => is_there(reversed).map(|count| (count == 0) == happened),
                    None => is_there(n).map(|count| (count > 0) == happened),
                };
                if so == Some(false) {
                    self.figures.wrong += 1;
                    self.must(false, || format!("{interrupted:?}, and {effects:?} are there"));
                }
            }
        }
        for step in &record.steps {
            let n = step.planned.n;
            if Some(n) == open || was_undone || record.plan.undo_of.is_some() || !self.is_latest(entries, id)
            {
                continue;
            }
            let expected = match step.state {
                StepState::Done => 1,
                StepState::Pending => 0,
                _ => continue,
            };
            self.must(is_there(n).is_none_or(|count| count == expected), || {
                format!("step {n} is {:?}, and {effects:?} are there", step.state)
            });
        }
        self.no_doubles(&effects);
    }

    /// Whether no other run came after it.
    fn is_latest(&self, entries: &[Entry], id: &str) -> bool {
        entries.iter().rev().find(|e| e.kind == EntryKind::RunStarted).is_some_and(|e| e.run == id)
    }

    /// The run as it is shown, once it is told what became of its open step.
    async fn told(&mut self, id: &str, record: &RunRecord, open: Option<u32>) -> RunView {
        let console = self.console();
        let began = std::time::Instant::now();
        let mut was_asked = false;
        loop {
            let view = console.run(RunId { run: id.to_owned() }).await.unwrap();
            let Some(interrupted) = &view.interrupted else { return view };
            let is_open = open.is_some() && interrupted.happened.is_none();
            if !is_open {
                return view;
            }
            let is_command =
                record.steps.iter().any(|s| Some(s.planned.n) == open && s.planned.step.kind() == "command");
            if is_command && interrupted.how.contains("no longer goes on") {
                self.figures.cant_tell += 1;
                self.must(!interrupted.can_resume, || format!("it would be run again: {interrupted:?}"));
                return view;
            }
            if !std::mem::replace(&mut was_asked, true) && !is_command {
                self.figures.not_yet += 1;
            }
            if began.elapsed() > SETTLES {
                self.must(false, || format!("not told within {SETTLES:?}: {interrupted:?}"));
                return view;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn no_doubles(&mut self, effects: &Effects) {
        if effects.values().any(|count| *count > 1) {
            self.figures.doubles += 1;
            self.must(false, || format!("done twice: {effects:?}"));
        }
    }

    fn all(&self, count: u64) -> Effects {
        self.case.kind.acting().iter().map(|n| (*n, count)).collect()
    }

    /// No run is on record: nothing was done, and the plan is still good, or used up and says so.
    async fn never_began(&mut self, said: &Said) {
        let effects = self.truth.effects(&self.place).await;
        self.must(effects == self.all(0), || format!("no run, and {effects:?} are there"));
        let console = self.console();
        let shown = console.runs(Empty {}).await.unwrap();
        self.must(shown.runs.is_empty(), || format!("{:?}", shown.runs));
        let died_at = said.died_at.clone().unwrap_or_default();
        let is_used = ["after use_plan", "before append run_started"].contains(&died_at.as_str());
        let is_unused = said.points.iter().all(|p| p != "before use_plan") || died_at == "before use_plan";
        if let Some((id, digest)) = &said.plan {
            let end = apply_kept(&console, id, digest).await;
            if is_unused {
                self.must(end.starts_with("Fixed"), || {
                    format!("the plan was not used, and it is said: {end}")
                });
            } else if is_used || !end.starts_with("Fixed") {
                let says =
                    end.starts_with("Refused") && end.contains("used") && end.contains("nothing was done");
                self.must(says, || format!("the plan was used up, and it is said: {end}"));
            }
            if end.starts_with("Fixed") {
                let effects = self.truth.effects(&self.place).await;
                return self.must(effects == self.all(1), || format!("applied late: {effects:?}"));
            }
            let effects = self.truth.effects(&self.place).await;
            self.must(effects == self.all(0), || format!("refused, and {effects:?} are there"));
        }
        let end = carry_out(&console, &self.place, &Act::Apply).await;
        let effects = self.truth.effects(&self.place).await;
        self.must(end.starts_with("Fixed") && effects == self.all(1), || {
            format!("a new plan ended as {end}: {effects:?}")
        });
    }

    /// The plan that was being applied is refused, and nothing is done.
    async fn the_plan_is_used_up(&mut self, said: &Said) {
        let Some((id, digest)) = &said.plan else { return };
        let before = self.truth.effects(&self.place).await;
        let end = apply_kept(&self.console(), id, digest).await;
        let after = self.truth.effects(&self.place).await;
        self.must(end.starts_with("Refused") && before == after, || {
            format!("applied a second time: {end}: {before:?} {after:?}")
        });
    }

    fn act(&self, run: &str) -> Act {
        match self.case.answer {
            Answer::Resume => Act::Resume(run.to_owned()),
            Answer::Undo => Act::Undo(run.to_owned()),
            Answer::Verify => Act::Verify(run.to_owned()),
        }
    }

    /// The answer is carried out, and did what it says.
    async fn answered(&mut self, run: &str) {
        let console = self.console();
        let view = console.run(RunId { run: run.to_owned() }).await.unwrap();
        let before = self.truth.effects(&self.place).await;
        let end = carry_out(&console, &self.place, &self.act(run)).await;
        let after = self.truth.effects(&self.place).await;
        self.no_doubles(&after);
        let can =
            |of: fn(&ratiba_core::wire::InterruptedView) -> bool| view.interrupted.as_ref().is_some_and(of);
        match self.case.answer {
            Answer::Resume if can(|i| i.can_resume) => {
                self.must(end.starts_with("Fixed") && after == self.all(1), || {
                    format!("resumed: {end}: {after:?}")
                });
            }
            Answer::Undo if can(|i| i.can_undo) || view.can_undo => {
                let mut expected = self.all(0);
                if self.case.kind == Kind::Engine {
                    // A command without an undo of its own stays done.
                    expected.insert(2, before[&2]);
                }
                self.must(end.starts_with("Fixed") && after == expected, || {
                    format!("taken back: {end}: {before:?} {after:?}")
                });
            }
            Answer::Verify if view.interrupted.is_some() => {
                self.must(end.starts_with("Fixed") && after == before, || {
                    format!("verified: {end}: {before:?} {after:?}")
                });
            }
            _ => {
                let is_refused = end.starts_with("NoPlan") || end.starts_with("Refused");
                self.must(is_refused && after == before, || format!("{end}: {before:?} {after:?}"));
                self.closed(&console, run).await;
            }
        }
    }

    /// What can be answered in no other way is looked at and closed.
    async fn closed(&mut self, console: &Arc<Console>, run: &str) {
        let view = console.run(RunId { run: run.to_owned() }).await.unwrap();
        if view.interrupted.is_some() {
            let end = carry_out(console, &self.place, &Act::Verify(run.to_owned())).await;
            self.must(end.starts_with("Fixed"), || format!("closed: {end}"));
        }
    }

    /// The process that carries out the answer is killed too; then it is answered once more.
    async fn killed_again(&mut self, run: &str, die_at: usize) {
        let before = self.truth.effects(&self.place).await;
        let said = start(&self.place, self.act(run), Some(die_at)).ended(|_| {});
        if !said.was_killed {
            // It ended before that point.
            let view = self.console().run(RunId { run: run.to_owned() }).await.unwrap();
            return if view.interrupted.is_some() {
                self.answered(run).await
            };
        }
        let label = format!("{:?}: {}", self.case.answer, said.died_at.clone().unwrap_or_default());
        *self.figures.second.entry(label).or_default() += 1;
        self.examine(&said).await;
        self.the_plan_is_used_up_if_it_began(&said).await;
        let entries = self.place.journal().entries(None).await.unwrap();
        let all = runs(&entries);
        let undo = all.iter().find(|r| r.plan.undo_of.as_deref() == Some(run)).cloned();
        let Some(undo) = undo else { return self.answered(run).await };
        let console = self.console();
        if undo.is_interrupted() {
            for act in [Act::Resume(run.to_owned()), Act::Undo(run.to_owned())] {
                let end = carry_out(&console, &self.place, &act).await;
                self.must(end.starts_with("NoPlan"), || {
                    format!("{act:?} while it is being taken back: {end}")
                });
            }
            let end = carry_out(&console, &self.place, &Act::Resume(undo.run.clone())).await;
            self.must(end.starts_with("Fixed"), || format!("the undo went on: {end}"));
        }
        let after = self.truth.effects(&self.place).await;
        let mut expected = self.all(0);
        if self.case.kind == Kind::Engine {
            expected.insert(2, before[&2]);
        }
        self.must(after == expected, || format!("taken back in two goes: {after:?}"));
    }

    /// An answer's own plan, too, is used once. One that was not begun may be applied.
    async fn the_plan_is_used_up_if_it_began(&mut self, said: &Said) {
        if said.points.iter().any(|p| p == "after use_plan") {
            self.the_plan_is_used_up(said).await;
        }
    }

    /// Nothing is open, nothing is there twice, nothing is left lying about.
    async fn over(&mut self) {
        let history = self.place.journal().history().await.unwrap();
        let (entries, bad) = (history.entries(), history.first_bad());
        self.must(bad.is_none(), || format!("the journal does not hold: {bad:?}"));
        let open: Vec<String> =
            runs(&entries).iter().filter(|r| r.is_interrupted()).map(|r| r.run.clone()).collect();
        self.must(open.is_empty(), || format!("still interrupted: {open:?}"));
        let mut resolved: Vec<String> = entries
            .iter()
            .filter(|e| e.kind == EntryKind::StepResolved)
            .map(|e| format!("{} {}", e.run, e.body["n"]))
            .collect();
        let count = resolved.len();
        resolved.sort();
        resolved.dedup();
        self.must(count <= resolved.len() + usize::from(self.case.again.is_some()), || {
            format!("resolved more than once: {count} entries of {resolved:?}")
        });
        let beside = self.truth.beside_dotenv(&self.place);
        self.must(beside.is_empty(), || format!("beside the .env: {beside:?}"));
        let effects = self.truth.effects(&self.place).await;
        self.no_doubles(&effects);
    }
}

/// The step that was begun and whose end is not on record, straight from the entries.
fn open_step(entries: &[&Entry]) -> Option<u32> {
    let mut open = None;
    for entry in entries {
        let n = entry.body["n"].as_u64().and_then(|n| u32::try_from(n).ok());
        match entry.kind {
            EntryKind::StepIntent => open = n,
            EntryKind::StepOutcome | EntryKind::StepResolved if n == open => open = None,
            EntryKind::RunResumed => open = None,
            _ => {}
        }
    }
    open
}
