//! The process that is killed: this binary again, told by its environment what to do.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use ratiba_console::api::Console;
use ratiba_core::{
    model::Subject,
    wire::{PlanRequest, RunId, UndoRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    points::{Points, tell},
    world::{self, Engines, Place},
};

/// What a child has in its environment: its task.
pub const TASK: &str = "RATIBA_CRASH_TASK";
/// A child that is not done by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a child does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Makes the plan, confirms and applies it.
    Apply,
    /// Goes on with a run.
    Resume(String),
    /// Takes a run back.
    Undo(String),
    /// Looks, and closes a run.
    Verify(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Task {
    place: Place,
    act: Act,
    die_at: Option<usize>,
}

/// What a child said before its end.
#[derive(Debug, Default)]
pub struct Said {
    /// The points it passed, in order.
    pub points: Vec<String>,
    /// Where it killed itself.
    pub died_at: Option<String>,
    /// Place and hash of each entry that it was told is in the journal.
    pub acks: Vec<(u64, String)>,
    /// The plan it made and its digest.
    pub plan: Option<(String, String)>,
    /// How it ended by itself.
    pub end: Option<String>,
    /// Whether KILL ended it.
    pub was_killed: bool,
}

/// A child that goes on.
pub struct Running {
    child: Arc<Mutex<Child>>,
    lines: BufReader<std::process::ChildStdout>,
}

/// Kills a child from outside.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    pub fn kill(&self) {
        self.0.lock().unwrap().kill().unwrap();
    }
}

/// Starts a child.
pub fn start(place: &Place, act: Act, die_at: Option<usize>) -> Running {
    let task = Task { place: place.clone(), act, die_at };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child::the_child_does_its_task", "--exact", "--nocapture", "--test-threads=1"])
        .env(TASK, serde_json::to_string(&task).unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    Running { child: Arc::new(Mutex::new(child)), lines }
}

impl Running {
    pub fn killer(&self) -> Killer {
        Killer(self.child.clone())
    }

    /// Waits for its end; `at` sees each line as it comes.
    pub fn ended(self, mut at: impl FnMut(&str)) -> Said {
        let hangs = Arc::new(Mutex::new(Some(self.killer())));
        let (watch, began) = (hangs.clone(), Instant::now());
        let watcher = thread::spawn(move || {
            while began.elapsed() < PATIENCE {
                thread::park_timeout(PATIENCE - began.elapsed());
                if watch.lock().unwrap().is_none() {
                    return;
                }
            }
            if let Some(killer) = watch.lock().unwrap().take() {
                killer.kill();
            }
        });
        let mut said = Said::default();
        for line in self.lines.lines() {
            let line = line.unwrap();
            let Some((what, rest)) = line.strip_prefix("RATIBA ").and_then(|l| l.split_once(' ')) else {
                continue;
            };
            at(&line);
            let pair = || rest.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            match what {
                "at" => said.points.push(rest.to_owned()),
                "die" => said.died_at = Some(rest.to_owned()),
                "ack" => {
                    let (seq, hash) = pair();
                    said.acks.push((seq.parse().unwrap(), hash));
                }
                "plan" => said.plan = Some(pair()),
                "end" => said.end = Some(rest.to_owned()),
                _ => panic!("the child said {line:?}"),
            }
        }
        let status = self.child.lock().unwrap().wait().unwrap();
        let is_late = hangs.lock().unwrap().take().is_none();
        watcher.thread().unpark();
        watcher.join().unwrap();
        assert!(!is_late, "the child was not done within {PATIENCE:?}; it said {said:?}");
        said.was_killed = status.signal() == Some(9);
        assert!(said.was_killed || status.success(), "the child ended with {status}; it said {said:?}");
        assert!(said.was_killed || said.end.is_some(), "the child ended without an end; it said {said:?}");
        said
    }
}

/// Carries out an act, as `ratibactl` does.
pub async fn carry_out(console: &Arc<Console>, place: &Place, act: &Act) -> String {
    let view = match act {
        Act::Apply => {
            let params = [("key".to_owned(), json!(place.key))].into();
            let request = PlanRequest { id: place.playbook(), subject: Subject::default(), params };
            console.plan(request).await
        }
        Act::Resume(run) => console.resume_plan(RunId { run: run.clone() }).await,
        Act::Undo(run) => console.undo_plan(UndoRequest { run: run.clone() }).await,
        Act::Verify(run) => {
            return match console.verify_run(RunId { run: run.clone() }).await {
                Ok(view) => format!("{:?}: {}", view.outcome.unwrap(), view.reason.unwrap_or_default()),
                Err(error) => format!("Refused: {}", error.message),
            };
        }
    };
    let view = match view {
        Ok(view) => view,
        Err(error) => return format!("NoPlan: {}", error.message),
    };
    tell("plan", &format!("{} {}", view.plan_id, view.digest));
    apply_kept(console, &view.plan_id, &view.digest).await
}

/// Applies a plan that is in the journal.
pub async fn apply_kept(console: &Arc<Console>, plan_id: &str, digest: &str) -> String {
    let plan = console.kept_plan(plan_id).await.unwrap();
    let confirmed = console.confirmed(plan, digest, None).unwrap();
    let run = console.run_id_of(confirmed.plan());
    let end = console.carry_out(confirmed, run, |_| {}).await;
    format!("{:?}: {}", end.outcome, end.reason.unwrap_or_default())
}

/// Nothing at all, unless this process was started to be killed.
#[test]
fn the_child_does_its_task() {
    let Ok(task) = std::env::var(TASK) else { return };
    let task: Task = serde_json::from_str(&task).unwrap();
    let points = Points::new(task.die_at);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let end = runtime.block_on(async {
        let console = world::console(&task.place, &points, &Engines::at(task.place.postgres_port));
        carry_out(&console, &task.place, &task.act).await
    });
    tell("end", &end);
}
