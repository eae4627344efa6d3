//! The engine: impacts and deletions beside hand-written SQL for the same known schema, through the same pool.

use api::db::Database;
use api::deletion::{self, DeletionRequest};
use api::impact;
use sea_orm::{ConnectionTrait, TransactionTrait};
use uuid::Uuid;

use crate::data::{self, Size};
use crate::hand;
use crate::measure::{Comparison, compare};

/// Compares on the database at `url`.
pub async fn run(url: &str, size: &Size) {
    println!("\n| size | what | ours, ms | by hand, ms | ratio |\n|---|---|---|---|---|");
    let db = data::connect(url).await;
    statements(&db, size).await;
    db.close().await.unwrap();
}

async fn statements(db: &Database, size: &Size) {
    let one = data::ids(db, "WHERE session_name = 's100'").await;
    let page = data::ids(db, "ORDER BY created_at DESC LIMIT 50").await;
    let stale = data::ids(db, "WHERE phone_number IS NULL").await;
    let hundred = data::ids(db, "WHERE phone_number IS NULL ORDER BY id LIMIT 100").await;
    let nothing = async || ();
    let found =
        compare(size.runs, async || together(db, &one).await, async || hand::one(db, one[0]).await, nothing).await;
    show(size, "impact of one session", &found);
    let found = compare(size.runs, async || each(db, &page).await, async || hand::page(db, &page).await, nothing).await;
    show(size, "impact of a page of 50", &found);
    let found = compare(size.runs, async || together(db, &stale).await, async || hand::stale(db).await, nothing).await;
    show(size, "impact of all stale", &found);
    let tidy = async || data::tidy(db).await;
    let deletion =
        compare(size.deletions, async || delete(db, &hundred).await, async || cascade(db, &hundred).await, tidy).await;
    show(size, "deletion of 100 sessions", &deletion);
}

fn show(size: &Size, what: &str, found: &Comparison) {
    println!("| {} | {what} | {:.1} | {:.1} | {:.2} |", size.name, found.ours, found.other, found.ours / found.other);
}

async fn together(db: &Database, ids: &[Uuid]) {
    assert!(impact::of_sessions(db, ids).await.unwrap().deletable);
}

async fn each(db: &Database, ids: &[Uuid]) {
    assert_eq!(impact::of_each_session(db, ids).await.unwrap().len(), ids.len());
}

/// The program's own deletion, rolled back by a dry run, so that it can be repeated.
async fn delete(db: &Database, ids: &[Uuid]) {
    let request = DeletionRequest {
        session_ids: ids.to_vec(),
        dry_run: true,
        allow_connected: true,
        allow_pending_messages: true,
        principal: "bench".to_owned(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(db, &request).await.unwrap();
    assert!(outcome.refusals.is_empty(), "{:?}", outcome.refusals);
}

/// The plain cascading DELETE, rolled back too.
async fn cascade(db: &Database, ids: &[Uuid]) {
    let transaction = db.pool().begin().await.unwrap();
    let sql =
        "DELETE FROM whatsapp_sessions WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))";
    transaction.execute_raw(db.dialect().statement(sql, [impact::ids_parameter(ids).into()])).await.unwrap();
    transaction.rollback().await.unwrap();
}
