//! The console: one stack, its sources, its journal, and what is going on.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock},
};

use ratiba_core::{
    observe::{FoldRules, Readings},
    playbook::{CallContext, Catalog, Env, Names, Proven},
    ports::{Acts, JournalStore, KnownSecrets, SightingStore, Sources},
    profile::Profile,
    remedy::{Canceller, Refusal},
    wire::{DrillName, Environment, TriageView, Update, WireError},
};
use tokio::sync::{Notify, broadcast};

use super::{
    Recorded,
    asker::{Freshness, Remembered, fresh_pass},
    bundle::Previewed,
    log_view::Followed,
    refused,
    runbook::Seen,
};

/// Commands that only show what was captured, or what the console itself has.
const ANSWERED_BY_A_BUNDLE: &[&str] = &[
    "snapshot",
    "triage",
    "playbooks",
    "runbook",
    "playbook",
    "runs",
    "run",
    "logs",
    "logs_close",
    "payments_page",
    "payment",
    "thread",
    "tenant",
    "bundle_opened",
    "bundle_file",
    "failure_mode",
    "failure_mode_write",
];

/// What a console is built from.
pub struct Parts {
    /// The profile.
    pub profile: Profile,
    /// The stack.
    pub sources: Sources,
    /// The stack, to act on; `None`: it is only there as a bundle.
    pub acts: Option<Acts>,
    /// The bundle that it is.
    pub recorded: Option<Arc<Recorded>>,
    /// Where runs are recorded.
    pub store: Arc<dyn JournalStore>,
    /// The stack's secrets.
    pub known: Arc<dyn KnownSecrets>,
    /// When rows were last seen.
    pub sightings: Arc<dyn SightingStore>,
    /// Makes the playbooks, once one is asked for: to compile them takes longer than all else here.
    pub catalog: Box<dyn FnOnce() -> Catalog + Send>,
    /// The drills there are.
    pub drills: Vec<DrillName>,
    /// What they have proven, or why that is not known.
    pub proven: Result<Proven, String>,
    /// Who is at the console, for the journal: `user@host`.
    pub operator: String,
}

type MakeCatalog = Box<dyn FnOnce() -> RwLock<Arc<Catalog>> + Send>;

/// A run that goes on.
pub(super) struct Running {
    pub canceller: Arc<Canceller>,
    pub services: Vec<String>,
}

/// One stack and all that can be asked and done about it.
pub struct Console {
    pub(super) profile: Profile,
    pub(super) environment: Environment,
    pub(super) sources: Sources,
    acts: Option<Acts>,
    recorded: Option<Arc<Recorded>>,
    pub(super) store: Arc<dyn JournalStore>,
    known: Arc<dyn KnownSecrets>,
    remembered: Arc<Remembered>,
    pub(super) sightings: Arc<dyn SightingStore>,
    pub(super) drills: Vec<DrillName>,
    pub(super) proven: Result<Proven, String>,
    catalog: LazyLock<RwLock<Arc<Catalog>>, MakeCatalog>,
    pub(super) operator: String,
    pub(super) updates: broadcast::Sender<Update>,
    /// Something was read: the publisher folds and sends.
    pub(super) moved: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub readings: Readings,
    pub revision: u64,
    pub triage: Option<TriageView>,
    pub running: BTreeMap<String, Running>,
    pub is_watching: bool,
    pub seen: Seen,
    pub followed: Option<Followed>,
    pub previewed: Previewed,
    /// How many questions to the logs there were.
    pub log_questions: u64,
}

impl Console {
    /// A console that has read nothing yet.
    pub fn new(parts: Parts) -> Arc<Self> {
        let environment = Environment {
            name: parts.profile.name.clone(),
            kind: parts.profile.kind,
            read_only: parts.profile.read_only,
            project: parts.profile.compose.project.clone(),
            captured: parts.recorded.as_ref().map(|recorded| recorded.captured()),
        };
        Arc::new(Self {
            environment,
            profile: parts.profile,
            sources: parts.sources,
            acts: parts.acts,
            recorded: parts.recorded,
            store: parts.store,
            known: parts.known,
            remembered: Arc::default(),
            sightings: parts.sightings,
            drills: parts.drills,
            proven: parts.proven,
            catalog: LazyLock::new(Box::new(|| RwLock::new(Arc::new((parts.catalog)())))),
            operator: parts.operator,
            updates: broadcast::channel(256).0,
            moved: Notify::new(),
            state: Mutex::default(),
        })
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The stack's sources.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The stack, to act on.
    pub(super) fn acts(&self) -> Result<&Acts, WireError> {
        match (&self.acts, &self.recorded) {
            (Some(acts), _) => Ok(acts),
            (None, Some(recorded)) => Err(recorded.refusal("act on the stack")),
            (None, None) => Err(refused(&Refusal::ReadOnly)),
        }
    }

    /// The bundle that this console is of; `None`: it is of the stack itself.
    pub fn recorded(&self) -> Option<&Arc<Recorded>> {
        self.recorded.as_ref()
    }

    /// Refuses what a bundle can't answer, by the command's name.
    pub fn answers(&self, command: &str) -> Result<(), WireError> {
        match self.recorded() {
            Some(recorded) if !ANSWERED_BY_A_BUNDLE.contains(&command) => {
                Err(recorded.refusal(&command.replace('_', " ")))
            }
            _ => Ok(()),
        }
    }

    /// The stack's secrets: nothing that is shown or passed on may hold one.
    pub fn known(&self) -> &Arc<dyn KnownSecrets> {
        &self.known
    }

    /// Everything that changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }

    /// The playbooks as they are now: trusting one makes another catalogue.
    pub(super) fn catalog(&self) -> Arc<Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn use_catalog(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(&self, update: Update) {
        // Nobody listening is no error: the next listener asks for the whole first.
        let _listeners = self.updates.send(update);
    }

    pub(super) fn fold_rules(&self) -> FoldRules {
        let mut rules = FoldRules::new(self.profile.thresholds.clone());
        for (run, running) in &self.state().running {
            rules.own_runs.extend(running.services.iter().map(|service| (service.clone(), run.clone())));
        }
        rules
    }

    /// Surroundings for scripts: one pass, one `now`.
    pub(super) fn call_context(&self, freshness: Freshness) -> CallContext {
        self.call_context_of(&self.sources.for_one_look(), freshness)
    }

    /// The same, of a look that others take part in.
    pub(super) fn call_context_of(&self, look: &Sources, freshness: Freshness) -> CallContext {
        CallContext {
            pass: fresh_pass(look, &self.remembered, freshness),
            env: Env {
                now: self.sources.clock.now(),
                project: self.environment.project.clone(),
                thresholds: self.profile.thresholds.clone(),
                schema: self.profile.schema.clone(),
                names: Names::of(&self.profile),
            },
            clock: self.sources.clock.clone(),
            memory: self.sources.memory.clone(),
            known: self.known.clone(),
        }
    }
}
