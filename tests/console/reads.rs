//! Reading payments and conversations where Postgres answers in part, or not at all. What it answers is in
//! `tests/cli`.

use std::sync::Arc;

use futures_executor::block_on;
use ratiba_console::api::{Console, exit_code};
use ratiba_core::{
    model::{FsmThread, SourceName, ThreadRecord},
    wire::{PaymentsPage, PaymentsQuery, ThreadId, WireError},
};
use ratiba_testkit::Stack;
use serde_json::json;

use crate::opened::{self, LEAST};

fn console(stack: &Stack) -> Arc<Console> {
    opened::console(stack, LEAST)
}

/// So many tenants, each with 7 payments that are on no page.
fn stack(tenants: usize) -> Stack {
    let slugs: Vec<String> = (0..tenants).map(|n| format!("t{n:04}")).collect();
    let stack = Stack::default().with_tenants(&slugs.iter().map(String::as_str).collect::<Vec<_>>());
    for slug in &slugs {
        stack.answer_tenant(slug, vec![json!({ "total": 7, "stuck": 1, "undated": 0, "places": null })]);
    }
    stack
}

fn page(stack: &Stack) -> Result<PaymentsPage, WireError> {
    let query = PaymentsQuery { tenant: None, state: None, older_than_s: None, limit: 50, offset: 0 };
    block_on(console(stack).payments_page(query))
}

/// Statements that went to tenants.
fn asked(stack: &Stack) -> usize {
    stack.asked().iter().filter(|what| what.contains("count(*)")).count()
}

#[test]
fn a_hundred_tenants_are_asked_in_one_statement() {
    let stack = stack(1_000);
    let page = page(&stack).unwrap();
    assert_eq!((page.total, page.stuck, asked(&stack)), (Some(7_000), Some(1_000), 10));
}

#[test]
fn tenants_of_a_statement_that_fails_are_named_and_the_others_counted() {
    let stack = stack(350);
    stack.time_out_in_turn(vec![false, true, false, false]);
    let page = page(&stack).unwrap();
    assert_eq!(page.total, Some(7 * 250));
    assert_eq!((page.unread.len(), page.unread[0].tenant.as_str()), (100, "t0100"));
    assert!(page.unread[0].why.contains("no answer within 8 s"), "{:?}", page.unread[0]);
}

#[test]
fn postgres_that_does_not_answer_is_not_asked_for_every_tenant() {
    let stack = stack(1_000);
    stack.time_out_in_turn(vec![true; 10]);
    let error = page(&stack).unwrap_err();
    assert_eq!(exit_code(&error), 3, "{error:?}");
    assert_eq!(asked(&stack), 5, "the first, then those that were asked together");
    // One answer is a list, and says of whom it is not.
    stack.time_out_in_turn([vec![false], vec![true; 9]].concat());
    let page = page(&stack).unwrap();
    assert_eq!((page.total, page.unread.len()), (Some(700), 900));
    assert!(page.unread[899].why.contains("not asked any more"), "{:?}", page.unread[899]);
}

#[test]
fn without_postgres_there_is_no_list() {
    let stack = stack(3);
    stack.take_down(SourceName::Postgres);
    assert_eq!(exit_code(&page(&stack).unwrap_err()), 3);
}

#[tokio::test]
async fn a_conversation_is_shown_by_what_redis_has_where_its_tables_cannot_be_read() {
    let thread = FsmThread {
        id: "01JD0000000000000000000042".into(),
        state: "COLLECT_SLOT".into(),
        tenant_slug: "amani_salon".into(),
        channel: "voice".into(),
        intent: "call 254712345678".into(),
        reprompts: 0,
        entered_at: None,
        updated_at: None,
        payment_id: None,
    };
    let stack =
        Stack::default().with_tenants(&["amani_salon"]).with_threads(vec![ThreadRecord::Thread(thread)]);
    let show = async |id: &str| console(&stack).thread(ThreadId { thread: id.into() }).await;
    let shown = show("01JD0000000000000000000042").await.unwrap();
    assert_eq!(shown.state.as_deref(), Some("COLLECT_SLOT"));
    assert!(
        shown.places[0].payments.why().is_some() && shown.places[0].checkpoints.why().is_some(),
        "{shown:?}"
    );
    assert_eq!(shown.now.known().unwrap().as_ref().unwrap().intent, "call •••678");
    // Another one may be in the tables that nobody could read.
    let error = show("01JD0000000000000000000043").await.unwrap_err();
    assert!(exit_code(&error) == 3 && error.message.contains("amani_salon"), "{error:?}");
}
