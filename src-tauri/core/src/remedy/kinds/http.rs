//! A call of an HTTP endpoint.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Acting, Described, Emit, Happened, Kind, Looking, StepDone, StepStop, nobody};
use crate::{
    journal::{RunRecord, StepRecord},
    model::SourceErrorKind,
    playbook::step::{HttpCall, HttpLook, HttpStep, Risk, Step},
    ports::{Read, Sources},
    remedy::{PlanError, Precondition, render},
};

/// Whether an answer has a part: maps by key, lists by an element that has it.
fn has(answer: &Value, part: &Value) -> bool {
    match (answer, part) {
        (_, Value::Null) => true,
        (Value::Object(answer), Value::Object(part)) => {
            part.iter().all(|(key, part)| answer.get(key).is_some_and(|answer| has(answer, part)))
        }
        (Value::Array(answer), Value::Array(part)) => {
            part.iter().all(|part| answer.iter().any(|answer| has(answer, part)))
        }
        (answer, part) => answer == part,
    }
}

/// Whether a look is answered as it must be; the text says what was answered instead.
pub(in crate::remedy) async fn holds(look: &HttpLook, sources: &Sources) -> Read<Result<(), String>> {
    let answer = sources.http.look(&look.request).await?;
    let is_so = (200..300).contains(&answer.status) && has(&answer.body, &look.has);
    Ok(if is_so { Ok(()) } else { Err(format!("answered {} {}", answer.status, answer.body)) })
}

/// What `{answer:/pointer}` begins with.
const PART: &str = "{answer:";

fn part<'a>(pointer: &str, answer: &'a Value) -> Result<&'a Value, String> {
    answer.pointer(pointer).ok_or_else(|| format!("the step's answer has no {pointer}"))
}

/// Replaces texts `{answer:/pointer}` by that part of an answer.
fn filled(value: &Value, answer: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix(PART).and_then(|t| t.strip_suffix('}')) {
            Some(pointer) if !pointer.contains('{') => part(pointer, answer)?.clone(),
            _ => Value::String(filled_text(text, answer, &ToOwned::to_owned)?),
        },
        Value::Array(items) => {
            Value::Array(items.iter().map(|v| filled(v, answer)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let fill = |(k, v): (&String, &Value)| filled(v, answer).map(|v| (k.clone(), v));
            Value::Object(map.iter().map(fill).collect::<Result<_, _>>()?)
        }
        plain => plain.clone(),
    })
}

/// The same within a text, where only a text, a number or a flag can stand.
fn filled_text(text: &str, answer: &Value, written: &dyn Fn(&str) -> String) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(PART) {
        let (pointer, behind) =
            after.split_once('}').ok_or_else(|| format!("{text:?} has a {PART} that does not end"))?;
        out += before;
        out += &match part(pointer, answer)? {
            Value::String(text) => written(text),
            plain @ (Value::Number(_) | Value::Bool(_)) => plain.to_string(),
            _ => return Err(format!("{pointer} of the step's answer is no single value")),
        };
        rest = behind;
    }
    Ok(out + rest)
}

/// As it is written in a path or a query: an answer can't lead to another address.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

fn filled_call(call: &HttpCall, answer: &Value) -> Result<HttpCall, String> {
    let mut call = call.clone();
    if let HttpCall::Endpoint { path, .. } = &mut call {
        *path = filled_text(path, answer, &encoded)?;
    }
    let value = filled(&json!(call), answer)?;
    serde_json::from_value(value).map_err(|e| e.to_string())
}

/// The request's body, without what the adapter adds (keys, times).
fn body_of(call: &HttpCall) -> Value {
    match call {
        HttpCall::Livekit { body, .. } | HttpCall::Endpoint { body, .. } => body.clone(),
        HttpCall::StkQuery { checkout_request_id } => json!({ "CheckoutRequestID": checkout_request_id }),
        HttpCall::Elevenlabs { .. } => Value::Null,
    }
}

#[async_trait]
impl Kind for HttpStep {
    async fn preconditions(&self, n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let mut found = Vec::new();
        for (guard, look) in (0..).zip(&self.guards) {
            if let Err(seen) = holds(look, looking.sources).await? {
                return Err(PlanError::NotNow(format!("not so: {}: {seen}", look.what)));
            }
            found.push(Precondition::Answer { step: n, guard, what: look.what.clone(), holds: true });
        }
        looking.sources.http.line(&self.request)?;
        Ok(found)
    }

    fn describe(&self, _found: &[Precondition], looking: &Looking<'_>) -> Described {
        let line = looking.sources.http.line(&self.request).unwrap_or_default();
        let body = body_of(&self.request);
        let mut preview = line.clone();
        if !body.is_null() {
            preview += &format!("\n{body}");
        }
        if !self.has.is_null() {
            preview += &format!("\nmust be answered with {}", self.has);
        }
        let (method, url) = line.split_once(' ').unwrap_or(("GET", &line));
        let mut curl: Vec<String> = ["curl", "-fsS", "-X", method, url].map(str::to_owned).to_vec();
        if !body.is_null() {
            curl.extend(["--json".to_owned(), body.to_string()]);
        }
        Described {
            title: self.title.clone(),
            preview,
            command: format!("{}  # with its access token", render::shell_line(&curl)),
            risk: match (self.only_looks, &self.loses) {
                (true, _) => Risk::Read,
                (false, Some(_)) => Risk::Destructive,
                (false, None) => Risk::Reversible,
            },
            before: None,
            after: self.loses.as_ref().map(|what| format!("lost for good: {what}")),
            blast_radius: if self.only_looks { nobody() } else { self.blast_radius.clone() },
            undo: self.undo.as_ref().map(|undo| undo.title.clone()),
        }
    }

    fn acts(&self) -> bool {
        !self.only_looks
    }

    fn may_fail_half_way(&self) -> bool {
        true
    }

    async fn act(&self, acting: &Acting<'_>, _emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let answer = match acting.acts.http.call(&self.request).await {
            Ok(answer) => answer,
            // The call went out and no answer came: it may have been carried out.
            Err(error) if error.kind == SourceErrorKind::TimedOut && !self.only_looks => {
                return Err(StepStop::InDoubt(error.to_string()));
            }
            Err(error) => return Err(StepStop::Failed(format!("{error}. {}", error.hint))),
        };
        let shown = format!("answered {} {}", answer.status, answer.body);
        if !self.ok_statuses.contains(&answer.status) {
            let may_be_done = answer.status >= 500 && !self.only_looks;
            let warning = if may_be_done { "; how far it came is not known" } else { "" };
            return Err(StepStop::Failed(format!("{shown}{warning}")));
        }
        if !has(&answer.body, &self.has) {
            let means = self.otherwise.as_ref().map(|means| format!("{means}. ")).unwrap_or_default();
            return Err(StepStop::Failed(format!("{means}It {shown}, which is without {}", self.has)));
        }
        let detail = format!("answered {}", answer.status);
        Ok(StepDone { detail, output: vec![shown], returned: vec![answer.body], after: Vec::new() })
    }

    fn is_undoable(&self) -> bool {
        self.undo.is_some()
    }

    fn take_back(&self, left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        let undo = self.undo.as_ref().ok_or("it can't be taken back")?;
        let answer = left.returned.first().ok_or("the journal does not have the call's answer")?;
        let look = HttpLook {
            what: undo.look.what.clone(),
            request: filled_call(&undo.look.request, answer)?,
            has: filled(&undo.look.has, answer)?,
        };
        Ok(Step::Http(Box::new(Self {
            title: undo.title.clone(),
            request: filled_call(&undo.request, answer)?,
            guards: vec![look],
            has: Value::Null,
            otherwise: None,
            undo: None,
            loses: None,
            ..self.clone()
        })))
    }

    /// What the undo must find stands in its own guard.
    fn left_behind(&self, _left: &StepRecord, _n: u32) -> Vec<Precondition> {
        Vec::new()
    }

    async fn happened(&self, _begun: &StepRecord, _run: &RunRecord, _sources: &Sources) -> Happened {
        if self.only_looks {
            return Happened::No { how: "it only looks".into() };
        }
        if self.repeatable {
            let how = "whether it was carried out is not known, and it does no harm to call again";
            return Happened::Again { how: how.into() };
        }
        Happened::Unknown("the call may have been carried out; its answer did not live to tell".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_part_wherever_it_stands() {
        let answer = json!({ "items": [{ "id": "a", "n": 1 }, { "id": "b" }], "more": false });
        assert!(has(&answer, &json!({ "items": [{ "id": "b" }] })));
        assert!(has(&answer, &Value::Null));
        assert!(!has(&answer, &json!({ "items": [{ "id": "c" }] })));
        assert!(!has(&answer, &json!({ "items": [{ "id": "b", "n": 1 }] })));
    }

    #[test]
    fn an_undo_uses_what_the_call_answered() {
        let call = HttpCall::Livekit {
            service: "SIP".into(),
            method: "DeleteSIPDispatchRule".into(),
            grants: json!({}),
            body: json!({ "sip_dispatch_rule_id": "{answer:/sip_dispatch_rule_id}" }),
        };
        let filled = filled_call(&call, &json!({ "sip_dispatch_rule_id": "SDR_1" })).unwrap();
        assert_eq!(body_of(&filled), json!({ "sip_dispatch_rule_id": "SDR_1" }));
        assert!(filled_call(&call, &json!({})).is_err());
    }

    #[test]
    fn a_part_of_an_answer_in_a_path_stays_one_part_of_it() {
        let call = HttpCall::Endpoint {
            endpoint: "backend".into(),
            method: "DELETE".into(),
            path: "/rules/{answer:/id}/parts/{answer:/n}".into(),
            body: json!({ "why": "made by {answer:/id}" }),
        };
        let filled = filled_call(&call, &json!({ "id": "a/../b?c", "n": 7 })).unwrap();
        let HttpCall::Endpoint { path, body, .. } = filled else { panic!("{filled:?}") };
        assert_eq!(path, "/rules/a%2F%2E%2E%2Fb%3Fc/parts/7");
        assert_eq!(body, json!({ "why": "made by a/../b?c" }));
        assert!(filled_call(&call, &json!({ "id": {}, "n": 7 })).is_err());
    }

    #[test]
    fn a_query_of_a_push_names_the_push() {
        let call = HttpCall::StkQuery { checkout_request_id: "ws_CO_1".into() };
        assert_eq!(body_of(&call), json!({ "CheckoutRequestID": "ws_CO_1" }));
    }
}
