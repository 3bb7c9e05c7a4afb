//! What a run prints about restoring is pasted into a shell, and the data is there again.

use std::process::Command;

use ratiba_testkit::lab;

use super::{ctl::Ctl, playbook::Kernel};

/// A command that a run printed, and what it says about it.
#[derive(Debug)]
pub struct Printed {
    pub does: String,
    command: String,
}

/// What step `n` of a run printed about restoring.
pub fn printed(kernel: &Kernel, run: &str, n: usize) -> Vec<Printed> {
    let run = kernel.run(run);
    let lines = run["steps"][n - 1]["output"].as_array().unwrap();
    let parted = lines.iter().filter_map(|line| line.as_str().unwrap().split_once(": ("));
    parted.map(|(does, rest)| Printed { does: does.to_owned(), command: format!("({rest}") }).collect()
}

impl Printed {
    fn pasted(&self) -> std::process::Output {
        // The shell's own docker leads elsewhere.
        let mut sh = Command::new("sh");
        sh.args(["-c", &self.command]).env("DOCKER_HOST", "tcp://127.0.0.1:1").output().unwrap()
    }

    /// Runs it; gives what it says.
    pub fn paste(&self) -> String {
        for service in ["postgres", "redis"] {
            let id = lab::container_of(service);
            assert!(!self.command.contains(&id), "a container's id is void after a recreate: {self:?}");
        }
        let done = self.pasted();
        assert!(done.status.success(), "{self:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Runs it; it must refuse, and gives what it says then.
    pub fn paste_in_vain(&self) -> String {
        let done = self.pasted();
        assert!(!done.status.success(), "{self:?}");
        String::from_utf8(done.stderr).unwrap()
    }

    /// The database of its own that it restores into.
    pub fn beside(&self) -> String {
        let after = self.does.split("database of its own, ").nth(1).unwrap();
        after.split(',').next().unwrap().to_owned()
    }
}

fn lose(of: &str, sql: &str, rows: u32) -> Kernel {
    Kernel::with(&format!(
        r#"[step::backup(#{{ title: "Back up", of: {of} }}),
            step::sql(#{{ title: "Lose it", sql: "{sql}", expect_rows: {rows},
                guards: [#{{ what: "as planned", sql: "SELECT 1 AS one" }}] }})]"#
    ))
}

fn table(name: &str) -> String {
    format!(r#"#{{ table: #{{ schema: "kernel_r", table: "{name}" }} }}"#)
}

#[test]
fn rows_of_a_table_that_others_refer_to_come_back_and_newer_ones_stay() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_r CASCADE; CREATE SCHEMA kernel_r; \
         CREATE TABLE kernel_r.people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"the name\" text, \
         long int GENERATED ALWAYS AS (length(\"the name\")) STORED); \
         CREATE TABLE kernel_r.visits (person int REFERENCES kernel_r.people); \
         INSERT INTO kernel_r.people (\"the name\") VALUES ('Ann'), (E'O''Hara\\t\\\\N'), (NULL); \
         INSERT INTO kernel_r.visits VALUES (1)",
    );
    let all = "SELECT * FROM kernel_r.people ORDER BY id";
    let before = lab::psql("ratiba", all);
    let kernel = lose(&table("people"), "DELETE FROM kernel_r.people WHERE id > 1", 2);
    let run = kernel.repaired(&[]);
    lab::psql(
        "ratiba",
        "INSERT INTO kernel_r.people (\"the name\") VALUES ('new'); \
         UPDATE kernel_r.people SET \"the name\" = 'Anne' WHERE id = 1",
    );
    let commands = printed(&kernel, &run, 1);
    commands[0].paste();
    assert_eq!(lab::psql(&commands[0].beside(), all), before);
    let said = commands[1].paste();
    assert_eq!(said.lines().next(), Some("rows in the backup: 3"), "{said}");
    assert!(said.ends_with("INSERT 0 2"), "{said}");
    let restored = before.replace("1|Ann|3", "1|Anne|4") + "\n4|new|3";
    assert_eq!(lab::psql("ratiba", all), restored);
    // Once more changes nothing.
    assert!(commands[1].paste().ends_with("INSERT 0 0"));
    // The table is there: to make it again is refused, and loses nothing.
    assert!(commands[2].paste_in_vain().contains("already exists"), "{commands:?}");
    assert_eq!(lab::psql("ratiba", all), restored);
    lab::psql("ratiba", &format!("DROP DATABASE {}", commands[0].beside()));
    assert!(commands[1].paste_in_vain().contains("does not exist"), "without the first, the second fails");
    lab::psql("ratiba", "DROP SCHEMA kernel_r CASCADE");
}

#[test]
fn without_a_key_as_many_equal_rows_come_back_as_there_were() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_r CASCADE; CREATE SCHEMA kernel_r; CREATE TABLE kernel_r.t (a int, b json); \
         INSERT INTO kernel_r.t VALUES (1, NULL), (1, NULL), (1, NULL), (2, '{\"x\": 1}'), (3, '[]')",
    );
    let kernel = lose(&table("t"), "DELETE FROM kernel_r.t WHERE a > 1", 2);
    let run = kernel.repaired(&[]);
    lab::psql(
        "ratiba",
        "DELETE FROM kernel_r.t WHERE ctid = (SELECT min(ctid) FROM kernel_r.t); \
         INSERT INTO kernel_r.t VALUES (9, NULL)",
    );
    let commands = printed(&kernel, &run, 1);
    commands[0].paste();
    assert!(commands[1].paste().ends_with("INSERT 0 3"));
    assert_eq!(
        lab::psql("ratiba", "SELECT a, b::text, count(*) FROM kernel_r.t GROUP BY 1, 2 ORDER BY 1")
            .replace("{\"x\": 1}", "x"),
        "1||3\n2|x|1\n3|[]|1\n9||1"
    );
    lab::psql("ratiba", &format!("DROP DATABASE {}; ", commands[0].beside()));
    lab::psql("ratiba", "DROP SCHEMA kernel_r CASCADE");
}

#[test]
fn a_partitioned_table_is_backed_up_with_all_of_its_partitions() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_r CASCADE; DROP SCHEMA IF EXISTS kernel_p CASCADE; \
         CREATE SCHEMA kernel_r; CREATE SCHEMA kernel_p; \
         CREATE TABLE kernel_r.parted (id int PRIMARY KEY) PARTITION BY RANGE (id); \
         CREATE TABLE kernel_r.low PARTITION OF kernel_r.parted FOR VALUES FROM (0) TO (10); \
         CREATE TABLE kernel_p.high PARTITION OF kernel_r.parted FOR VALUES FROM (10) TO (100); \
         INSERT INTO kernel_r.parted SELECT generate_series(1, 50)",
    );
    let kernel = lose(&table("parted"), "DELETE FROM kernel_r.parted WHERE id > 5", 45);
    let run = kernel.repaired(&[]);
    let commands = printed(&kernel, &run, 1);
    commands[0].paste();
    assert!(commands[1].paste().ends_with("INSERT 0 45"));
    assert_eq!(lab::psql("ratiba", "SELECT count(*), count(DISTINCT tableoid) FROM kernel_r.parted"), "50|2");
    lab::psql("ratiba", &format!("DROP DATABASE {}", commands[0].beside()));
    drop(kernel);

    // One partition is no backup of the others, and can be backed up by itself.
    let kernel = lose(&table("low"), "DELETE FROM kernel_r.parted", 50);
    let done = kernel.apply(&kernel.plan(&[]), 1);
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("no backup of this run has: kernel_p.high;"), "{reason}");
    drop(kernel);
    let kernel = lose(&table("low"), "DELETE FROM kernel_r.low", 9);
    let run = kernel.repaired(&[]);
    let commands = printed(&kernel, &run, 1);
    commands[0].paste();
    assert!(commands[1].paste().ends_with("INSERT 0 9"));
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM kernel_r.parted"), "50");
    lab::psql("ratiba", &format!("DROP DATABASE {}", commands[0].beside()));
    lab::psql("ratiba", "DROP SCHEMA kernel_r CASCADE; DROP SCHEMA kernel_p CASCADE");
}

#[test]
fn a_table_is_backed_up_with_what_inherits_from_it() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_r CASCADE; CREATE SCHEMA kernel_r; \
         CREATE TABLE kernel_r.parent (id int PRIMARY KEY); INSERT INTO kernel_r.parent VALUES (1); \
         CREATE TABLE kernel_r.child (more text) INHERITS (kernel_r.parent); \
         INSERT INTO kernel_r.child SELECT n, 'more' FROM generate_series(2, 50) n",
    );
    let all = "SELECT (SELECT count(*) FROM ONLY kernel_r.parent), (SELECT count(more) FROM kernel_r.child)";
    let kernel = lose(&table("parent"), "DELETE FROM kernel_r.parent", 50);
    let run = kernel.repaired(&[]);
    assert_eq!(lab::psql("ratiba", all), "0|0");
    let commands = printed(&kernel, &run, 1);
    for command in &commands[..3] {
        command.paste();
    }
    assert_eq!(lab::psql("ratiba", all), "1|49");
    lab::psql("ratiba", &format!("DROP DATABASE {}", commands[0].beside()));
    lab::psql("ratiba", "DROP SCHEMA kernel_r CASCADE");
}

#[test]
fn a_schema_is_put_back_as_it_was_or_stays_as_it_is() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_r CASCADE; DROP SCHEMA IF EXISTS kernel_p CASCADE; \
         CREATE SCHEMA kernel_r; CREATE TABLE kernel_r.a (id int PRIMARY KEY); \
         CREATE TABLE kernel_r.b (a int REFERENCES kernel_r.a); \
         INSERT INTO kernel_r.a VALUES (1), (2); INSERT INTO kernel_r.b VALUES (1)",
    );
    let all = "SELECT (SELECT count(*) FROM kernel_r.a), (SELECT count(*) FROM kernel_r.b)";
    let kernel = lose(r#"#{ schema: #{ schema: "kernel_r" } }"#, "TRUNCATE kernel_r.a, kernel_r.b", 0);
    let run = kernel.repaired(&[]);
    let commands = printed(&kernel, &run, 1);
    commands[0].paste();
    assert_eq!(lab::psql(&commands[0].beside(), all), "2|1");
    lab::psql("ratiba", &format!("DROP DATABASE {}", commands[0].beside()));
    // What depends on it from outside is in the way: nothing is done by half.
    lab::psql(
        "ratiba",
        "INSERT INTO kernel_r.a VALUES (7); CREATE SCHEMA kernel_p; \
         CREATE TABLE kernel_p.c (a int REFERENCES kernel_r.a)",
    );
    assert!(commands[1].paste_in_vain().contains("depends on"), "{commands:?}");
    assert_eq!(lab::psql("ratiba", all), "1|0");
    lab::psql("ratiba", "DROP SCHEMA kernel_p CASCADE");
    assert!(commands[1].does.contains("newer in it lost"), "{commands:?}");
    commands[1].paste();
    assert_eq!(lab::psql("ratiba", all), "2|1");
    lab::psql("ratiba", "DROP SCHEMA kernel_r CASCADE");
}

#[test]
fn the_whole_database_is_put_back_as_it_was() {
    lab::psql(
        "ratiba",
        "DROP SCHEMA IF EXISTS kernel_r CASCADE; CREATE SCHEMA kernel_r; \
         CREATE TABLE kernel_r.t AS SELECT generate_series(1, 9) AS n",
    );
    let tenants = "SELECT string_agg(t::text, ',' ORDER BY t::text) FROM public.tenants t";
    let before = lab::psql("ratiba", tenants);
    let kernel = lose(r#""database""#, "DROP SCHEMA kernel_r CASCADE", 0);
    let run = kernel.repaired(&[]);
    let commands = printed(&kernel, &run, 1);
    commands[0].paste();
    assert_eq!(lab::psql(&commands[0].beside(), tenants), before);
    lab::psql("ratiba", &format!("DROP DATABASE {}", commands[0].beside()));
    commands[1].paste();
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM kernel_r.t"), "9");
    assert_eq!(lab::psql("ratiba", tenants), before);
    lab::psql("ratiba", "DROP SCHEMA kernel_r CASCADE");
}

#[test]
fn a_redis_that_its_container_does_not_lead_to_is_named_by_its_address() {
    let ctl = Ctl::new();
    let text = lab::profile_text().replace("[redis]\n", "[redis]\nservice = \"postgres\"\n");
    let name = std::path::Path::new(&lab::profile_file()).file_name().unwrap().to_owned();
    let profile = ctl.file(&name.to_string_lossy(), &text);
    lab::redis_eval("redis.call('SET', 'kernel:at', 'x')");
    let kernel = Kernel::on(
        ctl,
        r#"[step::backup(#{ title: "Keys", of: #{ redis_keys: #{ prefix: "kernel:at" } } })]"#,
        profile,
    );
    let run = kernel.repaired(&[]);
    let output = kernel.run(&run)["steps"][0]["output"].to_string();
    let at = lab::profile().redis.unwrap().url;
    let port = at.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    let command = format!(": redis-cli -h 127.0.0.1 -p {port} -n 0 --pipe < /");
    assert!(output.contains(&command) && output.contains("in the variable REDISCLI_AUTH"), "{output}");
    lab::redis_eval("redis.call('DEL', 'kernel:at')");
}
