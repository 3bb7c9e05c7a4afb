//! The escalation bundle: collected from every source at the same time, cleaned and packed in memory. Writing it is
//! another's.

mod again;
mod collect;
mod collector;
mod details;
mod log_files;
pub mod names;
mod small;
mod spread;
mod story;
mod view;

use std::sync::Arc;

use jiff::Timestamp;
use ratiba_core::{
    bundle::{
        MadeBundle, NotMade, make,
        redact::{Pseudonyms, Redactor},
    },
    wire::WireError,
};

use super::{Console, failed};

pub use again::clean_again;
pub use collector::COLLECTORS;
pub(super) use view::Previewed;

/// What goes into a bundle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BundleAsked {
    /// Logs from then on; `None`: from shortly before the first bad sign.
    pub since: Option<Timestamp>,
    /// The run it is about; `None`: the last one that was not a success, if there is one.
    pub run: Option<String>,
    /// What its maker has to say.
    pub note: Option<String>,
    /// Collectors that are left out.
    pub without: Vec<String>,
}

impl BundleAsked {
    fn leaves_out(&self, collector: &str) -> bool {
        self.without.iter().any(|one| one == collector)
    }
}

/// The largest note, in bytes.
const LONGEST_NOTE: usize = 10_000;

impl Console {
    /// Collects, cleans and packs. `tell` hears of each collector that ended.
    pub async fn make_bundle(
        self: &Arc<Self>,
        asked: &BundleAsked,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<MadeBundle, WireError> {
        if asked.note.as_ref().is_some_and(|note| note.len() > LONGEST_NOTE) {
            return Err(super::usage(
                format!("make the bundle: the note is longer than {LONGEST_NOTE} bytes"),
                "Write what one must know first; the bundle has the rest.",
            ));
        }
        if let Some(unknown) = asked.without.iter().find(|name| !COLLECTORS.iter().any(|(id, _)| id == name))
        {
            let known: Vec<&str> = COLLECTORS.iter().map(|(id, _)| *id).collect();
            return Err(super::usage(
                format!("make the bundle: there is no collector {unknown}"),
                format!("Collectors: {}.", known.join(", ")),
            ));
        }
        let collected = self.collect(asked, tell).await?;
        tell("cleaning and packing".into());
        let redactor = Redactor::new(self.known().clone());
        let made = tokio::task::spawn_blocking(move || {
            make(collected, &redactor, Pseudonyms::default(), &spread::over_cores)
        });
        made.await
            .map_err(|e| failed(format!("make the bundle: {e}"), "Please report it."))?
            .map_err(not_made)
    }
}

/// Why there is no bundle, for whoever wanted one.
pub(super) fn not_made(trouble: NotMade) -> WireError {
    let hint = match &trouble {
        NotMade::Leaks(_) => "Nothing was written. Leave out the collector that it is in, and report this.",
        NotMade::Failed(_) => "Nothing was written. Try again; where it stays so, report it.",
    };
    failed(format!("make the bundle: {trouble}"), hint)
}
