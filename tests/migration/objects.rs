//! Tests that objects that depend on the tables (views, triggers, indexes) and unusual definitions survive `migrate`,
//! and still work.

use super::{FINAL_RULES, fetch_rules};
use crate::cli::{document, run};
use crate::story::assert_migrates_and_purges;
use crate::support::{Contents, TestDb, on_both};

on_both!(AsBuilt: views_triggers_and_indexes_survive);

async fn views_triggers_and_indexes_survive(db: TestDb) {
    let sqlite = db.url().starts_with("sqlite");
    db.exec(
        "CREATE VIEW groups_with_webinars AS SELECT g.id, w.title FROM whatsapp_groups AS g
           JOIN webinars AS w ON w.whatsapp_group_id = g.id;
         CREATE INDEX titles ON webinars (lower(title)) WHERE title <> '';
         CREATE TABLE log (line text)",
    )
    .await;
    db.exec(if sqlite {
        "CREATE TRIGGER tells AFTER UPDATE OF title ON webinars BEGIN INSERT INTO log VALUES (old.title); END"
    } else {
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO public.log VALUES (old.title); RETURN NULL; END';
         CREATE TRIGGER tells AFTER UPDATE OF title ON webinars FOR EACH ROW EXECUTE FUNCTION tell()"
    })
    .await;
    let ours = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        let names = ["groups_with_webinars", "titles", "tells", "log"];
        rows.into_iter().filter(|row| names.iter().any(|name| row.iter().any(|cell| cell.contains(name)))).collect()
    };
    let before = ours(super::fetch_catalog(&db).await);
    assert!(before.len() >= 4, "{before:?}");
    assert_migrates_and_purges(&db).await;
    assert_eq!(ours(super::fetch_catalog(&db).await), before);
    assert_eq!(db.count("groups_with_webinars").await, 3);
    db.exec("UPDATE webinars SET title = 'new' WHERE title = 'Webinar 1'").await;
    assert_eq!(db.rows("SELECT line FROM log").await, [["Webinar 1"]]);
}

/// The host application may have stored rowids.
#[tokio::test]
async fn sqlite_rows_keep_their_rowids() {
    let db = TestDb::sqlite(Contents::AsBuilt).await;
    db.exec("DELETE FROM webinar_whatsapp_groups WHERE rowid % 3 = 0").await;
    let rowids = "SELECT w.rowid, w.id FROM webinar_whatsapp_groups AS w JOIN whatsapp_groups AS g ON g.id = w.group_id
        JOIN whatsapp_sessions AS s ON s.id = g.session_id WHERE s.status = 'connected' ORDER BY 1";
    let before = db.rows(rowids).await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(db.rows(rowids).await, before);
}

/// Covers all ways to quote a name, and comments and strings that look like foreign keys.
#[tokio::test]
async fn sqlite_odd_definitions_are_mended_where_they_are_wrong_and_nowhere_else() {
    let db = TestDb::sqlite(Contents::Empty).await;
    db.exec(
        "CREATE TABLE [WhatsApp_Sessions] (ID text primary key, \"Status\" text, `phone_number` text) WITHOUT ROWID;
         CREATE TABLE \"whatsapp_groups\" (\"id\" text primary key collate nocase, session_id text not null
           /* REFERENCES ( */ constraint \"fk 1\" references 'WhatsApp_Sessions' ON UPDATE CASCADE -- on delete set null
           , n int generated always as (length(\"id\")) stored, check (id <> ')')) STRICT;
         CREATE TABLE webinars (id integer primary key autoincrement,
           whatsapp_group_id text references whatsapp_groups(id) references whatsapp_groups(id) on delete cascade,
           \"community_group_id\" text, title text default 'a, foreign key (x) references y',
           constraint c1 foreign key (community_group_id) references whatsapp_groups(id) deferrable initially deferred
           constraint c2 FOREIGN KEY ([community_group_id]) REFERENCES \"WHATSAPP_GROUPS\" (\"ID\") on delete restrict
           unique (title, id));
         CREATE TABLE workshops (id text primary key, whatsapp_group_id text -- no foreign key
         );
         CREATE TABLE whatsapp_group_admins (id integer primary key references webinars(id),
           group_id text not null references whatsapp_groups on delete set null);
         INSERT INTO WhatsApp_Sessions VALUES ('303d5044-0000-4000-8000-000000000001', 'qr_pending', null);
         INSERT INTO whatsapp_groups (id, session_id) VALUES ('g', '303d5044-0000-4000-8000-000000000001');
         INSERT INTO webinars (whatsapp_group_id, community_group_id) VALUES ('G', 'g');
         INSERT INTO workshops VALUES ('w', 'g');
         INSERT INTO whatsapp_group_admins VALUES (1, 'g')"
            .replace("int generated", "integer generated")
            .as_str(),
    )
    .await;
    let before = db.rows("SELECT title FROM webinars").await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let there = ["webinars", "whatsapp_groups", "workshops", "whatsapp_group_admins"];
    let goal: Vec<_> = FINAL_RULES.into_iter().filter(|rule| there.contains(&rule[0])).collect();
    assert_eq!(fetch_rules(&db, "").await, goal);
    assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
    assert_eq!(db.rows("SELECT title FROM webinars").await, before);
    assert_eq!(db.rows("SELECT id, n FROM whatsapp_groups").await, [["g", "1"]]);
    db.exec("DELETE FROM WhatsApp_Sessions").await;
    assert_eq!(db.rows("SELECT whatsapp_group_id, community_group_id FROM webinars").await, [["NULL", "NULL"]]);
    assert_eq!((db.count("whatsapp_groups").await, db.count("whatsapp_group_admins").await), (0, 0));
    assert_eq!(db.rows("SELECT whatsapp_group_id FROM workshops").await, [["NULL"]]);
}

/// A connection stays usable throughout: a server need not be stopped for `migrate`.
#[tokio::test]
async fn sqlite_a_connection_that_reads_meanwhile_goes_on_with_the_new_rules() {
    let db = TestDb::sqlite(Contents::AsBuilt).await;
    let mut reader = db.raw().await;
    reader.exec("BEGIN").await;
    assert_eq!(reader.rows("SELECT count(*) FROM webinars").await, [["12"]]);
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    // The connection's snapshot is still the old one.
    assert_eq!(reader.rows("SELECT count(*) FROM whatsapp_sessions").await, [["14"]]);
    reader.exec("COMMIT").await;
    reader.exec("DELETE FROM whatsapp_sessions").await;
    assert_eq!(reader.rows("SELECT count(*), count(whatsapp_group_id) FROM webinars").await, [["12", "0"]]);
}
