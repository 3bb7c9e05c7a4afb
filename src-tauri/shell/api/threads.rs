//! One conversation: its state, its payments, its history.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ratiba_core::{
    detail::{
        Part, ThreadFacts, ThreadPlaceFacts, Unread, thread_checkpoints_sql, thread_payments_sql, ulid_time,
    },
    logs::{LogQuery, plain_text},
    model::{TenantSlug, counted, masked},
    ports::LogLine,
    wire::{ThreadDetail, ThreadId, WireError},
};

use super::{Console, LogNews, LogsRequest, not_found, payments::unknown, unreachable};

/// Log lines of a conversation that are told.
const LINES: usize = 50;
/// Within this time the logs are read, or left out.
const LINES_WITHIN: Duration = Duration::from_secs(10);

impl Console {
    /// One conversation, by its id.
    pub async fn thread(self: &Arc<Self>, request: ThreadId) -> Result<ThreadDetail, WireError> {
        let id = request.thread.as_str();
        if let Some(recorded) = self.recorded() {
            return recorded.thread(id);
        }
        let facts = self.thread_facts(id).await?;
        let view = facts.view(&self.cutoffs(), &self.profile.thresholds);
        if facts.is_known() {
            return Ok(view);
        }
        let shown = masked(id);
        let why_no_state = view.now.why().map(|why| format!("Redis could not be read ({why})"));
        let unread = facts.unread();
        let why_no_tenant = unread.first().map(|first| {
            format!("{} could not be read ({}: {})", counted(unread.len(), "answer"), first.tenant, first.why)
        });
        let whys: Vec<String> = [why_no_state, why_no_tenant].into_iter().flatten().collect();
        if !whys.is_empty() {
            return Err(unknown(
                format!(
                    "show the thread {shown}: nothing that could be read has it, and {}",
                    whys.join(", ")
                ),
                "Make that readable, then look again.",
            ));
        }
        let form = if ulid_time(id).is_none() { "This is no ULID, which has 26 characters. " } else { "" };
        Err(not_found(
            format!(
                "show the thread {shown}: neither Redis nor any tenant's payments or checkpoints have it"
            ),
            format!("{form}`ratibactl tenants show SLUG` names stuck threads; each payment names its own."),
        ))
    }

    /// Reads everything about a conversation; nothing is folded yet.
    async fn thread_facts(&self, id: &str) -> Result<ThreadFacts, WireError> {
        let read = async {
            let record = self.thread_record(id).await;
            let places = self.places(id, ThreadFacts::tenant_of(&record).as_ref(), &record).await;
            (record, places)
        };
        let ((record, places), (lines, lines_note)) = tokio::join!(read, self.lines_of_thread(id));
        let (places, unread) = places?;
        Ok(ThreadFacts { id: id.to_owned(), record, places, unread, lines, lines_note })
    }

    /// What the tenant has that the thread names; where it names none that exists, what each one has.
    async fn places(
        &self,
        id: &str,
        named: Option<&TenantSlug>,
        record: &Part<Option<ratiba_core::model::ThreadRecord>>,
    ) -> Result<(Vec<ThreadPlaceFacts>, Vec<Unread>), WireError> {
        // What Redis says stands also without Postgres; without both nothing is known.
        let database = match self.sources.database() {
            Ok(database) => database.tenants().await.map(|tenants| (database, tenants)),
            Err(error) => Err(error),
        };
        let (database, tenants) = match (database, named) {
            (Ok(both), _) => both,
            (Err(error), Some(tenant)) => {
                return Ok((vec![unread_place(tenant, &error.to_string())], Vec::new()));
            }
            (Err(error), None) if matches!(record, Part::Known(Some(_))) => {
                return Ok((Vec::new(), vec![Unread { tenant: "(all)".into(), why: error.to_string() }]));
            }
            (Err(error), None) => return Err(unreachable(&error)),
        };
        let there = tenants.into_iter().filter(|tenant| tenant.has_schema).map(|tenant| tenant.slug);
        let all: Vec<TenantSlug> = there.collect();
        let own: Vec<TenantSlug> = all.iter().filter(|slug| Some(*slug) == named).cloned().collect();
        let asked = if own.is_empty() { all } else { own };
        let schema = &self.profile.schema;
        let ask = async |sql: Result<String, String>| -> BTreeMap<TenantSlug, Part<Vec<serde_json::Value>>> {
            let answers = match sql {
                Ok(sql) => database.each_tenant(&asked, &sql).await.map_err(|error| error.to_string()),
                Err(why) => Err(why),
            };
            match answers {
                Ok(answers) => answers.into_iter().map(|(slug, rows)| (slug, Part::from(rows))).collect(),
                Err(why) => asked.iter().map(|slug| (slug.clone(), Part::Unknown(why.clone()))).collect(),
            }
        };
        let (mut payments, mut checkpoints) = futures_util::join!(
            ask(thread_payments_sql(id, schema)),
            ask(thread_checkpoints_sql(id, schema))
        );
        let part = |of: &mut BTreeMap<_, Part<_>>, slug: &TenantSlug| {
            of.remove(slug).unwrap_or_else(|| Part::Unknown(format!("{}: it was not read", slug.schema())))
        };
        let places = asked.iter().map(|slug| ThreadPlaceFacts {
            tenant: slug.clone(),
            payments: part(&mut payments, slug),
            checkpoints: part(&mut checkpoints, slug),
        });
        Ok((places.collect(), Vec::new()))
    }

    /// The conversation's latest log lines, oldest first, and why these are not all.
    async fn lines_of_thread(&self, id: &str) -> (Vec<LogLine>, Option<String>) {
        match tokio::time::timeout(LINES_WITHIN, self.latest_lines(id)).await {
            Ok(Ok(told)) => told,
            Ok(Err(why)) => (Vec::new(), Some(why)),
            Err(_) => {
                let why = format!("the logs were not read within {} s", LINES_WITHIN.as_secs());
                (Vec::new(), Some(format!("{why}: see ratibactl logs --thread {id}")))
            }
        }
    }

    async fn latest_lines(&self, id: &str) -> Result<(Vec<LogLine>, Option<String>), String> {
        let query = LogQuery { thread: Some(id.to_owned()), ..LogQuery::default() };
        let request = LogsRequest { query, last: Some(LINES + 1), ..LogsRequest::default() };
        let mut news = self.log_reader().open(&request).await.map_err(|error| error.message)?;
        let (mut lines, mut notes) = (Vec::new(), Vec::new());
        while let Some(one) = news.next().await {
            match one {
                LogNews::Entry { service, entry } => {
                    let (record, _) = entry.record();
                    let text = self.shown_line(&format!("{service}: {}", plain_text(&entry, &record)));
                    lines.push(LogLine { at: entry.at, stderr: entry.stderr, text });
                }
                LogNews::Note(note) => notes.push(note),
                LogNews::Live => {}
            }
        }
        if lines.len() > LINES {
            lines.drain(..lines.len() - LINES);
            notes.push(format!("the latest {LINES}: ratibactl logs --thread {id} has all"));
        }
        Ok((lines, (!notes.is_empty()).then(|| notes.join("; "))))
    }
}

fn unread_place(tenant: &TenantSlug, why: &str) -> ThreadPlaceFacts {
    let unknown = || Part::Unknown(why.to_owned());
    ThreadPlaceFacts { tenant: tenant.clone(), payments: unknown(), checkpoints: unknown() }
}
