//! Work on all cores.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Does each job once, on as many threads as there are cores; each takes the next one that is left.
pub(super) fn over_cores(count: usize, job: &(dyn Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return;
            }
            job(n);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(count.max(1));
    thread::scope(|scope| {
        for _ in 1..threads {
            // This thread does what no other could be had for.
            let _started = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}
