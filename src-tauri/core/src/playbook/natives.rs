//! Functions of Rhai's standard library that are replaced: those that wait, that never end, that
//! build a value first and measure it afterwards, or that recurse on the stack for each level.

use std::{cmp::Ordering, fmt::Write};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext, Position};

use super::{
    host::Refused,
    limits::{VALUE_DEPTH, shallow_items, shallow_values},
};

type Given<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("sleep", |_: i64| refused("a script can't sleep; a step can wait"))
        .register_fn("sleep", |_: f64| refused("a script can't sleep; a step can wait"))
        .register_fn("pad", pad)
        .register_fn("pad", pad_array)
        .register_fn("replace", |c: NativeCallContext, s: &mut ImmutableString, find: &str, by: &str| {
            replace(&c, s, find, by)
        })
        .register_fn("replace", |c: NativeCallContext, s: &mut ImmutableString, find: &str, by: char| {
            replace(&c, s, find, by.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", |c: NativeCallContext, s: &mut ImmutableString, find: char, by: &str| {
            replace(&c, s, find.encode_utf8(&mut [0; 4]), by)
        });
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, |c: NativeCallContext, items: &mut Array, by: FnPtr| {
            *items = sorted(&c, std::mem::take(items), &by)?;
            Ok::<(), Box<EvalAltResult>>(())
        });
    }
    for name in ["order", "order_by"] {
        engine.register_fn(name, |c: NativeCallContext, items: Array, by: FnPtr| sorted(&c, items, &by));
    }
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |items: &mut Array| -> Given<ImmutableString> {
            shallow_items(items, VALUE_DEPTH)?;
            let mut text = String::new();
            write_array(items, &mut text);
            Ok(text.into())
        });
        engine.register_fn(name, |map: &mut Map| -> Given<ImmutableString> {
            shallow_values(map, VALUE_DEPTH)?;
            let mut text = String::new();
            write_map(map, &mut text);
            Ok(text.into())
        });
    }
    engine
        .register_fn("==", |a: &mut Array, b: Array| same_arrays(a, &b))
        .register_fn("!=", |a: &mut Array, b: Array| same_arrays(a, &b).map(|same| !same))
        .register_fn("==", |a: &mut Map, b: Map| same_maps(a, &b))
        .register_fn("!=", |a: &mut Map, b: Map| same_maps(a, &b).map(|same| !same))
        .register_fn("contains", |items: &mut Array, wanted: Dynamic| {
            position(items, &wanted, 0).map(|at| at >= 0)
        })
        .register_fn("index_of", |items: &mut Array, wanted: Dynamic| position(items, &wanted, 0))
        .register_fn("index_of", |items: &mut Array, wanted: Dynamic, start: i64| {
            position(items, &wanted, start)
        });
}

fn refused(what: &str) -> Given<()> {
    Err(Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Refused(what.into())), Position::NONE)))
}

fn too_large(what: &str) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorDataTooLarge(what.into(), Position::NONE))
}

/// Rhai's own never ends where the padding is empty.
fn pad(context: NativeCallContext, text: &mut ImmutableString, len: i64, padding: &str) -> Given<()> {
    let len = usize::try_from(len).unwrap_or(0);
    let missing = len.saturating_sub(text.chars().count());
    if missing == 0 || padding.is_empty() {
        return Ok(());
    }
    if len > context.engine().max_string_size() {
        return Err(too_large("Length of string"));
    }
    text.make_mut().extend(padding.chars().cycle().take(missing));
    Ok(())
}

/// Rhai's own multiplies before it compares: with a big `len` the product wraps to a small one.
fn pad_array(context: NativeCallContext, items: &mut Array, len: i64, item: Dynamic) -> Given<()> {
    let len = usize::try_from(len).unwrap_or(0);
    let Some(missing) = len.checked_sub(items.len()).filter(|missing| *missing > 0) else { return Ok(()) };
    if len > context.engine().max_array_size() {
        return Err(too_large("Size of array/BLOB"));
    }
    let engine = context.engine();
    let (a, m, s) = sizes(&item);
    for (each, most, what) in [
        (a + 1, engine.max_array_size(), "Size of array/BLOB"),
        (m, engine.max_map_size(), "Size of object map"),
        (s, engine.max_string_size(), "Length of string"),
    ] {
        if each.saturating_mul(missing) > most {
            return Err(too_large(what));
        }
    }
    items.resize(len, item);
    Ok(())
}

/// Items, entries and bytes of text in a value, as Rhai counts them.
fn sizes(value: &Dynamic) -> (usize, usize, usize) {
    let sum = |(a, m, s): (usize, usize, usize), inner: &Dynamic| {
        let (ia, im, is) = sizes(inner);
        (a + ia, m + im, s + is)
    };
    if let Ok(items) = value.as_array_ref() {
        items.iter().fold((items.len(), 0, 0), sum)
    } else if let Ok(map) = value.as_map_ref() {
        map.values().fold((0, map.len(), 0), sum)
    } else if let Ok(blob) = value.as_blob_ref() {
        (blob.len(), 0, 0)
    } else {
        (0, 0, value.as_immutable_string_ref().map_or(0, |text| text.len()))
    }
}

/// Rhai's own builds the text before it looks how long it became.
fn replace(context: &NativeCallContext, text: &mut ImmutableString, find: &str, by: &str) -> Given<()> {
    let found = text.matches(find).count();
    let longer = by.len().saturating_sub(find.len()).saturating_mul(found);
    if text.len().saturating_add(longer) > context.engine().max_string_size() {
        return Err(too_large("Length of string"));
    }
    *text = text.replace(find, by).into();
    Ok(())
}

/// A merge sort: it ends whatever the comparer says, where the standard library's panics at one
/// that contradicts itself. A comparer that fails fails the call.
fn sorted(context: &NativeCallContext, items: Array, by: &FnPtr) -> Given<Array> {
    let mut runs: Vec<Array> = items.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut rest = runs.into_iter();
        while let Some(first) = rest.next() {
            merged.push(match rest.next() {
                Some(second) => merge(context, first, second, by)?,
                None => first,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge(context: &NativeCallContext, first: Array, second: Array, by: &FnPtr) -> Given<Array> {
    let mut out = Array::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        let order = compared(context, a, b, by)?;
        out.extend(if order == Ordering::Greater { second.next() } else { first.next() });
    }
    out.extend(first);
    out.extend(second);
    Ok(out)
}

fn compared(context: &NativeCallContext, a: &Dynamic, b: &Dynamic, by: &FnPtr) -> Given<Ordering> {
    let answer = by.call_within_context::<Dynamic>(context, (a.clone(), b.clone()))?;
    let number = answer.as_int().or_else(|_| answer.as_bool().map(|before| if before { -1 } else { 1 }));
    Ok(number.unwrap_or(0).cmp(&0))
}

fn write_value(value: &Dynamic, out: &mut String) {
    if let Ok(items) = value.as_array_ref() {
        write_array(&items, out);
    } else if let Ok(map) = value.as_map_ref() {
        write_map(&map, out);
    } else {
        let _ = write!(out, "{value:?}");
    }
}

fn write_array(items: &Array, out: &mut String) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_value(item, out);
    }
    out.push(']');
}

fn write_map(map: &Map, out: &mut String) {
    out.push_str("#{");
    for (i, (key, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        let _ = write!(out, "{key:?}: ");
        write_value(value, out);
    }
    out.push('}');
}

fn same_arrays(a: &Array, b: &Array) -> Given<bool> {
    shallow_items(a, VALUE_DEPTH)?;
    Ok(items_equal(a, b))
}

fn same_maps(a: &Map, b: &Map) -> Given<bool> {
    shallow_values(a, VALUE_DEPTH)?;
    Ok(entries_equal(a, b))
}

fn items_equal(a: &Array, b: &Array) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
}

fn entries_equal(a: &Map, b: &Map) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|((ka, a), (kb, b))| ka == kb && equal(a, b))
}

/// As `==` says, without a copy of either. What is neither data nor a function is never equal.
#[expect(clippy::float_cmp, reason = "the language's own comparison")]
fn equal(a: &Dynamic, b: &Dynamic) -> bool {
    if let (Ok(a), Ok(b)) = (a.as_array_ref(), b.as_array_ref()) {
        return items_equal(&a, &b);
    }
    if let (Ok(a), Ok(b)) = (a.as_map_ref(), b.as_map_ref()) {
        return entries_equal(&a, &b);
    }
    if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
        return *a == *b;
    }
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.as_bool(), b.as_bool()) {
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.as_char(), b.as_char()) {
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.as_blob_ref(), b.as_blob_ref()) {
        return *a == *b;
    }
    a.is_unit() && b.is_unit()
}

#[expect(clippy::cast_precision_loss, reason = "as the language compares a whole number to another")]
fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64))
}

fn position(items: &Array, wanted: &Dynamic, start: i64) -> Given<i64> {
    super::limits::shallow(wanted, VALUE_DEPTH)?;
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let start = if start < 0 { len.saturating_add(start).max(0) } else { start.min(len) };
    let start = usize::try_from(start).unwrap_or(0);
    let found = items.iter().enumerate().skip(start).find(|(_, item)| equal(item, wanted));
    Ok(found.and_then(|(i, _)| i64::try_from(i).ok()).unwrap_or(-1))
}
