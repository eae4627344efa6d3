//! Snapshot tests of the documents of `token`.

use super::{Transcript, lock};
use crate::cli::migrate_without_purge;
use crate::support::{TestDb, on_both};

on_both!(long Mended: access_tokens);

async fn access_tokens(db: TestDb) {
    migrate_without_purge(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["token", "list"]);
    transcript.run(&["token", "create", "--name", "reports", "--role", "viewer"]);
    transcript.run(&["token", "create", "--name", "ci", "--role", "operator", "--expires", "2099-12-31"]);
    transcript.run(&["token", "create", "--name", "boss", "--role", "admin", "--expires", "never"]);
    transcript.comment("A name is taken, one has a colon, and a moment is past.");
    transcript.run(&["token", "create", "--name", "boss", "--role", "admin"]);
    transcript.run(&["token", "create", "--name", "cli:ada", "--role", "viewer"]);
    transcript.run(&["token", "create", "--name", "late", "--role", "viewer", "--expires", "2020-01-01"]);
    transcript.run(&["token", "create", "--name", "late", "--role", "root"]);
    transcript.run(&["token", "create", "--name", "late", "--role", "viewer", "--expires", "soon"]);
    transcript.run(&["token", "revoke", "nobody"]);
    transcript.run(&["token", "revoke", "ci"]);
    let tokens = db.dialect().internal_table("tokens");
    db.exec(&format!("UPDATE {tokens} SET last_used_at = '2026-01-31T00:00:00.000000Z' WHERE name = 'boss'")).await;
    db.exec(&format!("UPDATE {tokens} SET expires_at = '2026-01-31T00:00:00.000000Z' WHERE name = 'reports'")).await;
    transcript.run(&["token", "list"]);
    transcript.comment("Another transaction has the table.");
    let other = lock(&db, &tokens).await;
    transcript.run(&["token", "create", "--name", "late", "--role", "viewer", "--lock-timeout", "1"]);
    other.close().await;
    transcript.assert_matches("token");
}
