//! The plans that are interrupted.

use serde::{Deserialize, Serialize};

use super::patch;

/// Which plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Rows in Postgres, a value in Redis, a key of the `.env`, a wait.
    Data,
    /// A compose action, a command in a container, a backup.
    Engine,
    /// A patch of many files.
    Files,
}

/// The service that the compose step pauses.
pub const PAUSED: &str = "sip";
/// Where the command writes its line, in the container of redis.
pub const LINES: &str = "/tmp/ratiba-crash";

const DATA: &str = r#"
    [step::sql(#{
        title: "Insert a row",
        sql: "INSERT INTO ratiba_crash.effects (key) VALUES ($1) RETURNING id, key",
        params: [params.key], expect_rows: 1,
        undo: #{ title: "Delete it",
            image_sql: "SELECT id, key FROM ratiba_crash.effects WHERE id = ANY($1::bigint[])",
            sql: "DELETE FROM ratiba_crash.effects WHERE id = ANY($1::bigint[])",
            params: [#{ returned: #{ step: 1, column: "id" } }] } }),
     step::redis(#{ title: "Set a value", key: `crash:${params.key}`, value: "new" }),
     step::sql(#{
        title: "Count one up",
        guards: [#{ what: "the counter", sql: "SELECT n FROM ratiba_crash.counters WHERE key = $1",
            params: [params.key], lock: true }],
        sql: "UPDATE ratiba_crash.counters SET n = n + 1 WHERE key = $1 RETURNING key, n",
        params: [params.key], expect_rows: 1,
        undo: #{ title: "Count one down",
            image_sql: "SELECT key, n FROM ratiba_crash.counters WHERE key = ANY($1::text[])",
            sql: "UPDATE ratiba_crash.counters SET n = n - 1 WHERE key = ANY($1::text[])",
            params: [#{ returned: #{ step: 3, column: "key" } }] } }),
     step::dotenv(#{ title: "Set a key", key: "CRASH", to: #{ plain: params.key } }),
     step::wait_until(#{ title: "Wait for the value", within_s: 5,
        condition: #{ redis_value: #{ key: `crash:${params.key}`, value: "new" } } })]
"#;

const ENGINE: &str = r#"
    [step::compose("pause", "PAUSED", "callers"),
     step::exec(#{ title: "Write a line", service: "redis", within_s: 20,
        argv: ["sh", "-c", `echo begun; echo ${params.key} >> LINES; echo done`] }),
     step::backup(#{ title: "Back up", of: #{ table: #{ schema: "ratiba_crash", table: "counters" } },
        within_s: 60 })]
"#;

impl Kind {
    /// Its playbook as row `row`.
    pub fn script(self, row: usize) -> String {
        let steps = match self {
            Self::Data => DATA.to_owned(),
            Self::Engine => ENGINE.replace("PAUSED", PAUSED).replace("LINES", LINES),
            Self::Files => {
                format!(
                    "[step::patch(#{{ title: \"Patch\", diff: {:?}, blast_radius: \"\" }})]",
                    patch::diff()
                )
            }
        };
        format!(
            r#"
fn about() {{
    #{{ row: {row}, title: "Crash", symptom: "A test", severity: "minor",
       params: [#{{ name: "key", label: "The run's own key", kind: "text", required: true }}],
       recheck: #{{ within_s: 1, times: 1 }} }}
}}
fn detect(env) {{
    [#{{ verdict: "present", subject: #{{ service: "redis" }}, reason: "a test",
        evidence: [evidence(db::query("SELECT 1 AS one", []), "one", 1)] }}]
}}
fn plan(env, finding, params) {{ {steps} }}
fn verify(env, finding) {{ #{{ outcome: "fixed", evidence: [], reason: "a test" }} }}
"#
        )
    }

    /// The steps that leave something that can be looked at.
    pub fn acting(self) -> &'static [u32] {
        match self {
            Self::Data => &[1, 2, 3, 4],
            Self::Engine => &[1, 2],
            Self::Files => &[1],
        }
    }
}
