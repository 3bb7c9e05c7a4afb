//! Payments: a page of them over all tenants, and one with all that belongs to it.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::join_all;
use ratiba_core::{
    detail::{
        Asked, Cutoffs, FoundPayment, LARGEST_WINDOW, Merge, Part, PaymentFacts, Unread, booking_sql,
        callbacks_sql, find_payments_sql, nearest_slug, routing_sql,
    },
    model::{FsmThread, SourceError, TenantRef, TenantSlug, ThreadRecord, counted, masked},
    playbook::sql_template::for_tenant,
    ports::{Database, Read, SqlRead, TenantRows},
    wire::{PaymentDetail, PaymentId, PaymentsPage, PaymentsQuery, WireError},
};
use serde_json::Value;

use super::{Console, not_found, unreachable, usage};

/// Questions at the same time.
const AT_ONCE: usize = 4;
/// Of questions that fail: then Postgres itself is in trouble, and each one more would only take its time.
const FAILURES: usize = 2;

impl Console {
    /// A page of payments, stuck ones first, then the oldest.
    pub async fn payments_page(self: &Arc<Self>, request: PaymentsQuery) -> Result<PaymentsPage, WireError> {
        if request.limit == 0 || request.limit.saturating_add(request.offset) > LARGEST_WINDOW {
            return Err(usage(
                format!(
                    "list payments: limit is at least 1, and limit and offset together at most {LARGEST_WINDOW}"
                ),
                "Narrow the list by tenant, state or age.",
            ));
        }
        if let Some(recorded) = self.recorded() {
            return recorded.payments(&request);
        }
        let database = self.sources.database().map_err(|e| unreachable(&e))?;
        let tenants = match &request.tenant {
            Some(slug) => vec![self.known_tenant(slug).await?],
            None => database.tenants().await.map_err(|e| unreachable(&e))?,
        };
        let PaymentsQuery { state, older_than_s, limit, offset, .. } = request;
        let mut merge = Merge::new(Asked { state, older_than_s, limit, offset }, self.cutoffs());
        let (there, without): (Vec<_>, Vec<_>) = tenants.into_iter().partition(|tenant| tenant.has_schema);
        for tenant in &without {
            merge.take_unread(Unread::without_schema(&tenant.slug));
        }
        let slugs: Vec<TenantSlug> = there.into_iter().map(|tenant| tenant.slug).collect();
        let answered = self.ask_for_payments(&mut merge, &slugs).await;
        match answered {
            Err(error) => Err(unreachable(&error)),
            Ok(()) => {
                self.ask_for_rows(&mut merge).await;
                Ok(merge.page())
            }
        }
    }

    /// Reads the rows of the page: their tenants answered a moment ago.
    async fn ask_for_rows(&self, merge: &mut Merge) {
        for (tenants, sql) in merge.row_questions(&self.profile.schema) {
            let answers = match (sql, self.sources.database()) {
                (Ok(sql), Ok(database)) => {
                    database.each_tenant(&tenants, &sql).await.map_err(|e| e.to_string())
                }
                (Err(why), _) => Err(why),
                (Ok(_), Err(error)) => Err(error.to_string()),
            };
            match answers {
                Ok(rows) => merge.take_rows(rows),
                Err(why) => {
                    merge.take_unread_rows(&why);
                    return;
                }
            }
        }
    }

    /// Asks the tenants batch by batch. The first one alone: with its rows the page is full as a rule, and
    /// of all others only what can come into it is asked for. What can't be asked is named.
    async fn ask_for_payments(&self, merge: &mut Merge, slugs: &[TenantSlug]) -> Read<()> {
        let database = self.sources.database()?;
        let batches: Vec<&[TenantSlug]> = slugs.chunks(merge.batch()).collect();
        let (first, rest) = batches.split_at(batches.len().min(1));
        let mut failed: Vec<SourceError> = Vec::new();
        let mut any_answered = slugs.is_empty();
        for wave in [first].into_iter().chain(rest.chunks(AT_ONCE)) {
            let sql = merge.sql(&self.profile.schema);
            let answers = match (&sql, failed.last()) {
                (Ok(_), Some(last)) if failed.len() >= FAILURES => {
                    wave.iter().map(|_| Err(format!("not asked any more: {last}"))).collect()
                }
                (Ok(sql), _) => {
                    let answers = join_all(wave.iter().map(|batch| database.each_tenant(batch, sql))).await;
                    let told = |answer: Read<Vec<TenantRows>>| {
                        answer
                            .inspect_err(|error| failed.push(error.clone()))
                            .map_err(|error| error.to_string())
                    };
                    answers.into_iter().map(told).collect()
                }
                (Err(why), _) => wave.iter().map(|_| Err(why.clone())).collect::<Vec<_>>(),
            };
            for (batch, answer) in wave.iter().zip(answers) {
                match answer {
                    Ok(rows) => {
                        any_answered = true;
                        merge.take(rows);
                    }
                    Err(why) => {
                        let unread =
                            |slug: &TenantSlug| Unread { tenant: slug.to_string(), why: why.clone() };
                        batch.iter().map(unread).for_each(|unread| merge.take_unread(unread));
                    }
                }
            }
        }
        match failed.into_iter().next() {
            Some(error) if !any_answered => Err(error),
            _ => Ok(()),
        }
    }

    /// One payment, by its id or its push's, with all that belongs to it.
    pub async fn payment(self: &Arc<Self>, request: PaymentId) -> Result<PaymentDetail, WireError> {
        if let Some(recorded) = self.recorded() {
            return recorded.payment(&request.id);
        }
        let facts = self.payment_facts(&request.id, None).await?;
        let view = facts.view(&self.cutoffs(), &self.profile.thresholds);
        let shown = masked(&request.id);
        if !view.payments.is_empty() || !view.strays.is_empty() {
            return Ok(view);
        }
        match view.unread.first() {
            None => Err(not_found(
                format!("show the payment {shown}: no tenant has a payment or push of that id"),
                "Take an id that `ratibactl payments list` shows, or a whole CheckoutRequestID. A conversation's id is for `threads show`.",
            )),
            Some(first) => Err(unknown(
                format!(
                    "show the payment {shown}: nothing that could be read has it, and {} could not be read ({}: {})",
                    counted(view.unread.len(), "tenant"),
                    first.tenant,
                    first.why
                ),
                "Make them readable, or map their names in the profile, then look again.",
            )),
        }
    }

    /// A payment whose tenant is known: no other one is asked.
    pub(super) async fn payment_of(&self, tenant: &str, id: &str) -> Result<PaymentDetail, WireError> {
        let facts = self.payment_facts(id, Some(tenant)).await?;
        Ok(facts.view(&self.cutoffs(), &self.profile.thresholds))
    }

    /// Reads everything about an id; nothing is folded yet.
    async fn payment_facts(&self, id: &str, tenant: Option<&str>) -> Result<PaymentFacts, WireError> {
        let schema = &self.profile.schema;
        let (rows, unread) = match tenant {
            Some(tenant) => self.rows_of_one(find_payments_sql(id, schema), tenant).await?,
            None => self.rows_of_each(find_payments_sql(id, schema)).await?,
        };
        let pushes = PaymentFacts::pushes(id, &rows);
        let of_pushes = |sql| self.rows_with(sql, vec![Value::from(pushes.clone())]);
        let found = rows.iter().flat_map(|(tenant, rows)| rows.iter().map(move |row| (tenant, row)));
        let found = join_all(found.map(|(tenant, row)| self.found_payment(tenant, row)));
        let (found, routing, callbacks) =
            futures_util::join!(found, of_pushes(routing_sql(schema)), of_pushes(callbacks_sql(schema)));
        let has_daraja = self.profile.daraja.is_some();
        Ok(PaymentFacts { asked: id.to_owned(), found, unread, routing, callbacks, has_daraja })
    }

    async fn found_payment(&self, tenant: &TenantSlug, row: &Value) -> FoundPayment {
        let (_, thread, booking) = FoundPayment::names(row);
        let booking = async {
            let Some(id) = booking else { return Part::Known(Vec::new()) };
            let sql = booking_sql(&id, &self.profile.schema).map(|sql| for_tenant(&sql, tenant));
            self.rows_with(sql, Vec::new()).await
        };
        let thread = async {
            let Some(id) = thread else { return Part::Known(None) };
            self.thread_record(&id).await.and_then(fsm_thread)
        };
        let (booking, thread) = futures_util::join!(booking, thread);
        FoundPayment { tenant: tenant.clone(), row: row.clone(), thread, booking }
    }

    /// One moment for all that a view says of age.
    pub(super) fn cutoffs(&self) -> Cutoffs {
        Cutoffs::new(self.sources.clock.now(), &self.profile.thresholds)
    }

    /// A tenant of this stack.
    pub(super) async fn known_tenant(&self, slug: &str) -> Result<TenantRef, WireError> {
        let asked = TenantSlug::parse(slug)
            .map_err(|error| usage(error.to_string(), "`ratibactl tenants list` has those there are."))?;
        let database = self.sources.database().map_err(|e| unreachable(&e))?;
        let tenants = database.tenants().await.map_err(|e| unreachable(&e))?;
        tenants.iter().find(|tenant| tenant.slug == asked).cloned().ok_or_else(|| {
            let near =
                nearest_slug(&tenants, slug).map(|near| format!("Did you mean {near}? ")).unwrap_or_default();
            not_found(
                format!("find the tenant {asked}: it is neither registered nor has it a schema"),
                format!("{near}`ratibactl tenants list` has those there are."),
            )
        })
    }

    /// The same of one tenant.
    async fn rows_of_one(
        &self,
        sql: Result<String, String>,
        tenant: &str,
    ) -> Result<(BTreeMap<TenantSlug, Vec<Value>>, Vec<Unread>), WireError> {
        let slug =
            TenantSlug::parse(tenant).map_err(|e| usage(e.to_string(), "Look at the tenants first."))?;
        let database = self.sources.database().map_err(|e| unreachable(&e))?;
        self.rows_of(database, vec![slug], sql).await
    }

    /// One statement's rows of each tenant that has any, and the tenants that could not be read. A
    /// tenant without a schema has nothing that could be found.
    pub(super) async fn rows_of_each(
        &self,
        sql: Result<String, String>,
    ) -> Result<(BTreeMap<TenantSlug, Vec<Value>>, Vec<Unread>), WireError> {
        let database = self.sources.database().map_err(|e| unreachable(&e))?;
        let tenants = database.tenants().await.map_err(|e| unreachable(&e))?;
        let slugs: Vec<TenantSlug> = tenants.into_iter().filter(|t| t.has_schema).map(|t| t.slug).collect();
        self.rows_of(database, slugs, sql).await
    }

    async fn rows_of(
        &self,
        database: &dyn Database,
        slugs: Vec<TenantSlug>,
        sql: Result<String, String>,
    ) -> Result<(BTreeMap<TenantSlug, Vec<Value>>, Vec<Unread>), WireError> {
        let answers = match sql {
            Ok(sql) => database.each_tenant(&slugs, &sql).await.map_err(|e| unreachable(&e))?,
            Err(why) => slugs.into_iter().map(|slug| (slug, Err(why.clone()))).collect(),
        };
        let (mut rows, mut unread) = (BTreeMap::new(), Vec::new());
        for (tenant, answer) in answers {
            match answer {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    rows.insert(tenant, found);
                }
                Err(why) => unread.push(Unread { tenant: tenant.to_string(), why }),
            }
        }
        Ok((rows, unread))
    }

    /// Rows of one statement, or why there are none.
    pub(super) async fn rows_with(
        &self,
        sql: Result<String, String>,
        params: Vec<Value>,
    ) -> Part<Vec<Value>> {
        let database = match (sql, self.sources.database()) {
            (Ok(sql), Ok(database)) => database.query(&SqlRead { sql, params }).await,
            (Err(why), _) => return Part::Unknown(why),
            (Ok(_), Err(error)) => Err(error),
        };
        Part::from(database)
    }

    /// What Redis has under a conversation's id.
    pub(super) async fn thread_record(&self, id: &str) -> Part<Option<ThreadRecord>> {
        match self.sources.threads() {
            Ok(threads) => Part::from(threads.one(id).await),
            Err(error) => Part::Unknown(error.to_string()),
        }
    }
}

/// What was looked for may be there, where nobody could look.
pub(super) fn unknown(message: String, hint: &str) -> WireError {
    WireError { code: "unreachable".into(), message, hint: hint.into(), changes: Vec::new() }
}

fn fsm_thread(record: Option<ThreadRecord>) -> Result<Option<FsmThread>, String> {
    match record {
        Some(ThreadRecord::Thread(thread)) => Ok(Some(thread)),
        Some(ThreadRecord::Unreadable { key, why }) => Err(format!("{key}: {why}")),
        None => Ok(None),
    }
}
