//! The escalation bundle: what somebody else is given to look at when the console could not help.

pub mod redact;
