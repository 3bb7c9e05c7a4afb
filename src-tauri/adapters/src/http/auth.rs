//! Access tokens, made when a call needs them and kept nowhere.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::Read,
};
use reqwest::Client;
use serde_json::{Map, Value, json};

use super::{Daraja, Livekit, trouble};

/// How long LiveKit's token is good for: one call.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(60);

fn failed(attempted: &str, happened: String, hint: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Http,
        kind: SourceErrorKind::Denied,
        attempted: attempted.to_owned(),
        happened,
        hint: hint.to_owned(),
    }
}

/// LiveKit's access token with these grants.
pub(super) fn livekit_token(livekit: &Livekit, grants: &Value) -> Read<String> {
    let now = Timestamp::now();
    let ends = now.saturating_add(GOOD_FOR).unwrap_or(now);
    let mut claims = Map::new();
    claims.insert("iss".into(), json!((livekit.key)()?));
    claims.insert("nbf".into(), json!(now.as_second() - 5));
    claims.insert("exp".into(), json!(ends.as_second()));
    if let Value::Object(grants) = grants {
        claims.extend(grants.clone());
    }
    let key = EncodingKey::from_secret((livekit.secret)()?.as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(|_| {
        failed("make LiveKit's access token", "the key can't be used".into(), "Check [livekit] secret.")
    })
}

/// Daraja's OAuth token.
pub(super) async fn daraja_token(client: &Client, daraja: &Daraja) -> Read<String> {
    let url = format!("{}/oauth/v1/generate?grant_type=client_credentials", daraja.url.trim_end_matches('/'));
    let attempted = "get Daraja's access token";
    let asked = client.get(url).basic_auth((daraja.consumer_key)()?, Some((daraja.consumer_secret)()?));
    let response = asked.send().await.map_err(|e| {
        // No push was queried yet: this call changes nothing.
        SourceError { kind: SourceErrorKind::Unreachable, ..trouble(attempted, &e) }
    })?;
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    let token = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|body| body.get("access_token").and_then(Value::as_str).map(str::to_owned));
    token.ok_or_else(|| {
        let hint = "Check [daraja] consumer_key and consumer_secret.";
        failed(attempted, format!("answered {}", status.as_u16()), hint)
    })
}

/// Time stamp, in Nairobi's time, and password of an STK query.
pub(super) fn stk_password(daraja: &Daraja) -> Read<(String, String)> {
    let nairobi = TimeZone::fixed(jiff::tz::offset(3));
    let timestamp = Timestamp::now().to_zoned_datetime(nairobi).strftime("%Y%m%d%H%M%S").to_string();
    let password = STANDARD.encode(format!("{}{}{timestamp}", daraja.shortcode, (daraja.passkey)()?));
    Ok((timestamp, password))
}
