//! What is remembered of a row, when the console was closed meanwhile too.

use std::sync::Arc;

use async_trait::async_trait;
use ratiba_console::api::{Console, Parts};
use ratiba_core::{
    model::{ContainerState, LastGood, Sightings},
    ports::{SightingError, SightingStore},
    wire::{DrillName, Empty, FailureMode, RunbookRow, Severity},
};
use ratiba_testkit::{MemorySightings, Stack, container};

use crate::opened::{self, LEAST};

const ROW: &str = "01-service-unhealthy";

fn console(stack: &Stack, sightings: Arc<dyn SightingStore>) -> Arc<Console> {
    let drill = DrillName { id: ROW.into(), variant: "stopped".into(), title: "redis is stopped".into() };
    Console::new(Parts { sightings, drills: vec![drill], ..opened::parts(stack, LEAST) })
}

async fn row(console: &Arc<Console>) -> RunbookRow {
    let view = console.runbook(Empty {}).await.unwrap();
    assert_eq!(view.seen_error, None);
    view.rows.into_iter().find(|row| row.playbook == ROW).unwrap()
}

#[tokio::test]
async fn a_row_that_was_present_is_remembered_after_it_is_gone_and_after_a_restart() {
    let stack = Stack::default().with_containers(vec![container("redis")]);
    let kept: Arc<MemorySightings> = Arc::default();
    let first = console(&stack, kept.clone());
    first.triage_now().await;
    assert_eq!(row(&first).await.last_seen, None, "a healthy stack was seen, and no fault");

    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    first.triage_now().await;
    let seen = row(&first).await.last_seen.unwrap();
    assert_eq!(seen.subject.service.as_deref(), Some("redis"));

    // It lasts, and ends: the last time is the one that counts.
    stack.clock.pass(std::time::Duration::from_secs(20));
    first.triage_now().await;
    let later = row(&first).await.last_seen.unwrap();
    assert!(later.at > seen.at);
    stack.change_container("redis", |c| c.state = ContainerState::Running);
    stack.clock.pass(std::time::Duration::from_secs(20));
    first.triage_now().await;
    assert_eq!(row(&first).await.last_seen, Some(later.clone()));

    let restarted = console(&stack, kept);
    restarted.triage_now().await;
    assert_eq!(row(&restarted).await.last_seen, Some(later));
    let drilled = row(&restarted).await;
    assert_eq!((drilled.drills.len(), drilled.proven), (1, 0), "a drill that never ran proves nothing");
}

struct Broken;

#[async_trait]
impl SightingStore for Broken {
    async fn all(&self) -> Result<Sightings, SightingError> {
        Err(SightingError { attempted: "read seen.json".into(), happened: "permission denied".into() })
    }
    async fn keep(&self, _sightings: &Sightings) -> Result<(), SightingError> {
        self.all().await.map(|_| ())
    }

    async fn good(&self) -> Result<Option<LastGood>, SightingError> {
        Ok(None)
    }

    async fn keep_good(&self, _good: &LastGood) -> Result<(), SightingError> {
        Ok(())
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_unknown_and_not_never() {
    let stack = Stack::default().with_containers(vec![container("redis")]);
    let console = console(&stack, Arc::new(Broken));
    console.triage_now().await;
    let view = console.runbook(Empty {}).await.unwrap();
    assert_eq!(view.seen_error.as_deref(), Some("read seen.json: permission denied"));
}

#[tokio::test]
async fn a_diagnosis_has_the_parameters_with_what_there_is_to_choose_from() {
    let stack = Stack::default().with_tenants(&["amani_salon"]);
    stack.answer_tenant(
        "amani_salon",
        vec![serde_json::json!({ "active": 2, "with_hours": 0, "off_with_hours": 0, "open": 0, "days": [] })],
    );
    stack.answer_sql(" AS name FROM", vec![serde_json::json!({ "id": "a1", "name": "Amina" })]);
    let console = console(&stack, Arc::new(MemorySightings::default()));
    let view = console.diagnosis("05-fsm-stuck-collect-slot", &Default::default()).await.unwrap();
    let live = &view.params[0];
    assert_eq!(live.subject.tenant.as_deref(), Some("amani_salon"));
    let staff = live.params.iter().find(|p| p.name == "staff").unwrap();
    assert_eq!((staff.choices[0].value.as_str(), staff.choices[0].label.as_str()), ("a1", "Amina"));
    assert!(live.params.iter().all(|p| p.name != "blocks"), "blocks are not the cause: {:?}", live.params);
    let other = ratiba_core::model::Subject { tenant: Some("jua_auto".into()), ..Default::default() };
    let view = console.diagnosis("05-fsm-stuck-collect-slot", &other).await.unwrap();
    assert!(view.verdicts.is_empty() && view.params.is_empty(), "about somebody else: {view:?}");
}

#[tokio::test]
async fn without_a_folder_of_playbooks_a_new_row_is_shown_and_not_written() {
    let console = console(&Stack::default(), Arc::new(MemorySightings::default()));
    let told = FailureMode {
        title: "The queue grows".into(),
        symptom: "Jobs wait".into(),
        diagnosis: "One worker is stuck.".into(),
        fix: "Restart it.".into(),
        severity: Severity::Minor,
        id: None,
        row: None,
    };
    let shown = console.failure_mode(told.clone()).await.unwrap();
    assert_eq!((shown.id.as_str(), shown.row.as_str(), shown.files.len()), ("14-queue-grows", "14", 2));
    assert_eq!(shown.place, None);
    assert!(shown.why_not.unwrap().contains("RATIBA_PLAYBOOKS names no folder"));
    let refused = console.failure_mode_write(told.clone()).await.unwrap_err();
    assert_eq!(refused.code, "usage", "{refused}");
    let wrong = console.failure_mode(FailureMode { row: Some("5".into()), ..told }).await.unwrap_err();
    assert!(wrong.message.contains("the row 5 is taken by 05-fsm-stuck-collect-slot"), "{wrong}");
}
