//! The core's decisions, with the stack in memory. Real engines are in `tests/drills`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod binding;
mod engine_limits;
mod in_part;
mod interrupted;
mod observe;
mod playbook_callback_missing;
mod playbook_collect_slot;
mod playbook_payment_pending;
mod playbook_service_unhealthy;
mod playbook_stk_cancelled;
mod remedy;
mod shipped;
