//! One tenant as it was found by introspection.

use serde::{Deserialize, Serialize};

use super::{PaymentCount, TenantSlug};

/// A tenant that exists: registered, or found as a `tenant_<slug>` schema, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRef {
    /// The slug.
    pub slug: TenantSlug,
    /// The name in the registry; empty when it is not registered.
    pub name: String,
    /// The vertical in the registry; empty when it is not registered.
    pub vertical: String,
    /// Whether the registry has it.
    pub registered: bool,
    /// Whether its schema exists.
    pub has_schema: bool,
}

/// What Postgres says about a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantFacts {
    /// Who it is.
    pub tenant: TenantRef,
    /// Payments by state.
    pub payments: Vec<PaymentCount>,
    /// Stated limits: what could not be read for this tenant, each one sentence. A tenant with a
    /// limit is never shown as healthy on that account, and its numbers are never zero.
    pub limits: Vec<String>,
}
