//! `db::tenants()`, `db::each_tenant(sql)`, `db::query(sql, params)`, `db::tenant(slug, sql, params)`:
//! read-only questions to Postgres. `{payments}` and `{payments.state}` stand for the names the
//! profile gives.

use std::sync::Arc;

use rhai::{Array, Module};
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, refused, shown};
use crate::{
    model::{TenantRef, TenantSlug},
    playbook::{
        limits::{ANSWER_DEPTH, shallow_items},
        sql_template::{expand, for_tenant},
    },
    ports::SqlRead,
    profile::SchemaSection,
};

pub(super) fn module(pass: &Arc<ObservationPass>, schema: &SchemaSection) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("tenants", move || -> Probed {
        let answer = ask(&asked, Question::Tenants)?;
        shown(&answer, &answer.value)
    });

    let (asked, names) = (pass.clone(), schema.clone());
    module.set_native_fn("each_tenant", move |sql: &str| -> Probed {
        let sql = expand(sql, &names).map_err(refused)?;
        let tenants = ask(&asked, Question::Tenants)?;
        let tenants: Vec<TenantRef> = serde_json::from_value(tenants.value.clone()).unwrap_or_default();
        // A schema that nobody registered is no tenant's: row 12 looks at it. Without a registry the schemas
        // themselves say who there is.
        let is_known = |t: &TenantRef| t.registered || !tenants.iter().any(|one| one.registered);
        let of_tenants = tenants.iter().filter(|t| t.has_schema && is_known(t));
        let tenants = of_tenants.map(|t| t.slug.clone()).collect();
        let answer = ask(&asked, Question::EachTenant { tenants, sql })?;
        shown(&answer, &answer.value)
    });

    let (asked, names) = (pass.clone(), schema.clone());
    module.set_native_fn("query", move |sql: &str, params: Array| -> Probed {
        let sql = expand(sql, &names).map_err(refused)?;
        query(&asked, sql, &params)
    });

    let (asked, names) = (pass.clone(), schema.clone());
    module.set_native_fn("tenant", move |slug: &str, sql: &str, params: Array| -> Probed {
        let slug = TenantSlug::parse(slug).map_err(|e| refused(e.to_string()))?;
        let sql = for_tenant(&expand(sql, &names).map_err(refused)?, &slug);
        query(&asked, sql, &params)
    });
    module
}

fn query(pass: &Arc<ObservationPass>, sql: String, params: &Array) -> Probed {
    shallow_items(params, ANSWER_DEPTH)?;
    let params: Vec<Value> = params.iter().map(rhai::serde::from_dynamic).collect::<Result<_, _>>()?;
    let answer = ask(pass, Question::Query(SqlRead { sql, params }))?;
    shown(&answer, &answer.value)
}
