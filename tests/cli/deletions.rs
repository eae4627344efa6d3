//! `deletions`: the audit trail.

use serde_json::{Value, json};

use super::{document, migrate_without_purge, run};
use crate::support::{TestDb, both};

both!(StateA: before_migrate_there_is_no_trail);
both!(StateC:
    deletions_are_listed_newest_first,
    each_flag_narrows_the_list,
    one_deletion_is_shown_table_by_table,
    without_deletions_the_list_says_so,
);

const FIRST: &str = "303d5044-0000-4000-8000-000000000001";
const SECOND: &str = "8842d937-0000-4000-8000-000000000003";

/// Two deletions; gives their records, oldest first.
async fn two_deletions(db: &TestDb) -> [Value; 2] {
    migrate_without_purge(db).await;
    let delete = |id, reason| {
        let (code, outcome) = document(db, &["delete", id, "--yes", "--allow-pending-messages", "--reason", reason]);
        assert_eq!(code, 0, "{outcome}");
        outcome["deletion"].clone()
    };
    [delete(FIRST, "the first"), delete(SECOND, "the second")]
}

/// The deletions that are listed with these flags.
fn listed(db: &TestDb, flags: &[&str]) -> Vec<Value> {
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
    assert!(at("the second") < at("the first") && !screen.contains("older ones"), "{screen}");
    assert!(run(&db, &["deletions", "--limit", "1"]).stdout.contains("There are older ones"));
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
        (&["--status", "not_archived"], vec![second, first]),
        (&["--status", "RESTORED", "--status", "ERASED"], none),
    ] {
        assert_eq!(listed(&db, flags), found, "{flags:?}");
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
    for wanted in ["by cli:tester: the first", "Allowed: allowPendingMessages", FIRST, "│ whatsapp_groups ", "│ Total "]
    {
        assert!(screen.contains(wanted), "{wanted}: {screen}");
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
    assert_eq!(run(&db, &["deletions"]).stdout, "No deletion meets this.\n");
}
