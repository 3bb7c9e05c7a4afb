//! Steps that were done in part when their console ended: that is not forgotten, however often what goes
//! on with them does not come to its end either.

use std::collections::BTreeMap;

use futures_executor::block_on;
use ratiba_core::{
    journal::{RunRecord, runs},
    model::SourceName,
    playbook::step::Step,
    ports::{JournalStore, Sources},
    profile::SchemaSection,
    remedy::{MakePlan, Plan, Resolution, RunOutcome, StepState, make, make_resume, make_undo, resolve},
};
use ratiba_testkit::{MemoryJournal, Stack};
use serde_json::json;

use crate::{
    remedy::{gone, run_plan, stopped_redis},
    shipped,
};

const DIFF: &str =
    "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+2\n--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-1\n+2\n";

/// A run of a patch that came to the first of its two files.
struct Half {
    stack: Stack,
    journal: MemoryJournal,
    sources: Sources,
    schema: SchemaSection,
}

impl Half {
    fn new() -> Self {
        let stack = stopped_redis();
        let (sources, schema, journal) =
            (stack.sources(), SchemaSection::default(), MemoryJournal::default());
        let half = Self { stack, journal, sources, schema };
        half.stack.set_file("a.py", "1");
        half.stack.set_file("b.py", "1");
        let plan = half.plan();
        // The end of the step is not on record.
        half.journal.fails_after(2);
        half.carried_out(plan);
        half.journal.works_again();
        half.stack.set_file("b.py", "1");
        half
    }

    fn from(&self) -> MakePlan<'_> {
        MakePlan { sources: &self.sources, project: "lab", schema: &self.schema }
    }

    fn plan(&self) -> Plan {
        let catalog = shipped::catalog();
        let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
        let finding = playbook.detect(&self.stack.call_context()).unwrap().remove(0);
        let steps = json!([{ "kind": "patch", "title": "Patch", "diff": DIFF }]);
        let steps: Vec<Step> = serde_json::from_value(steps).unwrap();
        block_on(make(&self.from(), &playbook, &finding, BTreeMap::new(), steps)).unwrap()
    }

    fn carried_out(&self, plan: Plan) -> RunOutcome {
        run_plan(&self.stack, &self.journal, plan, gone(), "R1").0.outcome
    }

    fn resolved(&self) -> (RunRecord, Resolution) {
        let mut run = runs(&block_on(self.journal.entries(None)).unwrap()).remove(0);
        let found = block_on(resolve(&mut run, &self.sources));
        (run, found)
    }

    fn resume(&self) -> Plan {
        let (run, found) = self.resolved();
        block_on(make_resume(&self.from(), &run, found)).unwrap()
    }

    /// It is known that the first file has the patch, and it can be taken out.
    fn is_known(&self) {
        let (run, found) = self.resolved();
        let step = run.steps.first().unwrap();
        assert!(run.is_interrupted() && found.has_begun(step), "{step:?}");
        assert_eq!(step.state, StepState::Interrupted);
        let undo = block_on(make_undo(&self.from(), &run, None, found)).unwrap();
        let Step::Patch(patch) = &undo.steps.first().unwrap().step else { panic!("{undo:?}") };
        let untouched: Vec<&str> = patch.in_place.iter().map(|file| file.path.as_str()).collect();
        assert_eq!((patch.reverse, untouched), (true, vec!["b.py"]));
    }
}

#[test]
fn what_was_done_in_part_is_known_after_what_went_on_with_it_ended_before_its_step() {
    let half = Half::new();
    half.is_known();
    let resume = half.resume();
    // That it goes on is on record, and that its step begins is not.
    half.journal.fails_after(1);
    assert_eq!(half.carried_out(resume), RunOutcome::Failed);
    half.journal.works_again();
    half.is_known();
}

#[test]
fn what_was_done_in_part_is_known_after_what_went_on_with_it_failed() {
    let half = Half::new();
    let resume = half.resume();
    half.stack.take_down(SourceName::Repo);
    assert_eq!(half.carried_out(resume), RunOutcome::Failed);
    half.is_known();
    let (run, _) = half.resolved();
    assert!(run.reason.unwrap().contains("as before this attempt: a.py stay as they were"));
}

#[test]
fn what_was_done_in_part_and_put_back_by_hand_is_done_from_its_beginning() {
    let half = Half::new();
    let resume = half.resume();
    half.stack.take_down(SourceName::Repo);
    assert_eq!(half.carried_out(resume), RunOutcome::Failed);
    half.stack.set_file("a.py", "1");
    let (run, found) = half.resolved();
    assert!(found.is_in_part(&run.steps[0]) && !found.has_begun(&run.steps[0]), "{found:?}");
    let resume = half.resume();
    let Step::Patch(patch) = &resume.steps[0].step else { panic!("{resume:?}") };
    assert_eq!(patch.in_place, []);
}
