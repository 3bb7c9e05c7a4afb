//! One observation pass: the same question is asked once, however many playbooks ask it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    model::{SourceError, SourceName, TenantSlug},
    playbook::step::HttpCall,
    ports::SqlRead,
};

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// All services: declared ones and containers.
    Services,
    /// The tenants.
    Tenants,
    /// One statement for every tenant.
    EachTenant {
        /// The tenants.
        tenants: Vec<TenantSlug>,
        /// The statement, with `{tenant}`.
        sql: String,
    },
    /// One statement.
    Query(SqlRead),
    /// All FSM threads.
    Threads,
    /// The last lines of a service's container.
    LogTail {
        /// The service.
        service: String,
        /// How many lines.
        lines: u32,
    },
    /// A service's last log lines, as records.
    LogRecords {
        /// The service.
        service: String,
        /// How many lines.
        lines: u32,
    },
    /// The last lines of a log file of this machine, as records.
    LogFile {
        /// The file.
        path: String,
        /// How many lines.
        lines: u32,
    },
    /// What compose would make of the services, by its hash.
    ConfigHashes,
    /// The processes of a service's container.
    Processes {
        /// The service.
        service: String,
    },
    /// The memory of a service's container.
    ContainerMemory {
        /// The service.
        service: String,
    },
    /// A variable of a service's container, beside the `.env`'s.
    Variable {
        /// The service.
        service: String,
        /// The variable.
        name: String,
    },
    /// A key of the `.env`.
    Dotenv {
        /// The key.
        key: String,
    },
    /// A value in Redis.
    RedisValue {
        /// The key.
        key: String,
        /// The field, where it is a hash.
        field: Option<String>,
    },
    /// A key of Redis.
    RedisKey {
        /// The key.
        key: String,
    },
    /// A hash's field names.
    RedisFields {
        /// The key.
        key: String,
    },
    /// A sorted set's lowest members.
    RedisLowest {
        /// The key.
        key: String,
        /// How many.
        count: u32,
    },
    /// Which keys are there.
    RedisThere {
        /// The keys.
        keys: Vec<String>,
    },
    /// Who listens on a TCP port of this machine.
    PortHolder {
        /// The port.
        port: u16,
    },
    /// A GET.
    HttpGet {
        /// The address.
        url: String,
    },
    /// Whether a TCP port of this machine takes connections.
    Accepts {
        /// The port.
        port: u16,
    },
    /// How a SIP server answers.
    SipOptions {
        /// Its UDP port.
        port: u16,
    },
    /// A call that only looks.
    HttpLook(HttpCall),
    /// How an STK push stands, by Daraja.
    StkQuery {
        /// The push.
        checkout_request_id: String,
    },
    /// The WhatsApp webhook.
    Webhook,
    /// The latest commits.
    Commits {
        /// How many.
        count: u32,
    },
    /// What is at a path of the checkout.
    RepoEntry {
        /// The path.
        path: String,
    },
    /// A folder of the checkout.
    RepoList {
        /// Its path.
        path: String,
    },
    /// A file's text.
    RepoText {
        /// Its path.
        path: String,
    },
    /// Constants of Python files.
    RepoPython {
        /// Their paths.
        paths: Vec<String>,
    },
    /// Branches with a file of such a name.
    RepoElsewhere {
        /// A part of the name.
        name: String,
    },
    /// What pytest remembers of its last run.
    PytestCache {
        /// In this folder.
        folder: String,
    },
}

impl Question {
    /// Who answers it.
    pub fn source(&self) -> SourceName {
        match self {
            Self::Services
            | Self::Processes { .. }
            | Self::ContainerMemory { .. }
            | Self::Variable { .. } => SourceName::Docker,
            Self::ConfigHashes => SourceName::Compose,
            Self::Tenants | Self::EachTenant { .. } | Self::Query(_) => SourceName::Postgres,
            Self::Threads
            | Self::RedisValue { .. }
            | Self::RedisKey { .. }
            | Self::RedisFields { .. }
            | Self::RedisLowest { .. }
            | Self::RedisThere { .. } => SourceName::Redis,
            Self::LogTail { .. } | Self::LogRecords { .. } | Self::LogFile { .. } => SourceName::Logs,
            Self::PortHolder { .. } | Self::Accepts { .. } | Self::SipOptions { .. } => SourceName::Host,
            Self::HttpGet { .. } | Self::HttpLook(_) | Self::StkQuery { .. } | Self::Webhook => {
                SourceName::Http
            }
            Self::Dotenv { .. }
            | Self::Commits { .. }
            | Self::RepoEntry { .. }
            | Self::RepoList { .. }
            | Self::RepoText { .. }
            | Self::RepoPython { .. }
            | Self::RepoElsewhere { .. }
            | Self::PytestCache { .. } => SourceName::Repo,
        }
    }
}

/// A probe's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was found.
    pub value: Value,
    /// When.
    pub as_of: Timestamp,
    /// Where.
    pub source: SourceName,
}

/// An answer, or why there is none.
pub type Answered = Result<Arc<Answer>, SourceError>;

/// Asks the sources and waits: scripts are not asynchronous. Called from threads that may block.
pub trait Asker: Send + Sync {
    /// Asks one question.
    fn ask(&self, question: &Question) -> Answered;
}

/// Keeps each answer for the length of a pass; askers of a question that is under way wait for
/// its answer.
pub struct ObservationPass {
    asker: Box<dyn Asker>,
    answers: Mutex<BTreeMap<String, Arc<OnceLock<Answered>>>>,
}

impl ObservationPass {
    /// A pass in which nothing was asked yet.
    pub fn new(asker: Box<dyn Asker>) -> Self {
        Self { asker, answers: Mutex::default() }
    }

    pub(super) fn ask(&self, question: &Question) -> Answered {
        let key = serde_json::to_string(question).unwrap_or_default();
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.entry(key).or_default().clone()
        };
        cell.get_or_init(|| self.asker.ask(question)).clone()
    }

    /// How many different questions were asked so far.
    pub fn questions(&self) -> usize {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
