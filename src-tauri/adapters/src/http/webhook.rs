//! Trying the WhatsApp webhook with calls that carry no message: a signature and a verify token that are
//! right, and ones that are wrong. Nobody's conversation is touched by them.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{Read, Webhook, WebhookAnswer},
};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use sha2::Sha256;

use super::{Secret, Tries, trouble};

/// Where Meta's calls arrive, and what they are checked with.
pub struct WhatsApp {
    /// Such as `http://127.0.0.1:8010/webhooks/whatsapp`.
    pub url: String,
    /// The app's secret.
    pub app_secret: Secret,
    /// The handshake's token.
    pub verify_token: Secret,
    /// When it was tried.
    pub tries: Tries,
}

/// A call of Meta's without any entry.
const EMPTY: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;
const DEADLINE: Duration = Duration::from_secs(5);
const CHALLENGE: &str = "1158201444";

impl WhatsApp {
    /// Makes all four calls side by side.
    pub(super) async fn tried(&self) -> Read<Webhook> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(DEADLINE)
            .build()
            .map_err(|e| trouble("try the WhatsApp webhook", &e))?;
        let tried = self.tries.noted(Timestamp::now()).map_err(|e| SourceError {
            source_name: SourceName::Http,
            kind: SourceErrorKind::Invalid,
            attempted: "note that the WhatsApp webhook is tried".into(),
            happened: e.to_string(),
            hint: "Check the rights of the console's state folder.".into(),
        })?;
        let signed = async {
            match (self.app_secret)().and_then(|secret| signature(&secret)) {
                Ok(signature) => answered(self.signed_with(&client, &signature)).await,
                Err(error) => WebhookAnswer::Failed(error.to_string()),
            }
        };
        // Sixty-four characters, as a real one has, and no secret's signature of this text.
        let forged = answered(self.signed_with(&client, &"0".repeat(64)));
        let handshake = async {
            match (self.verify_token)() {
                Ok(token) => answered(self.handshake_with(&client, &token)).await,
                Err(error) => WebhookAnswer::Failed(error.to_string()),
            }
        };
        let wrong_token = answered(self.handshake_with(&client, "ratiba-console-is-no-token"));
        let (signed, forged, handshake, wrong_token) = tokio::join!(signed, forged, handshake, wrong_token);
        Ok(Webhook { url: self.url.clone(), tried, signed, forged, handshake, wrong_token })
    }

    fn signed_with(&self, client: &Client, signature: &str) -> RequestBuilder {
        client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("user-agent", "ratiba-console")
            .header("x-hub-signature-256", format!("sha256={signature}"))
            .body(EMPTY)
    }

    fn handshake_with(&self, client: &Client, token: &str) -> RequestBuilder {
        client.get(&self.url).header("user-agent", "ratiba-console").query(&[
            ("hub.mode", "subscribe"),
            ("hub.verify_token", token),
            ("hub.challenge", CHALLENGE),
        ])
    }
}

async fn answered(request: RequestBuilder) -> WebhookAnswer {
    match request.send().await {
        Ok(response) => WebhookAnswer::Status(response.status().as_u16()),
        Err(error) => WebhookAnswer::Failed(trouble("call the webhook", &error).happened),
    }
}

/// What Meta puts into `X-Hub-Signature-256` behind `sha256=`.
fn signature(secret: &str) -> Result<String, SourceError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|e| SourceError {
        source_name: SourceName::Http,
        kind: SourceErrorKind::Invalid,
        attempted: "sign a call of the webhook".into(),
        happened: e.to_string(),
        hint: "Check [whatsapp] app_secret.".into(),
    })?;
    mac.update(EMPTY.as_bytes());
    Ok(mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect())
}
