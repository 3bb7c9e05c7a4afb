//! The core's decisions, with the stack in memory. Real engines are in `tests/drills`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::type_complexity,
    reason = "a test fails by panicking; cases are tables"
)]

mod binding;
mod bundle;
mod engine_limits;
mod evidence;
mod in_part;
mod interrupted;
mod log_view;
mod observe;
mod opened;
mod playbook_alembic_heads;
mod playbook_backend_memory;
mod playbook_callback_missing;
mod playbook_collect_slot;
mod playbook_extras;
mod playbook_intent_no_route;
mod playbook_knowledge_overflow;
mod playbook_leftover_test_schemas;
mod playbook_livekit;
mod playbook_payment_pending;
mod playbook_service_unhealthy;
mod playbook_stk_cancelled;
mod playbook_tts_latency;
mod playbook_whatsapp;
mod questions;
mod reads;
mod redact;
mod remedy;
mod runbook;
mod runbook_page;
mod shipped;
mod undo_recreates;
mod waiting;
