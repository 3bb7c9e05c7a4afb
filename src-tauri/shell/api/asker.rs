//! Scripts ask and wait, sources answer asynchronously: the bridge between them.

use std::sync::Arc;

use ratiba_core::{
    playbook::host::{Answered, Asker, ObservationPass, Question, answer},
    ports::Sources,
};
use tokio::runtime::Handle;

struct Bridge {
    sources: Sources,
    runtime: Handle,
}

impl Asker for Bridge {
    // Called from blocking threads only: waiting here holds up no other task.
    fn ask(&self, question: &Question) -> Answered {
        self.runtime.block_on(answer(&self.sources, question))
    }
}

/// A fresh pass: nothing asked yet.
pub(super) fn fresh_pass(sources: &Sources) -> Arc<ObservationPass> {
    let bridge = Bridge { sources: sources.clone(), runtime: Handle::current() };
    Arc::new(ObservationPass::new(Box::new(bridge)))
}
