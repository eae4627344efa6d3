//! Tests of `migrate` on foreign keys that were changed by hand: renamed, duplicated, missing, not validated.

use api::demo::scenario;

use super::{FINAL_RULES, fetch_catalog, fetch_rules};
use crate::cli::{document, run};
use crate::story::assert_migrates_and_purges;
use crate::support::legacy::{Legacy, Rule, Rules};
use crate::support::{Contents, TestDb, on_both};

on_both!(Empty:
    renamed_and_doubled_foreign_keys_are_mended,
    a_right_foreign_key_beside_a_wrong_one_is_the_one_that_stays,
    a_cascade_that_once_was_mended_is_never_taken_back,
);

async fn build_deployment(db: &TestDb, legacy: Legacy) {
    db.exec_all(&legacy.statements(db.dialect())).await;
    db.exec_all(&scenario::statements(db.dialect(), None)).await;
}

/// Returns the names of the foreign keys on a column (PostgreSQL).
async fn constraint_names(db: &TestDb, table: &str, column: &str) -> Vec<String> {
    let sql = format!(
        "SELECT k.conname FROM pg_constraint AS k JOIN pg_attribute AS a
           ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
         WHERE k.contype = 'f' AND k.conrelid = '{table}'::regclass AND a.attname = '{column}' ORDER BY 1"
    );
    db.rows(&sql).await.into_iter().map(|mut row| row.remove(0)).collect()
}

async fn renamed_and_doubled_foreign_keys_are_mended(db: TestDb) {
    let legacy = Legacy::new(Rules::as_built())
        .constraint_named("notification_campaign_groups", "group_id", "Odd \"name\" (of ours)")
        .constraint_named("webinars", "whatsapp_group_id", "REFERENCES")
        .doubled("webinars", "whatsapp_group_id", "second", Rule::Restrict)
        .doubled("webinars", "whatsapp_group_id", "third", Rule::SetDefault)
        .doubled("workshop_whatsapp_groups", "group_id", "again", Rule::None)
        .doubled("whatsapp_groups", "session_id", "sessions", Rule::SetNull);
    build_deployment(&db, legacy).await;
    assert_migrates_and_purges(&db).await;
    if db.url().starts_with("postgres") {
        // API clients use the names in their queries.
        let names = constraint_names(&db, "notification_campaign_groups", "group_id").await;
        assert_eq!(names, ["Odd \"name\" (of ours)"]);
        assert_eq!(constraint_names(&db, "webinars", "whatsapp_group_id").await, ["REFERENCES"]);
        assert_eq!(
            constraint_names(&db, "workshop_whatsapp_groups", "group_id").await,
            ["workshop_whatsapp_groups_group_id_fkey"]
        );
    }
}

async fn a_right_foreign_key_beside_a_wrong_one_is_the_one_that_stays(db: TestDb) {
    let legacy = Legacy::new(Rules::mended().with("webinar_whatsapp_groups", "group_id", Rule::None)).doubled(
        "webinar_whatsapp_groups",
        "group_id",
        "mended by hand",
        Rule::Cascade,
    );
    build_deployment(&db, legacy).await;
    assert_migrates_and_purges(&db).await;
}

/// The first fix sets this reference to SET NULL, unless it has the final rule already.
async fn a_cascade_that_once_was_mended_is_never_taken_back(db: TestDb) {
    build_deployment(&db, Legacy::new(Rules::mended().with("webinars", "community_group_id", Rule::None))).await;
    let identity = "SELECT oid FROM pg_constraint WHERE conname = 'notification_campaign_groups_group_id_fkey'";
    let postgres = db.url().starts_with("postgres");
    let before = if postgres { db.rows(identity).await } else { Vec::new() };
    assert_migrates_and_purges(&db).await;
    let after = if postgres { db.rows(identity).await } else { Vec::new() };
    assert_eq!(after, before);
}

/// Covers the properties that SQLite's foreign keys do not have.
#[tokio::test]
async fn postgres_whatever_else_a_foreign_key_says_is_kept() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    db.exec(
        "ALTER TABLE webinars DROP CONSTRAINT webinars_whatsapp_group_id_fkey,
           ADD CONSTRAINT ours FOREIGN KEY (whatsapp_group_id) REFERENCES whatsapp_groups (id)
             MATCH FULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;
         ALTER TABLE webinar_whatsapp_groups ALTER CONSTRAINT webinar_whatsapp_groups_group_id_fkey DEFERRABLE;
         ALTER TABLE scheduled_webinar_messages DROP CONSTRAINT scheduled_webinar_messages_group_id_fkey,
           ADD CONSTRAINT scheduled_webinar_messages_group_id_fkey CHECK (body <> 'none');
         ALTER TABLE whatsapp_groups DROP CONSTRAINT whatsapp_groups_session_id_fkey",
    )
    .await;
    assert_migrates_and_purges(&db).await;
    let sql = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid IN ('webinars'::regclass, 'webinar_whatsapp_groups'::regclass) AND contype = 'f'
          AND confrelid = 'whatsapp_groups'::regclass ORDER BY 1";
    let expected = [
        [
            "ours",
            "FOREIGN KEY (whatsapp_group_id) REFERENCES whatsapp_groups(id) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED",
        ],
        [
            "webinar_whatsapp_groups_group_id_fkey",
            "FOREIGN KEY (group_id) REFERENCES whatsapp_groups(id) ON DELETE CASCADE DEFERRABLE",
        ],
        [
            "webinars_community_group_id_fkey",
            "FOREIGN KEY (community_group_id) REFERENCES whatsapp_groups(id) ON DELETE SET NULL",
        ],
    ];
    assert_eq!(db.rows(sql).await, expected);
}

#[tokio::test]
async fn postgres_a_foreign_key_that_was_never_validated_is_validated() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    let add = |name: &str, rule: &str| {
        format!(
            "ADD CONSTRAINT {name} FOREIGN KEY (whatsapp_group_id) REFERENCES whatsapp_groups (id) {rule} NOT VALID"
        )
    };
    // Results of manual changes: one key with the right rule, and one with a wrong rule beside a right key.
    db.exec(&format!(
        "ALTER TABLE workshops DROP CONSTRAINT workshops_whatsapp_group_id_fkey, {};
         ALTER TABLE dynamic_links {}",
        add("workshops_whatsapp_group_id_fkey", "ON DELETE SET NULL"),
        add("leftover", ""),
    ))
    .await;
    assert!(fetch_rules(&db, "public").await.iter().any(|rule| rule[2] == "SET NULL NOT VALID"));
    assert_migrates_and_purges(&db).await;
    assert_eq!(
        constraint_names(&db, "dynamic_links", "whatsapp_group_id").await,
        ["dynamic_links_whatsapp_group_id_fkey"]
    );
}

#[tokio::test]
async fn postgres_partitioned_tables_are_mended() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    db.exec(
        "ALTER TABLE scheduled_whatsapp_messages RENAME TO part_one;
         ALTER TABLE part_one DROP CONSTRAINT scheduled_whatsapp_messages_group_id_fkey,
           DROP CONSTRAINT scheduled_whatsapp_messages_pkey, ADD PRIMARY KEY (id, scheduled_for);
         CREATE TABLE scheduled_whatsapp_messages (LIKE part_one INCLUDING DEFAULTS, PRIMARY KEY (id, scheduled_for),
           FOREIGN KEY (group_id) REFERENCES whatsapp_groups (id)) PARTITION BY RANGE (scheduled_for);
         ALTER TABLE scheduled_whatsapp_messages ATTACH PARTITION part_one
           FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE TABLE part_two PARTITION OF scheduled_whatsapp_messages DEFAULT",
    )
    .await;
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, report["pending"].as_array().map(Vec::len)), (0, Some(0)), "{report}");
    assert_eq!(report["purge"]["deletion"]["rowsDeleted"], 1512);
    let mut found = fetch_rules(&db, "public").await;
    found.retain(|rule| !rule[0].starts_with("part_"));
    assert_eq!(found, FINAL_RULES);
}

/// A reference that cannot have a foreign key stops the migration, and the error names it.
#[tokio::test]
async fn postgres_a_reference_of_another_type_is_named() {
    let Some(db) = TestDb::postgres(Contents::Empty).await else { return };
    db.exec(
        "CREATE TABLE whatsapp_sessions (id uuid PRIMARY KEY, status text, phone_number text);
         CREATE TABLE whatsapp_groups (id uuid PRIMARY KEY, session_id text)",
    )
    .await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("whatsapp_groups.session_id cannot reference whatsapp_sessions"), "{}", ended.stderr);
    db.exec("ALTER TABLE whatsapp_groups ALTER session_id TYPE uuid USING session_id::uuid").await;
    assert_eq!(run(&db, &["migrate", "--yes"]).code, 0);
    assert_eq!(fetch_rules(&db, "public").await, [["whatsapp_groups", "session_id", "CASCADE"]]);
}

#[tokio::test]
async fn postgres_what_is_as_it_should_be_is_not_made_anew() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    let of_host = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.into_iter().filter(|row| row[0] == "constraint" && !row[2].contains("session_admin.")).collect()
    };
    let before = of_host(fetch_catalog(&db).await);
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let after = of_host(fetch_catalog(&db).await);
    assert!(before.iter().all(|row| after.contains(row)), "{before:#?}\n{after:#?}");
}
