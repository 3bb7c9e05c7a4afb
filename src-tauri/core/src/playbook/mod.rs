//! Playbooks: one Rhai file per runbook row, and the engine that runs them within limits.

pub mod step;
