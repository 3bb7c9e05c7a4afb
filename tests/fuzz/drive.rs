//! One script through everything that a script reaches: the catalogue, its functions on a stack in
//! memory that holds hostile data, and a plan of the steps that it returns. Nothing is applied.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    model::{FsmThread, ThreadRecord},
    playbook::{CallContext, Catalog, ScriptFile, resolve_params},
    ports::{Clock, Memory},
    profile::SchemaSection,
    remedy::{MakePlan, Plan, digest, make},
    wire::PlanView,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

/// The limit of one call of a script, and some seconds for the operation that was under way on a
/// machine that does much else.
pub const LONGEST: Duration = Duration::from_secs(25);

/// What became of scripts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Scripts.
    pub inputs: u64,
    /// Those that compiled and said what they are.
    pub loaded: u64,
    /// Those whose `detect` gave findings.
    pub found: u64,
    /// Plans that were made and shown.
    pub planned: u64,
    /// The longest call.
    pub worst: Duration,
}

impl Tally {
    fn timed<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = call();
        self.worst = self.worst.max(began.elapsed());
        answer
    }

    /// The sum of both.
    pub fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.loaded += other.loaded;
        self.found += other.found;
        self.planned += other.planned;
        self.worst = self.worst.max(other.worst);
    }
}

/// This machine's own time: the limit is of real seconds.
struct RealClock(Instant);

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
    async fn sleep(&self, _how_long: Duration) {}
    fn new_id(&self) -> String {
        "01".repeat(13)
    }
}

/// This process's own memory; unknown where there is no `/proc`.
struct RealMemory;

impl Memory for RealMemory {
    fn used_bytes(&self) -> Option<u64> {
        let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
        statm.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
    }
}

const HOSTILE: &str = "back\u{1b}[31m\0end";

fn deep(levels: usize) -> Value {
    (0..levels)
        .fold(json!(1), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
}

fn stack() -> Stack {
    let mut hostile = container(HOSTILE);
    hostile.error = "\u{202e}address already in use \u{7}".repeat(2_000);
    let stack = Stack::default()
        .with_containers(vec![container("redis"), container("postgres"), hostile])
        .with_tenants(&["amani_salon", "baraka_spa"])
        .with_threads(vec![
            ThreadRecord::Thread(FsmThread {
                id: HOSTILE.into(),
                state: "COLLECT_SLOT".into(),
                tenant_slug: "amani_salon".into(),
                channel: String::new(),
                intent: "x\0".repeat(5_000),
                reprompts: u32::MAX,
                entered_at: None,
                updated_at: Some(Timestamp::MIN),
                payment_id: None,
            }),
            ThreadRecord::Unreadable { key: HOSTILE.into(), why: "no JSON".into() },
        ]);
    let rows = vec![
        json!({ "id": 1, "text": "'; DROP TABLE x; --\0" }),
        json!({ "id": i64::MIN, "text": "é".repeat(20_000), "deep": deep(50) }),
        json!({ "id": 1e308, "": null, "deep": deep(100) }),
    ];
    stack.answer_sql("", rows.clone());
    stack.answer_tenant("amani_salon", rows);
    stack.hold_port(5432, HOSTILE);
    stack.set_redis("redis", None, HOSTILE);
    stack.set_dotenv("K", HOSTILE);
    stack.set_file("f", HOSTILE);
    stack.answer_http("POST backend/a", 200, deep(100));
    stack.answer_http("POST daraja/query x", 500, json!({ "a": HOSTILE }));
    stack.make_volume("data", HOSTILE);
    stack
}

/// A shared script that any of them may import.
fn shared() -> Vec<ScriptFile> {
    vec![ScriptFile { name: "l.rhai".into(), text: "const A = [1]; fn twice(x) { [x, x] }".into() }]
}

/// Loads the script and asks it everything. It may refuse, fail or answer; what it may not is panic or
/// overrun.
pub fn drive(script: &str, tally: &mut Tally) {
    tally.inputs += 1;
    let file = |name: &str| ScriptFile { name: name.into(), text: script.into() };
    if script.len().is_multiple_of(16) {
        tally.timed(|| Catalog::load(Vec::new(), vec![file("l.rhai")]));
    }
    let catalog = tally.timed(|| Catalog::load(vec![file("07-fuzz.rhai")], shared()));
    let Some(playbook) = catalog.get("07-fuzz") else { return };
    if playbook.error.is_some() {
        return;
    }
    tally.loaded += 1;
    let stack = stack();
    let mut context: CallContext = stack.call_context();
    context.clock = Arc::new(RealClock(Instant::now()));
    context.memory = Arc::new(RealMemory);
    let Ok(findings) = tally.timed(|| playbook.detect(&context)) else { return };
    tally.found += 1;
    let sources = stack.sources();
    let schema = SchemaSection::default();
    for finding in findings.iter().take(2) {
        let _ = tally.timed(|| playbook.verify(&context, finding));
        let specs = tally.timed(|| playbook.choices(&context, finding)).unwrap_or_default();
        let params = resolve_params(&specs, &BTreeMap::new()).unwrap_or_default();
        let Ok(steps) = tally.timed(|| playbook.plan(&context, finding, &params)) else { continue };
        let from = MakePlan { sources: &sources, project: "lab", schema: &schema };
        let made =
            tally.timed(|| futures_executor::block_on(make(&from, playbook, finding, params.clone(), steps)));
        if let Ok(plan) = made {
            tally.timed(|| shown(&plan));
            tally.planned += 1;
        }
    }
}

/// As the window and the journal have it: a plan that was made can be shown, kept and read again.
fn shown(plan: &Plan) {
    let view = PlanView::new(plan);
    assert_eq!(view.digest, digest(plan));
    serde_json::to_string(&view).expect("a plan can be shown");
    let kept = serde_json::to_string(plan).expect("a plan can be kept");
    let again: Plan = serde_json::from_str(&kept).expect("a kept plan can be read again");
    assert_eq!(digest(&again), view.digest, "a kept plan is the same plan");
}
