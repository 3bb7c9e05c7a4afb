//! Jobs that whoever calls may do side by side: the core starts no threads.

use std::sync::{Mutex, PoisonError};

/// Does a job for each number below the first, in any order and on as many threads as it likes, and comes
/// back when all of them are done. [`in_turn`] is one.
pub type Spread<'s> = &'s dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// One job after the other, on this thread.
pub fn in_turn(count: usize, job: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(job);
}

/// What each job gives, in their order; `None` where it gives nothing, or was left out.
pub(super) fn each<T: Send>(
    spread: Spread<'_>,
    count: usize,
    job: impl Fn(usize) -> Option<T> + Sync,
) -> Vec<Option<T>> {
    let given: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::default()).collect();
    spread(count, &|n| {
        if let Some(slot) = given.get(n) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = job(n);
        }
    });
    given.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
