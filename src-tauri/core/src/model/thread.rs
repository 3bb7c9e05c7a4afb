//! FSM threads, as Redis holds them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One booking conversation's state. States are opaque text: the runbook names five, others are
/// shown as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FsmThread {
    /// The thread's ULID, from its key.
    pub id: String,
    /// The FSM state.
    pub state: String,
    /// The tenant's slug as written in the value; may be no valid slug.
    pub tenant_slug: String,
    /// `whatsapp` or `voice`; empty when absent.
    pub channel: String,
    /// The classified intent; untrusted text.
    pub intent: String,
    /// Re-prompts in a row in this state.
    pub reprompts: u32,
    /// When the state was entered.
    pub entered_at: Option<Timestamp>,
    /// When the value was last written.
    pub updated_at: Option<Timestamp>,
    /// The payment it waits for.
    pub payment_id: Option<String>,
}

/// What was found under one thread key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ThreadRecord {
    /// A readable thread.
    Thread(FsmThread),
    /// A key whose value can't be read as a thread: counted and shown, never dropped.
    Unreadable {
        /// The key, as it is.
        key: String,
        /// Why, in one sentence.
        why: String,
    },
}
