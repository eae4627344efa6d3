//! Tests of `deletions`, which shows the audit trail.

use api::db::Dialect;
use serde_json::{Value, json};

use super::server::Server;
use super::{document, migrate_without_purge, run};
use crate::support::wait::wait_until;
use crate::support::{TestDb, on_both};

on_both!(AsBuilt: before_migrate_there_is_no_trail);
on_both!(Mended:
    deletions_are_listed_newest_first,
    each_flag_narrows_the_list,
    one_deletion_is_shown_table_by_table,
    without_days_or_without_archive_nothing_is_kept,
    a_deletion_is_erased_from_the_terminal,
    what_a_restore_cannot_bring_back_is_shown,
    without_deletions_the_list_says_so,
);
on_both!(long Mended: a_server_erases_what_has_expired);

const FIRST: &str = "303d5044-0000-4000-8000-000000000001";
const SECOND: &str = "8842d937-0000-4000-8000-000000000003";

/// Makes two deletions and returns their records, oldest first.
async fn two_deletions(db: &TestDb) -> [Value; 2] {
    migrate_without_purge(db).await;
    let delete = |id, reason| {
        let (code, outcome) = document(db, &["delete", id, "--yes", "--allow-pending-messages", "--reason", reason]);
        assert_eq!(code, 0, "{outcome}");
        outcome["deletion"].clone()
    };
    [delete(FIRST, "the first"), delete(SECOND, "the second")]
}

/// Returns the deletions that are listed with these flags.
fn list_deletions(db: &TestDb, flags: &[&str]) -> Vec<Value> {
    let (code, list) = document(db, &[&["deletions"], flags].concat());
    assert_eq!(code, 0, "{list}");
    list["deletions"].as_array().unwrap().clone()
}

async fn deletions_are_listed_newest_first(db: TestDb) {
    let [first, second] = two_deletions(&db).await;
    assert_eq!(document(&db, &["deletions"]), (0, json!({ "deletions": [second, first], "hasMore": false })));
    let (code, list) = document(&db, &["deletions", "--limit", "1"]);
    assert_eq!((code, &list["deletions"][0]["id"], &list["hasMore"]), (0, &second["id"], &json!(true)));
    let screen = run(&db, &["deletions"]).stdout;
    let at = |text: &str| screen.find(text).unwrap_or_else(|| panic!("{text}: {screen}"));
    assert!(at("the second") < at("the first") && !screen.contains("older deletions"), "{screen}");
    assert!(screen.contains("┆ Status ") && screen.matches("┆ restorable ").count() == 2, "{screen}");
    assert_eq!(document(&db, &["restore", second["id"].as_str().unwrap(), "--yes"]).0, 0);
    assert!(run(&db, &["deletions"]).stdout.contains("┆ restored "));
    assert!(run(&db, &["deletions", "--limit", "1"]).stdout.contains("There are older deletions"));
}

async fn each_flag_narrows_the_list(db: TestDb) {
    let [first, second] = two_deletions(&db).await;
    let between = &second["deletedAt"].as_str().unwrap().to_owned();
    let none: Vec<Value> = Vec::new();
    for (flags, found) in [
        (&["--session", FIRST][..], vec![first.clone()]),
        (&["--deleted-before", between], vec![first.clone()]),
        (&["--deleted-after", between], none.clone()),
        (&["--deleted-by", "cli:tester"], vec![second.clone(), first.clone()]),
        (&["--deleted-by", "cli:other"], none.clone()),
        (&["--status", "restorable"], vec![second, first]),
        (&["--status", "NOT_ARCHIVED", "--status", "EXPIRED"], none.clone()),
        (&["--status", "RESTORED", "--status", "ERASED"], none),
    ] {
        assert_eq!(list_deletions(&db, flags), found, "{flags:?}");
    }
    for wrong in [["--deleted-after", "yesterday"], ["--status", "GONE"], ["--session", "x"], ["--limit", "0"]] {
        assert_eq!(document(&db, &[&["deletions"][..], &wrong].concat()).0, 2, "{wrong:?}");
    }
}

async fn one_deletion_is_shown_table_by_table(db: TestDb) {
    let [first, _] = two_deletions(&db).await;
    let id = first["id"].as_str().unwrap();
    assert_eq!(document(&db, &["deletions", "show", id]), (0, first.clone()));
    let screen = run(&db, &["deletions", "show", id]).stdout;
    let until = first["restorableUntil"].as_str().unwrap();
    let until = format!("Restorable until {} {} UTC", &until[..10], &until[11..19]);
    for part in
        ["by cli:tester: the first", "Allowed: allowPendingMessages", &until, FIRST, "│ whatsapp_groups ", "│ Total "]
    {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let (code, error) = document(&db, &["deletions", "show", FIRST]);
    assert_eq!((code, &error["error"]["code"]), (2, &json!("BAD_USER_INPUT")));
}

async fn before_migrate_there_is_no_trail(db: TestDb) {
    let (code, error) = document(&db, &["deletions"]);
    assert_eq!((code, &error["error"]["code"]), (1, &json!("MIGRATIONS_PENDING")));
}

async fn without_deletions_the_list_says_so(db: TestDb) {
    migrate_without_purge(&db).await;
    assert_eq!(document(&db, &["deletions"]), (0, json!({ "deletions": [], "hasMore": false })));
    assert_eq!(run(&db, &["deletions"]).stdout, "No deletion meets the filter.\n");
}

async fn without_days_or_without_archive_nothing_is_kept(db: TestDb) {
    migrate_without_purge(&db).await;
    let delete = |id, flag: &[&str]| {
        let (code, outcome) = document(&db, &[&["delete", id, "--yes", "--allow-pending-messages"], flag].concat());
        assert_eq!(code, 0, "{outcome}");
        outcome["deletion"].clone()
    };
    for deletion in [delete(FIRST, &["--no-archive"]), delete(SECOND, &["--archive-days", "0"])] {
        assert_eq!((&deletion["status"], &deletion["restorableUntil"]), (&json!("NOT_ARCHIVED"), &Value::Null));
        let screen = run(&db, &["deletions", "show", deletion["id"].as_str().unwrap()]).stdout;
        assert!(screen.contains("\nNothing was archived; it cannot be restored\n"), "{screen}");
    }
    assert_eq!(db.count(&db.dialect().internal_table("archived_rows")).await, 0);
}

async fn a_deletion_is_erased_from_the_terminal(db: TestDb) {
    let [first, second] = two_deletions(&db).await;
    let id = first["id"].as_str().unwrap();
    let archived_rows = db.dialect().internal_table("archived_rows");
    let before = db.count(&archived_rows).await;
    let refused = run(&db, &["deletions", "erase", id]);
    assert!(refused.code == 2 && refused.stderr.contains("Add --yes"), "{}", refused.stderr);
    assert_eq!(db.count(&archived_rows).await, before);
    let erased = run(&db, &["deletions", "erase", id, "--yes"]);
    assert!(erased.code == 0 && erased.stdout.contains(&format!("✓ Erased the archive of {id}")), "{}", erased.stdout);
    let count =
        |deletion: &Value| deletion["rowsDeleted"].as_i64().unwrap() + deletion["rowsUnlinked"].as_i64().unwrap();
    assert_eq!((before, db.count(&archived_rows).await), (count(&first) + count(&second), count(&second)));
    let shown_deletion = document(&db, &["deletions", "show", id]).1;
    assert_eq!((&shown_deletion["status"], &shown_deletion["erasedBy"]), (&json!("ERASED"), &json!("cli:tester")));
    assert_eq!((&shown_deletion["reason"], &shown_deletion["sessions"][0]["name"]), (&Value::Null, &Value::Null));
    let screen = run(&db, &["deletions", "show", id]).stdout;
    assert!(screen.contains("\nErased at ") && screen.contains(" by cli:tester\n"), "{screen}");
    assert!(!screen.contains("the first") && !screen.contains("Restorable"), "{screen}");
    for (id, code) in [(id, "ARCHIVE_GONE"), (FIRST, "NOT_FOUND")] {
        let (exit, outcome) = document(&db, &["deletions", "erase", id, "--yes"]);
        assert_eq!((exit, &outcome["refusals"][0]["code"]), (3, &json!(code)), "{outcome}");
    }
    assert_eq!(document(&db, &["deletions", "show", second["id"].as_str().unwrap()]).1, second);
}

async fn what_a_restore_cannot_bring_back_is_shown(db: TestDb) {
    migrate_without_purge(&db).await;
    db.exec(&format!(
        "CREATE TABLE keyless (group_id {} REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO keyless SELECT id FROM whatsapp_groups WHERE session_id = '{FIRST}' LIMIT 1",
        if db.dialect() == Dialect::Postgres { "uuid" } else { "text" }
    ))
    .await;
    let screen = run(&db, &["impact", FIRST]).stdout;
    assert!(screen.contains("\n! keyless has no key: a restore could not find its unlinked rows"), "{screen}");
    assert_eq!(screen.matches(" has no key").count(), 1, "{screen}");
}

async fn a_server_erases_what_has_expired(db: TestDb) {
    let [first, second] = two_deletions(&db).await;
    let id = first["id"].as_str().unwrap();
    let own = |name: &str| db.dialect().internal_table(name);
    db.exec(&format!("UPDATE {} SET restorable_until = deleted_at WHERE id = '{id}'", own("deletions"))).await;
    assert_eq!(list_deletions(&db, &["--status", "EXPIRED"])[0]["id"], first["id"]);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--database-url", db.url()]);
    let remaining = second["rowsDeleted"].as_i64().unwrap() + second["rowsUnlinked"].as_i64().unwrap();
    wait_until("it erases what has expired", async || {
        db.count(&own("archived_rows")).await == remaining
            && db.count(&format!("{} WHERE deletion_id = '{id}'", own("archived_tables"))).await == 0
    })
    .await;
    assert_eq!(server.stop(), 0);
    let screen = run(&db, &["deletions", "show", id]).stdout;
    assert!(screen.contains("the first") && screen.contains("\nWas restorable until "), "{screen}");
    assert_eq!(document(&db, &["deletions", "show", second["id"].as_str().unwrap()]).1, second);
}
