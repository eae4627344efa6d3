//! Tests that a restore identifies unlinked rows, and detects conflicting keys, with keys of every PostgreSQL type.

use api::restore::{self, RestoreRequest};

use super::postgres_types::create_types;
use super::round_trip::{delete_session, restore_deletion};
use super::{STALE, find_first_group};
use crate::support::{TestDb, only};

only!(postgres Adopted:
    a_row_is_found_again_by_a_key_of_any_type,
    a_key_of_an_extension_s_type_that_was_taken_is_listed,
);

/// The types whose values identify an unlinked row.
const KEYS: &[&str] = &[
    "bigint",
    "numeric",
    "numeric(10,2)",
    "real",
    "double precision",
    "money",
    "boolean",
    "text",
    "varchar(20)",
    "char(5)",
    "bpchar",
    "with_blanks",
    "cast_otherwise",
    "\"char\"",
    "name",
    "bytea",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "jsonb",
    "uuid",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit(5)",
    "bit varying",
    "tsvector",
    "oid",
    "pg_lsn",
    "xid8",
    "tid",
    "regclass",
    "int4range",
    "numrange",
    "tstzrange",
    "float_range",
    "int4multirange",
    "integer[]",
    "text[]",
    "timestamptz[]",
    "bytea[]",
    "float8[]",
    "\"Odd ones\".\"Mood\"",
    "positive",
    "some_numbers",
    "pair",
    "pair[]",
    "elsewhere.citext",
    "elsewhere.ltree",
];

async fn a_row_is_found_again_by_a_key_of_any_type(db: TestDb) {
    let types = create_types(&db).await;
    let group = find_first_group(&db, STALE).await;
    let mut tables = Vec::new();
    for (name, values) in types.iter().filter(|(name, _)| KEYS.contains(name)) {
        let table = format!("linked_{}", tables.len());
        db.exec(&format!(
            "CREATE TABLE {table} (\"the key\" {name} PRIMARY KEY, n integer NOT NULL, \
             group_id uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL)"
        ))
        .await;
        for (n, value) in values.iter().enumerate() {
            if value.len() < 1_000 && !value.contains("repeat") {
                db.exec(&format!("INSERT INTO {table} VALUES (CAST({value} AS {name}), {n}, '{group}')")).await;
            }
        }
        tables.push((table, *name));
    }
    let names: Vec<&str> = tables.iter().map(|(table, _)| table.as_str()).collect();
    let before = db.dump(&names).await;
    let deletion = delete_session(db.database().await, STALE).await;
    for (table, name) in &tables {
        assert_eq!(db.count(&format!("{table} WHERE group_id IS NOT NULL")).await, 0, "{name}");
    }
    restore_deletion(db.database().await, &deletion).await;
    assert_eq!(db.dump(&names).await, before);
}

/// The two texts are equal only for the extension's type, and the type's operator is not in the search path.
async fn a_key_of_an_extension_s_type_that_was_taken_is_listed(db: TestDb) {
    create_types(&db).await;
    let group = find_first_group(&db, STALE).await;
    let result = db
        .attempt(
            "CREATE TABLE named (id integer PRIMARY KEY, name elsewhere.citext UNIQUE, \
             group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE)",
        )
        .await;
    if result.is_err() {
        return;
    }
    db.exec(&format!("INSERT INTO named VALUES (1, 'Ada', '{group}')")).await;
    let deletion = delete_session(db.database().await, STALE).await;
    db.exec("INSERT INTO named VALUES (2, 'ADA', NULL)").await;
    let request = RestoreRequest { deletion_id: deletion.id, ..RestoreRequest::default() };
    let conflicts = restore::restore(db.database().await, &request).await.unwrap().conflicts;
    assert_eq!(conflicts.len(), 1, "{conflicts:?}");
    assert_eq!((conflicts[0].table.as_str(), conflicts[0].key.as_str()), ("named", "1"));
    assert!(conflicts[0].message.starts_with("Another row now has the same name (Ada)"), "{conflicts:?}");
    db.exec("DELETE FROM named").await;
    restore_deletion(db.database().await, &deletion).await;
}
