//! One tenant: its registry row, and what its schema and Redis have of it, each part for itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    CheckpointsHeld, Cutoffs, KnowledgeHeld, Part, PaymentsHeld, RegistryRow, StaffHeld, ThreadsHeld,
    columns::{missing, not_there},
    tenant_parts::{n, registry_columns},
};
use crate::{
    model::{TenantRef, TenantSlug, ThreadRecord},
    observe::{TenantView, tenant_facts},
    playbook::sql_template::expand,
    profile::{SchemaSection, Thresholds},
};

/// How near a slug must be to be the one that was meant.
const NEAR: f64 = 0.7;

/// The registry's row of a tenant; `$1`: its slug.
pub fn registry_sql(schema: &SchemaSection) -> Result<String, String> {
    let columns = registry_columns(schema);
    expand(
        &format!(
            "SELECT {columns} FROM (SELECT to_jsonb(r.*) AS j FROM {{tenants}} r WHERE r.{{tenants.slug}}::text = $1 LIMIT 1) q"
        ),
        schema,
    )
}

/// The slug that was probably meant.
pub fn nearest_slug<'t>(tenants: &'t [TenantRef], asked: &str) -> Option<&'t TenantSlug> {
    tenants
        .iter()
        .map(|tenant| (strsim::jaro_winkler(tenant.slug.as_str(), asked), &tenant.slug))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > NEAR)
        .map(|(_, slug)| slug)
}

/// Everything that was read about a tenant; rows as the questions give them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantDetailFacts {
    /// Who it is.
    pub tenant: TenantRef,
    /// [`registry_sql`].
    pub registry: Part<Vec<Value>>,
    /// All threads.
    pub threads: Part<Vec<ThreadRecord>>,
    /// [`super::TenantQuestion::Payments`].
    pub payments: Part<Vec<Value>>,
    /// [`super::TenantQuestion::Knowledge`].
    pub knowledge: Part<Vec<Value>>,
    /// [`super::TenantQuestion::Staff`].
    pub staff: Part<Vec<Value>>,
    /// [`super::TenantQuestion::Schedules`].
    pub schedules: Part<Vec<Value>>,
    /// [`super::TenantQuestion::Blocks`].
    pub blocks: Part<Vec<Value>>,
    /// [`super::TenantQuestion::Checkpoints`].
    pub checkpoints: Part<Vec<Value>>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TenantDetail {
    /// Its slug.
    pub slug: String,
    /// When was asked.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// Its schema.
    pub schema: String,
    /// Whether that exists.
    pub has_schema: bool,
    /// Its row in the registry; `null` inside: it is not registered.
    pub registry: Part<Option<RegistryRow>>,
    /// Its conversations.
    pub threads: Part<ThreadsHeld>,
    /// Its payments.
    pub payments: Part<PaymentsHeld>,
    /// Its knowledge.
    pub knowledge: Part<KnowledgeHeld>,
    /// Its people.
    pub staff: Part<StaffHeld>,
    /// Rows of working hours.
    pub schedules: Part<u64>,
    /// Blocks that lie in the coming 14 days.
    pub blocks_14d: Part<u64>,
    /// Its conversations' history.
    pub checkpoints: Part<CheckpointsHeld>,
    /// What else is not known, each one sentence.
    pub limits: Vec<String>,
}

/// All tenants, as the overview has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TenantsView {
    /// When was asked.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// How many there are.
    pub total: u64,
    /// They, by slug.
    pub rows: Vec<TenantView>,
}

impl TenantDetailFacts {
    /// The view of it.
    pub fn view(&self, cutoffs: &Cutoffs, thresholds: &Thresholds) -> TenantDetail {
        let slug = &self.tenant.slug;
        let columns = self.registry.known().and_then(|rows| rows.first()).into_iter().flat_map(missing);
        let payments = self.payments.clone().and_then(|rows| {
            let facts = tenant_facts(vec![self.tenant.clone()], vec![(slug.clone(), Ok(rows))]);
            let facts = facts.first().ok_or("payments were not read")?;
            match facts.limits.first() {
                Some(why) => Err(why.clone()),
                None => Ok(PaymentsHeld::of(&facts.payments)),
            }
        });
        TenantDetail {
            slug: slug.to_string(),
            taken_at: cutoffs.at,
            schema: slug.schema(),
            has_schema: self.tenant.has_schema,
            registry: self.registry.clone().map(|rows| rows.first().map(RegistryRow::of)),
            threads: self
                .threads
                .clone()
                .map(|all| ThreadsHeld::of(slug.as_str(), &all, cutoffs, thresholds)),
            payments,
            knowledge: self.knowledge.clone().and_then(|rows| KnowledgeHeld::of(&rows, thresholds)),
            staff: self.staff.clone().and_then(|rows| StaffHeld::of(&rows)),
            schedules: self.schedules.clone().and_then(|rows| n(&rows)),
            blocks_14d: self.blocks.clone().and_then(|rows| n(&rows)),
            checkpoints: self.checkpoints.clone().and_then(|rows| CheckpointsHeld::of(&rows)),
            limits: columns.map(not_there).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tenant(slug: &str) -> TenantRef {
        let slug = TenantSlug::parse(slug).unwrap();
        TenantRef { slug, name: String::new(), vertical: String::new(), registered: true, has_schema: true }
    }

    fn facts() -> TenantDetailFacts {
        let rows = |row: Value| Part::Known(vec![row]);
        TenantDetailFacts {
            tenant: tenant("zuri_spa"),
            registry: rows(
                json!({ "name": "Zuri Spa", "is_active": true, "missing": "tenants.daraja_callback_url" }),
            ),
            threads: Part::Known(Vec::new()),
            payments: rows(
                json!({ "state": "initiated", "count": 3, "oldest": "2026-11-24T11:00:00Z", "stuck": 1 }),
            ),
            knowledge: rows(json!({ "active": 12, "chars": 900 })),
            staff: rows(json!({ "active": 3, "total": 4 })),
            schedules: rows(json!({ "n": 17 })),
            blocks: Part::Unknown("tenant_zuri_spa: relation \"staff_blocks\" does not exist".into()),
            checkpoints: rows(json!({ "estimate": 48, "live": 48, "bytes": 65_536 })),
        }
    }

    #[test]
    fn a_part_that_could_not_be_read_says_why_and_the_others_are_there() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let view = facts().view(&Cutoffs::new(now, &Thresholds::default()), &Thresholds::default());
        assert!(view.blocks_14d.why().unwrap().contains("staff_blocks"), "{:?}", view.blocks_14d);
        assert_eq!(
            (view.schedules.known(), view.staff.known().map(|s| (s.active, s.total))),
            (Some(&17), Some((3, 4)))
        );
        let payments = view.payments.known().unwrap();
        assert_eq!((payments.by_state["initiated"], payments.stuck), (3, 1));
        assert_eq!(payments.oldest_stuck.unwrap().to_string(), "2026-11-24T11:00:00Z");
        assert_eq!(view.limits, ["tenants.daraja_callback_url is not there; map it in the profile"]);
    }

    #[test]
    fn an_answer_of_another_form_is_unknown_and_not_zero() {
        let mut facts = facts();
        facts.schedules = Part::Known(Vec::new());
        facts.payments = Part::Known(vec![json!({ "state": "paid" })]);
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let view = facts.view(&Cutoffs::new(now, &Thresholds::default()), &Thresholds::default());
        assert!(view.schedules.known().is_none() && view.payments.known().is_none(), "{view:#?}");
    }

    #[test]
    fn a_mistyped_slug_names_the_near_one() {
        let all = [tenant("zuri_spa"), tenant("amani_salon")];
        assert_eq!(nearest_slug(&all, "amani-salon").map(TenantSlug::as_str), Some("amani_salon"));
        assert_eq!(nearest_slug(&all, "x"), None);
    }
}
