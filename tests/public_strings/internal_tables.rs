//! Snapshot tests of the internal tables: names, columns with types, and the values in checks and defaults.

use std::collections::{BTreeMap, BTreeSet};

use api::db::Dialect;

use super::{assert_snapshot, of_database};
use crate::support::{TestDb, on_both};

on_both!(Empty: columns_and_words_of_internal_tables);

/// A query of the columns of each internal table. The order of columns has no meaning.
const POSTGRES_COLUMNS: &str = "
    SELECT c.relnamespace::regnamespace || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           a.attnotnull::text, coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace::regnamespace::text IN ('session_admin', 'apalis') AND c.relkind IN ('r', 'p', 'v')";

const SQLITE_COLUMNS: &str = "
    SELECT t.name, c.name, c.type, CASE c.\"notnull\" WHEN 1 THEN 'true' ELSE 'false' END, coalesce(c.dflt_value, '')
    FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND (t.name LIKE 'session\\_admin\\_%' ESCAPE '\\' OR t.name IN ('Jobs', 'Workers'))";

const POSTGRES_CHECKS: &str = "
    SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND connamespace::regnamespace::text = 'session_admin'";

const SQLITE_CHECKS: &str = "
    SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name LIKE 'session\\_admin\\_%' ESCAPE '\\'";

async fn columns_and_words_of_internal_tables(db: TestDb) {
    assert_eq!(crate::cli::document(&db, &["migrate", "--yes"]).0, 0);
    let (columns, checks) = match db.dialect() {
        Dialect::Postgres => (POSTGRES_COLUMNS, POSTGRES_CHECKS),
        Dialect::Sqlite => (SQLITE_COLUMNS, SQLITE_CHECKS),
    };
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in db.rows(columns).await {
        let [table, column, kind, not_null, default] = &row[..] else { panic!("{row:?}") };
        let not_null = if not_null == "true" { " NOT NULL" } else { "" };
        let default = if default.is_empty() { String::new() } else { format!(" DEFAULT {default}") };
        tables.entry(table.clone()).or_default().insert(format!("{column} {kind}{not_null}{default}"));
    }
    let mut text = String::new();
    for (table, columns) in &tables {
        text += &format!("{table}\n");
        for column in columns {
            text += &format!("  {column}\n");
        }
    }
    text += "\nwords in checks and defaults\n";
    for row in db.rows(checks).await.into_iter().collect::<BTreeSet<_>>() {
        let words: BTreeSet<String> = row[1].lines().flat_map(quoted_words).collect();
        if !words.is_empty() {
            text += &format!("  {}: {}\n", row[0], words.into_iter().collect::<Vec<_>>().join(" "));
        }
    }
    assert_snapshot(&of_database(&db, "internal_tables"), &text);
}

/// Returns the quoted strings of a line of SQL, without those in its comment.
fn quoted_words(line: &str) -> Vec<String> {
    let sql = line.split("--").next().unwrap_or_default();
    sql.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}
