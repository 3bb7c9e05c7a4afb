//! The facts the console works with. Constructors keep the invariants; nothing here does I/O.

mod change;
mod container;
mod counted;
mod evidence;
mod identity;
mod joined;
mod mark;
mod observed;
mod payment;
pub(crate) mod personal;
mod row;
mod shown;
mod sighting;
mod slug;
mod source;
mod tenant;
mod thread;

pub use change::Change;
pub use container::{ContainerFacts, ContainerState, Health, HealthStatus, MountedVolume, PublishedPort};
pub use counted::counted;
pub use evidence::{Evidence, Finding, Subject, Verdict, VerdictKind};
pub use identity::TargetIdentity;
pub use joined::Joined;
pub use mark::Mark;
pub use observed::Observed;
pub use payment::PaymentCount;
pub use personal::{Personal, PersonalAt, masked, masked_value, personal_in};
pub use row::Row;
pub use shown::Shown;
pub use sighting::{LastGood, Sighting, Sightings};
pub use slug::{SlugError, TenantSlug};
pub use source::{SourceError, SourceErrorKind, SourceName, SourceState, SourceStatus};
pub use tenant::{TenantFacts, TenantRef};
pub use thread::{FsmThread, ThreadRecord};
