//! The sources of a stack that is only there as a bundle.

use std::sync::Arc;

use ratiba_adapters::{clock::SystemClock, memory::ThisProcess};
use ratiba_core::{
    bundle::{BundleOf, FileState, OpenedBundle},
    model::ContainerFacts,
    ports::{JournalStore, KnownSecrets, NoSecrets, SightingStore, Sources},
    profile::{self, Profile},
    wire::WireError,
};

use super::{
    logs::BundleLogs,
    nothing::{Nothing, Stopped},
};
use crate::api::{Recorded, failed, names};

/// What stands in the place of a stack.
pub(crate) struct OfBundle {
    pub(crate) sources: Sources,
    pub(crate) store: Arc<dyn JournalStore>,
    pub(crate) known: Arc<dyn KnownSecrets>,
    pub(crate) sightings: Arc<dyn SightingStore>,
}

pub(crate) fn sources(recorded: &Arc<Recorded>) -> OfBundle {
    let nothing = Arc::new(Nothing { containers: containers(recorded.bundle()) });
    let sources = Sources {
        containers: nothing.clone(),
        compose: nothing.clone(),
        database: None,
        threads: None,
        logs: Arc::new(BundleLogs(recorded.clone())),
        host: nothing.clone(),
        repo: None,
        dotenv: None,
        http: nothing.clone(),
        clock: Arc::new(Stopped { at: recorded.captured_at(), real: Arc::new(SystemClock::default()) }),
        memory: Arc::new(ThisProcess),
    };
    OfBundle { sources, store: nothing.clone(), known: Arc::new(NoSecrets), sightings: nothing }
}

/// The containers that are known; where their list is not in the bundle, those whose logs are.
fn containers(bundle: &OpenedBundle) -> Result<Vec<ContainerFacts>, String> {
    let bytes = bundle.file(names::CONTAINERS).unwrap_or_else(|| Err("they were not collected".into()))?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// The profile that the bundle was made with, for looking only.
pub(crate) fn profile(bundle: &OpenedBundle) -> Result<Profile, WireError> {
    let kept = bundle.file(names::PROFILE).and_then(Result::ok);
    let kept = kept.and_then(|bytes| serde_json::from_slice::<Profile>(&bytes).ok());
    let mut found = match kept {
        Some(profile) => profile,
        None => least(&bundle.manifest().stack)?,
    };
    found.read_only = true;
    // Log files that are in the bundle, and no file of this machine.
    let rows = bundle.manifest().files.iter().filter(|row| row.state == FileState::Ok);
    let files = rows.filter_map(|row| row.log.as_ref()).filter(|log| log.container.is_none());
    found.logs.files = files.map(|log| log.name.clone()).collect();
    found.repo = Default::default();
    found.endpoints.clear();
    found.lab = None;
    Ok(found)
}

fn least(stack: &BundleOf) -> Result<Profile, WireError> {
    let text = "name = \"bundle\"\nkind = \"laptop\"\n[compose]\nproject = \"bundle\"\n";
    let mut least = profile::parse("a bundle", text).map_err(|e| failed(e.message, e.hint))?;
    least.name.clone_from(&stack.profile);
    least.kind = stack.kind;
    least.compose.project.clone_from(&stack.project);
    Ok(least)
}
