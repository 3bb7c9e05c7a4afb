//! `tenants`, `threads` and `payments`: what they show is what psql and Redis say when they are asked by
//! themselves, and what can't be read is named and never zero.

use ratiba_testkit::lab;
use serde_json::Value;

use crate::{
    ctl::{Ctl, item, set},
    staged::Staged,
};

const PUSH: &str = "ws_CO_24112026115000123712345678";
const PAYMENT: &str = "6c1e0000-0000-4000-8000-00000000000a";
const THREAD: &str = "01JD0000000000000000000042";

fn ids(page: &Value) -> Vec<&str> {
    page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// Payments of a tenant: so many paid ones, each an hour older than the one before, and so many that wait since
/// `waiting_s` seconds and more.
fn fill(staged: &Staged, tenant: &str, paid: u32, waiting: u32, waiting_s: u32) {
    staged.psql(&format!(
        "INSERT INTO tenant_{tenant}.payments SELECT gen_random_uuid(), '{THREAD}', NULL, 'paid', 50000, 'KES', '254712345678',
            'ws_CO_paid_' || g || '712345678', 'm', 0, 'ok', 'QGH7SK61SU', now() - make_interval(hours => g), now() FROM generate_series(1, {paid}) g;
         INSERT INTO tenant_{tenant}.payments SELECT gen_random_uuid(), '{THREAD}', NULL, 'initiated', 50000, 'KES', '254712345678',
            'ws_CO_wait_' || g || '712345678', 'm', NULL, NULL, NULL, now() - make_interval(secs => {waiting_s} + g), now() FROM generate_series(1, {waiting}) g"
    ));
}

#[test]
fn the_list_of_payments_is_what_psql_says_whatever_tenant_they_are_of() {
    let staged = Staged::new("list", &["a", "b", "c"]);
    fill(&staged, "a", 30, 3, 120);
    fill(&staged, "b", 25, 4, 90);
    fill(&staged, "c", 10, 2, 2);
    let (ctl, asked) = (
        Ctl::new(),
        "SELECT id FROM (SELECT * FROM tenant_a.payments UNION ALL SELECT * FROM tenant_b.payments UNION ALL SELECT * FROM tenant_c.payments) p",
    );
    let profile = staged.profile(&ctl);
    let list = |args: &[&str]| ctl.json(&[&["--profile", &profile, "payments", "list"], args].concat(), 0);
    let order = "ORDER BY (state = 'initiated' AND created_at < now() - interval '60 s') DESC, created_at";
    for (offset, limit) in [(0, 5), (5, 50), (70, 50)] {
        let page = list(&["--limit", &limit.to_string(), "--offset", &offset.to_string()]);
        let wanted = staged.psql(&format!("{asked} {order} OFFSET {offset} LIMIT {limit}"));
        assert_eq!(ids(&page), wanted.lines().collect::<Vec<_>>(), "from {offset} on");
        assert_eq!((&page["total"], &page["stuck"]), (&74.into(), &7.into()));
        assert_eq!(page["unread"], serde_json::json!([]));
    }
    let waiting = list(&["--state", "initiated", "--older-than", "60s"]);
    let wanted = staged.psql(&format!(
        "{asked} WHERE state = 'initiated' AND created_at < now() - interval '60 s' ORDER BY created_at"
    ));
    assert_eq!(ids(&waiting), wanted.lines().collect::<Vec<_>>());
    assert_eq!(waiting["total"], 7);
    let of_c = list(&["--tenant", "c", "--state", "initiated"]);
    assert_eq!((&of_c["total"], &of_c["rows"][0]["stuck"]), (&2.into(), &false.into()), "they are young");
    assert_eq!(list(&["--state", "it's {tenant}"])["total"], 0);
    let all = format!("{}{}", ctl.run(&["--profile", &profile, "payments", "list"]).out, list(&[]));
    assert!(!all.contains("712345") && all.contains("•••678"), "numbers are masked: {all}");
}

#[test]
fn of_more_tenants_than_one_question_asks_the_page_is_still_the_right_one() {
    let staged = Staged::new("many", &["a"]);
    // 231 tenants are three questions; what comes first is spread over all of them.
    staged.psql(
        "CREATE TABLE public.everything (id uuid, state text, created_at timestamptz);
         DO $$ BEGIN FOR n IN 1..230 LOOP
            EXECUTE format('CREATE TABLE tenant_a.p%s (LIKE tenant_a.payments INCLUDING ALL)', n);
            EXECUTE format('CREATE SCHEMA tenant_n%s', n);
            EXECUTE format('ALTER TABLE tenant_a.p%s SET SCHEMA tenant_n%s', n, n);
            EXECUTE format('ALTER TABLE tenant_n%s.p%s RENAME TO payments', n, n);
            EXECUTE format('INSERT INTO tenant_n%s.payments (id, state, created_at) SELECT gen_random_uuid(),
                CASE WHEN g = 4 AND %s %% 29 = 0 THEN ''initiated'' ELSE ''paid'' END, now() - make_interval(mins => 5 + (%s * 7919 + g * 104729) %% 100003) FROM generate_series(1, 4) g', n, n, n);
            EXECUTE format('INSERT INTO public.everything SELECT id, state, created_at FROM tenant_n%s.payments', n);
         END LOOP; END $$",
    );
    let ctl = Ctl::new();
    let profile = staged.profile(&ctl);
    for (offset, limit) in [(0, 5), (3, 10), (400, 50)] {
        let (from, rows) = (offset.to_string(), limit.to_string());
        let page =
            ctl.json(&["--profile", &profile, "payments", "list", "--offset", &from, "--limit", &rows], 0);
        let wanted = staged.psql(&format!(
            "SELECT id FROM public.everything ORDER BY state <> 'initiated', created_at OFFSET {offset} LIMIT {limit}"
        ));
        assert_eq!(ids(&page), wanted.lines().collect::<Vec<_>>(), "from {offset} on");
        assert_eq!((&page["total"], &page["stuck"]), (&920.into(), &7.into()));
    }
}

#[test]
fn tenants_whose_payments_cannot_be_read_are_named_and_counted_nowhere() {
    let staged = Staged::new("unread", &["a", "broken", "narrow"]);
    fill(&staged, "a", 3, 0, 0);
    fill(&staged, "narrow", 2, 0, 0);
    staged.psql(
        "DROP TABLE tenant_broken.payments; ALTER TABLE tenant_narrow.payments DROP COLUMN msisdn; \
                 INSERT INTO public.tenants (slug) VALUES ('nowhere')",
    );
    let ctl = Ctl::new();
    let profile = staged.profile(&ctl);
    let page = ctl.json(&["--profile", &profile, "payments", "list"], 0);
    assert_eq!(page["total"], 5);
    let broken = item(&page["unread"], "tenant", "broken")["why"].to_string();
    assert!(broken.contains("payments") && broken.contains("map it in the profile"), "{broken}");
    assert!(item(&page["unread"], "tenant", "nowhere")["why"].to_string().contains("does not exist"));
    assert!(
        page["limits"][0].to_string().contains("payments.msisdn")
            && page["limits"][0].to_string().contains("narrow"),
        "{page}"
    );
    let text = ctl.run(&["--profile", &profile, "payments", "list"]).out;
    assert!(text.starts_with("at least 5 payments") && text.contains("? broken"), "{text}");
    // Of the broken one alone nothing is known: that is no empty list.
    let alone = ctl.json(&["--profile", &profile, "payments", "list", "--tenant", "broken"], 3);
    assert!(alone["total"].is_null() && alone["rows"] == serde_json::json!([]), "{alone}");
    // A payment that nobody has may be where nobody could look.
    ctl.fails(&["--profile", &profile, "payments", "show", PAYMENT], 3, &["broken", "could not be read"]);
    let mapped = ctl.file(
        "mapped.toml",
        &format!(
            "{}\n[schema.columns]\n\"payments.state\" = \"status\"\n",
            std::fs::read_to_string(&profile).unwrap()
        ),
    );
    let page = ctl.json(&["--profile", &mapped, "payments", "list"], 3);
    assert!(
        item(&page["unread"], "tenant", "a")["why"].to_string().contains("status"),
        "the profile's names are used: {page}"
    );
}

#[test]
fn a_payment_shows_everything_that_happened_to_it_in_order() {
    let mut staged = Staged::new("payment", &["a", "b"]);
    staged.psql(&format!(
        "INSERT INTO tenant_a.bookings VALUES ('6c1e0000-0000-4000-8000-00000000000b', '{THREAD}', NULL, NULL, '2026-11-25T09:00:00Z', 'held');
         INSERT INTO tenant_a.payments VALUES ('{PAYMENT}', '{THREAD}', '6c1e0000-0000-4000-8000-00000000000b', 'expired', 50000, 'KES', '254712345678',
            '{PUSH}', '29115-34620561-1', NULL, 'aged out by the reaper', NULL, '2026-11-24T08:50:00Z', '2026-11-24T09:00:00Z');
         INSERT INTO public.payment_routing VALUES ('{PUSH}', 'a', '{PAYMENT}', '{THREAD}', '2026-11-24T08:50:01Z');
         INSERT INTO public.payment_callbacks_unrouted (checkout_request_id, payload, reason, received_at) VALUES
            ('{PUSH}', '{{\"Body\":{{\"stkCallback\":{{\"ResultCode\":0,\"ResultDesc\":\"The service request is processed successfully.\"}}}}}}', 'late: the payment had ended', '2026-11-24T09:05:00Z'),
            ('{PUSH}', '{{\"payment\":{{}}}}', 'reaper: no callback', '2026-11-24T09:00:01Z')"
    ));
    staged.thread(THREAD, r#"{"state":"PAYMENT_PENDING","tenant_slug":"a","channel":"voice","reprompts":0,"entered_at":"2026-11-24T08:50:02Z"}"#);
    let ctl = Ctl::new();
    let profile = staged.profile(&ctl);
    let show = |id: &str| ctl.json(&["--profile", &profile, "payments", "show", id], 0);
    let detail = show(PAYMENT);
    let payment = &detail["payments"][0];
    let kinds: Vec<_> =
        payment["timeline"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["push", "routing", "thread", "written", "reaped", "callback", "booking", "query"]);
    let callbacks: Vec<_> =
        payment["callbacks"]["known"].as_array().unwrap().iter().map(|c| &c["provenance"]).collect();
    assert!(
        callbacks.contains(&&"callback".into()) && callbacks.contains(&&"reaper".into()),
        "told apart: {callbacks:?}"
    );
    assert_eq!(
        (&payment["state"], &payment["thread"]["known"]["state"]),
        (&"expired".into(), &"PAYMENT_PENDING".into())
    );
    assert!(
        payment["query"]["asked"] == false && payment["query"]["command"].to_string().contains("tenant=a"),
        "{payment}"
    );
    assert_eq!(show(PUSH)["payments"][0]["id"], PAYMENT, "by its push");
    assert_eq!(show(&PAYMENT.to_uppercase())["payments"][0]["id"], PAYMENT);
    let text = format!("{}{detail}", ctl.run(&["--profile", &profile, "payments", "show", PUSH]).out);
    assert!(!text.contains("712345"), "the payer's number is nowhere: {text}");

    staged.psql(&format!(
        "INSERT INTO tenant_b.payments SELECT * FROM tenant_a.payments WHERE id = '{PAYMENT}'"
    ));
    let both = show(PAYMENT);
    assert_eq!(both["payments"].as_array().unwrap().len(), 2);
    assert!(
        both["limits"][0].to_string().contains("2 payments") && both.to_string().contains("goes astray"),
        "{both}"
    );

    staged.psql(
        "DROP TABLE tenant_b.payments; DELETE FROM tenant_a.payments; DROP TABLE public.payment_routing",
    );
    let strays = ctl.json(&["--profile", &profile, "payments", "show", PUSH], 0);
    assert_eq!(
        (strays["payments"].as_array().unwrap().len(), strays["strays"].as_array().unwrap().len()),
        (0, 2)
    );
    assert!(
        strays["limits"][0].to_string().contains("payment_routing"),
        "what could not be asked is said: {strays}"
    );
}

#[test]
fn an_id_that_nobody_has_says_so() {
    let staged = Staged::new("nobody", &["a"]);
    let ctl = Ctl::new();
    let profile = staged.profile(&ctl);
    ctl.fails(&["--profile", &profile, "payments", "show", PAYMENT], 2, &["no tenant has", "payments list"]);
    ctl.fails(&["--profile", &profile, "threads", "show", THREAD], 2, &["neither Redis", "tenants show"]);
    ctl.fails(&["--profile", &profile, "threads", "show", "x"], 2, &["no ULID"]);
    ctl.fails(&["--profile", &profile, "tenants", "show", "aa"], 2, &["Did you mean a?"]);
    ctl.fails(&["--profile", &profile, "tenants", "show", "a;drop"], 2, &["not a tenant slug"]);
    ctl.fails(&["--profile", &profile, "payments", "list", "--offset", "10000"], 2, &["10000", "Narrow"]);
    assert_eq!(ctl.run(&["--profile", &profile, "payments", "list", "--older-than", "soon"]).code, 2);
    // A state that is spelled otherwise is not taken for one that nothing is in.
    let none = ctl.run(&["--profile", &profile, "payments", "list", "--state", "inititated"]);
    assert_eq!((none.code, none.out.as_str()), (0, "no payment in the state \"inititated\"\n"));
}

#[test]
fn a_thread_shows_its_state_and_when_redis_lost_it_its_history() {
    let mut staged = Staged::new("thread", &["a", "b"]);
    fill(&staged, "b", 2, 0, 0);
    staged.psql(&format!(
        "INSERT INTO tenant_b.checkpoints SELECT '{THREAD}', '', '1f1e9a06-9ef8-6' || to_char(g, 'FM000') || '-bffe-93cf1e443274',
            jsonb_build_object('ts', '2026-11-24T08:00:' || to_char(g, 'FM00') || '+00:00', 'channel_values', jsonb_build_object('state', 'S' || g)),
            jsonb_build_object('step', g, 'source', 'loop') FROM generate_series(0, 24) g"
    ));
    let ctl = Ctl::new();
    let profile = staged.profile(&ctl);
    let show = || ctl.json(&["--profile", &profile, "threads", "show", THREAD], 0);
    let gone = show();
    assert!(gone["state"].is_null() && gone["now"]["known"].is_null(), "Redis has no such thread: {gone}");
    assert_eq!((&gone["tenant"], gone["places"].as_array().unwrap().len()), (&"b".into(), 1));
    let history = &gone["places"][0]["checkpoints"]["known"];
    assert_eq!((&history["count"], history["latest"].as_array().unwrap().len()), (&25.into(), 20));
    let latest = &history["latest"][0];
    assert_eq!(
        (&latest["step"], &latest["state"], &latest["at"]),
        (&24.into(), &"S24".into(), &"2026-11-24T08:00:24Z".into())
    );
    assert_eq!(gone["places"][0]["payments"]["known"].as_array().unwrap().len(), 2);
    assert_eq!(gone["began_at"], "2024-11-18T15:59:22.112Z", "as the ULID's first ten digits say");
    assert_eq!(gone["lines"].as_array().map(Vec::len), Some(0), "no log names it: {gone}");

    staged.thread(THREAD, r#"{"state":"COLLECT_SLOT","tenant_slug":"b","channel":"whatsapp","intent":"book_hair","reprompts":3,"entered_at":"2026-11-24T08:00:24Z"}"#);
    let there = show();
    let now = &there["now"]["known"];
    assert_eq!(
        (&there["state"], &now["stuck"], &now["reprompts"]),
        (&"COLLECT_SLOT".into(), &true.into(), &3.into())
    );
    staged.psql("DROP TABLE tenant_b.checkpoints");
    let place = &show()["places"][0];
    assert!(
        place["checkpoints"]["unknown"].to_string().contains("checkpoints"),
        "unknown, and not 0: {place}"
    );
    assert_eq!(place["payments"]["known"].as_array().unwrap().len(), 2, "the other part is there");
    staged.thread(THREAD, "no json");
    assert!(show()["now"]["unknown"].to_string().contains("not JSON"));
}

#[test]
fn a_tenant_of_the_lab_is_what_psql_and_redis_say() {
    let ctl = Ctl::new();
    let of = |sql: &str| lab::psql("ratiba", &sql.replace("{s}", "tenant_zuri_spa")).parse::<u64>().unwrap();
    // Its customers write meanwhile: what moves lies between what there was before and after.
    let paid = || of("SELECT count(*) FROM {s}.payments WHERE state = 'paid'");
    let keys = "local n = 0 for _, k in ipairs(redis.call('KEYS', 'ratiba:fsm:thread:*')) do \
                local v = redis.call('TYPE', k).ok == 'hash' and redis.call('HGET', k, 'tenant_slug') or cjson.decode(redis.call('GET', k)).tenant_slug \
                if v == 'zuri_spa' then n = n + 1 end end return n";
    let threads = || lab::redis_eval(keys).parse::<u64>().unwrap();
    let (paid_before, threads_before) = (paid(), threads());
    let known = ctl.json(&["--profile", &lab::profile_file(), "tenants", "show", "zuri_spa"], 0);
    let part = |name: &str| known[name]["known"].clone();
    assert_eq!(part("staff")["active"], of("SELECT count(*) FROM {s}.staff WHERE is_active"));
    assert_eq!(part("schedules"), of("SELECT count(*) FROM {s}.staff_schedules"));
    assert_eq!(
        part("blocks_14d"),
        of(
            "SELECT count(*) FROM {s}.staff_blocks WHERE ends_at > now() AND starts_at < now() + interval '14 days'"
        )
    );
    assert_eq!(
        part("knowledge")["active"],
        of("SELECT count(*) FROM {s}.knowledge_snippets WHERE is_active")
    );
    assert_eq!(
        part("knowledge")["tokens_estimate"],
        of(
            "SELECT sum(char_length(title) + char_length(body)) / 4 FROM {s}.knowledge_snippets WHERE is_active"
        )
    );
    let (paid_after, threads_after) = (paid(), threads());
    let told = part("payments")["by_state"]["paid"].as_u64().unwrap();
    assert!((paid_before..=paid_after).contains(&told), "{told} of {paid_before} to {paid_after}");
    assert_eq!(
        part("registry")["callback_url"],
        lab::psql("ratiba", "SELECT daraja_callback_url FROM tenants WHERE slug = 'zuri_spa'")
    );
    let told: u64 =
        part("threads")["by_state"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert!(
        (threads_before..=threads_after).contains(&told),
        "{told} of {threads_before} to {threads_after}"
    );
    let list = ctl.json(&["--profile", &lab::profile_file(), "tenants", "list"], 0);
    let after = ctl.json(&["--profile", &lab::profile_file(), "tenants", "show", "zuri_spa"], 0);
    let (before, after) =
        (part("payments")["by_state"].clone(), after["payments"]["known"]["by_state"].clone());
    let listed = item(&list["rows"], "slug", "zuri_spa")["payments"].clone();
    let states = [&before, &after, &listed].into_iter().flat_map(|of| of.as_object().unwrap().keys());
    for state in states.collect::<std::collections::BTreeSet<_>>() {
        let [first, last, told] = [&before, &after, &listed].map(|of| of[state].as_u64().unwrap_or(0));
        assert!((first.min(last)..=first.max(last)).contains(&told), "{state}: {before} {listed} {after}");
    }
}

#[test]
fn a_tenant_without_some_tables_has_unknown_parts_and_known_ones() {
    let staged = Staged::new("tenant", &["a"]);
    fill(&staged, "a", 2, 1, 600);
    let ctl = Ctl::new();
    let profile = staged.profile(&ctl);
    let tenant = ctl.json(&["--profile", &profile, "tenants", "show", "a"], 0);
    for (part, table) in [
        ("staff", "staff"),
        ("schedules", "staff_schedules"),
        ("blocks_14d", "staff_blocks"),
        ("knowledge", "knowledge_snippets"),
    ] {
        assert!(tenant[part]["unknown"].as_str().is_some_and(|why| why.contains(table)), "{part}: {tenant}");
    }
    assert_eq!(
        (&tenant["payments"]["known"]["stuck"], &tenant["threads"]["known"]["stuck"]),
        (&1.into(), &0.into())
    );
    staged.psql("DROP SCHEMA tenant_a CASCADE");
    let tenant = ctl.json(&["--profile", &profile, "tenants", "show", "a"], 0);
    assert!(
        tenant["has_schema"] == false && tenant["payments"]["unknown"].to_string().contains("does not exist"),
        "{tenant}"
    );
    let text = ctl.run(&["--profile", &profile, "tenants", "show", "a"]).out;
    assert!(text.contains("tenant_a does not exist") && text.contains("The a"), "{text}");
}

#[test]
fn a_source_that_is_away_is_said_and_the_other_one_still_answers() {
    let ctl = Ctl::new();
    let without_postgres =
        ctl.profile(|text| set(&text, "postgres", "url", "url = \"postgres://ratiba@127.0.0.1:1/ratiba\""));
    for args in [
        &["payments", "list"][..],
        &["payments", "show", PAYMENT],
        &["tenants", "list"],
        &["tenants", "show", "a"],
        &["threads", "show", THREAD],
    ] {
        ctl.fails(&[&["--profile", &without_postgres], args].concat(), 3, &["127.0.0.1:1"]);
    }
    let key = lab::redis_eval("return redis.call('HKEYS', 'lab:resting')[1]");
    let resting = ctl.json(&["--profile", &without_postgres, "threads", "show", &key], 0);
    assert!(
        resting["state"].is_string()
            && resting["places"][0]["payments"]["unknown"].to_string().contains("127.0.0.1:1"),
        "{resting}"
    );

    let ctl = Ctl::new();
    let without_redis = ctl.profile(|text| set(&text, "redis", "url", "url = \"redis://127.0.0.1:1/0\""));
    let tenant = ctl.json(&["--profile", &without_redis, "tenants", "show", "zuri_spa"], 0);
    assert!(tenant["threads"]["unknown"].to_string().contains("127.0.0.1:1"), "{tenant}");
    assert!(tenant["payments"]["known"].is_object(), "{tenant}");
    let thread = ctl.json(&["--profile", &without_redis, "threads", "show", &key], 0);
    assert!(
        thread["now"]["unknown"].is_string()
            && thread["places"][0]["checkpoints"]["known"]["count"].as_u64() > Some(0),
        "{thread}"
    );
    ctl.fails(&["--profile", &without_redis, "threads", "show", THREAD], 3, &["Redis could not be read"]);
}
