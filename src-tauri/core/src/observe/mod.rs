//! From what the sources gave to one picture of the stack. Pure: readings and the time go in, a
//! [`Snapshot`] comes out.

mod fold;
mod payments;
mod reading;
mod service;
mod tenant;
mod words;

pub use fold::{FoldRules, Readings, Snapshot, fold};
pub use payments::{PaymentStuck, tenant_facts, tenant_payments_sql};
pub use reading::Reading;
pub use service::{ServiceView, worst_container};
pub use tenant::{TenantView, is_stuck};
pub use words::{age, moment};
