//! A kill while a patch's files are put in their places, one after the other: some have it then and
//! some have not. There is no point inside that act: the patch has many files, and the kill comes from
//! outside as soon as one of them is another.

use std::{fs, path::Path, process::Command, sync::Arc, thread};

use ratiba_console::api::Console;
use ratiba_core::wire::{Empty, InterruptedView, RunId, RunOutcome, RunView, StepState};
use tempfile::TempDir;

use super::{
    cases::Kind,
    child::{Act, Said, carry_out, start},
    points::Points,
    truth::Truth,
    world::{self, Engines, Place},
};

/// So many that the kill, which takes a while, meets them half in their places.
const FILES: usize = 120;
/// The kill is sometimes too late; so often in a row it is not.
const TRIES: usize = 20;

/// What becomes of a file: every third is changed, removed, made.
fn contents(n: usize) -> (Option<&'static str>, Option<&'static str>) {
    match n % 3 {
        0 => (Some("before\n"), Some("after\n")),
        1 => (Some("before\n"), None),
        _ => (None, Some("after\n")),
    }
}

fn path(n: usize) -> String {
    // Git reads a name that it is told to leave out as a pattern.
    format!("files/[{n:03}] *.txt")
}

/// The patch, as git would write it.
pub fn diff() -> String {
    let one = |n: usize| {
        let path = path(n);
        let rest = match contents(n) {
            (Some(_), Some(_)) => {
                format!("--- a/{path}\t\n+++ b/{path}\t\n@@ -1 +1 @@\n-before\n+after\n")
            }
            (Some(_), None) => {
                format!("deleted file mode 100644\n--- a/{path}\t\n+++ /dev/null\n@@ -1 +0,0 @@\n-before\n")
            }
            (None, _) => {
                format!("new file mode 100644\n--- /dev/null\n+++ b/{path}\t\n@@ -0,0 +1 @@\n+after\n")
            }
        };
        format!("diff --git a/{path} b/{path}\n{rest}")
    };
    (0..FILES).map(one).collect()
}

/// Where a file is written in no time: what is waited for here is the kill.
fn folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }.unwrap()
}

fn git(dir: &Path, args: &[&str]) -> String {
    let done = Command::new("git").arg("-C").arg(dir).args(args).output().unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A run that was killed in the middle of its patch.
struct Killed {
    place: Place,
    run: String,
    _dir: TempDir,
}

fn place(dir: &TempDir) -> Place {
    let place = Place {
        dir: dir.path().to_owned(),
        postgres_port: world::lab().postgres,
        kind: Kind::Files,
        key: "files".into(),
        worker: 5,
    };
    Truth::new().prepare(&place);
    let checkout = place.checkout();
    fs::create_dir(checkout.join("files")).unwrap();
    for n in 0..FILES {
        if let Some(text) = contents(n).0 {
            fs::write(checkout.join(path(n)), text).unwrap();
        }
    }
    git(&checkout, &["init", "-q"]);
    git(&checkout, &["add", "files"]);
    git(&checkout, &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first"]);
    place
}

fn text(place: &Place, n: usize) -> Option<String> {
    fs::read_to_string(place.checkout().join(path(n))).ok()
}

/// How many files have the patch; each of them has it or has it not.
fn patched(place: &Place) -> usize {
    let has_it = |n: &usize| {
        let (text, (before, after)) = (text(place, *n), contents(*n));
        assert!([before, after].contains(&text.as_deref()), "{}: {text:?}", path(*n));
        text.as_deref() == after
    };
    (0..FILES).filter(has_it).count()
}

/// Carries out an act and kills it when the file of this number has become another.
fn killed_at(place: &Place, act: Act, n: usize) -> Said {
    let child = start(place, act, None);
    let killer = child.killer();
    let mut watching = None;
    let said = child.ended(|line| {
        if line == "RATIBA at before patch" {
            let (killer, place, was) = (killer.clone(), place.clone(), text(place, n));
            watching = Some(thread::spawn(move || {
                let began = std::time::Instant::now();
                while text(&place, n) == was {
                    assert!(began.elapsed().as_secs() < 30, "{} stayed as it was", path(n));
                }
                killer.kill();
            }));
        }
    });
    watching.expect("it began to patch").join().unwrap();
    said
}

fn killed() -> Killed {
    for _ in 0..TRIES {
        let dir = folder();
        let place = place(&dir);
        let said = killed_at(&place, Act::Apply, 0);
        if said.was_killed && (1..FILES).contains(&patched(&place)) {
            let run = on(&place, async |console| console.runs(Empty {}).await.unwrap().runs.remove(0).run);
            return Killed { place, run, _dir: dir };
        }
    }
    panic!("not met half in its place in {TRIES} tries");
}

/// A run that was killed, and whose answer was killed too, when the file that `at` picks had changed.
fn killed_twice(answer: fn(String) -> Act, at: fn(&Place) -> usize) -> Killed {
    for _ in 0..TRIES {
        let killed = killed();
        let at = at(&killed.place);
        let said = killed_at(&killed.place, answer(killed.run.clone()), at);
        let runs = on(&killed.place, async |console| console.runs(Empty {}).await.unwrap().runs);
        // The newest one: the answer, or the run that it goes on with.
        if said.was_killed && runs[0].interrupted.as_ref().is_some_and(|i| i.how.contains("some are as")) {
            return killed;
        }
    }
    panic!("not met half in its place a second time in {TRIES} tries");
}

/// Looks with a new console.
fn on<T>(place: &Place, look: impl AsyncFnOnce(Arc<Console>) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        look(world::console(place, &Points::new(None), &Engines::at(place.postgres_port))).await
    })
}

impl Killed {
    fn view_of(&self, run: &str) -> RunView {
        on(&self.place, async |console| console.run(RunId { run: run.to_owned() }).await.unwrap())
    }

    fn interrupted(&self) -> InterruptedView {
        self.view_of(&self.run).interrupted.unwrap()
    }

    fn done(&self, act: &Act) -> String {
        on(&self.place, async |console| carry_out(&console, &self.place, act).await)
    }

    /// All files have the patch, or none has, and nothing else is there.
    fn is_whole(&self, count: usize) {
        assert_eq!(patched(&self.place), count);
        let names = fs::read_dir(self.place.checkout().join("files")).unwrap();
        let beside: Vec<_> = names
            .map(|e| e.unwrap().file_name())
            .filter(|name| name.to_string_lossy().starts_with('.'))
            .collect();
        assert!(beside.is_empty(), "{beside:?}");
        if count == 0 {
            assert_eq!(git(&self.place.checkout(), &["status", "--porcelain", "files"]), "");
        }
    }

    fn undo(&self) -> String {
        self.view_of(&self.run).undone_by.unwrap()
    }

    /// The one run that takes it back and was killed too.
    fn interrupted_undo(&self) -> String {
        let runs = on(&self.place, async |console| console.runs(Empty {}).await.unwrap().runs);
        let undo = runs.into_iter().find(|r| r.undo_of.as_deref() == Some(&self.run)).unwrap();
        assert!(undo.interrupted.is_some(), "{undo:?}");
        undo.run
    }
}

#[test]
fn whether_a_patch_happened_is_told_right_before_it_and_right_after_it() {
    for (label, happened, files) in [("before patch", false, 0), ("after patch", true, FILES)] {
        let dir = folder();
        let clean = place(&dir);
        let points = start(&clean, Act::Apply, None).ended(|_| {}).points;
        let n = points.iter().position(|point| point == label).unwrap();
        let dir = folder();
        let place = place(&dir);
        let said = start(&place, Act::Apply, Some(n)).ended(|_| {});
        assert_eq!(said.died_at.as_deref(), Some(label), "{said:?}");
        let run = on(&place, async |console| console.runs(Empty {}).await.unwrap().runs.remove(0).run);
        let killed = Killed { place, run, _dir: dir };
        assert_eq!((killed.interrupted().happened, patched(&killed.place)), (Some(happened), files));
        let end = killed.done(&Act::Resume(killed.run.clone()));
        assert!(end.starts_with("Fixed"), "{end}");
        killed.is_whole(FILES);
    }
}

#[test]
fn a_patch_that_was_killed_half_way_is_finished_file_by_file_and_comes_out_whole() {
    let killed = killed();
    let interrupted = killed.interrupted();
    assert_eq!((interrupted.n, interrupted.happened), (Some(1), None), "{interrupted:?}");
    assert!(interrupted.in_part && interrupted.can_resume && interrupted.can_undo, "{interrupted:?}");
    assert!(interrupted.how.contains("some are as this step makes them"), "{interrupted:?}");

    let had = patched(&killed.place);
    let plan = on(&killed.place, async |console| {
        console.resume_plan(RunId { run: killed.run.clone() }).await.unwrap()
    });
    let before = plan.steps[0].before.clone().unwrap();
    assert!(before.starts_with(&format!("{} files as git last knew", FILES - had)), "{before}");
    assert_eq!(plan.moved, [], "what the run did itself did not move");
    let end = killed.done(&Act::Resume(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(FILES);
    let view = killed.view_of(&killed.run);
    assert_eq!((view.outcome, view.steps[0].state), (Some(RunOutcome::Fixed), StepState::Done));

    let end = killed.done(&Act::Undo(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(0);
    // What is done again is all of it, not the rest that the run went on with.
    let end = killed.done(&Act::Undo(killed.undo()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(FILES);
}

#[test]
fn half_a_patch_whose_run_was_closed_can_still_be_taken_back() {
    let killed = killed();
    let had = patched(&killed.place);
    let end = killed.done(&Act::Verify(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    assert_eq!(patched(&killed.place), had, "looking changes nothing");
    let view = killed.view_of(&killed.run);
    assert!(view.can_undo && view.interrupted.is_none(), "{view:?}");
    assert!(view.reason.as_ref().is_some_and(|r| r.contains("step 1 is left as it is: of its")), "{view:?}");
    let end = killed.done(&Act::Undo(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(0);
    let view = killed.view_of(&killed.run);
    assert_eq!((view.outcome, view.undone_by.is_some()), (Some(RunOutcome::Fixed), true));
}

#[test]
fn a_patch_that_was_killed_half_way_is_taken_back_file_by_file() {
    let killed = killed();
    let end = killed.done(&Act::Undo(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(0);
    let view = killed.view_of(&killed.run);
    assert!(view.interrupted.is_none() && !view.undone_in_part, "{view:?}");
    assert_eq!(view.steps[0].state, StepState::Undone);
}

#[test]
fn what_goes_on_with_half_a_patch_may_be_killed_half_way_too() {
    let first_without =
        |place: &Place| (0..FILES).find(|n| text(place, *n).as_deref() != contents(*n).1).unwrap();
    let killed = killed_twice(Act::Resume, first_without);
    let end = killed.done(&Act::Undo(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(0);
}

#[test]
fn half_a_patch_is_not_forgotten_when_what_goes_on_with_it_is_killed_before_its_step() {
    let other = killed();
    let points = start(&other.place, Act::Resume(other.run.clone()), None).ended(|_| {}).points;
    let n = points.iter().position(|point| point == "after append run_resumed").unwrap();
    let killed = killed();
    let had = patched(&killed.place);
    let said = start(&killed.place, Act::Resume(killed.run.clone()), Some(n)).ended(|_| {});
    assert_eq!(said.died_at.as_deref(), Some("after append run_resumed"), "{said:?}");
    let interrupted = killed.interrupted();
    assert!(interrupted.in_part && interrupted.can_resume && interrupted.can_undo, "{interrupted:?}");
    assert_eq!(patched(&killed.place), had);
    let end = killed.done(&Act::Undo(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(0);
}

#[test]
fn what_takes_half_a_patch_back_may_be_killed_half_way_too() {
    let killed = killed_twice(Act::Undo, |_| 0);
    let undo = killed.interrupted_undo();
    let refused = killed.done(&Act::Undo(killed.run.clone()));
    assert!(refused.starts_with("NoPlan") && refused.contains("go on with that one"), "{refused}");
    let refused = killed.done(&Act::Undo(undo.clone()));
    assert!(refused.starts_with("NoPlan") && refused.contains("done in part"), "{refused}");
    let end = killed.done(&Act::Resume(undo));
    assert!(end.starts_with("Fixed"), "{end}");
    killed.is_whole(0);
    assert!(killed.view_of(&killed.run).interrupted.is_none());
}

#[test]
fn half_a_patch_that_somebody_edited_since_is_left_to_them() {
    let killed = killed();
    let mine = killed.place.checkout().join(path(FILES - 3));
    fs::write(&mine, "mine\n").unwrap();
    let interrupted = killed.interrupted();
    assert!(!interrupted.can_resume && !interrupted.can_undo, "{interrupted:?}");
    assert!(interrupted.how.contains(&format!("these are neither: {}", path(FILES - 3))), "{interrupted:?}");
    for act in [Act::Resume(killed.run.clone()), Act::Undo(killed.run.clone())] {
        let end = killed.done(&act);
        assert!(end.starts_with("NoPlan"), "{end}");
    }
    assert_eq!(fs::read_to_string(mine).unwrap(), "mine\n");
    let end = killed.done(&Act::Verify(killed.run.clone()));
    assert!(end.starts_with("Fixed"), "{end}");
}
