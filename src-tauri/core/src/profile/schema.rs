//! The profile's fields. Each is documented here and in `docs/profile.md`; unknown ones are
//! refused by [`super::parse`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What kind of stack it is: shown unmistakably, and `pilot` asks one step more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum ProfileKind {
    /// The practice lab: faults may be injected.
    Lab,
    /// A developer's machine.
    Laptop,
    /// The pilot: real customers.
    Pilot,
}

/// A reference to a secret; never the secret itself.
/// `env:NAME`, `dotenv:NAME` (a key of the checkout's `.env`), `file:PATH` (all of a file but the
/// line end it may close with).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// A variable of the console's own environment.
    Env(String),
    /// A key of the checkout's `.env` file.
    Dotenv(String),
    /// A file that only its owner can read.
    File(String),
}

impl TryFrom<String> for SecretRef {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("dotenv", name)) if !name.is_empty() => Ok(Self::Dotenv(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            // The text may be a password written here by mistake: it is not repeated.
            _ => {
                Err("a secret is given by reference: `env:NAME`, `dotenv:NAME` or `file:PATH`, not as itself"
                    .into())
            }
        }
    }
}

impl From<SecretRef> for String {
    fn from(secret: SecretRef) -> Self {
        match secret {
            SecretRef::Env(name) => format!("env:{name}"),
            SecretRef::Dotenv(name) => format!("dotenv:{name}"),
            SecretRef::File(path) => format!("file:{path}"),
        }
    }
}

/// A URL, refused when it holds a password: URLs are shown, passwords never are.
fn without_password<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    refused_with_password::<D::Error>(String::deserialize(deserializer)?)
}

fn without_passwords<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let urls = BTreeMap::<String, String>::deserialize(deserializer)?;
    urls.into_iter().map(|(name, url)| Ok((name, refused_with_password::<D::Error>(url)?))).collect()
}

fn refused_with_password<E: serde::de::Error>(url: String) -> Result<String, E> {
    let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        // The text is not repeated.
        Some((user, _)) if user.contains(':') => Err(E::custom(
            "a url holds no password: leave it out there and give it by reference, password = \"dotenv:NAME\" or \"env:NAME\"",
        )),
        _ => Ok(url),
    }
}

/// Where the backend, the front end's dev server and ngrok's agent are, where the profile does not say it.
pub const DEFAULT_ENDPOINTS: [(&str, &str); 3] = [
    ("backend", "http://127.0.0.1:8010"),
    ("frontend", "http://127.0.0.1:3000"),
    ("ngrok", "http://127.0.0.1:4040"),
];

/// A whole profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Shown in the environment band.
    pub name: String,
    /// What kind of stack it is.
    pub kind: ProfileKind,
    /// No acts at all: they are absent, not merely grey.
    #[serde(default)]
    pub read_only: bool,
    /// The compose project.
    pub compose: ComposeSection,
    /// Where the Docker Engine is.
    #[serde(default)]
    pub docker: DockerSection,
    /// Where Postgres is.
    #[serde(default)]
    pub postgres: Option<PostgresSection>,
    /// Where Redis is.
    #[serde(default)]
    pub redis: Option<RedisSection>,
    /// The checkout.
    #[serde(default)]
    pub repo: RepoSection,
    /// Log files on this machine.
    #[serde(default)]
    pub logs: LogsSection,
    /// Names that differ from the defaults.
    #[serde(default)]
    pub schema: SchemaSection,
    /// Limits above which something is called stuck.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// HTTP endpoints of the stack by name, such as `backend`.
    #[serde(default, deserialize_with = "without_passwords")]
    pub endpoints: BTreeMap<String, String>,
    /// LiveKit's API.
    #[serde(default)]
    pub livekit: Option<LivekitSection>,
    /// Daraja, for querying STK pushes.
    #[serde(default)]
    pub daraja: Option<DarajaSection>,
    /// ElevenLabs, for looking at the account.
    #[serde(default)]
    pub elevenlabs: Option<ElevenlabsSection>,
    /// The WhatsApp webhook, for trying it.
    #[serde(default)]
    pub whatsapp: Option<WhatsappSection>,
    /// Which compose service does what.
    #[serde(default)]
    pub services: ServicesSection,
    /// Who is asked for help.
    #[serde(default)]
    pub escalation: EscalationSection,
    /// The lab this profile belongs to (kind `lab` only).
    #[serde(default)]
    pub lab: Option<LabSection>,
}

impl Profile {
    /// All endpoints by name, those with defaults too.
    pub fn all_endpoints(&self) -> BTreeMap<String, String> {
        let defaults = DEFAULT_ENDPOINTS.iter().map(|(name, url)| ((*name).to_owned(), (*url).to_owned()));
        defaults.chain(self.endpoints.clone()).collect()
    }
}

/// `[compose]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComposeSection {
    /// The project's name, as in the label `com.docker.compose.project`.
    pub project: String,
    /// The compose file; relative paths are relative to the profile.
    #[serde(default)]
    pub file: Option<String>,
    /// Further compose files, in order.
    #[serde(default)]
    pub overrides: Vec<String>,
}

/// `[docker]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerSection {
    /// Endpoint such as `unix:///var/run/docker.sock`; default: `DOCKER_HOST`, the current docker
    /// context, then the known sockets.
    #[serde(default)]
    pub host: Option<String>,
}

/// `[postgres]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSection {
    /// `postgres://user@host:port/database`, without a password.
    #[serde(deserialize_with = "without_password")]
    pub url: String,
    /// The password.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// The compose service that runs it; backups are made in its container.
    #[serde(default = "postgres_service")]
    pub service: String,
}

fn postgres_service() -> String {
    "postgres".into()
}

/// `[livekit]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivekitSection {
    /// Such as `http://127.0.0.1:7890`.
    #[serde(deserialize_with = "without_password")]
    pub url: String,
    /// The API key.
    pub key: SecretRef,
    /// The API secret.
    pub secret: SecretRef,
    /// The port for RTC over TCP.
    #[serde(default = "rtc_port")]
    pub rtc_port: u16,
    /// The SIP service's UDP port.
    #[serde(default = "sip_port")]
    pub sip_port: u16,
    /// The server's configuration, a path in the checkout.
    #[serde(default = "livekit_config")]
    pub config: String,
}

fn rtc_port() -> u16 {
    7891
}

fn sip_port() -> u16 {
    5060
}

fn livekit_config() -> String {
    "docker/livekit.yaml".into()
}

/// `[elevenlabs]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElevenlabsSection {
    /// Such as `https://api.elevenlabs.io`.
    #[serde(deserialize_with = "without_password")]
    pub url: String,
    /// The API key.
    pub key: SecretRef,
}

/// `[whatsapp]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsappSection {
    /// Where Meta's calls arrive, such as `http://127.0.0.1:8010/webhooks/whatsapp`.
    #[serde(deserialize_with = "without_password")]
    pub url: String,
    /// The app's secret, by the name it has in the `.env`.
    #[serde(default = "app_secret")]
    pub app_secret: String,
    /// The handshake's token, by the name it has in the `.env`.
    #[serde(default = "verify_token")]
    pub verify_token: String,
    /// What switches the signature's check on and off, by the name it has in the `.env`.
    #[serde(default = "verify_signature")]
    pub verify_signature: String,
}

fn app_secret() -> String {
    "WHATSAPP_APP_SECRET".into()
}

fn verify_token() -> String {
    "WHATSAPP_VERIFY_TOKEN".into()
}

fn verify_signature() -> String {
    "WHATSAPP_VERIFY_SIGNATURE".into()
}

/// `[services]`: the compose services by what they do, and the Python inside one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServicesSection {
    /// Runs uvicorn.
    pub backend: String,
    /// Runs arq.
    pub worker: String,
    /// Runs the daily reapers.
    pub cron: String,
    /// Runs LiveKit's server.
    pub livekit: String,
    /// Runs LiveKit's SIP service.
    pub sip: String,
    /// Runs Next.js.
    pub frontend: String,
    /// The Python in the backend's containers, which has the app's packages. No service.
    pub backend_python: String,
}

impl Default for ServicesSection {
    fn default() -> Self {
        let [backend, worker, cron, livekit, sip, frontend] =
            ["backend", "worker", "cron", "livekit", "sip", "frontend"].map(str::to_owned);
        let backend_python = "/app/.venv/bin/python".to_owned();
        Self { backend, worker, cron, livekit, sip, frontend, backend_python }
    }
}

/// `[daraja]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DarajaSection {
    /// Such as `https://api.safaricom.co.ke`.
    #[serde(deserialize_with = "without_password")]
    pub url: String,
    /// The app's consumer key.
    pub consumer_key: SecretRef,
    /// The app's consumer secret.
    pub consumer_secret: SecretRef,
    /// The short code.
    pub shortcode: String,
    /// The short code's passkey.
    pub passkey: SecretRef,
}

/// `[redis]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSection {
    /// `redis://host:port/db`, without a password.
    #[serde(deserialize_with = "without_password")]
    pub url: String,
    /// The password.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// Prefix of the thread keys.
    #[serde(default = "thread_prefix")]
    pub thread_prefix: String,
    /// The compose service that runs it; what a person runs to restore a backup is run in its container.
    #[serde(default = "redis_service")]
    pub service: String,
    /// The sorted set of arq's queue.
    #[serde(default = "arq_queue")]
    pub arq_queue: String,
}

fn arq_queue() -> String {
    "arq:queue".into()
}

fn redis_service() -> String {
    "redis".into()
}

fn thread_prefix() -> String {
    "ratiba:fsm:thread:".into()
}

/// `[escalation]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EscalationSection {
    /// Whom the drafted message of a bundle is for, such as `Adrian`.
    pub person: Option<String>,
}

/// `[repo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepoSection {
    /// The checkout's directory.
    pub path: Option<String>,
    /// The `.env` file, default `.env` in the checkout.
    pub dotenv: Option<String>,
    /// The folder of the backend in the checkout.
    pub backend: String,
    /// The folder of the front end in the checkout.
    pub frontend: String,
    /// The folder of alembic's revisions in the checkout.
    pub revisions: String,
    /// The file with the table of intents in the checkout.
    pub intent_router: String,
    /// Close-out memos, such as `~/notes/project_m*_landed.md`: searched where no row fits.
    pub memos: Option<String>,
}

impl Default for RepoSection {
    fn default() -> Self {
        Self {
            path: None,
            dotenv: None,
            backend: "backend".into(),
            frontend: "frontend".into(),
            revisions: "backend/alembic/versions".into(),
            intent_router: "backend/app/agents/intent_router.py".into(),
            memos: None,
        }
    }
}

/// `[logs]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogsSection {
    /// Log files on this machine.
    #[serde(default)]
    pub files: Vec<String>,
}

/// `[schema]`: names that differ from the documented defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSection {
    /// Tables: `payments = "mpesa_payments"`.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// Columns: `"payments.checkout_request_id" = "checkout_id"`.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Whether `day_of_week` counts Monday as 1 (ISO) and not as 0.
    #[serde(default)]
    pub iso_weekdays: bool,
}

/// `[thresholds]`, in seconds where not said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// A payment that waits longer is stuck.
    pub payment_stuck_s: u32,
    /// No payment younger than this is ever aged out.
    pub nudge_window_s: u32,
    /// A thread that stays longer in one state is stuck, if it was re-prompted.
    pub thread_stuck_s: u32,
    /// Re-prompts in a row from which a thread is stuck.
    pub reprompts: u32,
    /// End-to-end budget of a voice turn, in milliseconds.
    pub tts_budget_ms: u32,
    /// Of that, what the speech synthesis alone may take, in milliseconds.
    pub tts_synthesis_ms: u32,
    /// Memory of the backend above which it is an alarm, in bytes.
    pub backend_memory_bytes: u64,
    /// Days after which the daily archiving leaves only a quiet thread's latest checkpoint.
    pub archive_after_days: u32,
    /// Active knowledge snippets a tenant may have.
    pub snippets: u32,
    /// Tokens of knowledge a tenant may have.
    pub snippet_tokens: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            payment_stuck_s: 60,
            nudge_window_s: 480,
            thread_stuck_s: 300,
            reprompts: 3,
            tts_budget_ms: 2_500,
            tts_synthesis_ms: 1_200,
            backend_memory_bytes: 1_000_000_000,
            archive_after_days: 7,
            snippets: 20,
            snippet_tokens: 1_500,
        }
    }
}

/// `[lab]`, written by `ratibactl drill up`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabSection {
    /// The folder with the lab's `lab` command.
    pub dir: String,
    /// Added to every published port.
    #[serde(default)]
    pub port_offset: u32,
}
