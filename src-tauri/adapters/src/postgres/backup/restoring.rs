//! What a person runs to restore a dump. The first command always works, as the trial did, and loses
//! nothing; one that loses what is newer says so, and does all or nothing.

use std::path::Path;

use ratiba_core::{playbook::step::BackupOf, ports::BackupError};
use sqlx::PgConnection;

use super::{
    Extent,
    tables::{Columns, Table, quoted as as_name},
};
use crate::for_a_shell::{ForAShell, quoted};

/// What `pg_restore` is told for the trial, and a person tells it.
pub(super) const AS_TRIED: [&str; 6] =
    ["--no-owner", "--no-acl", "--no-comments", "--section=pre-data", "--section=data", "--exit-on-error"];

/// The server as a person reaches it, and the dump.
pub(super) struct Restoring<'a> {
    pub shell: &'a ForAShell,
    pub service: &'a str,
    pub user: &'a str,
    pub database: &'a str,
    /// The database beside it.
    pub beside: String,
    pub file: &'a Path,
}

/// What must be in an empty database before a dump can be restored into it. A dump of a table does not
/// make its schema; one of a schema makes it even if it is public.
pub(super) fn ready(of: &BackupOf, tables: &[Table], extent: Extent) -> Vec<String> {
    match (of, extent) {
        (BackupOf::Table { .. }, Extent::Alone) => {
            let mut schemas: Vec<&str> = tables.iter().map(|t| t.schema.as_str()).collect();
            schemas.sort_unstable();
            schemas.dedup();
            schemas.iter().map(|s| format!("CREATE SCHEMA IF NOT EXISTS {}", as_name(s))).collect()
        }
        (BackupOf::Schema { .. }, Extent::Alone) => vec!["DROP SCHEMA public".to_owned()],
        _ => Vec::new(),
    }
}

impl Restoring<'_> {
    /// One line for each command.
    pub(super) async fn lines(
        &self,
        of: &BackupOf,
        tables: &[Table],
        extent: Extent,
        connection: &mut PgConnection,
    ) -> Result<String, BackupError> {
        let mut lines = vec![self.beside_what_is_there(&ready(of, tables, extent))];
        if let BackupOf::Table { .. } = of {
            // A partitioned table takes the rows for all of its partitions.
            let whole = tables.iter().find(|t| t.is(of) && t.is_partitioned);
            let filled = whole.map_or(tables, std::slice::from_ref);
            for table in filled {
                if let Some(columns) = table.columns(connection).await? {
                    lines.push(self.missing_rows(table, &columns));
                }
            }
        }
        if extent == Extent::Alone {
            lines.push(self.in_place(of));
        }
        Ok(lines.join("\n"))
    }

    fn beside_what_is_there(&self, ready: &[String]) -> String {
        let create = format!("CREATE DATABASE {} TEMPLATE template0", as_name(&self.beside));
        let mut commands =
            vec![format!("docker exec \"$c\" {} -c {}", self.psql(self.database), quoted(&create))];
        commands.extend(
            ready
                .iter()
                .map(|sql| format!("docker exec \"$c\" {} -c {}", self.psql(&self.beside), quoted(sql))),
        );
        commands.push(self.pg_restore(&self.beside, &AS_TRIED.join(" ")));
        format!(
            "to restore it into a database of its own, {}, beside what is there; nothing else is touched: {}",
            self.beside,
            self.shell.with_container(self.service, &commands.join(" && "))
        )
    }

    fn missing_rows(&self, table: &Table, columns: &Columns) -> String {
        let Columns { all, key } = columns;
        let name = table.quoted();
        let from = if table.is_partitioned { name.clone() } else { format!("ONLY {name}") };
        let (which, select) = match key {
            Some(key) => (
                format!("are no longer there by their key {key}"),
                format!("SELECT {all} FROM ratiba_back WHERE ({key}) NOT IN (SELECT {key} FROM {from})"),
            ),
            // Without a key rows are told apart by all that is in them, and counted.
            None => (
                "are no longer there as they were, as it has no key".to_owned(),
                format!(
                    "SELECT {all} FROM (SELECT {all}, ROW({all})::text AS ratiba_row, row_number() OVER \
                     (PARTITION BY ROW({all})::text) AS ratiba_n FROM ratiba_back) AS b LEFT JOIN \
                     (SELECT ROW({all})::text AS ratiba_row, count(*) AS there FROM {from} GROUP BY 1) AS t \
                     USING (ratiba_row) WHERE b.ratiba_n > coalesce(t.there, 0)"
                ),
            ),
        };
        let count = format!("SELECT 'rows in the backup: ' || count(*) FROM {from}");
        let copy = format!("COPY (SELECT {all} FROM {from}) TO STDOUT");
        let back = [
            format!("CREATE TEMP TABLE ratiba_back ON COMMIT DROP AS SELECT {all} FROM {from} WITH NO DATA"),
            "COPY ratiba_back FROM STDIN".to_owned(),
            format!("INSERT INTO {name} ({all}) OVERRIDING SYSTEM VALUE {select}"),
        ];
        let back: Vec<String> = back.iter().map(|sql| format!("-c {}", quoted(sql))).collect();
        let beside = self.psql(&self.beside);
        let command = format!(
            "docker exec \"$c\" {beside} -c {} && docker exec \"$c\" {beside} -c {} | docker exec -i \"$c\" {} -1 {}",
            quoted(&count),
            quoted(&copy),
            self.psql(self.database),
            back.join(" ")
        );
        let what = format!("{}.{}", table.schema, table.name);
        format!(
            "then, to bring back those of its rows in {what} that {which}; what is there stays as it is, its \
             triggers fire as for any new row, and once more does no harm: {}",
            self.shell.with_container(self.service, &command)
        )
    }

    fn in_place(&self, of: &BackupOf) -> String {
        let (what, how) = match of {
            BackupOf::Table { schema, table } => {
                (format!("if {schema}.{table} itself is gone, in place of both"), "--single-transaction")
            }
            BackupOf::Schema { schema } => (
                format!(
                    "or, to put the schema {schema} back as it was, with all that is newer in it lost, all or nothing"
                ),
                "--clean --if-exists --single-transaction",
            ),
            _ => (
                format!(
                    "or, to put {} back as it was, with all that is newer lost, all or nothing",
                    self.database
                ),
                "--clean --if-exists --single-transaction",
            ),
        };
        format!("{what}: {}", self.shell.with_container(self.service, &self.pg_restore(self.database, how)))
    }

    fn psql(&self, database: &str) -> String {
        let (user, database) = (quoted(self.user), quoted(database));
        format!("psql -w -X -A -t -v ON_ERROR_STOP=1 -U {user} -d {database}")
    }

    fn pg_restore(&self, database: &str, how: &str) -> String {
        let file = quoted(&self.file.display().to_string());
        let (user, database) = (quoted(self.user), quoted(database));
        format!("docker exec -i \"$c\" pg_restore -w -U {user} -d {database} {how} < {file}")
    }
}
