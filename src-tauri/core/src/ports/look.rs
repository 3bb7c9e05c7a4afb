//! What the sources tell playbooks beside what the console itself watches.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A process of a container. Its arguments are left out: they may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id on the engine's machine.
    pub pid: u64,
    /// Its program's name, as `ps` gives it.
    pub name: String,
    /// `ps`'s state letters: `T` is stopped by a signal, `Z` ended and not waited for.
    pub state: String,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
}

/// A variable of a container's environment. Its value never leaves the adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentVariable {
    /// Its value's keyed fingerprint.
    pub fingerprint: String,
    /// Whether it is set to nothing.
    pub is_empty: bool,
}

/// A key of Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisKey {
    /// Its type, by Redis's own word; `none`: it is not there.
    pub kind: String,
    /// Members of a set, hash, list or stream; bytes of a string; 0 where it is not there.
    pub size: u64,
    /// Milliseconds it has left to live; `None`: for ever, or it is not there.
    pub ttl_ms: Option<i64>,
}

/// A member of a sorted set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RedisScore {
    /// The member.
    pub member: String,
    /// Its score.
    pub score: f64,
}

/// A file or folder of the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoEntry {
    /// Its path in the checkout.
    pub path: String,
    /// Its name.
    pub name: String,
    /// `file`, `folder` or `link`.
    pub kind: String,
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// Whether git knows it: a file that is tracked, a folder with such a file.
    pub tracked: bool,
}

/// What was done to a checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoHistory {
    /// The commit that is checked out.
    pub head: String,
    /// Its branch; empty: none.
    pub branch: String,
    /// Pulls, checkouts, merges, rebases and the like, latest first, as the reflog has them.
    pub moves: Vec<(Timestamp, String)>,
    /// The commit that the difference begins with; `None`: there is none to begin with.
    pub base: Option<String>,
    /// The difference, a line for each file, and one for all.
    pub diff_stat: Vec<String>,
}

/// The constants of a Python file: assignments to a name, at the top of it, of what needs no running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonFile {
    /// Its path in the checkout.
    pub path: String,
    /// Whether git tracks it.
    pub tracked: bool,
    /// Whether git tracks it, and it is not as the newest commit has it.
    #[serde(default)]
    pub edited: bool,
    /// Values by name. What is no literal is left out.
    pub names: BTreeMap<String, Value>,
    /// Lines, counted from 1, on which each name is set.
    pub lines: BTreeMap<String, u32>,
    /// Why it can't be parsed; `None`: it can.
    pub error: Option<String>,
}

/// What pytest's cache in a folder says of its last run there. Names of tests may hold their parameters'
/// values, and stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PytestCache {
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// How many tests were ever collected.
    pub collected: u32,
    /// How many tests failed.
    pub failed: u32,
    /// Files that could not be collected, as the run named them.
    pub not_collected: Vec<String>,
}

/// The end of a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Its last lines, oldest first, without their ends.
    pub lines: Vec<String>,
    /// Whether these are all.
    pub is_whole: bool,
    /// When it was last written.
    pub modified: Option<Timestamp>,
}

/// What a value in a `.env` looks like, without the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DotenvShape {
    /// Its length in characters.
    pub length: u64,
    /// Whether it is made of `0-9a-f` only.
    pub is_hex: bool,
    /// Whether it stands in quotes.
    pub is_quoted: bool,
    /// Whether a blank or a tab is in it, or stands at its ends inside the quotes.
    pub has_blank: bool,
    /// Whether a quote, straight or curly, is in the value itself.
    pub has_quote: bool,
    /// Whether it goes over several lines, as where a quote opens it and is closed on a later one.
    pub has_line_end: bool,
    /// Whether a carriage return ends its line, or is in the value.
    pub has_carriage_return: bool,
    /// Whether it begins as Meta's access tokens do, which are no app's secret.
    pub is_access_token: bool,
}

/// How a webhook answered one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookAnswer {
    /// With this status.
    Status(u16),
    /// It could not be tried, or nobody answered; why.
    Failed(String),
}

/// How the WhatsApp webhook answers calls that carry no message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// When the consoles of this user tried it within the last day, this time included: each time left a refused
    /// call in the backend's log.
    pub tried: Vec<Timestamp>,
    /// Signed with the app's secret.
    pub signed: WebhookAnswer,
    /// With a signature that is wrong.
    pub forged: WebhookAnswer,
    /// Meta's handshake with the verify token.
    pub handshake: WebhookAnswer,
    /// The handshake with another token.
    pub wrong_token: WebhookAnswer,
}
