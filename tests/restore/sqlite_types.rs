//! Tests that every kind of SQLite value is restored exactly, whatever the declared type of its column.

use super::round_trip::{delete_session, restore_deletion};
use super::{STALE, find_first_group};
use crate::support::{TestDb, only};

only!(sqlite Adopted: every_value_comes_back_as_it_was, a_row_is_found_again_by_any_key);

/// Values in SQL.
const VALUES: [&str; 24] = [
    "NULL",
    "0",
    "-1",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "0.1 + 0.2",
    "1e308",
    "-1e-308",
    "4.9e-324",
    "-0.0",
    "9e999",
    "-9e999",
    "3.0",
    "''",
    "'NULL'",
    "'12'",
    "'1e3'",
    "' 12 '",
    "'0x10'",
    "'it''s \"quoted\"' || char(10) || '🙂' || char(0) || 'after NUL'",
    "x''",
    "x'00ff00'",
    "CAST(x'fffe' AS text)",
];

/// Declared types with different affinities. The last one is empty.
const TYPES: [&str; 14] = [
    "INTEGER",
    "TEXT",
    "REAL",
    "NUMERIC",
    "BLOB",
    "BOOLEAN",
    "DATETIME",
    "VARCHAR(20)",
    "DECIMAL(10,2)",
    "FLOATING POINT",
    "ANY",
    "JSON",
    "\"it's \"\"odd\"\"\"",
    "",
];

/// Returns every value of a table as its storage class, its literal and its bytes.
async fn read_exact_values(db: &TestDb, table: &str, columns: &[String]) -> Vec<Vec<String>> {
    let texts: Vec<String> = columns
        .iter()
        .map(|column| {
            // Text may be invalid UTF-8, so its bytes are compared.
            let quoted = format!("CASE typeof({column}) WHEN 'text' THEN '' ELSE quote({column}) END");
            format!("typeof({column}) || ' ' || {quoted} || ' ' || hex(CAST({column} AS blob))")
        })
        .collect();
    let mut rows = db.rows(&format!("SELECT {} FROM {table}", texts.join(", "))).await;
    rows.sort();
    rows
}

async fn every_value_comes_back_as_it_was(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let reference = "group_id text NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE";
    let mut columns: Vec<String> = (0..TYPES.len()).map(|n| format!("\"c {n} \"\"x\"\"\"")).collect();
    let listed: Vec<String> = columns.iter().zip(TYPES).map(|(column, name)| format!(", {column} {name}")).collect();
    let (named, listed) = (columns.join(", "), listed.concat());
    // More columns than the archive initially has.
    let more: String = (0..20).map(|n| format!(", more{n} DEFAULT {n}")).collect();
    db.exec(&format!(
        "CREATE TABLE wide (id integer PRIMARY KEY, {reference}{listed}, \
           stored GENERATED ALWAYS AS (id || 's') STORED, virtual GENERATED ALWAYS AS (id * 2){more}); \
         CREATE TABLE without_rowid (a, b TEXT, {reference}{listed}, PRIMARY KEY (b, a)) WITHOUT ROWID; \
         CREATE TABLE without_key ({reference}{listed}); \
         CREATE TABLE strict_one (id INTEGER PRIMARY KEY, {reference}, i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT"
    ))
    .await;
    for (n, value) in VALUES.iter().enumerate() {
        let values = vec![*value; TYPES.len()].join(", ");
        db.exec(&format!(
            "INSERT INTO wide (group_id, {named}) VALUES ('{group}', {values}); \
             INSERT INTO without_rowid (a, b, group_id, {named}) VALUES (coalesce({value}, 'null'), '{n}', '{group}', {values}); \
             INSERT INTO without_key (group_id, {named}) VALUES ('{group}', {values}); \
             INSERT INTO strict_one (group_id, i, r, t, b, a) VALUES ('{group}', {n}, {n} + 0.1, '{n}', x'{n:02}', {value})"
        ))
        .await;
    }
    columns.push("group_id".to_owned());
    let with = |more: &[&str]| -> Vec<String> {
        columns.iter().cloned().chain(more.iter().map(|&name| name.to_owned())).collect()
    };
    let tables = [
        ("wide", with(&["id", "stored", "virtual", "more0", "more19"])),
        ("without_rowid", with(&["a", "b"])),
        ("without_key", columns.clone()),
        ("strict_one", ["id", "group_id", "i", "r", "t", "b", "a"].map(str::to_owned).to_vec()),
    ];
    let mut before = Vec::new();
    for (table, columns) in &tables {
        before.push(read_exact_values(&db, table, columns).await);
        assert_eq!(before.last().unwrap().len(), VALUES.len());
    }
    let deletion = delete_session(db.database().await, STALE).await;
    for (table, _) in &tables {
        assert_eq!(db.count(table).await, 0, "{table}");
    }
    restore_deletion(db.database().await, &deletion).await;
    for ((table, columns), before) in tables.iter().zip(before) {
        for (after, before) in read_exact_values(&db, table, columns).await.iter().zip(before) {
            assert_eq!(*after, before, "{table}");
        }
        assert_eq!(db.count(table).await, i64::try_from(VALUES.len()).unwrap());
    }
}

async fn a_row_is_found_again_by_any_key(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for (n, name) in TYPES.iter().enumerate() {
        for without in ["", " WITHOUT ROWID"] {
            let table = format!("linked_{}", tables.len());
            db.exec(&format!(
                "CREATE TABLE {table} (k {name} NOT NULL PRIMARY KEY, n integer, \
                 group_id text REFERENCES whatsapp_groups (id) ON DELETE SET NULL){without}"
            ))
            .await;
            for value in &VALUES[1..] {
                // A value that is equal to an existing key, or is not an integer where an integer is required, is
                // skipped.
                let insert = format!("INSERT INTO {table} VALUES ({value}, {n}, '{group}')");
                let _ = db.attempt(&insert).await;
            }
            tables.push((table, ["k", "n", "group_id"].map(str::to_owned).to_vec()));
        }
    }
    let mut before = Vec::new();
    for (table, columns) in &tables {
        before.push(read_exact_values(&db, table, columns).await);
        assert!(before.last().unwrap().len() > 4, "{table}");
    }
    let deletion = delete_session(db.database().await, STALE).await;
    for (table, _) in &tables {
        assert_eq!(db.count(&format!("{table} WHERE group_id IS NOT NULL")).await, 0, "{table}");
    }
    restore_deletion(db.database().await, &deletion).await;
    for ((table, columns), before) in tables.iter().zip(before) {
        assert_eq!(read_exact_values(&db, table, columns).await, before, "{table}");
    }
}
