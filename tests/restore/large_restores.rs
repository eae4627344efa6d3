//! What is in the way is found in time that grows with the rows, and not with their square.

use std::time::{Duration, Instant};

use api::db::Dialect;
use api::deletion::Deletion;

use super::{OTHER, STALE, attempt, delete, group_of, id_type, request};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    parents_that_come_back_with_their_rows,
    parents_that_a_later_deletion_took,
    keys_that_compare_in_another_way,
);

/// So many rows that going through all of them for each of them takes minutes.
const ROWS: usize = 20_000;

/// The rows `(n, …)` of numbers from 1.
fn numbers(dialect: Dialect, from: usize, select: &str) -> String {
    let to = from + ROWS - 1;
    match dialect {
        Dialect::Postgres => format!("SELECT {select} FROM generate_series({from}, {to}) n"),
        Dialect::Sqlite => format!(
            "WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT {select} FROM s"
        ),
    }
}

/// Members of a group of either session, each with a mark of its own.
async fn members(db: &TestDb, unique: &str) {
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
        let group = group_of(db, session).await;
        let group = if kind == "uuid" { format!("'{group}'::uuid") } else { format!("'{group}'") };
        let dialect = db.dialect();
        db.exec(&format!(
            "INSERT INTO members {}; INSERT INTO marks {}",
            numbers(dialect, from, &format!("n, 'u' || n, {group}")),
            numbers(dialect, from, "n, n")
        ))
        .await;
    }
}

/// The conflicts of a restore, which are found in time.
async fn conflicts_in_time(db: &TestDb, deletion: &Deletion) -> Vec<(String, String, String)> {
    let start = Instant::now();
    let outcome = attempt(db, &request(deletion)).await;
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(30), "{taken:?}");
    let conflicts = outcome.conflicts.into_iter();
    conflicts.map(|conflict| (conflict.table, conflict.key, conflict.message)).collect()
}

/// PostgreSQL's planner then believes that no later archive has a row.
async fn analyze(db: &TestDb) {
    if db.dialect() == Dialect::Postgres {
        db.exec("ANALYZE session_admin.archived_rows").await;
    }
}

async fn parents_that_come_back_with_their_rows(db: TestDb) {
    members(&db, "u text UNIQUE").await;
    delete(&db, STALE).await;
    analyze(&db).await;
    let deletion = delete(&db, OTHER).await;
    let group = group_of(&db, 2).await;
    db.exec(&format!("INSERT INTO members VALUES (1, 'u1000007', '{group}')")).await;
    let found = conflicts_in_time(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("members", "1000007"));
}

async fn parents_that_a_later_deletion_took(db: TestDb) {
    members(&db, "u text UNIQUE").await;
    // The marks of one session's members are of the other's as well.
    db.exec(
        "ALTER TABLE marks ADD COLUMN other_id bigint REFERENCES members (id) ON DELETE CASCADE; \
         CREATE INDEX marks_other ON marks (other_id); UPDATE marks SET other_id = id + 1000000 WHERE id < 1000000",
    )
    .await;
    let first = delete(&db, STALE).await;
    analyze(&db).await;
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
    members(&db, column).await;
    let deletion = delete(&db, OTHER).await;
    let group = group_of(&db, STALE).await;
    db.exec(&format!(
        "INSERT INTO members {}; DELETE FROM members WHERE id = 2000007; INSERT INTO members VALUES (5000000, '{in_the_way}', '{group}')",
        numbers(db.dialect(), 2_000_001, &format!("n, 'v' || n, CAST('{group}' AS {})", id_type(db.dialect())))
    ))
    .await;
    let found = conflicts_in_time(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].2.starts_with("Another row has the same u now (u1000007), which "), "{found:?}");
}
