//! Plan, confirm, apply, verify, undo: what was confirmed is what runs.

use std::{collections::BTreeMap, time::Duration};

use futures_executor::block_on;
use ratiba_core::{
    journal::{EntryKind, first_bad, runs},
    model::{ContainerState, Finding},
    playbook::Recheck,
    ports::{ChangeError, JournalStore},
    profile::SchemaSection,
    remedy::{
        ApplyContext, Look, Lookout, MakePlan, OperatorAnswer, Plan, PlanError, Refusal, Resolution, RunEnd,
        RunEvent, RunOutcome, apply, cancel_pair, confirm, digest, make, make_undo, restored,
    },
};
use ratiba_testkit::{MemoryJournal, Stack, container};
use serde_json::json;

use crate::shipped;

const ROW_1: &str = "01-service-unhealthy";

pub struct Sees(pub Look);

#[async_trait::async_trait]
impl Lookout for Sees {
    async fn look(&self) -> Look {
        self.0.clone()
    }
}

pub fn stopped_redis() -> Stack {
    let stack = Stack::default().with_containers(vec![container("redis"), container("backend")]);
    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    stack
}

pub fn plan_of(stack: &Stack) -> Plan {
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ROW_1);
    let finding: Finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    let steps = playbook.plan(&stack.call_context(), &finding, &BTreeMap::new()).unwrap();
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    block_on(make(&from, &playbook, &finding, BTreeMap::new(), steps)).unwrap()
}

pub fn run_plan(
    stack: &Stack,
    journal: &MemoryJournal,
    plan: Plan,
    look: Look,
    run: &str,
) -> (RunEnd, Vec<RunEvent>) {
    let sources = stack.sources();
    let shown = digest(&plan);
    let plan_run = plan.resume_of.clone();
    let confirmed = confirm(plan, &shown, &OperatorAnswer::Click, "amina", sources.clock.now()).unwrap();
    let (_canceller, cancel) = cancel_pair();
    let context = ApplyContext {
        sources: &sources,
        acts: &stack.acts(),
        schema: &SchemaSection::default(),
        store: journal,
        cancel: &cancel,
        holder: "amina, pid 1",
        lookout: &Sees(look),
        recheck: Recheck { within_s: 3, times: 2 },
        run: plan_run.unwrap_or_else(|| run.into()),
    };
    let mut events = Vec::new();
    let end = block_on(apply(confirmed, &context, &mut |event| events.push(event)));
    (end, events)
}

pub fn gone() -> Look {
    Look::Gone(vec![])
}

#[test]
fn a_confirmed_plan_runs_what_it_showed_and_the_journal_has_it_all() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let plan = plan_of(&stack);
    assert_eq!(plan.steps[0].preview, "docker-compose -p lab start redis");
    let (end, events) = run_plan(&stack, &journal, plan, gone(), "R1");
    assert_eq!(end, RunEnd { outcome: RunOutcome::Fixed, reason: None, changes: vec![] });
    assert_eq!(
        stack.commands(),
        [["docker-compose", "-p", "lab", "start", "redis"].map(str::to_owned).to_vec()]
    );
    assert!(matches!(events.last(), Some(RunEvent::RunDone { outcome: RunOutcome::Fixed, .. })));

    let entries = block_on(journal.entries(None)).unwrap();
    assert_eq!(first_bad(&entries), None);
    let kinds: Vec<EntryKind> = entries.iter().map(|e| e.kind).collect();
    use EntryKind::{RunFinished, RunStarted, StepIntent, StepOutcome, Verified};
    assert_eq!(kinds, [RunStarted, StepIntent, StepOutcome, StepIntent, StepOutcome, Verified, RunFinished]);
    let run = runs(&entries).remove(0);
    assert_eq!(
        (run.outcome, run.operator.as_str(), run.can_undo()),
        (Some(RunOutcome::Fixed), "amina", true)
    );
}

#[test]
fn any_move_of_the_stack_since_the_plan_is_refused_and_named() {
    type Change = fn(&mut ratiba_core::model::ContainerFacts);
    let moves: &[(Change, &str)] = &[
        (|c| c.id = "another".into(), "container of redis was"),
        (|c| c.state = ContainerState::Running, "state of redis was exited, now it is running"),
        (|c| c.started_at = "2026-11-24T09:00:00Z".parse().ok(), "start time of redis was"),
        (|c| c.config_hash = "hash-2".into(), "configuration of redis was"),
        (|c| c.working_dir = "/srv/other".into(), "working directory"),
    ];
    for (change, says) in moves {
        let (stack, journal) = (stopped_redis(), MemoryJournal::default());
        let plan = plan_of(&stack);
        stack.change_container("redis", change);
        let (end, _) = run_plan(&stack, &journal, plan, gone(), "R1");
        assert_eq!(end.outcome, RunOutcome::Refused, "{says}");
        assert!(end.reason.as_deref().unwrap().contains(says), "{says}: {:?}", end.reason);
        assert!(stack.commands().is_empty(), "{says}: nothing may run");
    }
}

#[test]
fn a_plan_is_used_once_expires_and_can_not_be_edited() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let plan = plan_of(&stack);
    let now = stack.sources().clock.now();
    let shown = digest(&plan);

    let mut edited = plan.clone();
    edited.subject.service = Some("backend".into());
    let refused = confirm(edited, &shown, &OperatorAnswer::Click, "amina", now).unwrap_err();
    assert_eq!(refused, Refusal::OtherPlan);

    stack.compose_exits(1);
    let (first, _) = run_plan(&stack, &journal, plan.clone(), gone(), "R1");
    assert_eq!(first.outcome, RunOutcome::Failed);
    let (second, _) = run_plan(&stack, &journal, plan.clone(), gone(), "R2");
    assert_eq!(
        (second.outcome, second.reason.as_deref()),
        (RunOutcome::Refused, Some("this plan was already used, by run R1"))
    );

    stack.clock.pass(Duration::from_secs(601));
    let late = stack.sources().clock.now();
    let early = plan.created_at.checked_sub(jiff::SignedDuration::from_hours(1)).unwrap();
    let at = |now| confirm(plan.clone(), &shown, &OperatorAnswer::Click, "amina", now);
    assert!(matches!(at(late), Err(Refusal::Expired(_))));
    assert!(
        matches!(at(early), Err(Refusal::NotYetMade(_))),
        "by a clock that was put back it would not expire"
    );
}

#[test]
fn plans_for_one_stack_have_one_lock_also_while_it_has_no_container() {
    let plan = plan_of(&stopped_redis());
    let mut down = plan.clone();
    down.target.compose_working_dir.clear();
    down.target.docker_engine_id = None;
    assert_eq!(down.lock_name(), plan.lock_name());
}

#[test]
fn a_plan_that_loses_data_needs_its_phrase_and_a_click_does_not_do() {
    let stack = stopped_redis();
    let mut plan = plan_of(&stack);
    plan.phrase = Some("redis".into());
    let (now, shown) = (stack.sources().clock.now(), digest(&plan));
    let answer = |answer: OperatorAnswer| confirm(plan.clone(), &shown, &answer, "amina", now);
    assert_eq!(answer(OperatorAnswer::Click).unwrap_err(), Refusal::WrongPhrase);
    assert_eq!(answer(OperatorAnswer::Phrase("Redis".into())).unwrap_err(), Refusal::WrongPhrase);
    assert!(answer(OperatorAnswer::Phrase("redis".into())).is_ok());
}

#[test]
fn the_outcome_is_what_is_seen_and_not_what_was_done() {
    let still = Look::Still(vec![], "redis is still down".into());
    let blind = Look::CantTell(vec![], "docker can't be read".into());
    for (look, outcome, why) in [
        (still, RunOutcome::NotFixed, "redis is still down"),
        (blind, RunOutcome::Unknown, "docker can't be read"),
    ] {
        let (stack, journal) = (stopped_redis(), MemoryJournal::default());
        let (end, _) = run_plan(&stack, &journal, plan_of(&stack), look, "R1");
        assert_eq!((end.outcome, end.reason.as_deref()), (outcome, Some(why)));
    }
}

#[test]
fn what_a_person_does_is_done_when_the_playbook_itself_finds_nothing_any_more() {
    let stack = stopped_redis();
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ROW_1);
    let finding: Finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    let by_hand = || {
        let done = json!({ "gone": { "what": "the key is right" } });
        let step = json!({ "kind": "manual", "title": "Ask Meta", "instructions": ["Open the app"], "done": done, "within_s": 5 });
        let sources = stack.sources();
        let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
        let steps = vec![serde_json::from_value(step).unwrap()];
        block_on(make(&from, &playbook, &finding, BTreeMap::new(), steps)).unwrap()
    };
    let plan = by_hand();
    assert!(plan.steps[0].preview.contains("as soon as the key is right"), "{}", plan.steps[0].preview);
    let (end, _) = run_plan(&stack, &MemoryJournal::default(), plan, gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Fixed);
    let still = Look::Still(vec![], "Meta still refuses".into());
    let (end, _) = run_plan(&stack, &MemoryJournal::default(), by_hand(), still, "R2");
    assert_eq!(end.outcome, RunOutcome::Failed);
    assert!(end.reason.as_deref().unwrap().contains("not within 5 s: Meta still refuses"), "{end:?}");
}

#[test]
fn nothing_is_done_that_can_not_be_journalled_first() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let plan = plan_of(&stack);
    journal.fails_after(0);
    let (end, _) = run_plan(&stack, &journal, plan, gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Failed);
    assert!(end.reason.as_deref().unwrap().contains("no space left"), "{:?}", end.reason);
    assert!(stack.commands().is_empty());
}

#[test]
fn a_run_that_ended_in_the_middle_shows_as_interrupted_and_not_as_done() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let plan = plan_of(&stack);
    journal.fails_after(2);
    run_plan(&stack, &journal, plan, gone(), "R1");
    let run = runs(&block_on(journal.entries(None)).unwrap()).remove(0);
    assert_eq!(run.outcome, None);
    assert_eq!(run.steps[0].state, ratiba_core::remedy::StepState::Interrupted);
    assert_eq!(run.steps[1].state, ratiba_core::remedy::StepState::Pending);
    assert!(!run.can_undo());
}

#[test]
fn an_undo_puts_back_exactly_what_was_and_only_while_nothing_newer_came() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    let run = runs(&block_on(journal.entries(None)).unwrap()).remove(0);
    let undo = block_on(make_undo(&from, &run, None, Resolution::default())).unwrap();
    assert_eq!((undo.undo_of.as_deref(), undo.steps[0].title.as_str()), (Some("R1"), "Stop redis"));
    let still_running = block_on(restored(&sources, run.clone(), undo.clone()).look());
    assert!(matches!(still_running, Look::Still(..)));

    let (end, _) = run_plan(&stack, &journal, undo.clone(), gone(), "R2");
    assert_eq!(end.outcome, RunOutcome::Fixed);
    assert!(matches!(block_on(restored(&sources, run, undo).look()), Look::Gone(_)));
    let run = runs(&block_on(journal.entries(None)).unwrap()).remove(0);
    assert_eq!((run.undone_by.as_deref(), run.can_undo()), (Some("R2"), false));
    assert!(matches!(
        block_on(make_undo(&from, &run, None, Resolution::default())),
        Err(PlanError::NotUndoable(_))
    ));
}

#[test]
fn an_undo_is_refused_when_the_container_was_changed_since() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let plan = plan_of(&stack);
    run_plan(&stack, &journal, plan, gone(), "R1");
    stack.change_container("redis", |c| c.id = "recreated".into());
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    let run = runs(&block_on(journal.entries(None)).unwrap()).remove(0);
    let refused = block_on(make_undo(&from, &run, None, Resolution::default())).unwrap_err().to_string();
    assert!(refused.contains("changed since the run: container of redis"), "{refused}");
}

fn without_hours() -> (Stack, Plan) {
    let stack = Stack::default().with_containers(vec![container("postgres")]).with_tenants(&["amani_salon"]);
    stack.answer_tenant(
        "amani_salon",
        vec![json!({ "active": 1, "with_hours": 0, "off_with_hours": 0, "open": 0, "days": [] })],
    );
    stack.answer_sql("WHERE s.\"is_active\"", vec![json!({ "id": "a1", "name": "Amina" })]);
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "05-fsm-stuck-collect-slot");
    let finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    let specs = playbook.choices(&stack.call_context(), &finding).unwrap();
    let params = ratiba_core::playbook::resolve_params(&specs, &BTreeMap::new()).unwrap();
    let steps = playbook.plan(&stack.call_context(), &finding, &params).unwrap();
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    let plan = block_on(make(&from, &playbook, &finding, params, steps)).unwrap();
    (stack, plan)
}

#[test]
fn a_change_in_the_database_whose_guard_moved_is_refused_and_nothing_runs() {
    let (stack, plan) = without_hours();
    assert!(plan.steps[0].preview.contains("\"tenant_amani_salon\".\"staff_schedules\""));
    assert!(plan.target.postgres_system_identifier.is_some());

    stack.next_change(Err(ChangeError::GuardChanged {
        what: "nobody of them has working hours yet".into(),
        planned: vec![],
        now: vec![json!({ "id": 1 })],
    }));
    let journal = MemoryJournal::default();
    let (end, _) = run_plan(&stack, &journal, plan, gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Refused);
    assert!(end.reason.as_deref().unwrap().contains("working hours"), "{:?}", end.reason);
}

#[test]
fn a_change_of_rows_alone_looks_at_the_containers_once() {
    let (stack, plan) = without_hours();
    stack.next_change(Ok(vec![json!({ "id": 1 })]));
    let looks = || stack.asked().iter().filter(|what| *what == "list containers").count();
    let before = looks();
    let (end, _) = run_plan(&stack, &MemoryJournal::default(), plan, gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Fixed, "{:?}", end.reason);
    assert_eq!(looks() - before, 1, "{:?}", stack.asked());
}

#[test]
fn two_choices_are_no_secret_and_a_secret_is_one() {
    let (_, mut plan) = without_hours();
    plan.params.insert("heads".into(), json!(["5b0d2c81f7a6", "9e8a41c3b02d"]));
    assert_eq!(plan.secrets(), vec![]);
    plan.params.insert("key".into(), json!({ "from": "env:NEW", "fingerprint": "f" }));
    assert_eq!(plan.secrets().len(), 1);
}

#[test]
fn a_restart_that_made_patched_files_count_is_made_once_more_when_they_are_taken_back() {
    let stack = Stack::default().with_containers(vec![container("backend")]);
    stack.set_file("a.py", "a = 1\n");
    let sources = stack.sources();
    let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, ROW_1);
    stack.change_container("backend", |c| c.state = ContainerState::Paused);
    let finding: Finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    stack.change_container("backend", |c| c.state = ContainerState::Running);
    let restart =
        json!({ "kind": "compose", "action": { "restart": { "service": "backend" } }, "blast_radius": "" });
    let patch = json!({ "kind": "patch", "title": "Patch", "diff": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n" });
    let undone = |steps: Vec<serde_json::Value>, run: &str| {
        let journal = MemoryJournal::default();
        let steps = steps.into_iter().map(|step| serde_json::from_value(step).unwrap()).collect();
        let plan = block_on(make(&from, &playbook, &finding, BTreeMap::new(), steps)).unwrap();
        run_plan(&stack, &journal, plan, gone(), run);
        let run = runs(&block_on(journal.entries(None)).unwrap()).remove(0);
        let undo = block_on(make_undo(&from, &run, None, Resolution::default())).ok()?;
        Some(undo.steps.iter().map(|step| step.title.clone()).collect::<Vec<_>>())
    };
    // By itself it has nothing to take back.
    assert_eq!(undone(vec![restart.clone()], "R1"), None);
    let titles = undone(vec![patch, restart], "R2").unwrap();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles[0].contains("a.py") && titles[1].contains("Restart backend"), "{titles:?}");
}

#[test]
fn what_a_command_changes_is_neither_nothing_nor_nobodys() {
    let stack = stopped_redis();
    let impact_of = |looks: bool| {
        let catalog = shipped::catalog();
        let playbook = shipped::playbook(&catalog, ROW_1);
        let finding: Finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
        let command = serde_json::json!({
            "kind": "command", "title": "Migrate", "place": "exec", "service": "backend", "within_s": 5,
            "argv": ["alembic", "upgrade", "head"], "only_looks": looks,
        });
        let key = serde_json::json!({ "kind": "redis", "title": "Set", "key": "a:b", "value": "1" });
        let steps = [command, key].map(|step| serde_json::from_value(step).unwrap()).to_vec();
        let sources = stack.sources();
        let from = MakePlan { sources: &sources, project: "lab", schema: &SchemaSection::default() };
        block_on(make(&from, &playbook, &finding, BTreeMap::new(), steps)).unwrap().impact
    };
    let looks = impact_of(true);
    // Whose the key is nobody says.
    assert_eq!((looks.rows, looks.uncounted.as_slice(), looks.customers), (Some(0), &[][..], None));
    assert_eq!(looks.keys, ["a:b"]);
    let acts = impact_of(false);
    assert_eq!((acts.rows, acts.uncounted.as_slice(), acts.customers), (None, &[1][..], None));
}
