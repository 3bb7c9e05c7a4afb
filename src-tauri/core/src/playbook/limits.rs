//! What a script may use up: operations, time, memory, sizes, depth. Rhai counts operations and the
//! sizes of single values; the rest is watched here.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rhai::{
    Array, Dynamic, Engine, EvalAltResult, EvalContext, Map, Module, Position, Shared,
    packages::{Package, StandardPackage},
};

use super::natives;
use crate::ports::{Clock, Memory};

/// Wall-clock time a script may take, probes included; each probe has a shorter deadline.
pub(super) const WALL_CLOCK_MS: u64 = 20_000;
/// Bytes by which the process may grow while a script runs.
pub(super) const MEMORY_BYTES: u64 = 512 << 20;
/// A script's deepest recursion fits a thread stack of 512 KiB.
pub(super) const CALL_DEPTH: usize = 16;
/// Longest text of a script in bytes: what a parser does with it is not watched.
pub(super) const SCRIPT_BYTES: usize = 256 << 10;
/// How deep arrays and maps may nest inside a script. Copying, comparing and dropping a value use
/// the stack once for each level.
pub(super) const VALUE_DEPTH: usize = 128;
/// How deep they may nest in an answer. A plan with the answer in it must be readable again, and
/// `serde_json` reads 128 levels.
pub(super) const ANSWER_DEPTH: usize = 64;

/// Limits that differ between loading and running.
pub(super) struct Limits {
    pub operations: u64,
    string_bytes: usize,
    array_items: usize,
    map_items: usize,
}

/// While a function of a playbook runs.
pub(super) const RUNNING: Limits =
    Limits { operations: 2_000_000, string_bytes: 1 << 20, array_items: 200_000, map_items: 200_000 };

/// While a catalogue is loaded: `about()` and the shared scripts. No clock watches them, so they are
/// held so short that time and memory can't be used up.
pub(super) const LOADING: Limits =
    Limits { operations: 5_000, string_bytes: 64 << 10, array_items: 500, map_items: 500 };

/// The language's library, built once.
static STANDARD: LazyLock<Shared<Module>> = LazyLock::new(|| StandardPackage::new().as_shared_module());

/// An engine with the language's limits and nothing of the host.
pub(super) fn bare_engine(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(STANDARD.clone());
    engine
        .set_max_operations(limits.operations)
        .set_max_call_levels(CALL_DEPTH)
        .set_max_expr_depths(64, 32)
        .set_max_string_size(limits.string_bytes)
        .set_max_array_size(limits.array_items)
        .set_max_map_size(limits.map_items)
        .set_max_functions(100)
        .set_max_modules(20)
        .set_max_variables(200)
        .set_fail_on_invalid_map_property(false)
        .on_print(|_| {})
        .on_debug(|_, _, _| {});
    // `this` and `curry` would nest values without any variable being read: see `Watch::nesting`.
    for word in ["eval", "this", "curry"] {
        engine.disable_symbol(word);
    }
    natives::register(&mut engine);
    watch(&mut engine, None);
    engine
}

/// Why a script was ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It ran for too long.
    Time,
    /// The process grew too much.
    Memory,
}

/// The machine a script runs on, as far as it may use it up.
pub(super) struct Machine {
    pub clock: Arc<dyn Clock>,
    pub memory: Arc<dyn Memory>,
}

/// Watches every operation and every variable that is read.
pub(super) fn watch(engine: &mut Engine, machine: Option<Machine>) {
    let watch = Arc::new(Watch { operations: AtomicU64::new(0), walked: Mutex::default() });
    let (counted, meter) = (watch.clone(), machine.map(Meter::new));
    engine.on_progress(move |operations| {
        counted.operations.store(operations, Ordering::Relaxed);
        meter.as_ref().and_then(Meter::ended).map(Dynamic::from)
    });
    #[expect(deprecated, reason = "it is not, says its note, but may change")]
    engine.on_var(move |name, _, context| watch.nesting(name, &context).map(|()| None));
}

struct Meter {
    machine: Machine,
    ends_ms: u64,
    most_bytes: Option<u64>,
    asked_ms: AtomicU64,
}

impl Meter {
    fn new(machine: Machine) -> Self {
        let now_ms = machine.clock.monotonic_ms();
        let most_bytes = machine.memory.used_bytes().map(|bytes| bytes.saturating_add(MEMORY_BYTES));
        Self {
            machine,
            ends_ms: now_ms.saturating_add(WALL_CLOCK_MS),
            most_bytes,
            asked_ms: AtomicU64::new(now_ms),
        }
    }

    /// Asked at each operation, so the memory only once a millisecond.
    fn ended(&self) -> Option<Ended> {
        let now_ms = self.machine.clock.monotonic_ms();
        if now_ms > self.ends_ms {
            return Some(Ended::Time);
        }
        let most = self.most_bytes?;
        if self.asked_ms.swap(now_ms, Ordering::Relaxed) == now_ms {
            return None;
        }
        self.machine.memory.used_bytes().is_some_and(|bytes| bytes > most).then_some(Ended::Memory)
    }
}

/// Looks how deep values nest. Rhai has no limit on it, and each of its own copies, size checks and
/// drops recurses: `loop { a = [a]; }` would end the process.
struct Watch {
    operations: AtomicU64,
    /// At which operation a variable of this name was last looked through.
    walked: Mutex<HashMap<String, u64>>,
}

/// Values that are looked at for each operation that was done. An operation adds one level at
/// most, so no variable gets more than a hundred levels deeper between two looks at all that it may
/// hold.
const LOOKS: u64 = 4_000;

impl Watch {
    fn nesting(&self, name: &str, context: &EvalContext) -> Result<(), Box<EvalAltResult>> {
        let Some(value) = context.scope().get(name) else { return Ok(()) };
        let len = if let Ok(array) = value.as_array_ref() {
            array.len()
        } else if let Ok(map) = value.as_map_ref() {
            map.len()
        } else {
            return Ok(());
        };
        if len == 0 {
            return Ok(());
        }
        let operations = self.operations.load(Ordering::Relaxed);
        let mut walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = match walked.get(name) {
            Some(last) => operations.saturating_sub(*last).saturating_mul(LOOKS),
            None => u64::MAX,
        };
        let mut left = looks;
        match nests(value, VALUE_DEPTH, &mut left) {
            Nests::Deeper => Err(too_deep(VALUE_DEPTH)),
            Nests::Unknown => Ok(()),
            Nests::Within => {
                match walked.get_mut(name) {
                    Some(last) => *last = operations,
                    None => drop(walked.insert(name.to_owned(), operations)),
                }
                Ok(())
            }
        }
    }
}

enum Nests {
    Within,
    Deeper,
    Unknown,
}

fn nests(value: &Dynamic, levels: usize, looks: &mut u64) -> Nests {
    if let Ok(array) = value.as_array_ref() {
        all_within(array.iter(), levels, looks)
    } else if let Ok(map) = value.as_map_ref() {
        all_within(map.values(), levels, looks)
    } else {
        Nests::Within
    }
}

fn all_within<'a>(values: impl Iterator<Item = &'a Dynamic>, levels: usize, looks: &mut u64) -> Nests {
    let Some(levels) = levels.checked_sub(1) else { return Nests::Deeper };
    for value in values {
        let Some(left) = looks.checked_sub(1) else { return Nests::Unknown };
        *looks = left;
        match nests(value, levels, looks) {
            Nests::Within => {}
            other => return other,
        }
    }
    Nests::Within
}

/// Refuses a value that nests more than `levels` deep, before anything of ours recurses into it.
pub(super) fn shallow(value: &Dynamic, levels: usize) -> Result<(), Box<EvalAltResult>> {
    match nests(value, levels, &mut u64::MAX.clone()) {
        Nests::Deeper => Err(too_deep(levels)),
        Nests::Within | Nests::Unknown => Ok(()),
    }
}

/// The same for the items of an array.
pub(super) fn shallow_items(items: &Array, levels: usize) -> Result<(), Box<EvalAltResult>> {
    items.iter().try_for_each(|item| shallow(item, levels))
}

/// The same for the values of a map.
pub(super) fn shallow_values(map: &Map, levels: usize) -> Result<(), Box<EvalAltResult>> {
    map.values().try_for_each(|value| shallow(value, levels))
}

fn too_deep(levels: usize) -> Box<EvalAltResult> {
    let what = format!("arrays and maps nested more than {levels} deep");
    Box::new(EvalAltResult::ErrorDataTooLarge(what, Position::NONE))
}
