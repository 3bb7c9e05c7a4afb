//! One tenant, one conversation, one payment, and the list of payments: first the rows are read,
//! then they are folded into a view. The questions and the folding are here, and are pure; whoever
//! has the rows, from the live stack or from a file, gets the same view.

mod columns;
mod cutoffs;
mod part;
mod payment;
mod payment_row;
mod payments;
mod payments_sql;
mod tenant;
mod tenant_parts;
mod thread;
mod timeline;
mod ulid;

pub use cutoffs::Cutoffs;
pub use part::{Part, Unread};
pub use payment::{FoundPayment, PaymentDetail, PaymentFacts, PaymentView, QueryNote, find_payments_sql};
pub use payment_row::PaymentRow;
pub use payments::{Asked, LARGEST_WINDOW, Merge, PaymentsPage};
pub use tenant::{TenantDetail, TenantDetailFacts, TenantsView, nearest_slug, registry_sql};
pub use tenant_parts::{
    CheckpointsHeld, KnowledgeHeld, PaymentsHeld, RegistryRow, StaffHeld, StuckThread, TenantQuestion,
    ThreadsHeld,
};
pub use thread::{
    CheckpointRow, CheckpointsOfThread, ThreadDetail, ThreadFacts, ThreadPlace, ThreadPlaceFacts,
    thread_checkpoints_sql, thread_payments_sql,
};
pub use timeline::{
    BookingRow, CallbackRow, Provenance, RoutingRow, ThreadNow, TimelineEntry, TimelineKind, booking_sql,
    callbacks_sql, routing_sql,
};
pub use ulid::ulid_time;
