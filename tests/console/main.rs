//! The core's decisions, with the stack in memory. Real engines are in `tests/drills`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod binding;
mod engine_limits;
mod in_part;
mod interrupted;
mod observe;
mod playbook_alembic_heads;
mod playbook_backend_memory;
mod playbook_collect_slot;
mod playbook_service_unhealthy;
mod remedy;
mod shipped;
