//! What a bundle can't be asked: everything but its own files. Each question is answered with that.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use ratiba_core::{
    journal::{Entry, EntryDraft, History},
    model::{ContainerFacts, LastGood, Sightings, SourceError, SourceErrorKind, SourceName},
    playbook::step::{ComposeAction, HttpCall, ProjectAction},
    ports::{
        Clock, Compose, ContainerChange, Containers, EngineLine, EnvironmentVariable, Host, HttpAnswer,
        HttpLooks, JournalError, JournalStore, LogFile, LogLine, Process, Publisher, Read, SightingError,
        SightingStore, TargetLock, VolumeWriter, Webhook,
    },
    remedy::Plan,
};

/// The stack of a bundle: its containers are known, and nothing else can be asked.
pub(super) struct Nothing {
    pub(super) containers: Result<Vec<ContainerFacts>, String>,
}

fn no<T>(source: SourceName, attempted: &str) -> Read<T> {
    Err(SourceError {
        source_name: source,
        kind: SourceErrorKind::Missing,
        attempted: attempted.to_owned(),
        happened: "this is a bundle, and not the stack itself".into(),
        hint: "Open the stack's own profile instead.".into(),
    })
}

#[async_trait]
impl Containers for Nothing {
    async fn list(&self) -> Read<Vec<ContainerFacts>> {
        match &self.containers {
            Ok(containers) => Ok(containers.clone()),
            Err(why) => no(SourceName::Docker, &format!("read the bundle's containers ({why})")),
        }
    }
    async fn changes(&self) -> Read<BoxStream<'static, Read<ContainerChange>>> {
        no(SourceName::Docker, "watch the containers")
    }
    async fn log_tail(&self, _container_id: &str, _lines: u32) -> Read<Vec<LogLine>> {
        no(SourceName::Docker, "read a container's log")
    }
    async fn log_lines(
        &self,
        _container_id: &str,
        _tail: Option<u64>,
        _follow: bool,
    ) -> Read<BoxStream<'static, Read<Vec<EngineLine>>>> {
        no(SourceName::Docker, "read a container's log")
    }
    async fn memory(&self, _container_ids: &[String]) -> Read<Vec<(String, u64)>> {
        no(SourceName::Docker, "read the containers' memory")
    }
    async fn engine_id(&self) -> Read<String> {
        no(SourceName::Docker, "ask the engine for its id")
    }
    async fn volume(&self, _name: &str) -> Read<Option<String>> {
        no(SourceName::Docker, "look for a volume")
    }
    async fn writers(&self, _volume: &str) -> Read<Vec<VolumeWriter>> {
        no(SourceName::Docker, "look who writes to a volume")
    }
    async fn publisher(&self, _port: u16) -> Read<Option<Publisher>> {
        no(SourceName::Docker, "look who publishes a port")
    }
    async fn execs(&self, _container_id: &str) -> Read<Vec<Vec<String>>> {
        no(SourceName::Docker, "look for commands in a container")
    }
    async fn named(&self, _name: &str) -> Read<Option<String>> {
        no(SourceName::Docker, "look for a container")
    }
    async fn processes(&self, _container_id: &str) -> Read<Vec<Process>> {
        no(SourceName::Docker, "look for a container's processes")
    }
    async fn variable(&self, _container_id: &str, _name: &str) -> Read<Option<EnvironmentVariable>> {
        no(SourceName::Docker, "look for a container's variable")
    }
}

#[async_trait]
impl Compose for Nothing {
    async fn declared_services(&self) -> Read<Vec<String>> {
        no(SourceName::Compose, "read the compose file")
    }
    async fn config_hashes(&self) -> Read<BTreeMap<String, String>> {
        no(SourceName::Compose, "read the compose file")
    }
    async fn dependencies(&self) -> Read<BTreeMap<String, Vec<String>>> {
        no(SourceName::Compose, "read the compose file")
    }
    fn argv(&self, _action: &ComposeAction) -> Vec<String> {
        Vec::new()
    }
    fn project_argv(&self, _action: &ProjectAction) -> Vec<String> {
        Vec::new()
    }
    fn oneoff_argv(&self, _service: &str, _name: &str, _mark: &str, _argv: &[String]) -> Vec<String> {
        Vec::new()
    }
    async fn going_on(&self, _words: &[String]) -> Read<Option<String>> {
        no(SourceName::Compose, "look for a command")
    }
}

#[async_trait]
impl Host for Nothing {
    async fn port_holder(&self, _port: u16) -> Read<Option<String>> {
        no(SourceName::Host, "look who listens on a port")
    }
    async fn http_get(&self, _url: &str) -> Read<(u16, String)> {
        no(SourceName::Host, "call the stack")
    }
    async fn accepts(&self, _port: u16) -> Read<bool> {
        no(SourceName::Host, "try a port")
    }
    async fn sip_options(&self, _port: u16) -> Read<Option<String>> {
        no(SourceName::Host, "ask the SIP service")
    }
    async fn texts(&self, _pattern: &str) -> Read<Vec<(String, String)>> {
        no(SourceName::Host, "read files")
    }
    async fn log_file(&self, _path: &str, _lines: u32) -> Read<Option<LogFile>> {
        no(SourceName::Host, "read a log file")
    }
}

#[async_trait]
impl HttpLooks for Nothing {
    async fn look(&self, _call: &HttpCall) -> Read<HttpAnswer> {
        no(SourceName::Http, "call the stack")
    }
    fn line(&self, _call: &HttpCall) -> Read<String> {
        no(SourceName::Http, "say what a call would be")
    }
    async fn stk_query(&self, _checkout_request_id: &str) -> Read<HttpAnswer> {
        no(SourceName::Http, "ask Daraja")
    }
    async fn webhook(&self) -> Read<Webhook> {
        no(SourceName::Http, "try the webhook")
    }
    async fn webhook_tries(&self) -> Vec<Timestamp> {
        Vec::new()
    }
}

fn no_journal<T>(attempted: &str) -> Result<T, JournalError> {
    let happened = "this is a bundle, and not the stack itself".into();
    Err(JournalError::Store { attempted: attempted.into(), happened })
}

#[async_trait]
impl JournalStore for Nothing {
    async fn append(&self, _draft: EntryDraft) -> Result<Entry, JournalError> {
        no_journal("write to the journal")
    }
    async fn entries(&self, _run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        no_journal("read the journal")
    }
    async fn history(&self) -> Result<History, JournalError> {
        no_journal("read the journal")
    }
    async fn keep_plan(&self, _plan: &Plan) -> Result<(), JournalError> {
        no_journal("keep a plan")
    }
    async fn plan(&self, _plan_id: &str) -> Result<Option<Plan>, JournalError> {
        no_journal("find a plan")
    }
    async fn use_plan(&self, _plan_id: &str, _digest: &str) -> Result<bool, JournalError> {
        no_journal("use a plan")
    }
    async fn target_holder(&self, _target: &str) -> Result<Option<String>, JournalError> {
        no_journal("look for a lock")
    }
    async fn lock_target(&self, _target: &str, _holder: &str) -> Result<TargetLock, JournalError> {
        no_journal("take a lock")
    }
}

#[async_trait]
impl SightingStore for Nothing {
    async fn all(&self) -> Result<Sightings, SightingError> {
        Ok(Sightings::new())
    }
    async fn keep(&self, _sightings: &Sightings) -> Result<(), SightingError> {
        Ok(())
    }
    async fn good(&self) -> Result<Option<LastGood>, SightingError> {
        Ok(None)
    }
    async fn keep_good(&self, _good: &LastGood) -> Result<(), SightingError> {
        Ok(())
    }
}

/// In a bundle it is always the moment at which it was captured.
pub(super) struct Stopped {
    pub(super) at: Timestamp,
    pub(super) real: Arc<dyn Clock>,
}

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.at
    }
    fn monotonic_ms(&self) -> u64 {
        self.real.monotonic_ms()
    }
    async fn sleep(&self, how_long: Duration) {
        self.real.sleep(how_long).await;
    }
    fn new_id(&self) -> String {
        self.real.new_id()
    }
}
