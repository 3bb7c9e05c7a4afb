//! Runs whose console ended before they did: what became of them is found out, not assumed, and
//! nothing is done twice.

use std::collections::BTreeMap;

use futures_executor::block_on;
use ratiba_core::{
    journal::{EntryKind, RunRecord, runs},
    model::ContainerState,
    ports::{ChangeError, JournalStore, TransactionFate},
    profile::SchemaSection,
    remedy::{MakePlan, Plan, Resolution, RunOutcome, StepState, make, make_resume, make_undo, resolve},
};
use ratiba_testkit::{MemoryJournal, Stack, container};
use serde_json::json;

use crate::{
    remedy::{gone, plan_of, run_plan, stopped_redis},
    shipped,
};

fn last_run(journal: &MemoryJournal) -> RunRecord {
    runs(&block_on(journal.entries(None)).unwrap()).remove(0)
}

fn from<'a>(sources: &'a ratiba_core::ports::Sources, schema: &'a SchemaSection) -> MakePlan<'a> {
    MakePlan { sources, project: "lab", schema }
}

/// A plan for row 5 that inserts rows, on a stack in memory.
fn hours(stack: &Stack) -> Plan {
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
    block_on(make(&from(&sources, &SchemaSection::default()), &playbook, &finding, params, steps)).unwrap()
}

fn salon() -> Stack {
    Stack::default().with_containers(vec![container("postgres")]).with_tenants(&["amani_salon"])
}

#[test]
fn a_start_that_happened_is_not_done_again_and_the_run_goes_on_after_it() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    // The journal stops after the intent: the command still runs.
    journal.fails_after(2);
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    journal.works_again();
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    assert!(run.is_interrupted());
    let found = block_on(resolve(&mut run, &sources));
    assert_eq!((found.found[0].n, found.found[0].happened), (1, true), "{found:?}");

    let rest = block_on(make_resume(&from(&sources, &schema), &run, found)).unwrap();
    assert_eq!(rest.steps.iter().map(|s| s.n).collect::<Vec<_>>(), [2]);
    assert_eq!(rest.moved, []);
    let before = stack.commands().len();
    let (end, _) = run_plan(&stack, &journal, rest, gone(), "unused");
    assert_eq!(end.outcome, RunOutcome::Fixed);
    assert_eq!(stack.commands().len(), before, "redis was started once");
    let run = last_run(&journal);
    assert_eq!((run.outcome, run.is_interrupted()), (Some(RunOutcome::Fixed), false));
    assert_eq!(run.steps.iter().map(|s| s.state).collect::<Vec<_>>(), [StepState::Done, StepState::Done]);
    assert!(run.can_undo(), "what was done before the interruption can be taken back too");
}

#[test]
fn a_start_that_did_not_happen_is_done_when_the_run_goes_on() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    stack.compose_exits(1);
    journal.fails_after(2);
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    journal.works_again();
    stack.compose_exits(0);
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &sources));
    assert!(!found.found[0].happened, "{found:?}");
    let rest = block_on(make_resume(&from(&sources, &schema), &run, found)).unwrap();
    assert_eq!(rest.steps.len(), 2);
    let (end, _) = run_plan(&stack, &journal, rest, gone(), "unused");
    assert_eq!(end.outcome, RunOutcome::Fixed);
    assert_eq!(stack.commands().len(), 2, "once before the interruption, once after");
}

#[test]
fn what_moved_since_the_interruption_is_told_before_the_rest_is_done() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    stack.compose_exits(1);
    journal.fails_after(2);
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    stack.change_container("redis", |c| c.id = "recreated by somebody".into());
    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &sources));
    let rest = block_on(make_resume(&from(&sources, &schema), &run, found)).unwrap();
    assert_eq!(rest.moved.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["container"]);
}

#[test]
fn a_transaction_caught_in_its_commit_is_what_postgres_says_it_is() {
    for (fate, happened) in [
        (TransactionFate::Committed, Some(true)),
        (TransactionFate::Aborted, Some(false)),
        (TransactionFate::InProgress, None),
        (TransactionFate::Forgotten, None),
    ] {
        let (stack, journal) = (salon(), MemoryJournal::default());
        let plan = hours(&stack);
        stack.next_change(Ok(vec![json!({ "id": 7, "staff_id": "a1" })]));
        // Started, intent, prepared are written; the outcome is not.
        journal.fails_after(3);
        run_plan(&stack, &journal, plan, gone(), "R1");
        journal.works_again();
        stack.transaction_was(fate);
        let (sources, schema) = (stack.sources(), SchemaSection::default());
        let mut run = last_run(&journal);
        let found = block_on(resolve(&mut run, &sources));
        assert_eq!(found.found.first().map(|r| r.happened), happened, "{fate:?}");
        let rest = block_on(make_resume(&from(&sources, &schema), &run, found));
        match happened {
            Some(true) => assert_eq!(rest.unwrap().steps.len(), 0, "the insert is not done twice"),
            Some(false) => assert_eq!(rest.unwrap().steps.len(), 1),
            None => assert!(rest.unwrap_err().to_string().contains("can't be told"), "{fate:?}"),
        }
    }
}

#[test]
fn a_transaction_that_never_came_to_its_commit_did_not_happen() {
    let (stack, journal) = (salon(), MemoryJournal::default());
    let plan = hours(&stack);
    stack.next_change(Ok(vec![json!({ "id": 7 })]));
    // The journal can't take the transaction's id: it must not be committed.
    journal.fails_after(2);
    let (end, _) = run_plan(&stack, &journal, plan, gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Failed);
    assert!(end.reason.unwrap().contains("rolled back"));
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &stack.sources()));
    assert!(!found.found[0].happened);
}

#[test]
fn a_lost_answer_to_a_commit_is_asked_for_and_where_nobody_knows_the_run_says_so() {
    let lost = || {
        Err(ChangeError::Unknown {
            xid: "777".into(),
            why: "the commit was not answered within 8 s".into(),
            rows: vec![json!({ "id": 7 })],
        })
    };
    for (fate, outcome, state) in [
        (TransactionFate::Committed, RunOutcome::Fixed, StepState::Done),
        (TransactionFate::Aborted, RunOutcome::Failed, StepState::Failed),
        (TransactionFate::Forgotten, RunOutcome::Unknown, StepState::Interrupted),
    ] {
        let (stack, journal) = (salon(), MemoryJournal::default());
        let plan = hours(&stack);
        stack.next_change(lost());
        stack.transaction_was(fate);
        let (end, _) = run_plan(&stack, &journal, plan, gone(), "R1");
        let run = last_run(&journal);
        assert_eq!((end.outcome, run.steps[0].state), (outcome, state), "{fate:?}: {:?}", end.reason);
        assert_eq!(run.is_interrupted(), state == StepState::Interrupted);
    }
}

#[test]
fn an_interrupted_run_can_be_taken_back_as_far_as_it_came() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    journal.fails_after(2);
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    journal.works_again();
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &sources));
    let undo = block_on(make_undo(&from(&sources, &schema), &run, None, found)).unwrap();
    assert_eq!(undo.steps[0].title, "Stop redis");
    let (end, _) = run_plan(&stack, &journal, undo, gone(), "R2");
    assert_eq!(end.outcome, RunOutcome::Fixed);
    let run = last_run(&journal);
    assert_eq!((run.undone_by.as_deref(), run.is_interrupted()), (Some("R2"), false));
    let kinds: Vec<EntryKind> =
        block_on(journal.entries(Some("R1"))).unwrap().iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EntryKind::RunStarted, EntryKind::StepIntent, EntryKind::StepResolved]);
}

#[test]
fn what_somebody_wrote_right_after_the_act_is_not_taken_away() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    stack.set_redis("key", None, "A");
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    let finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    let step = serde_json::from_value(json!({ "kind": "redis", "title": "Set", "key": "key", "value": "B" }));
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let from = from(&sources, &schema);
    let made = make(&from, &playbook, &finding, BTreeMap::new(), vec![step.unwrap()]);
    let plan = block_on(made).unwrap();
    stack.somebody_overwrites_redis("theirs");
    run_plan(&stack, &journal, plan, gone(), "R1");
    let refused = block_on(make_undo(&from, &last_run(&journal), None, Resolution::default())).unwrap_err();
    assert!(refused.to_string().contains("changed since the run"), "{refused}");
}

#[test]
fn an_undo_can_be_taken_back_which_does_the_run_again() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let from = from(&sources, &schema);
    let first = last_run(&journal);
    let undo = block_on(make_undo(&from, &first, None, Resolution::default())).unwrap();
    run_plan(&stack, &journal, undo, gone(), "R2");
    let second = runs(&block_on(journal.entries(None)).unwrap()).remove(1);
    assert!(second.can_undo());
    let again = block_on(make_undo(&from, &second, Some(&first), Resolution::default())).unwrap();
    assert_eq!(
        (again.title.as_str(), again.steps[0].title.as_str()),
        ("Do again: A service is down or unhealthy", "Start redis")
    );
    let (end, _) = run_plan(&stack, &journal, again, gone(), "R3");
    assert_eq!(end.outcome, RunOutcome::Fixed);
    let all = runs(&block_on(journal.entries(None)).unwrap());
    assert_eq!(all[1].undone_by.as_deref(), Some("R3"));
    // And that can be taken back once more, like any run.
    let undo = block_on(make_undo(&from, &all[2], None, Resolution::default())).unwrap();
    assert_eq!(undo.steps[0].title, "Stop redis");
}

/// A run that was interrupted in its first step, which happened.
fn interrupted_after_its_act(stack: &Stack, journal: &MemoryJournal) {
    journal.fails_after(2);
    run_plan(stack, journal, plan_of(stack), gone(), "R1");
    journal.works_again();
}

#[test]
fn of_two_plans_that_go_on_with_a_run_only_one_does() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    stack.compose_exits(1);
    interrupted_after_its_act(&stack, &journal);
    stack.compose_exits(0);
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let plan = || {
        let mut run = last_run(&journal);
        let found = block_on(resolve(&mut run, &sources));
        block_on(make_resume(&from(&sources, &schema), &run, found)).unwrap()
    };
    let (first, second) = (plan(), plan());
    assert_eq!(run_plan(&stack, &journal, first, gone(), "unused").0.outcome, RunOutcome::Fixed);
    // So that no precondition of the second plan is in its way.
    stack.change_container("redis", |c| *c = stopped_redis_container());
    let before = stack.commands().len();
    let (end, _) = run_plan(&stack, &journal, second, gone(), "unused");
    assert_eq!((end.outcome, stack.commands().len()), (RunOutcome::Refused, before));
    assert!(end.reason.unwrap().contains("run R1 went on"));
}

fn stopped_redis_container() -> ratiba_core::model::ContainerFacts {
    let sources = stopped_redis().sources();
    block_on(sources.containers.list()).unwrap().into_iter().find(|c| c.service == "redis").unwrap()
}

#[test]
fn a_run_that_is_being_taken_back_does_not_go_on() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    interrupted_after_its_act(&stack, &journal);
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &sources));
    let undo = block_on(make_undo(&from(&sources, &schema), &run, None, found)).unwrap();
    // Of the undo, too, only the intent is on record.
    journal.fails_after(3);
    run_plan(&stack, &journal, undo, gone(), "R2");
    journal.works_again();
    let run = last_run(&journal);
    assert!(run.is_interrupted() && run.being_undone_by.as_ref().is_some_and(|u| u.run == "R2" && u.is_open));
    let refused = block_on(make_resume(&from(&sources, &schema), &run, Resolution::default())).unwrap_err();
    assert!(refused.to_string().contains("run R2 has begun to take run R1 back"), "{refused}");
    let refused =
        block_on(make_undo(&from(&sources, &schema), &run, None, Resolution::default())).unwrap_err();
    assert!(refused.to_string().contains("run R2 has begun to take run R1 back"), "{refused}");
    // The undo itself goes on.
    let mut undo = runs(&block_on(journal.entries(None)).unwrap()).remove(1);
    let found = block_on(resolve(&mut undo, &sources));
    let rest = block_on(make_resume(&from(&sources, &schema), &undo, found)).unwrap();
    assert_eq!(run_plan(&stack, &journal, rest, gone(), "unused").0.outcome, RunOutcome::Fixed);
    let run = last_run(&journal);
    assert_eq!((run.undone_by.as_deref(), run.being_undone_by), (Some("R2"), None));
}

#[test]
fn what_was_found_out_about_a_step_in_doubt_closes_no_run() {
    let (stack, journal) = (salon(), MemoryJournal::default());
    let plan = hours(&stack);
    stack.next_change(Err(ChangeError::Unknown { xid: "777".into(), why: "lost".into(), rows: vec![] }));
    stack.transaction_was(TransactionFate::Forgotten);
    let (end, _) = run_plan(&stack, &journal, plan, gone(), "R1");
    assert_eq!(end.outcome, RunOutcome::Unknown);
    stack.transaction_was(TransactionFate::Aborted);
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &sources));
    let rest = block_on(make_resume(&from(&sources, &schema), &run, found)).unwrap();
    // The console ends when it has written down what it found out, and before it goes on.
    journal.fails_after(1);
    run_plan(&stack, &journal, rest, gone(), "unused");
    journal.works_again();
    let run = last_run(&journal);
    assert_eq!((run.is_interrupted(), run.steps[0].state), (true, StepState::Pending));
    assert!(block_on(make_resume(&from(&sources, &schema), &run, Resolution::default())).is_ok());
}

#[test]
fn a_plan_that_was_used_up_before_its_run_began_says_that_nothing_was_done() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let plan = plan_of(&stack);
    journal.fails_after(0);
    run_plan(&stack, &journal, plan.clone(), gone(), "R1");
    journal.works_again();
    let (end, _) = run_plan(&stack, &journal, plan, gone(), "R2");
    assert_eq!((end.outcome, stack.commands().len()), (RunOutcome::Refused, 0));
    assert!(end.reason.unwrap().contains("nothing was done: the console ended before the run began"));
}

#[test]
fn a_compose_command_that_outlived_its_console_still_goes_on() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    stack.compose_exits(1);
    interrupted_after_its_act(&stack, &journal);
    let argv = ["/usr/bin/python3", "docker-compose", "-p", "lab", "start", "redis"];
    stack.orphan(Some(argv.map(str::to_owned).to_vec()));
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let mut run = last_run(&journal);
    assert_eq!(block_on(resolve(&mut run, &sources)), Resolution::default());
    let refused = block_on(make_resume(&from(&sources, &schema), &run, Resolution::default())).unwrap_err();
    assert!(refused.to_string().contains("step 1 still goes on: process 7"), "{refused}");
    stack.orphan(None);
    let found = block_on(resolve(&mut run, &sources));
    assert_eq!((found.found[0].n, found.found[0].happened), (1, false));
}

#[test]
fn what_an_earlier_step_did_to_a_container_is_not_taken_for_the_later_ones_act() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let mut plan = plan_of(&stack);
    let mut again = plan.steps[0].clone();
    again.n = 2;
    plan.steps = vec![plan.steps[0].clone(), again];
    // Both start the same service; the second one's act fails, and the journal stops before its end.
    journal.fails_after(4);
    stack.compose_exits_in_turn(vec![0, 1]);
    run_plan(&stack, &journal, plan, gone(), "R1");
    journal.works_again();
    let mut run = last_run(&journal);
    let found = block_on(resolve(&mut run, &stack.sources()));
    assert_eq!((found.found[0].n, found.found[0].happened), (2, false), "{found:?}");
}

#[test]
fn what_the_journal_left_out_is_never_put_into_a_command() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    stack.compose_exits(1);
    journal.fails_after(2);
    run_plan(&stack, &journal, plan_of(&stack), gone(), "R1");
    let mut run = last_run(&journal);
    run.steps[0].state = StepState::Done;
    run.steps[0].returned = vec![json!({ "place": "/b/‹REDIS_PASSWORD›.dump", "bytes": 7 })];
    run.steps[0].left_out.insert("REDIS_PASSWORD".into());
    let mut resumed_with = |column: &str| {
        run.steps[1].planned.step = serde_json::from_value(json!({
            "kind": "command", "title": "Say", "place": "exec", "service": "backend", "within_s": 5,
            "argv": ["echo", { "of_step": 1, "column": column }],
        }))
        .unwrap();
        let (sources, schema) = (stack.sources(), SchemaSection::default());
        block_on(make_resume(&from(&sources, &schema), &run, Resolution::default()))
            .map_err(|e| e.to_string())
    };
    let refused = resumed_with("place").unwrap_err();
    assert!(refused.contains("step 2") && refused.contains("REDIS_PASSWORD"), "{refused}");
    if let Err(other) = resumed_with("bytes") {
        assert!(!other.contains("REDIS_PASSWORD"), "what was not left out can be used: {other}");
    }
}

#[test]
fn what_was_looked_at_before_a_change_is_looked_at_again_before_the_run_goes_on_with_it() {
    let (stack, journal) = (stopped_redis(), MemoryJournal::default());
    let (sources, schema) = (stack.sources(), SchemaSection::default());
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    let finding = playbook.detect(&stack.call_context()).unwrap().remove(0);
    let look = json!({
        "kind": "wait_until", "title": "See that it is down", "within_s": 1,
        "condition": { "service_down": { "service": "redis" } },
    });
    let steps = std::iter::once(serde_json::from_value(look).unwrap())
        .chain(plan_of(&stack).steps.into_iter().map(|step| step.step));
    let from = from(&sources, &schema);
    let plan = block_on(make(&from, &playbook, &finding, BTreeMap::new(), steps.collect())).unwrap();
    // The look is on record with its end, the start is not.
    journal.fails_after(4);
    stack.compose_exits_in_turn(vec![1, 0]);
    run_plan(&stack, &journal, plan, gone(), "R1");
    journal.works_again();
    let mut run = last_run(&journal);
    assert_eq!(run.steps[0].state, StepState::Done);
    let found = block_on(resolve(&mut run, &sources));
    let rest = block_on(make_resume(&from, &run, found)).unwrap();
    assert_eq!(rest.steps.iter().map(|s| s.n).collect::<Vec<_>>(), [1, 2, 3]);

    // Between the plan's last check and the look somebody starts it.
    let before = stack.commands().len();
    let plan = Plan { preconditions: Vec::new(), ..rest };
    stack.change_container("redis", |c| c.state = ContainerState::Running);
    let (end, _) = run_plan(&stack, &journal, plan, gone(), "unused");
    assert_eq!(end.outcome, RunOutcome::Failed, "{end:?}");
    assert!(end.reason.as_ref().unwrap().starts_with("step 1:"), "{end:?}");
    assert_eq!(stack.commands().len(), before, "what stood on the look was not done");
}
