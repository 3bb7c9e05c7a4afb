//! Waiting until something is so, by itself or by a person's hand.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Acting, Described, Emit, Kind, Looking, StepDone, StepStop, nobody};
use crate::{
    model::{HealthStatus, counted},
    observe::worst_container,
    playbook::step::{Condition, HttpCall, ManualStep, Risk, Step, WaitStep},
    ports::{Sources, SqlRead},
    remedy::{
        Look, Lookout, Plan, PlanError, Precondition, RunEvent, cancel::or_cancelled, precondition::sorted,
        render,
    },
};

/// How often is looked.
const EVERY: Duration = Duration::from_millis(500);
/// How often that is told while nothing else is seen than before.
const SAID_EVERY_MS: u64 = 2_000;

#[async_trait]
impl Kind for WaitStep {
    fn fill(&mut self, looking: &Looking<'_>) -> Result<(), PlanError> {
        self.condition.fill(looking)
    }

    fn names(&self) -> Vec<&str> {
        self.condition.service().into_iter().collect()
    }

    async fn preconditions(&self, _n: u32, _looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        Ok(Vec::new())
    }

    fn describe(&self, _found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let (until, within_s) = (self.condition.words(), self.within_s);
        Described {
            title: self.title.clone(),
            preview: format!(
                "look twice a second, for at most {within_s} s, until {until}{}",
                self.condition.question()
            ),
            command: format!("# wait until {until}"),
            risk: Risk::Read,
            before: None,
            after: None,
            blast_radius: nobody(),
            undo: None,
        }
    }

    fn acts(&self) -> bool {
        false
    }

    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        wait(&self.condition, self.within_s, acting, emit).await
    }
}

#[async_trait]
impl Kind for ManualStep {
    fn fill(&mut self, looking: &Looking<'_>) -> Result<(), PlanError> {
        self.done.fill(looking)
    }

    fn names(&self) -> Vec<&str> {
        self.done.service().into_iter().collect()
    }

    async fn preconditions(&self, _n: u32, _looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        Ok(Vec::new())
    }

    fn describe(&self, _found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let (done, within_s) = (self.done.words(), self.within_s);
        Described {
            title: self.title.clone(),
            preview: format!(
                "you do it; then the run goes on by itself as soon as {done}, for at most {within_s} s{}",
                self.done.question()
            ),
            command: self.instructions.iter().map(|i| format!("# {i}")).collect::<Vec<_>>().join("\n"),
            risk: Risk::Read,
            before: None,
            after: None,
            blast_radius: "Whatever you do by hand.".into(),
            undo: None,
        }
    }

    fn acts(&self) -> bool {
        false
    }

    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let Self { title, instructions, facts, .. } = self.clone();
        emit(RunEvent::Manual { n: acting.n, title, instructions, facts });
        wait(&self.done, self.within_s, acting, emit).await
    }
}

impl Condition {
    /// Fills in the names that the playbook leaves to the profile: what is shown is what is asked.
    pub(super) fn fill(&mut self, looking: &Looking<'_>) -> Result<(), PlanError> {
        if let Self::Rows { tenant, sql, .. } = self {
            *sql = looking.statement(sql, tenant.as_deref())?;
        }
        Ok(())
    }

    fn service(&self) -> Option<&str> {
        match self {
            Self::ServiceUp { service } | Self::ServiceDown { service } => Some(service),
            _ => None,
        }
    }

    /// What is asked, where its words do not say it.
    pub fn asks(&self) -> Option<String> {
        match self {
            Self::Rows { sql, params, rows, .. } => {
                Some(format!("{}\n-- gives exactly {}", render::sql_with_values(sql, params), json!(rows)))
            }
            _ => None,
        }
    }

    /// The same at the end of a sentence.
    pub(super) fn question(&self) -> String {
        self.asks().map(|asks| format!(":\n{asks}")).unwrap_or_default()
    }

    /// What is so when it holds.
    pub fn words(&self) -> String {
        match self {
            Self::ServiceUp { service } => {
                format!("{service} runs and its health check, if it has one, passes")
            }
            Self::ServiceDown { service } => format!("{service} does not run"),
            Self::PortFree { port } => format!("nobody listens on port {port}"),
            Self::Rows { what, .. } | Self::Gone { what } => what.clone(),
            Self::RedisValue { key, field, value } => {
                let of = field.as_ref().map_or_else(|| key.clone(), |field| format!("{field} of {key}"));
                value.as_ref().map_or_else(|| format!("{of} is not there"), |v| format!("{of} is {v}"))
            }
            Self::HttpStatus { url, status } => format!("{url} answers {status}"),
            Self::NoCalls => "nobody is in a LiveKit room".into(),
        }
    }
}

/// Whether anybody is in a room of LiveKit's. Their names are not told: a caller's number may be in one.
async fn calls(sources: &Sources) -> Result<String, String> {
    let list = HttpCall::Livekit {
        service: "RoomService".into(),
        method: "ListRooms".into(),
        grants: json!({ "video": { "roomList": true } }),
        body: json!({}),
    };
    let answer = sources.http.look(&list).await.map_err(|e| e.to_string())?;
    let rooms = answer.body.get("rooms").map_or(Some(&[][..]), |rooms| rooms.as_array().map(Vec::as_slice));
    let Some(rooms) = rooms.filter(|_| answer.status == 200) else {
        return Err(format!("LiveKit's list of rooms was answered with {}", answer.status));
    };
    let people = |room: &Value| room.get("num_participants").and_then(Value::as_u64).unwrap_or(0);
    let taken: Vec<u64> = rooms.iter().map(people).filter(|people| *people > 0).collect();
    match taken.iter().sum::<u64>() {
        0 => Ok("nobody is in a LiveKit room".into()),
        1 => Err("1 person is in a LiveKit room".into()),
        people => Err(format!("{people} people are in {}", counted(taken.len(), "LiveKit room"))),
    }
}

async fn wait(
    until: &Condition,
    within_s: u32,
    acting: &Acting<'_>,
    emit: &mut Emit<'_>,
) -> Result<StepDone, StepStop> {
    let waited = waited(until, within_s, acting, emit).await;
    match (waited, until) {
        (Err(StepStop::Failed(why)), Condition::ServiceUp { service }) => {
            Err(StepStop::Failed(format!("{why}{}", last_line(service, acting.sources).await)))
        }
        (waited, _) => waited,
    }
}

/// The last line that a service's container wrote, which mostly says why it does not come up.
async fn last_line(service: &str, sources: &Sources) -> String {
    let Ok(containers) = sources.containers.list().await else { return String::new() };
    let Some(facts) = worst_container(&containers, service) else { return String::new() };
    let Ok(lines) = sources.containers.log_tail(&facts.id, 5).await else { return String::new() };
    let last = lines.iter().rev().map(|line| line.text.trim()).find(|text| !text.is_empty());
    last.map(|text| format!("; its log ends with: {}", text.chars().take(400).collect::<String>()))
        .unwrap_or_default()
}

async fn waited(
    until: &Condition,
    within_s: u32,
    acting: &Acting<'_>,
    emit: &mut Emit<'_>,
) -> Result<StepDone, StepStop> {
    let clock = &acting.sources.clock;
    let ends = clock.monotonic_ms().saturating_add(u64::from(within_s) * 1_000);
    let mut said: Option<(String, u64)> = None;
    loop {
        let look = or_cancelled(looked(until, acting), acting.cancel).await;
        let seen = match look.ok_or_else(|| StepStop::Cancelled("it only waited".into()))?? {
            Ok(detail) => return Ok(StepDone { detail, ..StepDone::default() }),
            Err(seen) => seen,
        };
        let now = clock.monotonic_ms();
        if now >= ends {
            return Err(StepStop::Failed(format!("not within {within_s} s: {seen}")));
        }
        if said.as_ref().is_none_or(|(before, at)| *before != seen || now >= at.saturating_add(SAID_EVERY_MS))
        {
            let left_s = (ends - now).div_ceil(1_000);
            emit(RunEvent::Looked { n: acting.n, at: clock.now(), seen: seen.clone(), left_s });
            said = Some((seen.clone(), now));
        }
        if or_cancelled(clock.sleep(EVERY), acting.cancel).await.is_none() {
            return Err(StepStop::Cancelled(format!("it only waited; last seen: {seen}")));
        }
    }
}

async fn looked(until: &Condition, acting: &Acting<'_>) -> Result<Result<String, String>, StepStop> {
    seen_or_gone(until, acting.sources, acting.lookout).await
}

async fn seen_or_gone(
    until: &Condition,
    sources: &Sources,
    lookout: &dyn Lookout,
) -> Result<Result<String, String>, StepStop> {
    let Condition::Gone { what } = until else { return seen(until, sources).await };
    Ok(match lookout.look().await {
        Look::Gone(_) => Ok(what.clone()),
        Look::Still(_, why) | Look::CantTell(_, why) if why.is_empty() => Err(format!("not yet: {what}")),
        Look::Still(_, why) => Err(why),
        Look::CantTell(_, why) => Err(format!("it can't be told: {why}")),
    })
}

/// How the automatic check of a plan's manual step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSeen {
    /// The step's number.
    pub n: u32,
    /// Whether what the step waits for is so already.
    pub holds: bool,
    /// What is seen.
    pub seen: String,
}

/// Looks once at what each manual step of the plan waits for. Nothing is changed.
pub async fn look_at_checks(plan: &Plan, sources: &Sources, lookout: &dyn Lookout) -> Vec<CheckSeen> {
    let mut checks = Vec::new();
    for planned in &plan.steps {
        let Step::Manual(step) = &planned.step else { continue };
        let (holds, seen) = match seen_or_gone(&step.done, sources, lookout).await {
            Ok(Ok(seen)) => (true, seen),
            Ok(Err(seen)) => (false, seen),
            Err(stop) => (false, stop.reason("")),
        };
        checks.push(CheckSeen { n: planned.n, holds, seen });
    }
    checks
}

/// Whether a condition holds: what is seen, either way. A service that ended by itself will not
/// come up by waiting.
pub(super) async fn seen(until: &Condition, sources: &Sources) -> Result<Result<String, String>, StepStop> {
    match until {
        Condition::ServiceDown { service } => Ok(match sources.containers.list().await {
            Ok(containers) => match worst_container(&containers, service) {
                Some(facts) if facts.is_running() => Err(format!("{service} runs")),
                _ => Ok(format!("{service} does not run")),
            },
            Err(error) => Err(error.to_string()),
        }),
        Condition::Rows { what, tenant: _, sql, params, rows } => {
            let read = SqlRead { sql: sql.clone(), params: params.clone() };
            let found = match sources.database() {
                Ok(database) => database.query(&read).await,
                Err(error) => Err(error),
            };
            Ok(match found {
                Ok(found) if sorted(found.clone()) == sorted(rows.clone()) => Ok(what.clone()),
                Ok(found) => Err(format!("not yet: {what} ({} found)", counted(found.len(), "row"))),
                Err(error) => Err(error.to_string()),
            })
        }
        Condition::RedisValue { key, field, value } => {
            let found = match sources.threads() {
                Ok(redis) => redis.value(key, field.as_deref()).await,
                Err(error) => Err(error),
            };
            Ok(match found {
                Ok(found)
                    if !["none", if field.is_some() { "hash" } else { "string" }].contains(&&*found.kind) =>
                {
                    Err(format!("{key} is a {}", found.kind))
                }
                Ok(found) if found.value == *value => Ok(until.words()),
                Ok(found) => Err(format!("{key} is {}", found.value.as_deref().unwrap_or("not there"))),
                Err(error) => Err(error.to_string()),
            })
        }
        Condition::HttpStatus { url, status } => Ok(match sources.host.http_get(url).await {
            Ok((found, _)) if found == *status => Ok(format!("{url} answers {status}")),
            Ok((found, _)) => Err(format!("{url} answers {found}")),
            Err(error) => Err(error.to_string()),
        }),
        Condition::NoCalls => Ok(calls(sources).await),
        Condition::Gone { .. } => Ok(Err("only a playbook can tell, and here none looks".into())),
        Condition::PortFree { port } => Ok(match sources.host.port_holder(*port).await {
            Ok(None) => Ok(format!("port {port} is free")),
            Ok(Some(holder)) => Err(format!("port {port} is held by {holder}")),
            Err(error) => Err(error.to_string()),
        }),
        Condition::ServiceUp { service } => {
            let containers = match sources.containers.list().await {
                Ok(containers) => containers,
                Err(error) => return Ok(Err(error.to_string())),
            };
            let Some(facts) = worst_container(&containers, service) else {
                return Ok(Err(format!("{service} has no container")));
            };
            let state = facts.state.as_str();
            if matches!(state, "exited" | "dead") {
                let what =
                    format!("{service} ended by itself, exit code {} {}", facts.exit_code, facts.error);
                return Err(StepStop::Failed(what.trim_end().to_owned()));
            }
            Ok(match facts.live_health() {
                Some(HealthStatus::Healthy) => Ok(format!("{service} is running and healthy")),
                Some(health) => Err(format!("{service} is running, its health is {}", health.as_str())),
                None if facts.is_running() => Ok(format!("{service} is running; it has no health check")),
                None => Err(format!("{service} is {state}")),
            })
        }
    }
}
