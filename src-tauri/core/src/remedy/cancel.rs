//! The operator's wish to stop a run.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use futures_channel::oneshot;
use futures_util::{
    FutureExt,
    future::{Either, Shared, pending, select},
    pin_mut,
};

/// The run's side: whether to stop, and why.
#[derive(Clone)]
pub struct Cancel(Shared<oneshot::Receiver<Arc<str>>>);

/// The operator's side.
pub struct Canceller(Mutex<Option<oneshot::Sender<Arc<str>>>>);

const BY_OPERATOR: &str = "stopped by the operator";

/// Both sides of one run.
pub fn cancel_pair() -> (Canceller, Cancel) {
    let (sender, receiver) = oneshot::channel();
    (Canceller(Mutex::new(Some(sender))), Cancel(receiver.shared()))
}

impl Canceller {
    /// Asks the run to stop at the next safe point. Asking twice changes nothing.
    pub fn cancel(&self) {
        self.cancel_because(BY_OPERATOR);
    }

    /// The same for another reason: `why` is a part of a sentence, as in "stopped by the operator".
    pub fn cancel_because(&self, why: &str) {
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The run may have ended in the meantime: then there is nothing to stop.
            let _ended = sender.send(why.into());
        }
    }
}

impl Cancel {
    /// Whether the operator asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.clone().now_or_never(), Some(Ok(_)))
    }

    /// Why it is to stop.
    pub fn why(&self) -> Arc<str> {
        match self.0.clone().now_or_never() {
            Some(Ok(why)) => why,
            Some(Err(_)) | None => BY_OPERATOR.into(),
        }
    }

    /// Waits until the operator asks to stop; for ever when nobody can any more.
    pub async fn cancelled(&self) {
        if self.0.clone().await.is_err() {
            pending::<()>().await;
        }
    }
}

/// The future's output, or `None` when the operator cancels first; the future is then dropped.
pub(super) async fn or_cancelled<T>(work: impl Future<Output = T>, cancel: &Cancel) -> Option<T> {
    let stop = cancel.cancelled();
    pin_mut!(work);
    pin_mut!(stop);
    match select(work, stop).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_operator_cancels_and_not_the_end_of_the_window() {
        let (canceller, cancel) = cancel_pair();
        assert!(!cancel.is_cancelled());
        drop(canceller);
        assert!(!cancel.is_cancelled());
        assert!(cancel.cancelled().now_or_never().is_none());

        let (canceller, cancel) = cancel_pair();
        canceller.cancel();
        canceller.cancel();
        assert!(cancel.is_cancelled() && cancel.cancelled().now_or_never().is_some());
        assert_eq!(&*cancel.why(), "stopped by the operator");

        let (canceller, cancel) = cancel_pair();
        canceller.cancel_because("its time was over");
        canceller.cancel();
        assert_eq!(&*cancel.why(), "its time was over");
    }
}
