//! One drill: the fault is caused, found, planned, repaired, taken back and healed, and nothing else is
//! touched meanwhile.

use std::{collections::BTreeSet, thread, time::Instant};

use ratiba_console::api::drill::{Drill, World};
use ratiba_core::{
    model::{Subject, VerdictKind},
    playbook::DrillOutcome,
    remedy::RunOutcome,
};
use serde_json::Value;

use crate::{
    lane::{Done, Lane, ensure, list, pretty, text},
    report::Row,
    snapshot,
};

/// A drill and what the list says about it.
pub struct Part {
    pub id: String,
    pub drill: Drill,
    pub expects: Vec<String>,
    pub also_allowed: Vec<String>,
    /// The drill's file, for what it names itself.
    pub file_text: String,
}

impl Part {
    pub fn name(&self) -> String {
        format!("{}/{}", self.id, self.drill.name)
    }
}

/// A fault as it was caused.
struct Caused {
    expected: Value,
    before: World,
}

pub fn rehearse(lane: &Lane, part: &Part, row: &mut Row) -> Done {
    let caused = row.timed("inject", || inject(lane, part));
    let rehearsed = match &caused {
        Ok(caused) => rest(lane, part, caused, row),
        Err(why) => Err(why.clone()),
    };
    // Whatever happened: the next drill needs the lab as it was.
    let healed = row.timed("heal", || heal(lane, caused.as_ref().ok().map(|caused| &caused.before)));
    row.healed = healed.is_ok();
    rehearsed?;
    healed
}

/// Heals, and looks whether all is as it was.
pub fn heal(lane: &Lane, before: Option<&World>) -> Done {
    lane.json(&["drill", "heal"])?;
    let (world, no_row) = side_by_side(|| lane.world(), || lane.no_row("after heal"));
    let world = world?;
    let left = before.map(|before| lasting(&before.differences(&world))).unwrap_or_default();
    ensure!(left.is_empty(), "heal did not bring back: {}", left.join(", "));
    no_row
}

fn inject(lane: &Lane, part: &Part) -> Done<Caused> {
    let injected = lane.json(&["drill", "inject", &part.name()])?;
    let path = text(&injected["before"]);
    let kept = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let before = serde_json::from_str(&kept).map_err(|e| format!("{path}: {e}"))?;
    Ok(Caused { expected: injected["expected"].clone(), before })
}

fn rest(lane: &Lane, part: &Part, caused: &Caused, row: &mut Row) -> Done {
    let with_fault = lane.world()?;
    let nothing_written = |when: &str| -> Done<World> {
        let now = lane.world()?;
        let moved = with_fault.differences(&now);
        let by_itself = |name: &String| part.drill.restless.iter().any(|pattern| covers(pattern, name));
        let changed = joined(moved.into_iter().filter(|name| !by_itself(name)).collect());
        ensure!(changed.is_empty(), "{when} changed {changed}");
        Ok(now)
    };
    let began = Instant::now();
    let first = look(lane, part, caused, &mut row.said);
    row.took("look", began);
    let first = first?;
    if part.drill.verdict == VerdictKind::Absent {
        row.proof = DrillOutcome::NotClaimed;
        return nothing_written("looking").map(|_| ());
    }
    if let Some(refused) = caused.expected["refused"].as_str() {
        // A sentence of the script's own is a matter of what was asked for.
        let said = row.timed("plan", || lane.fails(&words(&plan_words(part, &first, caused)), &[1, 2]))?;
        ensure!(said.contains(refused), "the plan must be refused with `{refused}`: {said}");
        row.fixed = "refused".into();
        let is_suspected = part.drill.verdict == VerdictKind::Suspected;
        row.proof = if is_suspected { DrillOutcome::NotClaimed } else { DrillOutcome::Manual };
        return nothing_written("a refused plan").map(|_| ());
    }
    let mut planned = row.timed("plan", || plan(lane, part, &first, caused))?;
    snapshot::check(lane, part, &planned.view)?;
    let mut before = nothing_written("before the confirm, looking and planning")?;
    let has_manual = list(&planned.view["steps"]).iter().any(|step| step["kind"] == "manual");
    if !has_manual && !part.drill.by_hand.is_empty() {
        lane.json(&["drill", "by-hand", &part.name()])?;
        // What the person did is no part of the plan: it is another stack by now.
        lane.fails(&planned.apply_words(), &[4])?;
        planned = row.timed("plan", || plan(lane, part, &first, caused))?;
        before = lane.world()?;
    }
    let (run, by_hand) = row.timed("apply", || apply(lane, part, &planned))?;
    row.fixed =
        if has_manual { format!("{} (a person helped)", outcome(part)) } else { outcome(part).into() };
    if part.drill.ends != RunOutcome::Fixed {
        row.proof = DrillOutcome::Manual;
    }
    let after = lane.world()?;
    let may = allowed(&first, caused);
    let known = before.clone().with_unread_from(&caused.before);
    let foreign: Vec<String> = known
        .differences(&after)
        .into_iter()
        .filter(|name| !by_hand.contains(name) && !may.iter().any(|pattern| covers(pattern, name)))
        .collect();
    ensure!(foreign.is_empty(), "the run changed what it may not: {}", foreign.join(", "));
    if part.drill.ends == RunOutcome::Fixed {
        let said = row.timed("plan", || lane.fails(&words(&plan_words(part, &first, caused)), &[1]))?;
        let wanted = part.drill.then.as_deref().unwrap_or("the fault is not there");
        ensure!(said.contains(wanted), "a second plan must find nothing to do, and say `{wanted}`: {said}");
    }
    let record = lane.json(&["runs", "show", &run])?;
    ensure!(
        record["can_undo"] == part.drill.undo,
        "the drill says undo = {}, and the run says can_undo = {}",
        part.drill.undo,
        record["can_undo"]
    );
    if part.drill.undo {
        let events = row.timed("undo", || lane.events(&["undo", &run, "--yes"], &[0], |_, _| Ok(())))?;
        let ended = events.last().map(|e| e["outcome"].clone()).unwrap_or_default();
        ensure!(ended == "fixed", "the undo ended {ended}: {}", pretty(&events));
        let left: Vec<String> = not_running(before)
            .differences(&not_running(lane.world()?))
            .into_iter()
            .filter(|name| !(is_start(name) && may.iter().any(|pattern| covers(pattern, name))))
            .filter(|name| !by_hand.contains(name) && !name.starts_with("backup/"))
            .filter(|name| !part.drill.stays.iter().any(|pattern| covers(pattern, name)))
            .collect();
        ensure!(left.is_empty(), "the undo did not bring back: {}", left.join(", "));
        row.undone = "yes".into();
        row.proof = DrillOutcome::Undone;
    }
    Ok(())
}

/// The world in which a container that never started is one that was stopped: an undo can only stop it.
fn not_running(mut world: World) -> World {
    for (name, print) in &mut world.there {
        if name.starts_with("container/")
            && let Some(rest) = print.strip_prefix("created ")
        {
            *print = format!("exited {rest}");
        }
    }
    world
}

fn outcome(part: &Part) -> &'static str {
    match part.drill.ends {
        RunOutcome::Fixed => "fixed",
        RunOutcome::NotFixed => "not fixed",
        RunOutcome::Unknown => "can't tell",
        RunOutcome::Failed => "failed",
        RunOutcome::Refused => "refused",
        RunOutcome::Cancelled => "cancelled",
    }
}

/// The finding of the drill's own playbook.
struct First {
    subject: Subject,
}

/// Triage and diagnosis: the row is ranked as it must be, on evidence, and no other one is.
fn look(lane: &Lane, part: &Part, caused: &Caused, said: &mut String) -> Done<First> {
    let (triage, diagnosed) = side_by_side(|| lane.json(&["triage"]), || lane.json(&["diagnose", &part.id]));
    let (triage, diagnosed) = (triage?, diagnosed?);
    let ranked = list(&triage["ranked"]);
    let seen = shown(ranked);
    let order = order_of(ranked);
    let as_said = |v: &Value| format!("{} {}", text(&v["playbook"]), text(&v["verdict"]));
    *said = ranked.iter().find(|v| is_found(v)).map_or_else(|| "nothing".to_owned(), as_said);
    let wanted: Vec<&str> = part.expects.iter().map(String::as_str).collect();
    ensure!(order.starts_with(&wanted), "{wanted:?} must be ranked first, not {order:?}:\n{seen}");
    strangers(ranked, part, &seen)?;
    if part.drill.verdict == VerdictKind::Absent {
        let own = ranked.iter().find(|v| v["playbook"] == part.id.as_str());
        ensure!(own.is_some_and(|v| v["verdict"] == "absent"), "{} must be absent:\n{seen}", part.id);
        own.map_or(Ok(()), |own| shows(&items_of(own), caused))?;
        return Ok(First { subject: Subject::default() });
    }
    let first = ranked.iter().find(|v| v["playbook"] == part.id.as_str());
    let first = first.ok_or_else(|| format!("{} is not there:\n{seen}", part.id))?;
    let kind = serde_json::to_value(part.drill.verdict).unwrap_or_default();
    ensure!(first["verdict"] == kind, "{} must be {kind}:\n{seen}", part.id);
    for (field, value) in caused.expected["subject"].as_object().into_iter().flatten() {
        ensure!(&first["subject"][field] == value, "the first finding must name {field} {value}: {first:#}");
    }
    let named = caused.expected["subject"].as_object().is_some_and(|fields| !fields.is_empty());
    ensure!(named || first["subject"] == serde_json::json!({}), "the finding must name nobody: {first:#}");
    let says = text(&caused.expected["says"]);
    ensure!(text(&first["reason"]).contains(says), "the reason must say `{says}`: {first:#}");
    evidence(first, caused)?;
    let again = list(&diagnosed["verdicts"]).first().cloned().unwrap_or_default();
    ensure!(
        (&again["verdict"], &again["subject"]) == (&first["verdict"], &first["subject"]),
        "diagnose says something else than triage: {again:#}"
    );
    let subject = serde_json::from_value(first["subject"].clone()).map_err(|e| e.to_string())?;
    Ok(First { subject })
}

/// Whether a verdict says that there is something.
fn is_found(verdict: &Value) -> bool {
    verdict["verdict"] == "present" || verdict["verdict"] == "suspected"
}

/// The playbooks that found something, each once, first by rank.
pub fn order_of(ranked: &[Value]) -> Vec<&str> {
    let mut order: Vec<&str> = Vec::new();
    for one in ranked.iter().filter(|v| is_found(v)) {
        if !order.contains(&text(&one["playbook"])) {
            order.push(text(&one["playbook"]));
        }
    }
    order
}

/// No other row is present, and none is unknown but for a reason that is there.
fn strangers(ranked: &[Value], part: &Part, seen: &str) -> Done {
    let down: Vec<String> = ranked
        .iter()
        .filter(|v| v["verdict"] == "present")
        .filter_map(|v| v["subject"]["service"].as_str().map(|service| format!("service:{service}")))
        .collect();
    for one in ranked {
        let playbook = text(&one["playbook"]);
        let is_own = part.id == playbook && part.drill.verdict != VerdictKind::Absent;
        let may = is_own || part.expects.iter().chain(&part.also_allowed).any(|id| id == playbook);
        match text(&one["verdict"]) {
            "present" | "suspected" => ensure!(may, "{playbook} is falsely {}:\n{seen}", one["verdict"]),
            "unknown" => {
                let explained = one["explained_by"].as_str().is_some_and(|by| down.iter().any(|d| d == by));
                let is_wanted = part.drill.unknown.iter().any(|id| id == playbook);
                ensure!(
                    explained || is_wanted,
                    "{playbook} is unknown, and nothing that was found explains it:\n{seen}"
                );
            }
            _ => {}
        }
    }
    for id in &part.drill.unknown {
        let is = ranked.iter().any(|v| v["playbook"] == id.as_str() && v["verdict"] == "unknown");
        ensure!(is, "{id} must be unknown:\n{seen}");
    }
    Ok(())
}

/// The evidence names the subject, says when it was seen, and has what the drill says is true.
fn evidence(first: &Value, caused: &Caused) -> Done {
    let items = items_of(first);
    ensure!(!items.is_empty(), "a finding without evidence: {first:#}");
    let timed = list(&first["evidence"]).iter().all(|one| one["as_of"].is_string());
    ensure!(timed, "evidence that does not say when it was seen: {first:#}");
    let all = format!("{}\n{}", text(&first["reason"]), items.join("\n"));
    for field in ["service", "tenant", "schema"] {
        let name = text(&first["subject"][field]);
        ensure!(all.contains(name), "neither reason nor evidence names {field} {name}: {first:#}");
    }
    shows(&items, caused)
}

/// Each piece of evidence as text, with what is folded out behind it.
fn items_of(verdict: &Value) -> Vec<String> {
    let items = list(&verdict["evidence"]).iter().map(|one| {
        let behind = words_of(&one["shown"]["items"]);
        format!("{}: {}\n{behind}", text(&one["what"]), words_of(&one["value"]))
    });
    items.collect()
}

fn shows(items: &[String], caused: &Caused) -> Done {
    for wanted in list(&caused.expected["shows"]) {
        let wanted = text(wanted);
        ensure!(items.iter().any(|item| item.contains(wanted)), "no evidence has `{wanted}`: {items:#?}");
    }
    Ok(())
}

fn words_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words_of).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

struct Planned {
    file: String,
    view: Value,
}

impl Planned {
    fn apply_words(&self) -> Vec<&str> {
        let mut words = vec!["apply", &self.file, "--digest", text(&self.view["digest"])];
        match self.view["confirm"]["phrase"].as_str() {
            Some(phrase) => words.extend(["--phrase", phrase]),
            None => words.push("--yes"),
        }
        words
    }
}

fn plan_words(part: &Part, first: &First, caused: &Caused) -> Vec<String> {
    let about = &first.subject;
    let named = [
        ("service", &about.service),
        ("tenant", &about.tenant),
        ("payment", &about.payment),
        ("schema", &about.schema),
    ];
    let mut words = vec!["plan".to_owned(), part.id.clone()];
    for (field, value) in named {
        words.extend(value.iter().flat_map(|value| ["-p".to_owned(), format!("{field}={value}")]));
    }
    for (name, value) in caused.expected["params"].as_object().into_iter().flatten() {
        words.extend(["-p".to_owned(), format!("{name}={}", text(value))]);
    }
    words
}

fn words(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

fn plan(lane: &Lane, part: &Part, first: &First, caused: &Caused) -> Done<Planned> {
    let file = lane.scratch("plan.json");
    let args = plan_words(part, first, caused);
    let mut args = words(&args);
    args.extend(["-o", &file]);
    let view = lane.json(&args)?;
    for step in list(&view["steps"]) {
        ensure!(!text(&step["preview"]).is_empty(), "a step that does not show what it does: {step:#}");
    }
    Ok(Planned { file, view })
}

/// Applies it; what is a person's part is done while the run waits for it. Gives the run, and what the
/// person changed.
fn apply(lane: &Lane, part: &Part, planned: &Planned) -> Done<(String, BTreeSet<String>)> {
    let code = i32::from(part.drill.ends != RunOutcome::Fixed);
    let mut by_hand = None;
    let events = lane.events(&planned.apply_words(), &[code], |event, _| {
        if event["event"] == "manual" && by_hand.is_none() {
            ensure!(!part.drill.by_hand.is_empty(), "the plan waits for a person, and `by_hand` is empty");
            let before = lane.world()?;
            lane.json(&["drill", "by-hand", &part.name()])?;
            by_hand = Some(before.differences(&lane.world()?));
        }
        Ok(())
    })?;
    let done = events.last().cloned().unwrap_or_default();
    let ends = serde_json::to_value(part.drill.ends).unwrap_or_default();
    ensure!(
        done["event"] == "run_done" && done["outcome"] == ends,
        "the run must end {ends}: {}",
        pretty(&events)
    );
    if part.drill.ends == RunOutcome::Fixed {
        let verified = events.iter().find(|e| e["event"] == "verified");
        let seen = verified.map(|e| list(&e["evidence"]).len()).unwrap_or_default();
        ensure!(seen > 0, "fixed on what evidence: {}", pretty(&events));
    }
    Ok((text(&done["run"]).to_owned(), by_hand.unwrap_or_default()))
}

/// Names that the run may change.
fn allowed(first: &First, caused: &Caused) -> Vec<String> {
    let mut may: Vec<String> =
        list(&caused.expected["may_change"]).iter().map(|one| text(one).to_owned()).collect();
    may.extend(first.subject.service.iter().map(|service| format!("container/{service}")));
    may.push("backup/*".into());
    may
}

/// Whether a name is one of those that a pattern stands for. A container's name stands for its start too,
/// and for what a stand-in that runs in it remembers.
fn covers(pattern: &str, name: &str) -> bool {
    if let Some(service) = pattern.strip_prefix("container/") {
        let stand_ins: &[&str] = match service {
            "outside" => &["daraja", "elevenlabs", "meta", "ngrok"],
            "livekit" => &["livekit"],
            _ => &[],
        };
        let is_stand_in = stand_ins.iter().any(|one| name.strip_prefix("standin/") == Some(*one));
        let is_part = service == name;
        if is_stand_in || is_part || name.strip_prefix("started/") == Some(service) {
            return true;
        }
    }
    matches(pattern, name)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
        }),
    }
}

fn is_start(name: &str) -> bool {
    name.starts_with("started/") || name.starts_with("standin/")
}

/// All but when containers were started.
fn lasting(names: &BTreeSet<String>) -> Vec<String> {
    names.iter().filter(|name| !name.starts_with("started/")).cloned().collect()
}

fn joined(names: BTreeSet<String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Short lines of what triage says.
fn shown(ranked: &[Value]) -> String {
    let line = |v: &Value| {
        format!(
            "  {} {} {} {} (explained by {})",
            text(&v["playbook"]),
            text(&v["verdict"]),
            v["subject"],
            text(&v["reason"]),
            v["explained_by"]
        )
    };
    ranked.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Two things at once.
pub fn side_by_side<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        match one.join() {
            Ok(one) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
