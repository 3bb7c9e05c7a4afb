//! What a playbook lets the operator choose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::profile::SecretRef;

/// How bad the fault is while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Severity {
    /// Customers are turned away.
    Critical,
    /// Some customers are.
    Major,
    /// A developer is.
    Minor,
}

/// What a parameter may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum ParamKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// One of `choices`.
    Choice,
    /// Any of `choices`.
    Choices,
    /// A time of day, `HH:MM`.
    Time,
    /// Where a secret is found: `env:NAME`, `dotenv:NAME` or `file:PATH`. The secret itself is
    /// never a parameter.
    Secret,
}

/// One choice of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ParamChoice {
    /// The value.
    pub value: String,
    /// In words.
    pub label: String,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct ParamView {
    /// Its name, as in `-p name=value`.
    pub name: String,
    /// What it is, in words.
    pub label: String,
    /// What it may hold.
    pub kind: ParamKind,
    /// More about it.
    #[serde(default)]
    pub help: String,
    /// Used when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub default: Option<Value>,
    /// Fixed choices; those from the live system come with the finding's page.
    #[serde(default)]
    pub choices: Vec<ParamChoice>,
    /// Said where there is nothing to choose from: why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_empty: Option<String>,
    /// Whether a value must be given.
    #[serde(default)]
    pub required: bool,
    /// Asked for only at findings with one of these causes; empty: at each. The page of a finding has no other.
    #[serde(default, skip_serializing)]
    #[cfg_attr(test, ts(skip))]
    pub causes: Vec<String>,
}

impl ParamView {
    /// Whether it is asked for at a finding with this data: its `cause`, or one of its `causes`.
    pub fn is_asked(&self, data: &Value) -> bool {
        let one = data.get("cause").into_iter();
        let several = data.get("causes").and_then(Value::as_array).into_iter().flatten();
        self.causes.is_empty()
            || one
                .chain(several)
                .filter_map(Value::as_str)
                .any(|cause| self.causes.iter().any(|c| c == cause))
    }
}

/// Fills in defaults and checks what was given against what may be. Text from a shell is taken
/// for what the parameter holds: `a,b` for choices, `yes`/`no` for a flag.
pub fn resolve_params(
    specs: &[ParamView],
    given: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, String> {
    if let Some(stranger) = given.keys().find(|name| !specs.iter().any(|s| &s.name == *name)) {
        let names: Vec<&str> = specs.iter().map(|s| s.name.as_str()).collect();
        let there_are =
            if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
        return Err(format!("there is no parameter `{stranger}` here; {there_are}"));
    }
    let mut resolved = BTreeMap::new();
    for spec in specs {
        let value = given.get(&spec.name).or(spec.default.as_ref()).filter(|v| !v.is_null());
        match value {
            Some(value) => {
                let value =
                    checked(spec, value).map_err(|why| format!("parameter `{}`: {why}", spec.name))?;
                resolved.insert(spec.name.clone(), value);
            }
            None if spec.required => {
                let which = match offered(spec) {
                    Some(offered) if spec.kind == ParamKind::Choices => format!(", some of {offered}"),
                    Some(offered) => format!(", one of {offered}"),
                    None => spec.why_empty.as_ref().map(|why| format!(". {why}")).unwrap_or_default(),
                };
                return Err(format!("parameter `{}` must be given: {}{which}", spec.name, spec.label));
            }
            None => {}
        }
    }
    Ok(resolved)
}

fn checked(spec: &ParamView, value: &Value) -> Result<Value, String> {
    let text = value.as_str().map(str::trim);
    match spec.kind {
        ParamKind::Text => text.map(Value::from).ok_or_else(|| "must be text".into()),
        ParamKind::Integer => value
            .as_i64()
            .or_else(|| text.and_then(|t| t.parse().ok()))
            .map(Value::from)
            .ok_or_else(|| "must be a whole number".into()),
        ParamKind::Flag => match (value.as_bool(), text) {
            (Some(flag), _) => Ok(flag.into()),
            (None, Some("yes" | "true")) => Ok(true.into()),
            (None, Some("no" | "false")) => Ok(false.into()),
            _ => Err("must be yes or no".into()),
        },
        ParamKind::Time => text
            .and_then(time_of_day)
            .map(Value::from)
            .ok_or_else(|| "must be a time of day such as 09:00, from 00:00 to 23:59".into()),
        ParamKind::Secret => {
            let reference = text.ok_or("must say where the secret is found")?;
            SecretRef::try_from(reference.to_owned()).map(|secret| String::from(secret).into())
        }
        ParamKind::Choice => {
            let text = text.ok_or("must be one of its choices")?;
            is_choice(spec, text)?;
            Ok(text.into())
        }
        ParamKind::Choices => {
            let picked: Vec<String> = match (value.as_array(), text) {
                (Some(items), _) => items
                    .iter()
                    .map(|i| i.as_str().map(str::to_owned).ok_or("must be a list of its choices"))
                    .collect::<Result<_, _>>()?,
                (None, Some(text)) if text.trim_start().starts_with('[') => serde_json::from_str(text)
                    .map_err(|_| "must be a list of its choices, as in mon,tue or [\"mon\",\"tue\"]")?,
                (None, Some(text)) => {
                    text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
                }
                _ => return Err("must be a list of its choices".into()),
            };
            if picked.is_empty() && spec.required {
                let of = offered(spec).map(|offered| format!(" of {offered}")).unwrap_or_default();
                return Err(format!("pick at least one{of}"));
            }
            for (i, one) in picked.iter().enumerate() {
                is_choice(spec, one)?;
                if picked.iter().take(i).any(|earlier| earlier == one) {
                    return Err(format!("`{one}` is given twice"));
                }
            }
            Ok(picked.into())
        }
    }
}

fn is_choice(spec: &ParamView, text: &str) -> Result<(), String> {
    if spec.choices.iter().any(|c| c.value == text) {
        return Ok(());
    }
    let text = text.escape_debug();
    match offered(spec) {
        Some(offered) => Err(format!("`{text}` is none of {offered}")),
        None => {
            let why = spec.why_empty.as_ref().map(|why| format!(". {why}")).unwrap_or_default();
            Err(format!("`{text}` is no choice: there is nothing to choose from{why}"))
        }
    }
}

/// The first of its choices, and what they stand for; `None`: there is nothing to choose from.
fn offered(spec: &ParamView) -> Option<String> {
    let shown = || spec.choices.iter().take(12);
    let values: Vec<&str> = shown().map(|c| c.value.as_str()).collect();
    let named = shown().filter(|c| c.label != c.value).map(|c| format!("{} is {}", c.value, c.label));
    let named: Vec<String> = named.collect();
    let names = if named.is_empty() { String::new() } else { format!(". {}", named.join("; ")) };
    (!values.is_empty()).then(|| format!("{}{names}", values.join(", ")))
}

/// `HH:MM`, normalised to two digits each.
fn time_of_day(text: &str) -> Option<String> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(kind: ParamKind) -> ParamView {
        let choice = |v: &str| ParamChoice { value: v.into(), label: v.into() };
        ParamView {
            name: "p".into(),
            label: "P".into(),
            kind,
            help: String::new(),
            default: None,
            choices: vec![choice("mon"), choice("tue")],
            why_empty: None,
            causes: Vec::new(),
            required: true,
        }
    }

    fn resolve(kind: ParamKind, value: Value) -> Result<Value, String> {
        let given = BTreeMap::from([("p".to_owned(), value)]);
        resolve_params(&[spec(kind)], &given).map(|mut r| r.remove("p").unwrap())
    }

    #[test]
    fn text_from_a_shell_is_taken_for_what_the_parameter_holds() {
        assert_eq!(resolve(ParamKind::Choices, json!("mon, tue")), Ok(json!(["mon", "tue"])));
        assert_eq!(resolve(ParamKind::Choices, json!("[\"mon\", \"tue\"]")), Ok(json!(["mon", "tue"])));
        assert!(resolve(ParamKind::Choices, json!("[mon]")).unwrap_err().contains("as in mon,tue"));
        assert_eq!(resolve(ParamKind::Flag, json!("yes")), Ok(json!(true)));
        assert_eq!(resolve(ParamKind::Integer, json!("12")), Ok(json!(12)));
        assert_eq!(resolve(ParamKind::Time, json!("9:05")), Ok(json!("09:05")));
    }

    #[test]
    fn what_is_no_choice_or_no_time_is_refused_with_what_would_do() {
        assert!(resolve(ParamKind::Choices, json!("mon,fry")).unwrap_err().contains("none of mon, tue"));
        assert!(resolve(ParamKind::Choices, json!("mon,mon")).unwrap_err().contains("twice"));
        assert!(resolve(ParamKind::Choices, json!([])).unwrap_err().contains("at least one"));
        for bad in ["24:00", "9", "09:60", "0x:10", "-1:00", ""] {
            assert!(resolve(ParamKind::Time, json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_named_and_never_given() {
        assert_eq!(resolve(ParamKind::Secret, json!("env:NEW")), Ok(json!("env:NEW")));
        for given in ["hunter2", "env:", ""] {
            let why = resolve(ParamKind::Secret, json!(given)).unwrap_err();
            assert!(why.contains("by reference") && !why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_misspelt_name_and_a_missing_value_are_said() {
        let given = BTreeMap::from([("q".to_owned(), json!("x"))]);
        assert!(resolve_params(&[spec(ParamKind::Text)], &given).unwrap_err().contains("no parameter `q`"));
        let missing = resolve_params(&[spec(ParamKind::Choice)], &BTreeMap::new()).unwrap_err();
        assert_eq!(missing, "parameter `p` must be given: P, one of mon, tue");
    }

    #[test]
    fn a_parameter_is_asked_for_where_its_cause_is() {
        let of = |causes: &[&str], data: Value| {
            let causes = causes.iter().map(|cause| (*cause).to_owned()).collect();
            ParamView { causes, ..spec(ParamKind::Text) }.is_asked(&data)
        };
        assert!(of(&[], json!({})), "without causes: always");
        assert!(of(&["blocked"], json!({ "cause": "blocked" })));
        assert!(of(&["rtc", "silent"], json!({ "causes": ["odd", "silent"] })));
        assert!(!of(&["blocked"], json!({ "cause": "weekdays" })));
        assert!(!of(&["blocked"], json!({})));
    }
}
