//! The engine: impacts and deletions beside hand-written SQL for the same known schema, through the same pool.

use api::db::{Database, ids_parameter};
use api::deletion::{self, DeletionRequest, DeletionTerms};
use api::impact;
use api::restore::{RestoreRequest, restore};
use sea_orm::{ConnectionTrait, TransactionTrait};
use uuid::Uuid;

use crate::data::{self, Size};
use crate::handwritten_sql;
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
        compare(size.runs, async || together(db, &one).await, async || handwritten_sql::one(db, one[0]).await, nothing)
            .await;
    show(size, "impact of one session", &found);
    let found =
        compare(size.runs, async || each(db, &page).await, async || handwritten_sql::page(db, &page).await, nothing)
            .await;
    show(size, "impact of a page of 50", &found);
    let found =
        compare(size.runs, async || together(db, &stale).await, async || handwritten_sql::stale(db).await, nothing)
            .await;
    show(size, "impact of all stale", &found);
    let tidy = async || data::tidy(db).await;
    for (archive, what) in
        [(false, "deletion of 100 sessions, nothing kept"), (true, "deletion of 100 sessions, all kept")]
    {
        let ours = async || delete(db, &hundred, archive).await;
        let found = compare(size.deletions, ours, async || cascade(db, &hundred).await, tidy).await;
        show(size, what, &found);
    }
    restores(db, size, &hundred).await;
}

/// A restore of what a real deletion took, rolled back, beside the cascade over as many other sessions.
async fn restores(db: &Database, size: &Size, ids: &[Uuid]) {
    let others = data::ids(db, "WHERE phone_number IS NOT NULL ORDER BY id LIMIT 100").await;
    let before = archive_bytes(db).await;
    let deletion = deletion::delete(db, &request(ids, true)).await.unwrap().deletion.unwrap();
    data::tidy(db).await;
    let bytes = archive_bytes(db).await - before;
    let mut request = RestoreRequest { deletion_id: deletion.id, dry_run: true, ..RestoreRequest::default() };
    request.allow_pending_messages = true;
    let ours = async || {
        let outcome = restore(db, &request).await.unwrap();
        assert_eq!(outcome.rows_restored, deletion.rows_deleted, "{:?}", outcome.refusals);
    };
    let tidy = async || data::tidy(db).await;
    let found = compare(size.deletions, ours, async || cascade(db, &others).await, tidy).await;
    show(size, "restore of 100 sessions", &found);
    let done = restore(db, &RestoreRequest { dry_run: false, ..request.clone() }).await.unwrap();
    assert_eq!(done.rows_relinked, deletion.rows_unlinked);
    data::tidy(db).await;
    let rows = data::row_bytes(db, ids).await;
    println!(
        "| {} | archive of 100 sessions, kB beside the rows' | {} | {} | {:.2} |",
        size.name,
        bytes / 1_000,
        rows / 1_000,
        ratio(bytes, rows)
    );
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn ratio(one: i64, other: i64) -> f64 {
    one as f64 / other as f64
}

/// What the archives take, their index included.
async fn archive_bytes(db: &Database) -> i64 {
    data::number(db, "SELECT pg_total_relation_size('session_admin.archived_rows')").await
}

fn show(size: &Size, what: &str, found: &Comparison) {
    println!("| {} | {what} | {:.1} | {:.1} | {:.2} |", size.name, found.ours, found.other, found.ours / found.other);
}

async fn together(db: &Database, ids: &[Uuid]) {
    assert!(impact::impact_of(db, ids).await.unwrap().deletable);
}

async fn each(db: &Database, ids: &[Uuid]) {
    assert_eq!(impact::impact_of_each(db, ids).await.unwrap().len(), ids.len());
}

/// The program's own deletion, rolled back by a dry run, so that it can be repeated.
async fn delete(db: &Database, ids: &[Uuid], archive: bool) {
    let request = DeletionRequest { dry_run: true, ..request(ids, archive) };
    let outcome = deletion::delete(db, &request).await.unwrap();
    assert!(outcome.refusals.is_empty(), "{:?}", outcome.refusals);
}

fn request(ids: &[Uuid], archive: bool) -> DeletionRequest {
    DeletionRequest {
        session_ids: ids.to_vec(),
        terms: DeletionTerms {
            archive,
            allow_connected: true,
            allow_pending_messages: true,
            ..DeletionTerms::default()
        },
        principal: "bench".to_owned(),
        ..DeletionRequest::default()
    }
}

/// The plain cascading DELETE, rolled back too.
pub async fn cascade(db: &Database, ids: &[Uuid]) {
    let transaction = db.pool().begin().await.unwrap();
    let sql =
        "DELETE FROM whatsapp_sessions WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))";
    transaction.execute_raw(db.dialect().statement(sql, [ids_parameter(ids).into()])).await.unwrap();
    transaction.rollback().await.unwrap();
}
