//! The stack's HTTP endpoints: LiveKit's twirp API, Daraja's query, ElevenLabs' account, the WhatsApp
//! webhook, and any named one.

mod auth;
mod tries;
mod webhook;

use std::error::Error as _;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    playbook::step::HttpCall,
    ports::{HttpAnswer, HttpCalls, HttpLooks, Read, Webhook},
};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};

pub use tries::Tries;
pub use webhook::WhatsApp;

const CONNECT: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(15);
/// The part of an answer that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// Finds a secret when a call needs it.
pub type Secret = Arc<dyn Fn() -> Result<String, SourceError> + Send + Sync>;

/// LiveKit's address and keys.
pub struct Livekit {
    /// Such as `http://127.0.0.1:7890`.
    pub url: String,
    /// The API key.
    pub key: Secret,
    /// The API secret.
    pub secret: Secret,
}

/// Daraja's address and keys.
pub struct Daraja {
    /// Such as `https://api.safaricom.co.ke`.
    pub url: String,
    /// The app's consumer key.
    pub consumer_key: Secret,
    /// The app's consumer secret.
    pub consumer_secret: Secret,
    /// The short code.
    pub shortcode: String,
    /// The short code's passkey.
    pub passkey: Secret,
}

/// ElevenLabs' address and key.
pub struct Elevenlabs {
    /// Such as `https://api.elevenlabs.io`.
    pub url: String,
    /// The API key.
    pub key: Secret,
}

/// The endpoints of one stack.
#[derive(Default)]
pub struct Endpoints {
    /// Named ones.
    pub named: BTreeMap<String, String>,
    /// LiveKit, if the profile has it.
    pub livekit: Option<Livekit>,
    /// Daraja, if the profile has it.
    pub daraja: Option<Daraja>,
    /// ElevenLabs, if the profile has it.
    pub elevenlabs: Option<Elevenlabs>,
    /// The WhatsApp webhook, if the profile has it.
    pub whatsapp: Option<WhatsApp>,
}

fn missing(what: &str, section: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Http,
        kind: SourceErrorKind::NotConfigured,
        attempted: format!("call {what}"),
        happened: "the profile does not say where it is".into(),
        hint: format!("Add {section} to the profile; docs/profile.md shows how."),
    }
}

/// A path that can't lead to another host.
fn a_path<'p>(path: &'p str, what: &str) -> Read<&'p str> {
    if path.starts_with('/') && !path.contains(char::is_whitespace) {
        return Ok(path);
    }
    Err(SourceError {
        source_name: SourceName::Http,
        kind: SourceErrorKind::Invalid,
        attempted: format!("call {what}"),
        happened: "its path must begin with / and hold no blank".into(),
        hint: "Fix the playbook.".into(),
    })
}

/// Only calls that change nothing: the names of twirp methods say which do.
fn only_looks(call: &HttpCall) -> bool {
    match call {
        HttpCall::Livekit { method, .. } => method.starts_with("List") || method.starts_with("Get"),
        HttpCall::Endpoint { method, .. } => method == "GET",
        HttpCall::Elevenlabs { .. } => true,
        // It changes nothing, and it is somebody else's service with a quota: asked on purpose only.
        HttpCall::StkQuery { .. } => false,
    }
}

impl Endpoints {
    fn address(&self, call: &HttpCall) -> Read<(Method, String)> {
        match call {
            HttpCall::Livekit { service, method, .. } => {
                let livekit = self.livekit.as_ref().ok_or_else(|| missing("LiveKit", "[livekit]"))?;
                let base = livekit.url.trim_end_matches('/');
                Ok((Method::POST, format!("{base}/twirp/livekit.{service}/{method}")))
            }
            HttpCall::StkQuery { .. } => {
                let daraja = self.daraja.as_ref().ok_or_else(|| missing("Daraja", "[daraja]"))?;
                let base = daraja.url.trim_end_matches('/');
                Ok((Method::POST, format!("{base}/mpesa/stkpushquery/v1/query")))
            }
            HttpCall::Elevenlabs { path } => {
                let elevenlabs =
                    self.elevenlabs.as_ref().ok_or_else(|| missing("ElevenLabs", "[elevenlabs]"))?;
                Ok((
                    Method::GET,
                    format!("{}{}", elevenlabs.url.trim_end_matches('/'), a_path(path, "ElevenLabs")?),
                ))
            }
            HttpCall::Endpoint { endpoint, method, path, .. } => {
                let base = self
                    .named
                    .get(endpoint)
                    .ok_or_else(|| missing(endpoint, &format!("[endpoints] {endpoint}")))?;
                let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str());
                let method = Method::from_bytes(method.as_bytes()).ok().filter(|_| known);
                let bad = |happened: &str| SourceError {
                    source_name: SourceName::Http,
                    kind: SourceErrorKind::Invalid,
                    attempted: format!("call {endpoint}"),
                    happened: happened.to_owned(),
                    hint: "Fix the playbook.".into(),
                };
                let method =
                    method.ok_or_else(|| bad("its method is none of GET, POST, PUT, PATCH, DELETE"))?;
                Ok((method, format!("{}{}", base.trim_end_matches('/'), a_path(path, endpoint)?)))
            }
        }
    }

    async fn request(&self, client: &Client, call: &HttpCall) -> Read<RequestBuilder> {
        let (method, url) = self.address(call)?;
        let request = client.request(method, url);
        Ok(match (call, &self.livekit, &self.daraja) {
            (HttpCall::Livekit { grants, body, .. }, Some(livekit), _) => {
                request.bearer_auth(auth::livekit_token(livekit, grants)?).json(body)
            }
            (HttpCall::StkQuery { checkout_request_id }, _, Some(daraja)) => {
                let token = auth::daraja_token(client, daraja).await?;
                let (timestamp, password) = auth::stk_password(daraja)?;
                request.bearer_auth(token).json(&json!({
                    "BusinessShortCode": daraja.shortcode,
                    "Password": password,
                    "Timestamp": timestamp,
                    "CheckoutRequestID": checkout_request_id,
                }))
            }
            (HttpCall::Elevenlabs { .. }, _, _) => {
                let key = self.elevenlabs.as_ref().map(|e| (e.key)()).transpose()?;
                request.header("xi-api-key", key.unwrap_or_default())
            }
            (HttpCall::Endpoint { body, .. }, _, _) if !body.is_null() => request.json(body),
            _ => request,
        })
    }

    async fn make(&self, call: &HttpCall) -> Read<HttpAnswer> {
        let (method, url) = self.address(call)?;
        let attempted = format!("{method} {url}");
        let trouble = |e: &reqwest::Error| trouble(&attempted, e);
        let client = Client::builder()
            // Reading the system's certificates costs more than a call without TLS.
            .tls_built_in_root_certs(!url.starts_with("http://"))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(DEADLINE)
            .build()
            .map_err(|e| trouble(&e))?;
        let mut response = self.request(&client, call).await?.send().await.map_err(|e| trouble(&e))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| trouble(&e))? {
            let room = LARGEST_BODY.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if body.len() >= LARGEST_BODY {
                break;
            }
        }
        let mut text = String::from_utf8_lossy(&body).into_owned();
        if body.len() >= LARGEST_BODY {
            // Half a secret could not be found: not half a word is left.
            text.truncate(text.rfind(|c: char| c.is_whitespace() || c == '"').unwrap_or(0));
            text.push_str(" [cut]");
        }
        let body = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text));
        Ok(HttpAnswer { status, body })
    }
}

/// What happened; without the address's query and whatever else the library would print.
pub(super) fn trouble(attempted: &str, error: &reqwest::Error) -> SourceError {
    // Only what never left this machine is known not to have been carried out.
    let kind = if error.is_connect() || error.is_builder() {
        SourceErrorKind::Unreachable
    } else {
        SourceErrorKind::TimedOut
    };
    let mut is_untrusted = false;
    let mut cause = error.source();
    while let Some(inner) = cause {
        is_untrusted |= inner.to_string().contains("certificate");
        cause = inner.source();
    }
    let happened = if error.is_connect() && is_untrusted {
        "this machine does not trust its TLS certificate".to_owned()
    } else if error.is_connect() {
        "nobody answers there".to_owned()
    } else if error.is_timeout() {
        format!("no answer within {} s", DEADLINE.as_secs())
    } else {
        "the connection was lost before the answer came".to_owned()
    };
    SourceError {
        source_name: SourceName::Http,
        kind,
        attempted: attempted.to_owned(),
        happened,
        hint: "Is the service up, and its address in the profile right?".into(),
    }
}

#[async_trait]
impl HttpLooks for Endpoints {
    async fn look(&self, call: &HttpCall) -> Read<HttpAnswer> {
        if only_looks(call) {
            return self.make(call).await;
        }
        Err(SourceError {
            source_name: SourceName::Http,
            kind: SourceErrorKind::Denied,
            attempted: format!("look by {}", self.line(call)?),
            happened: "that call is not one that only looks".into(),
            hint: "Fix the playbook: a look is a GET, or a List… or Get… of LiveKit.".into(),
        })
    }

    fn line(&self, call: &HttpCall) -> Read<String> {
        let (method, url) = self.address(call)?;
        Ok(format!("{method} {url}"))
    }

    async fn stk_query(&self, checkout_request_id: &str) -> Read<HttpAnswer> {
        self.make(&HttpCall::StkQuery { checkout_request_id: checkout_request_id.to_owned() }).await
    }

    async fn webhook(&self) -> Read<Webhook> {
        self.whatsapp.as_ref().ok_or_else(|| missing("the WhatsApp webhook", "[whatsapp]"))?.tried().await
    }

    async fn webhook_tries(&self) -> Vec<Timestamp> {
        // Without its folder there was none.
        self.whatsapp
            .as_ref()
            .and_then(|whatsapp| whatsapp.tries.remembered(Timestamp::now()).ok())
            .unwrap_or_default()
    }
}

#[async_trait]
impl HttpCalls for Endpoints {
    async fn call(&self, call: &HttpCall) -> Result<HttpAnswer, SourceError> {
        self.make(call).await
    }
}
