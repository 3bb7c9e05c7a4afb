//! The runbook page of the shipped playbooks, pages of others beside it, and a new row as the engine reads it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ratiba_console::api::drill::DrillFile;
use ratiba_core::{
    model::VerdictKind,
    playbook::{Catalog, DrillOutcome, Drilled, Proven, ScriptFile, Severity, step::Step},
    runbook::{
        Checked, Draft, DrillKey, FailureMode, MissingKind, Page, PageFormat, check, draft, read, render,
    },
};
use ratiba_testkit::Stack;

use crate::shipped;

const DRILLED: &str = "2026-11-20T10:00:00Z";

fn drills(catalog: &Catalog) -> Vec<DrillKey> {
    catalog.all().iter().map(|p| DrillKey { id: p.id.clone(), variant: "one".into() }).collect()
}

/// Every row drilled once, as it is.
fn proven(catalog: &Catalog) -> Proven {
    let mut proven = Proven::default();
    for playbook in catalog.all() {
        let drilled = Drilled {
            at: DRILLED.parse().unwrap(),
            commit: "c".repeat(40),
            outcome: DrillOutcome::Undone,
            seconds: 1.0,
            script_sha256: Some(playbook.sha256.clone()),
        };
        proven.put(&playbook.id, "one", drilled);
    }
    proven
}

fn page() -> Page {
    let catalog = shipped::catalog();
    Page::new(&catalog, &drills(&catalog), &proven(&catalog)).unwrap()
}

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn checked(text: &str) -> Checked {
    check(&read(text).unwrap(), &page(), at("2026-11-26"), 90)
}

#[test]
fn the_same_playbooks_give_the_same_page_and_its_check_finds_nothing() {
    let text = render(&page());
    assert_eq!(text, render(&page()));
    assert!(
        text.starts_with("---\ntitle: Incidents runbook\nlast_verified: 2026-11-20\n"),
        "{}",
        &text[..200]
    );
    let seen = checked(&text);
    assert_eq!(
        (seen.findings(), seen.format, seen.matched.len()),
        (0, PageFormat::Generated, 18),
        "{seen:#?}"
    );
    let order: Vec<usize> = (1..=13).map(|n| text.find(&format!("\n| [{n}](#row-{n}) |")).unwrap()).collect();
    assert!(order.is_sorted(), "rows stand in their order");
}

#[test]
fn a_changed_cell_or_part_is_drift_and_a_line_that_is_gone_is_missing() {
    let text = render(&page());
    let symptom = "A thread stays in COLLECT_SLOT, the agent re-prompts again and again";
    assert_eq!(text.matches(&format!("| {symptom} |")).count(), 1);
    let seen = checked(&text.replace(symptom, "A thread hangs"));
    let drift = &seen.drift[0];
    assert_eq!(
        (seen.findings(), drift.playbook.as_str(), drift.field.as_str()),
        (1, "05-fsm-stuck-collect-slot", "symptom")
    );
    assert_eq!((drift.page.as_str(), drift.playbook_says.as_str()), ("A thread hangs", symptom));

    let seen =
        checked(&text.replacen("Working hours are in East Africa Time.\n", "Working hours are in UTC.\n", 1));
    assert_eq!(
        seen.drift.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(),
        ["details"],
        "{:#?}",
        seen.drift
    );

    let without: String = text.split_inclusive('\n').filter(|line| !line.starts_with("| [7](")).collect();
    let seen = checked(&without);
    let gone: Vec<_> = seen.missing.iter().map(|m| (m.what, m.playbook.as_deref())).collect();
    assert_eq!(gone, [(MissingKind::Row, Some("07-payment-pending-timeout"))]);

    let seen =
        checked(&text.replacen("| [13](#row-13) |", "| 14 | Disk full | df | rm | |\n| [13](#row-13) |", 1));
    let more: Vec<_> = seen.missing.iter().map(|m| (m.what, m.row.as_deref())).collect();
    assert_eq!(more, [(MissingKind::Playbook, Some("14"))]);
}

#[test]
fn a_page_says_how_old_its_proof_is_and_never_more_than_is_on_record() {
    let text = render(&page());
    let words = |text: &str, now: &str| {
        let seen = check(&read(text).unwrap(), &page(), at(now), 90);
        seen.front_matter.into_iter().chain(seen.stale.into_iter().map(|s| s.why)).collect::<Vec<_>>()
    };
    assert_eq!(words(&text, "2027-02-18"), [""; 0], "the 90th day");
    let old = words(&text, "2027-02-19");
    assert_eq!(old.len(), 1 + 18, "the page and each of its rows: {old:?}");
    assert!(old[0].contains("91 days ago, on 2026-11-20"), "{old:?}");
    let said = |line: &str| words(&text.replace("last_verified: 2026-11-20", line), "2026-11-26").join("\n");
    assert!(said("last_verified: 2026-11-28").contains("has not come yet"));
    assert!(said("last_verified: 2026-11-26").contains("last drill on record passed on 2026-11-20"));
    assert!(said("last_verified: soon").contains("`soon`"));
    assert!(said("by: me").contains("last_verified is missing"));

    let catalog = shipped::catalog();
    let mut proven = proven(&catalog);
    let failed = Drilled {
        outcome: DrillOutcome::Failed,
        ..proven.get("03-livekit-sip-down", "one").unwrap().clone()
    };
    proven.put("03-livekit-sip-down", "one", failed);
    let other = Drilled {
        script_sha256: Some("other".into()),
        ..proven.get("04-stk-callback-missing", "one").unwrap().clone()
    };
    proven.put("04-stk-callback-missing", "one", other);
    let text = render(&Page::new(&catalog, &drills(&catalog), &proven).unwrap());
    for (row, why) in [(3, "1 of 1 drill failed"), (4, "its script has changed since it was drilled")] {
        let line = text.lines().find(|line| line.starts_with(&format!("| [{row}]"))).unwrap();
        assert!(line.ends_with(&format!("| **not verified**: {why} |")), "{line}");
    }
    let none = render(&Page::new(&catalog, &drills(&catalog), &Proven::default()).unwrap());
    assert!(none.contains("\nlast_verified: null\n") && none.contains("\nrows_verified: 0\n"));
    assert!(
        check(&read(&none).unwrap(), &page(), at("2026-11-26"), 90).front_matter[0]
            .contains("no day is on record")
    );
}

/// Rows as people write them, in other words than the playbooks', and which playbook each is about.
const BY_HAND: [(&str, &str, &str, &str); 13] = [
    (
        "01",
        "A container is unhealthy or has exited",
        "It crashed at boot, or its health check fails.",
        "docker compose logs NAME, then restart",
    ),
    ("02", "403 on WhatsApp's webhook signature", "WHATSAPP_APP_SECRET is wrong or unset.", "Set it in .env"),
    (
        "03",
        "No voice booking works, SIP is silent",
        "LiveKit lost its trunk.",
        "docker compose restart livekit",
    ),
    (
        "04",
        "STK push sent, callback never comes",
        "The ngrok tunnel is stale; payment_routing has no row.",
        "Set Daraja's callback address",
    ),
    (
        "05",
        "Agent keeps asking for a time, COLLECT_SLOT",
        "No staff_schedules.",
        "INSERT INTO staff_schedules",
    ),
    (
        "06",
        "Stuck in GREET after the intent was classified",
        "intent_router no_route in the log.",
        "Add the intent mapping",
    ),
    ("07", "PAYMENT_PENDING for minutes", "The arq worker is down, nobody polls.", "Run the payment reaper"),
    ("08", "500.002.1001 request cancelled", "The customer dismissed the prompt.", "Start a new booking"),
    ("09", "Voice is slow, TTS above 2.5 s", "ElevenLabs quota.", "Look at elevenlabs.synthesize"),
    (
        "10",
        "Backend eats memory and hangs",
        "Checkpoints were not archived, the reaper missed a night.",
        "Run the archival reaper",
    ),
    ("11", "knowledge_overflow in the log", "Too many snippets.", "Deactivate snippets of low priority"),
    ("12", "pytest: schema already exists", "Old test_tenant schemas are left over.", "DROP SCHEMA"),
    (
        "13",
        "alembic upgrade head: not up to date",
        "Two heads of the migration graph.",
        "alembic merge heads",
    ),
];

fn table(rows: impl Iterator<Item = [String; 3]>) -> String {
    let lines: String = rows.map(|[s, d, f]| format!("| {s} | {d} | {f} |\n")).collect();
    format!("---\nlast_verified: 2026-11-01\n---\n\n| Symptom | Diagnosis | Fix |\n|---|---|---|\n{lines}")
}

fn by_hand() -> impl Iterator<Item = [String; 3]> {
    BY_HAND.iter().map(|(_, s, d, f)| [s, d, f].map(|text| (*text).to_owned()))
}

#[test]
fn rows_in_other_words_are_found_in_a_table_and_in_text_whose_cells_touch() {
    let touching: String = by_hand().map(|[s, d, f]| format!("{s}{d}{f}\n")).collect();
    let tabs: String = by_hand().map(|cells| cells.join("\t") + "\n").collect();
    for (text, format) in [
        (table(by_hand()), PageFormat::Markdown),
        (format!("Runbook\n\nSymptomDiagnosisFix\n{touching}\nEnd\n"), PageFormat::Text),
        (format!("Symptom\tDiagnosis\tFix\n{tabs}"), PageFormat::Text),
    ] {
        let seen = checked(&text);
        assert_eq!(seen.format, format);
        let found: Vec<&str> = seen.matched.iter().map(|m| &m.playbook[..2]).collect();
        assert_eq!(found, BY_HAND.map(|(row, ..)| row), "{format:?}: {:#?}", seen.missing);
        let left: BTreeSet<_> = seen.missing.iter().map(|m| m.row.as_deref().unwrap_or_default()).collect();
        assert_eq!(left, BTreeSet::from(["e1", "e2", "e3", "e4", "e5"]), "the page has no extras");
        assert_eq!(seen.drift, []);
    }
}

#[test]
fn a_row_about_something_else_has_no_playbook_and_a_symptom_that_became_another_is_drift() {
    let foreign = [
        ["Disk is full and Postgres refuses writes", "df shows 100 %.", "docker system prune"],
        ["The certificate of the host has expired", "openssl shows notAfter in the past.", "certbot renew"],
        ["Dashboards are empty", "The scrape target is down.", "restart prometheus"],
        ["Customers get every reminder twice", "Cron runs on two machines.", "Stop one of them"],
    ];
    let rows = by_hand().chain(foreign.map(|row| row.map(str::to_owned)));
    let seen = checked(&table(rows));
    let without: Vec<_> =
        seen.missing.iter().filter(|m| m.what == MissingKind::Playbook).map(|m| m.symptom.as_str()).collect();
    assert_eq!(without, foreign.map(|row| row[0]));

    let moved = by_hand().map(|[s, d, f]| match s.starts_with("500") {
        true => [
            "Printer on fire".to_owned(),
            "The customer dismissed the prompt of M-Pesa: STK push cancelled.".into(),
            f,
        ],
        false => [s, d, f],
    });
    let seen = checked(&table(moved));
    let drift: Vec<_> = seen.drift.iter().map(|d| (d.playbook.as_str(), d.page.as_str())).collect();
    assert_eq!(drift, [("08-stk-cancelled", "Printer on fire")]);
}

fn hostile() -> FailureMode {
    FailureMode {
        title: "Quote \" and ' and `tick` ${1 + 1} */ /* // \\n \\ {sql:SELECT 1} é 🙂 ”".into(),
        symptom: "\"; throw \"x\"; let y = \" | <script>alert(1)</script> '''\"\"\"".into(),
        diagnosis: "# Undo\n// # Symptom\n*/ fn detect(env) { loop {} }\n- `a` | b\r\n```\n\n[[variant]]\nname = \"x\"".into(),
        fix: "psql -c \"SELECT '${x}'; -- \\\"\"\n\n  echo `id` $(id) \\\n\"\"\"\n'''\n#{ a: 1 }".into(),
        severity: Severity::Critical,
        id: Some("hostile".into()),
        row: None,
    }
}

fn made(told: &FailureMode) -> (Draft, Catalog) {
    let catalog = shipped::catalog();
    let draft = draft(told, &catalog).unwrap();
    let script = ScriptFile { name: format!("{}.rhai", draft.id), text: draft.playbook.text.clone() };
    (draft, catalog.with(script))
}

#[test]
fn hostile_text_becomes_a_playbook_that_compiles_is_unknown_and_says_it_word_for_word() {
    let told = hostile();
    let (draft, catalog) = made(&told);
    let playbook = shipped::playbook(&catalog, &draft.id);
    assert_eq!(draft.id, "14-hostile");
    assert_eq!((&playbook.about.title, &playbook.about.symptom), (&told.title, &told.symptom));
    assert_eq!(playbook.about.severity, Severity::Critical);
    let stack = Stack::default();
    let found = playbook.detect(&stack.call_context()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].verdict, VerdictKind::Unknown, "not absent: nobody has looked");
    assert!(found[0].reason.as_ref().unwrap().contains("row 14 is not written yet"), "{found:?}");
    let steps = playbook.plan(&stack.call_context(), &found[0], &BTreeMap::new()).unwrap();
    assert!(matches!(steps.as_slice(), [Step::Manual { .. }]), "{steps:?}");
    let shown = serde_json::to_string(&steps).unwrap();
    for line in told.fix.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wanted = serde_json::to_string(line).unwrap();
        assert!(shown.contains(wanted.trim_matches('"')), "{wanted} in {shown}");
    }
    // The other playbooks are what they were.
    for one in shipped::catalog().all() {
        assert_eq!(catalog.get(&one.id).map(|p| &p.sha256), Some(&one.sha256));
    }
}

#[test]
fn hostile_text_becomes_a_drill_of_one_variant_that_says_what_is_to_be_written() {
    let (draft, _) = made(&hostile());
    let file = DrillFile::parse(&draft.drill.text).unwrap();
    assert_eq!((file.id.as_str(), file.variant.len()), ("14-hostile", 1));
    let drill = &file.variant[0];
    assert_eq!((drill.name.as_str(), drill.title.as_str()), ("as-reported", hostile().symptom.as_str()));
    let to_do = drill.unwritten().join("; ");
    for part in ["cause the fault", "known to be there", "detect() and plan()"] {
        assert!(to_do.contains(part), "{to_do}");
    }
}

#[test]
fn a_new_row_is_in_the_page_not_verified_and_the_last_drill_stays_the_last() {
    let (_, catalog) = made(&hostile());
    let shipped = shipped::catalog();
    let key = DrillKey { id: "14-hostile".into(), variant: "as-reported".into() };
    let all: Vec<DrillKey> = drills(&shipped).into_iter().chain([key]).collect();
    let page = Page::new(&catalog, &all, &proven(&shipped)).unwrap();
    let text = render(&page);
    assert!(
        text.contains("\nlast_verified: 2026-11-20\n") && text.contains("\nrows: 19\nrows_verified: 18\n")
    );
    let line = text.lines().find(|line| line.starts_with("| [14]")).unwrap();
    assert!(line.ends_with("| **not verified**: its drills were never run |"), "{line}");
    assert!(!text.contains("<script>"), "nothing in it is HTML");
    let seen = check(&read(&text).unwrap(), &page, at("2026-11-26"), 90);
    let stale: Vec<_> = seen.stale.iter().map(|s| s.row.as_deref()).collect();
    assert_eq!((seen.findings(), stale), (1, vec![Some("14")]), "{seen:#?}");
}

#[test]
fn a_page_that_was_cut_off_or_garbled_anywhere_is_read_or_refused() {
    let facts = page();
    let text = render(&facts);
    let plain: String = by_hand().map(|[s, d, f]| format!("{s}{d}{f}\n")).collect();
    let mut read_at_all = 0;
    for whole in [text, table(by_hand()), format!("SymptomDiagnosisFix\n{plain}\nA few extras\n• é — ü\n")]
    {
        let cuts = whole.char_indices().map(|(at, _)| at).step_by(whole.len() / 10 + 1);
        for cut in cuts {
            let (before, behind) = whole.split_at(cut);
            for text in [before.to_owned(), behind.to_owned(), format!("{before}\\|\u{0}`\u{fffd}|{behind}")]
            {
                if let Ok(page) = read(&text) {
                    read_at_all += 1;
                    assert!(page.rows.iter().all(|row| row.line <= text.lines().count()));
                    check(&page, &facts, at("2026-11-26"), 0);
                }
            }
        }
    }
    assert!(read_at_all > 15, "{read_at_all} of them were pages");
}
