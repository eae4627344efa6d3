//! Snapshot tests of the impact token.
//!
//! Callers send back the token of a previewed impact. So an earlier build's token has to equal this build's token of
//! the same state.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{CONNECTED, OTHER_STALE, STALE, assert_snapshot, id_at};
use crate::cli::document;
use crate::support::{Contents, TestDb, on_both};

on_both!(AsBuilt: tokens_of_the_schema_as_built);
on_both!(FirstFix: tokens_after_the_first_fix);
on_both!(Mended: tokens_of_the_mended_schema, equal_states_have_equal_tokens);

fn token(db: &TestDb, sessions: &[&str]) -> String {
    id_at(&document(db, &[&["impact"], sessions].concat()).1, "token")
}

/// Compares the tokens of the scenario's sessions, encoded and decoded, with the snapshot that both databases share.
fn assert_tokens_match(db: &TestDb, name: &str) {
    let mut text = String::new();
    for sessions in [&[STALE][..], &[OTHER_STALE], &[CONNECTED], &[STALE, CONNECTED]] {
        let token = token(db, sessions);
        let parts: Vec<&str> = token.split('.').collect();
        let [version, body, check] = parts[..] else { panic!("{token}") };
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
        text += &format!("{}\n{token}\nversion {version}\nbody {decoded}\ncheck {check}\n\n", sessions.join(" "));
    }
    assert_snapshot(name, &text);
}

async fn tokens_of_the_schema_as_built(db: TestDb) {
    assert_tokens_match(&db, "impact_token_as_built");
}

async fn tokens_after_the_first_fix(db: TestDb) {
    assert_tokens_match(&db, "impact_token_first_fix");
}

async fn tokens_of_the_mended_schema(db: TestDb) {
    assert_tokens_match(&db, "impact_token");
    // Migrating adds tables and indexes, but no foreign key to the sessions.
    let before = token(&db, &[STALE]);
    crate::cli::migrate_without_purge(&db).await;
    assert_eq!(token(&db, &[STALE]), before);
}

async fn equal_states_have_equal_tokens(db: TestDb) {
    let other = match db.dialect() {
        api::db::Dialect::Sqlite => TestDb::sqlite(Contents::Mended).await,
        api::db::Dialect::Postgres => TestDb::postgres(Contents::Mended).await.unwrap(),
    };
    let before = token(&db, &[STALE, OTHER_STALE]);
    assert_eq!(token(&other, &[STALE, OTHER_STALE]), before);
    assert_eq!(token(&db, &[OTHER_STALE, STALE, OTHER_STALE]), before, "neither order nor repetition matters");
    db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{CONNECTED}'")).await;
    assert_eq!(token(&db, &[STALE, OTHER_STALE]), before, "other sessions do not matter");
    db.exec(&format!(
        "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name) VALUES \
         ('5ea50000-0000-4000-8000-000000000009', '{STALE}', 'more@g.us', 'More')"
    ))
    .await;
    assert_ne!(token(&db, &[STALE, OTHER_STALE]), before);
    let (code, refused) = document(&other, &["delete", STALE, "--dry-run", "--expected-impact", &before]);
    assert_eq!((code, &refused["refusals"][0]["code"]), (3, &Value::from("IMPACT_CHANGED")), "{refused}");
}
