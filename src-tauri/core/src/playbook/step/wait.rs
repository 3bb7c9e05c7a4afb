//! Waiting: for the stack, or for a person.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

/// Something that can be waited for or checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The service runs, and is healthy if it has a health check.
    ServiceUp {
        /// The service.
        service: String,
    },
    /// The service has no running container.
    ServiceDown {
        /// The service.
        service: String,
    },
    /// Nobody listens on a TCP port of this machine.
    PortFree {
        /// The port.
        port: u16,
    },
    /// A statement gives exactly these rows.
    Rows {
        /// What it makes sure of, in words.
        what: String,
        /// The tenant it is about, if one.
        #[serde(default)]
        tenant: Option<String>,
        /// The statement.
        sql: String,
        /// Its values.
        #[serde(default)]
        params: Vec<Value>,
        /// The rows as maps.
        rows: Vec<Value>,
    },
    /// A string in Redis, or a field of a hash, has exactly this value.
    RedisValue {
        /// The key.
        key: String,
        /// The field, where the key is a hash.
        #[serde(default)]
        field: Option<String>,
        /// The value; absent: it is not there.
        #[serde(default)]
        value: Option<String>,
    },
    /// A GET on this machine is answered with this status.
    HttpStatus {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// Nobody is in a room of LiveKit's: no call would be cut.
    NoCalls,
    /// The playbook itself finds nothing any more. Only for a wait and for what a person does.
    Gone {
        /// What it makes sure of, in words.
        what: String,
    },
}

/// Waits until something is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// In words.
    pub title: String,
    /// What.
    pub condition: Condition,
    /// Seconds after which the step fails.
    pub within_s: u32,
}

/// One act of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Instruction {
    /// In words.
    Plain(String),
    /// In words, and where that is.
    Placed(PlacedInstruction),
}

/// An act, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlacedInstruction {
    /// What to do, such as what to click.
    pub what: String,
    /// Where: the page, the program, the machine.
    #[serde(rename = "where")]
    pub place: String,
}

impl<'de> Deserialize<'de> for Instruction {
    /// By hand: of an untagged one the error would not name the field.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Plain(text)),
            map @ Value::Object(_) => serde_json::from_value(map).map(Self::Placed).map_err(D::Error::custom),
            _ => Err(D::Error::custom("an instruction is text, or #{ what: text, where: text }")),
        }
    }
}

impl std::fmt::Display for Instruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(what) => f.write_str(what),
            Self::Placed(PlacedInstruction { what, place }) => write!(f, "{what} (in {place})"),
        }
    }
}

/// A thing only a person can do; the run waits for `done`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualStep {
    /// In words.
    pub title: String,
    /// What to do, one act each.
    pub instructions: Vec<Instruction>,
    /// What one should know before, such as who holds the port. Nothing to be done.
    #[serde(default)]
    pub facts: Vec<String>,
    /// The check that tells when it is done.
    pub done: Condition,
    /// Seconds after which the step fails.
    pub within_s: u32,
}
