//! The one ordered channel by which changes reach the window.

use ratiba_core::wire::{Empty, Update, WireError};
use tauri::{State, ipc::Channel};
use tokio::sync::broadcast::error::RecvError;

use super::Opened;
use crate::hidden::hidden;

/// Sends what is known now, then everything that changes, until the window goes away.
#[tauri::command]
pub(super) async fn subscribe(opened: State<'_, Opened>, channel: Channel<Update>) -> Result<(), WireError> {
    let console = opened.console().await?.clone();
    let mut updates = console.subscribe();
    let first = Update::Snapshot { snapshot: console.folded() };
    // In a bundle nothing moves: all there is comes at once.
    let recorded = match console.recorded() {
        Some(_) => {
            console.triage(Empty {}).await.ok().map(|triage| Update::Triage { triage: Box::new(triage) })
        }
        None => None,
    };
    if let Some(first) = hidden(first, console.known().as_ref())
        && channel.send(first).is_err()
    {
        return Ok(());
    }
    tokio::spawn(async move {
        let mut next = recorded;
        loop {
            if let Some(update) = next.take().and_then(|update| hidden(update, console.known().as_ref()))
                && channel.send(update).is_err()
            {
                // A channel that is closed belongs to a page that was left.
                return;
            }
            next = match updates.recv().await {
                Ok(update) => Some(update),
                // The window fell behind: it gets the whole instead of the missed parts.
                Err(RecvError::Lagged(_)) => Some(Update::Snapshot { snapshot: console.folded() }),
                Err(RecvError::Closed) => return,
            };
        }
    });
    Ok(())
}
