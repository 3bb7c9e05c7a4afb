//! Row 13: revision files against `alembic_version`.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Finding, VerdictKind},
    playbook::step::{BackupOf, Condition, Step, Word},
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ID: &str = "13-alembic-heads";

/// A file of the folder; `parent` is as Python has it.
fn file(id: &str, parent: Value, labels: Value, tracked: bool) -> Value {
    json!({
        "path": format!("backend/alembic/versions/{id}_x.py"), "tracked": tracked, "error": null, "lines": {},
        "names": { "revision": id, "down_revision": parent, "branch_labels": labels, "depends_on": null },
    })
}

fn plain(id: &str, parent: &str) -> Value {
    file(id, json!(parent), Value::Null, true)
}

fn base() -> Value {
    file("a0", Value::Null, Value::Null, true)
}

/// A stack with these files, and at these revisions by schema.
fn stack(files: Vec<Value>, stamps: Vec<(&str, Vec<&str>)>) -> Stack {
    let stack = Stack::default()
        .with_containers(vec![container("backend"), container("postgres")])
        .with_tenants(&["amani_salon", "jua_auto"]);
    stack.answer("repo_list", json!([]));
    stack.answer("repo_python", Value::Array(files));
    stack.answer("repo_text", json!("from alembic import op\n\n\ndef upgrade() -> None:\n    op.create_table(\"t\")\n\n\ndef downgrade() -> None:\n    op.drop_table(\"t\")\n"));
    stack.answer("repo_elsewhere", json!([]));
    stack.answer("commits", json!([]));
    stack.answer(
        "repo_entry",
        json!({ "path": "x", "name": "x", "kind": "file", "modified": null, "tracked": false }),
    );
    let tables: Vec<Value> =
        stamps.iter().map(|(schema, _)| json!({ "schema": schema, "readable": true })).collect();
    let rows: Vec<Value> =
        stamps.iter().map(|(schema, ids)| json!({ "schema": schema, "versions": ids })).collect();
    stack.answer("c.relname = 'alembic_version'", Value::Array(tables));
    stack.answer("query_to_xml", Value::Array(rows));
    stack.answer("pg_locks", json!([]));
    stack
}

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, ID)
}

fn plan(stack: &Stack, given: Value) -> Result<Vec<Step>, String> {
    let given: BTreeMap<String, Value> = serde_json::from_value(given).unwrap();
    shipped::plan(stack, ID, &detect(stack).remove(0), &given)
}

fn argv(step: &Step) -> Vec<String> {
    match step {
        Step::Command(command) => {
            let text = |word: &Word| match word {
                Word::Text(text) => text.clone(),
                Word::OfStep(_) => String::new(),
            };
            command.argv.iter().map(text).collect()
        }
        other => panic!("expected a command, got {other:?}"),
    }
}

fn only(found: Vec<Finding>) -> (VerdictKind, String) {
    assert_eq!(found.len(), 1, "{found:#?}");
    (found[0].verdict, found[0].reason.clone().unwrap_or_default())
}

#[test]
fn what_has_all_revisions_is_absent_however_many_tenants_share_them() {
    let files = vec![base(), plain("b1", "a0")];
    let at = |schema| (schema, vec!["b1"]);
    let found = detect(&stack(files, vec![at("public"), at("tenant_amani_salon"), at("tenant_jua_auto")]));
    assert_eq!(only(found).0, VerdictKind::Absent);
}

#[test]
fn a_database_behind_is_upgraded_to_the_named_revision_after_a_backup() {
    let stack = stack(vec![base(), plain("b1", "a0"), plain("c2", "b1")], vec![("public", vec!["a0"])]);
    let (verdict, reason) = only(detect(&stack));
    assert_eq!(verdict, VerdictKind::Present);
    assert!(reason.contains("2 revisions behind"), "{reason}");
    let steps = plan(&stack, json!({})).unwrap();
    assert!(matches!(&steps[0], Step::Backup(b) if b.of == BackupOf::Database), "{steps:#?}");
    let Step::WaitUntil(wait) = &steps[1] else { panic!("{steps:#?}") };
    let Condition::Rows { rows, .. } = &wait.condition else { panic!("{wait:#?}") };
    assert_eq!(rows, &vec![json!({ "version_num": "a0" })]);
    assert_eq!(argv(&steps[3]), ["/app/.venv/bin/python", "-m", "alembic", "upgrade", "c2"]);
}

#[test]
fn a_revision_with_edits_that_no_commit_has_is_named() {
    let mut edited = plain("b1", "a0");
    edited["edited"] = json!(true);
    let stack = stack(vec![base(), edited, plain("c2", "b1")], vec![("public", vec!["a0"])]);
    let steps = plan(&stack, json!({})).unwrap();
    let Step::Command(upgrade) = &steps[3] else { panic!("{steps:#?}") };
    let says = "It runs edits that no commit has: backend/alembic/versions/b1_x.py";
    assert!(upgrade.blast_radius.contains(says), "{}", upgrade.blast_radius);
}

const TOP: &str = "\"\"\"Words: it's ; anything\"\"\"\n\nfrom typing import Sequence, Union\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n# revision identifiers\nrevision: str = \"b1\"\ndown_revision: Union[str, None] = \"a0\"\nbranch_labels = None\n\n\n";
const DOWN: &str = "\n\ndef downgrade() -> None:\n    op.drop_table(\"t\")\n";

/// What the upgrade with these texts says that it loses.
fn loses(before: &str, upgrade: &str, after: &str) -> Option<String> {
    let stack = stack(vec![base(), plain("b1", "a0")], vec![("public", vec!["a0"])]);
    let text = format!("{TOP}{before}def upgrade() -> None:\n{upgrade}{DOWN}{after}");
    stack.answer("repo_text", json!(text));
    let steps = plan(&stack, json!({})).unwrap();
    let Step::Command(command) = &steps[3] else { panic!("{steps:#?}") };
    command.loses.clone()
}

#[test]
fn only_statements_that_are_known_to_add_lose_nothing() {
    for adds in [
        "    pass\n",
        "    op.create_table(\n        \"t\",\n        sa.Column(\"id\", sa.Uuid(), primary_key=True),  # it's new; really\n        sa.Column(\"at\", sa.DateTime(timezone=True), server_default=sa.text(\"now()\")),\n        sa.Column(\"n\", sa.Numeric(10, 2), nullable=False, server_default=sa.text('0')),\n        sa.ForeignKeyConstraint([\"id\"], [\"u.id\"], ondelete=\"CASCADE\"),\n    )\n",
        "    op.add_column('tenants', sa.Column('zone', sa.String(length=40), server_default='Africa/Nairobi'))\n    op.create_index(op.f('ix_t'), 't', ['a', 'b'], unique=False)\n",
    ] {
        assert_eq!(loses("", adds, ""), None, "{adds}");
    }
    let add = "    op.add_column(\"t\", sa.Column(\"a\", sa.Text))\n";
    for (before, upgrade, after, names) in [
        ("", "    op.drop_column(\"tenants\",\"vertical\")\n", "", "b1 drops column vertical of tenants"),
        ("", "    op.drop_table('payments')\n", "", "drops table payments"),
        ("", "    op.execute(\"DELETE FROM t\")\n", "", "runs SQL of its own"),
        (
            "",
            "    _clean()\n",
            "\n\ndef _clean():\n    op.execute(\"DELETE FROM payments\")\n    op.drop_column(\"tenants\", \"vertical\")\n",
            "drops column vertical of tenants",
        ),
        ("from alembic.op import drop_column\n\n", "    drop_column(\"t\", \"a\")\n", "", "drop_column("),
        ("from app.migrations import clean\n\n", add, "", "from app.migrations import clean"),
        ("", "    op.get_bind().exec_driver_sql(\"DELETE FROM t\")\n", "", "op.get_bind"),
        ("", "    op.add_column(f\"{table}\", sa.Column(\"a\", sa.Text))\n", "", "op.add_column"),
        (
            "",
            "    op.add_column(\"t\", sa.Column(\"a\", sa.Text, server_default=sa.text(\"1; DROP TABLE payments\")))\n",
            "",
            "op.add_column",
        ),
        (
            "",
            "    op.add_column(\"t\", sa.Column(\"a\", sa.Text, server_default=sa.text(clean())))\n",
            "",
            "op.add_column",
        ),
        (
            "",
            "    op.add_column(\"t\", sa.Column(\"a\", sa.Text)) or op.drop_table(\"u\")\n",
            "",
            "op.add_column",
        ),
        (
            "",
            "    op.add_column(\"t\", sa.Column(\"a\", sa.Text)); op.drop_table(\"u\")\n",
            "",
            "op.add_column",
        ),
        ("op = Other()\n\n\n", add, "", "op = Other()"),
        ("@logged\n", add, "", "@logged"),
        ("", add, "\n\ndef upgrade():\n    op.drop_table(\"t\")\n", "drops table t"),
        ("", "    op.bulk_insert(t, [])\n", "", "calls op.bulk_insert"),
        ("", "    if True:\n        op.create_table(\"t\")\n", "", "if True:"),
    ] {
        let told = loses(before, upgrade, after);
        assert!(told.as_ref().is_some_and(|told| told.contains(names)), "{before}{upgrade}{after}: {told:?}");
    }
}

#[test]
fn right_before_the_upgrade_the_files_must_be_what_the_plan_read() {
    let stack = stack(vec![base(), plain("b1", "a0"), plain("c2", "b1")], vec![("public", vec!["a0"])]);
    stack.answer("repo_text", json!("123456789"));
    let steps = plan(&stack, json!({})).unwrap();
    let Step::Command(look) = &steps[2] else { panic!("{steps:#?}") };
    assert!(look.only_looks && look.loses.is_none());
    // The check value of CRC-32, of the text 123456789, is cbf43926.
    assert_eq!(argv(&steps[2])[3..], ["b1:cbf43926:b1_x.py", "c2:cbf43926:c2_x.py"]);
    assert!(argv(&steps[2])[2].contains("zlib.crc32"), "{:?}", argv(&steps[2]));
}

#[test]
fn a_dead_backend_is_migrated_from_a_container_of_its_own() {
    let stack = stack(vec![base(), plain("b1", "a0")], vec![("public", vec!["a0"])]);
    stack.change_container("backend", |c| c.state = ratiba_core::model::ContainerState::Exited);
    let steps = plan(&stack, json!({})).unwrap();
    let Step::Command(command) = &steps[3] else { panic!() };
    assert_eq!(command.place, ratiba_core::playbook::step::CommandPlace::Run);
}

fn forked() -> Stack {
    stack(vec![base(), plain("b1", "a0"), plain("b2", "a0")], vec![("public", vec!["a0"])])
}

#[test]
fn two_heads_are_merged_only_when_each_is_said_to_be_merged_work() {
    let stack = forked();
    assert_eq!(only(detect(&stack)).0, VerdictKind::Present);
    assert!(plan(&stack, json!({})).unwrap_err().contains("pick at least one of b1, b2"));
    assert!(plan(&stack, json!({ "merge": ["b1"] })).unwrap_err().contains("b2"));
    stack.answer("repo_text", json!("def upgrade():\n    pass\n"));
    let steps = plan(&stack, json!({ "merge": ["b1", "b2"] })).unwrap();
    let kinds: Vec<&str> = steps
        .iter()
        .map(|s| match s {
            Step::Backup(_) => "backup",
            Step::WaitUntil(_) => "wait",
            Step::Command(_) => "command",
            Step::Patch(_) => "patch",
            Step::Manual(_) => "manual",
            _ => "other",
        })
        .collect();
    assert_eq!(
        kinds,
        ["backup", "wait", "command", "command", "command", "command", "patch", "command", "manual"]
    );
    let Step::Patch(patch) = &steps[6] else { panic!() };
    assert!(patch.diff.contains("+down_revision = (\"b1\", \"b2\")\n"), "{}", patch.diff);
    let Step::Command(mark) = &steps[7] else { panic!() };
    let undo = mark.undo.as_ref().unwrap();
    assert!(
        matches!(&undo.only_if, Condition::Rows { rows, .. } if rows.len() == 1),
        "only while at the merge"
    );
    let again = plan(&stack, json!({ "merge": ["b2", "b1"] })).unwrap();
    let Step::Patch(other) = &again[6] else { panic!() };
    assert_eq!(patch.diff, other.diff, "the same heads make the same revision");
}

#[test]
fn two_branches_that_add_the_same_thing_are_not_merged() {
    // The stack in memory gives the same text for both.
    let refused = plan(&forked(), json!({ "merge": ["b1", "b2"] })).unwrap_err();
    assert!(refused.contains("both branches add table t"), "{refused}");
}

#[test]
fn own_bases_and_own_labels_are_meant_and_one_label_alone_is_doubted() {
    let label = |name: &str| json!([name]);
    let own_base = vec![base(), file("v0", Value::Null, label("voice"), true)];
    assert_eq!(
        only(detect(&stack(own_base.clone(), vec![("public", vec!["a0", "v0"])]))).0,
        VerdictKind::Absent
    );
    let (verdict, reason) = only(detect(&stack(own_base, vec![("public", vec!["a0"])])));
    assert_eq!(verdict, VerdictKind::Suspected);
    assert!(reason.contains("was never applied anywhere"), "{reason}");
    let both = vec![
        base(),
        file("b1", json!("a0"), label("one"), true),
        file("b2", json!("a0"), label("two"), true),
    ];
    assert_eq!(only(detect(&stack(both, vec![("public", vec!["b1", "b2"])]))).0, VerdictKind::Absent);
    let one = vec![base(), file("b1", json!("a0"), label("one"), true), plain("b2", "a0")];
    assert_eq!(only(detect(&stack(one, vec![("public", vec!["b1", "b2"])]))).0, VerdictKind::Suspected);
}

#[test]
fn what_git_does_not_know_is_somebodys_and_is_never_run_or_merged() {
    let strange = |parent: &str| file("zz", json!(parent), Value::Null, false);
    let second = stack(vec![base(), plain("b1", "a0"), strange("a0")], vec![("public", vec!["b1"])]);
    let (verdict, reason) = only(detect(&second));
    assert_eq!(verdict, VerdictKind::Present);
    assert!(reason.contains("zz is in no commit"), "{reason}");
    assert!(matches!(&plan(&second, json!({})).unwrap()[..], [Step::Manual(_)]));
    let ahead = stack(vec![base(), plain("b1", "a0"), strange("b1")], vec![("public", vec!["b1"])]);
    assert_eq!(only(detect(&ahead)).0, VerdictKind::Suspected);
    // Behind by what git knows: the upgrade stops there.
    let behind = stack(vec![base(), plain("b1", "a0"), strange("b1")], vec![("public", vec!["a0"])]);
    let steps = plan(&behind, json!({})).unwrap();
    assert_eq!(argv(&steps[3]).last().unwrap(), "b1");
}

#[test]
fn an_unknown_revision_wants_its_branch_and_never_a_stamp() {
    let stack = stack(vec![base()], vec![("public", vec!["ff"])]);
    let (verdict, reason) = only(detect(&stack));
    assert_eq!(verdict, VerdictKind::Present);
    assert!(reason.contains("ff, which no file of this checkout has"), "{reason}");
    assert!(matches!(&plan(&stack, json!({})).unwrap()[..], [Step::Manual(_)]));
}

#[test]
fn a_tenant_is_upgraded_the_way_env_py_offers_and_by_hand_where_it_offers_none() {
    let files = vec![base(), plain("b1", "a0")];
    let stack = stack(files, vec![("public", vec!["b1"]), ("tenant_jua_auto", vec!["a0"])]);
    let found = detect(&stack);
    assert_eq!(found[0].subject.tenant.as_deref(), Some("jua_auto"));
    assert!(matches!(&plan(&stack, json!({})).unwrap()[..], [Step::Manual(_)]), "env.py has no -x");
    stack.answer("repo_text", json!("def upgrade(): pass\ncontext.get_x_argument()[\"tenant\"]"));
    let steps = plan(&stack, json!({})).unwrap();
    assert!(argv(&steps[3]).join(" ").ends_with("alembic -x tenant=jua_auto upgrade b1"));
}

#[test]
fn what_can_not_be_judged_is_unknown() {
    let mut broken = plain("b1", "a0");
    broken["error"] = json!("line 2 is no Python");
    assert_eq!(
        only(detect(&stack(vec![base(), broken], vec![("public", vec!["a0"])]))).0,
        VerdictKind::Unknown
    );
    let twice = vec![base(), base()];
    assert_eq!(only(detect(&stack(twice, vec![("public", vec!["a0"])]))).0, VerdictKind::Unknown);
    let mut computed = plain("b1", "a0");
    computed["names"] = json!({ "down_revision": "a0" });
    assert_eq!(
        only(detect(&stack(vec![base(), computed], vec![("public", vec!["a0"])]))).0,
        VerdictKind::Unknown
    );
    let unmarked = detect(&stack(vec![base()], vec![]));
    assert_eq!(only(unmarked).0, VerdictKind::Suspected);
    let emptied = detect(&stack(vec![base()], vec![("public", vec![])]));
    assert_eq!(only(emptied).0, VerdictKind::Suspected);
    let nothing = detect(&stack(vec![], vec![]));
    assert_eq!(only(nothing).0, VerdictKind::Absent);
}

#[test]
fn a_revision_that_builds_on_none_is_present_and_an_id_that_is_an_option_is_refused() {
    let lost = detect(&stack(vec![base(), plain("c2", "b1")], vec![("public", vec!["a0"])]));
    assert!(only(lost).1.contains("builds on revision b1, which no file"));
    let hostile = stack(vec![base(), plain("--sql", "a0")], vec![("public", vec!["a0"])]);
    assert!(plan(&hostile, json!({})).unwrap_err().contains("characters that alembic itself does not take"));
}

#[test]
fn long_revisions_are_judged_within_a_plans_limits_or_refused() {
    let of = |columns: usize, revisions: usize| {
        let mut files = vec![base()];
        for n in 0..revisions {
            files
                .push(plain(&format!("b{n}"), &if n == 0 { "a0".to_owned() } else { format!("b{}", n - 1) }));
        }
        let stack = stack(files, vec![("public", vec!["a0"])]);
        let column =
            "        sa.Column(\"some_name_of_a_column\", sa.Text(), nullable=False),\n".repeat(columns);
        let text = format!(
            "{TOP}def upgrade() -> None:\n    op.create_table(\n        \"t\",\n{column}    )\n{DOWN}"
        );
        stack.answer("repo_text", json!(text));
        plan(&stack, json!({})).map(|steps| match &steps[3] {
            Step::Command(command) => command.loses.clone(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(of(10, 40).unwrap(), None, "forty ordinary ones");
    assert_eq!(of(500, 1).unwrap(), None, "a long one");
    let refused = of(500, 3).unwrap_err();
    assert!(refused.contains("are more than a plan can look through"), "{refused}");
}
