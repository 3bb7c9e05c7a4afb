//! Trusting a playbook that is not part of the console.

use std::sync::Arc;

use ratiba_core::{
    journal::{EntryDraft, EntryKind},
    model::Change,
    playbook::Trust,
    remedy::Refusal,
    wire::{PlaybookView, TrustRequest, WireError},
};
use serde_json::json;

use super::{Console, refused, usage, wire_error};

impl Console {
    /// Lets a playbook run from now on, exactly as it is; the journal has who did. What it says
    /// about itself is known only then.
    pub async fn trust(self: &Arc<Self>, request: TrustRequest) -> Result<PlaybookView, WireError> {
        let playbook = self.find(&request.id)?;
        if playbook.trust != Trust::Untrusted {
            return Err(usage(
                format!("trust {}: it may run already", playbook.id),
                "Nothing to do: `ratibactl playbooks list` shows all.",
            ));
        }
        if self.environment.read_only {
            return Err(refused(&Refusal::ReadOnly));
        }
        if playbook.sha256 != request.sha256 {
            let what = format!("the playbook {}", playbook.id);
            let message = format!(
                "trust {}: its script's SHA-256 is {}, not {}",
                playbook.id, playbook.sha256, request.sha256
            );
            let hint =
                "Look at it again (`ratibactl playbooks show`), then trust what that shows.".to_owned();
            let change = Change::new(what, "script", request.sha256, playbook.sha256.clone());
            return Err(WireError { message, hint, ..refused(&Refusal::Changed(vec![change])) });
        }
        let body = json!({ "id": playbook.id, "sha256": playbook.sha256, "operator": self.operator });
        let (run, at) = (String::new(), self.sources.clock.now());
        let draft = EntryDraft { run, at, kind: EntryKind::PlaybookTrusted, body };
        self.store.append(draft).await.map_err(|e| wire_error::journal(&e))?;
        self.use_catalog(self.catalog().trusting(&playbook.sha256));
        Ok(PlaybookView::from(self.find(&request.id)?.as_ref()))
    }
}
