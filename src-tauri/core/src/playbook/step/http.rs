//! A call of one of the stack's HTTP endpoints.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is called. The endpoint's address and its keys come from the profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpCall {
    /// LiveKit's twirp API, with an access token made for the call.
    Livekit {
        /// Such as `SIP` or `RoomService`.
        service: String,
        /// Such as `CreateSIPDispatchRule`.
        method: String,
        /// The token's grants, such as `#{ sip: #{ admin: true } }`.
        grants: Value,
        /// The request.
        body: Value,
    },
    /// Daraja's query of one STK push.
    StkQuery {
        /// The push.
        checkout_request_id: String,
    },
    /// A GET of ElevenLabs' API with the account's key, such as `/v1/user/subscription`.
    Elevenlabs {
        /// Path and query.
        path: String,
    },
    /// Any path of a named endpoint.
    Endpoint {
        /// Its name in the profile's `[endpoints]`.
        endpoint: String,
        /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
        method: String,
        /// Path and query.
        path: String,
        /// The request's JSON; null: none.
        #[serde(default)]
        body: Value,
    },
}

/// How a call is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpUndo {
    /// What it does, in words.
    pub title: String,
    /// The call. A text `{answer:/pointer}` in its body or path stands for that part of the
    /// step's own answer.
    pub request: HttpCall,
    /// A call that only looks, and what its answer must hold before the undo may run.
    pub look: HttpLook,
}

/// A call that only looks, and what its answer must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpLook {
    /// What it makes sure of, in words.
    pub what: String,
    /// The call.
    pub request: HttpCall,
    /// A part that the answer must have; lists must have an element with each given part.
    pub has: Value,
}

/// Makes a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpStep {
    /// What it does, in words.
    pub title: String,
    /// What is called.
    pub request: HttpCall,
    /// Statuses that mean that it worked.
    #[serde(default = "ok")]
    pub ok_statuses: Vec<u16>,
    /// A part that the answer must have.
    #[serde(default)]
    pub has: Value,
    /// What it means, in words, where a call that worked is answered without that part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// Calls that only look, and what must be so before this one is made; asked when the plan is
    /// made and again before it acts.
    #[serde(default)]
    pub guards: Vec<HttpLook>,
    /// Whether it does no harm when it is made again.
    #[serde(default)]
    pub repeatable: bool,
    /// Whether it only looks.
    #[serde(default)]
    pub only_looks: bool,
    /// What is lost for good, in words.
    #[serde(default)]
    pub loses: Option<String>,
    /// How it is taken back.
    #[serde(default)]
    pub undo: Option<HttpUndo>,
    /// Who will notice, in words.
    #[serde(default)]
    pub blast_radius: String,
}

fn ok() -> Vec<u16> {
    vec![200]
}
