//! Tests that the time for finding conflicts grows with the number of rows, and not with its square.

use std::time::{Duration, Instant};

use api::db::Dialect;
use api::deletion::Deletion;

use super::{OTHER, STALE, attempt, delete, find_first_group, id_type, request};
use crate::support::{TestDb, on_both};

on_both!(long Adopted:
    parents_that_come_back_with_their_rows,
    parents_that_a_later_deletion_took,
    keys_that_compare_in_another_way,
);

/// A number of rows for which a quadratic algorithm takes minutes.
const ROWS: usize = 20_000;

/// Returns a SELECT of rows for the numbers `n` beginning with `from`.
fn numbers_sql(dialect: Dialect, from: usize, select: &str) -> String {
    let to = from + ROWS - 1;
    match dialect {
        Dialect::Postgres => format!("SELECT {select} FROM generate_series({from}, {to}) n"),
        Dialect::Sqlite => format!(
            "WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT {select} FROM s"
        ),
    }
}

/// Creates members of a group of each session, each with its own mark.
async fn create_members(db: &TestDb, unique: &str) {
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE members (id bigint NOT NULL PRIMARY KEY, {unique}, \
         group_id {kind} NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE INDEX members_group ON members (group_id); \
         CREATE TABLE marks (id bigint NOT NULL PRIMARY KEY, member_id bigint NOT NULL REFERENCES members (id) ON DELETE CASCADE); \
         CREATE INDEX marks_member ON marks (member_id)"
    ))
    .await;
    for (from, session) in [(1, STALE), (1_000_001, OTHER)] {
        let group = find_first_group(db, session).await;
        let group = if kind == "uuid" { format!("'{group}'::uuid") } else { format!("'{group}'") };
        let dialect = db.dialect();
        db.exec(&format!(
            "INSERT INTO members {}; INSERT INTO marks {}",
            numbers_sql(dialect, from, &format!("n, 'u' || n, {group}")),
            numbers_sql(dialect, from, "n, n")
        ))
        .await;
    }
}

/// Returns the conflicts of a restore, and asserts that they are found in time.
async fn conflicts_in_time(db: &TestDb, deletion: &Deletion) -> Vec<(String, String, String)> {
    let start = Instant::now();
    let outcome = attempt(db, &request(deletion)).await;
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(30), "{elapsed:?}");
    let conflicts = outcome.conflicts.into_iter();
    conflicts.map(|conflict| (conflict.table, conflict.key, conflict.message)).collect()
}

/// Updates PostgreSQL's statistics, so that its planner assumes that no later archive contains a row.
async fn analyze_archive(db: &TestDb) {
    if db.dialect() == Dialect::Postgres {
        db.exec("ANALYZE session_admin.archived_rows").await;
    }
}

async fn parents_that_come_back_with_their_rows(db: TestDb) {
    create_members(&db, "u text UNIQUE").await;
    delete(&db, STALE).await;
    analyze_archive(&db).await;
    let deletion = delete(&db, OTHER).await;
    let group = find_first_group(&db, 2).await;
    db.exec(&format!("INSERT INTO members VALUES (1, 'u1000007', '{group}')")).await;
    let found = conflicts_in_time(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("members", "1000007"));
}

async fn parents_that_a_later_deletion_took(db: TestDb) {
    create_members(&db, "u text UNIQUE").await;
    // The marks of one session's members also refer to the other session's members.
    db.exec(
        "ALTER TABLE marks ADD COLUMN other_id bigint REFERENCES members (id) ON DELETE CASCADE; \
         CREATE INDEX marks_other ON marks (other_id); UPDATE marks SET other_id = id + 1000000 WHERE id < 1000000",
    )
    .await;
    let first = delete(&db, STALE).await;
    analyze_archive(&db).await;
    let second = delete(&db, OTHER).await;
    let found = conflicts_in_time(&db, &first).await;
    assert_eq!(found.len(), 1_000);
    assert!(found.iter().all(|(table, _, message)| table == "marks" && message.contains(&second.id.to_string())));
}

async fn keys_that_compare_in_another_way(db: TestDb) {
    let (column, in_the_way) = match db.dialect() {
        Dialect::Postgres => ("u text COLLATE \"C\" UNIQUE", "u1000007"),
        Dialect::Sqlite => ("u text COLLATE NOCASE UNIQUE", "U1000007"),
    };
    create_members(&db, column).await;
    let deletion = delete(&db, OTHER).await;
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "INSERT INTO members {}; DELETE FROM members WHERE id = 2000007; INSERT INTO members VALUES (5000000, '{in_the_way}', '{group}')",
        numbers_sql(db.dialect(), 2_000_001, &format!("n, 'v' || n, CAST('{group}' AS {})", id_type(db.dialect())))
    ))
    .await;
    let found = conflicts_in_time(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].2.starts_with("Another row now has the same u (u1000007), which "), "{found:?}");
}
