//! Benchmarks of impacts, deletions and restores against hand-written SQL for the same known schema, in the same pool.

use api::db::{Database, ids_parameter};
use api::deletion::{self, DeletionRequest, DeletionTerms};
use api::impact;
use api::restore::{RestoreRequest, restore};
use sea_orm::{ConnectionTrait, TransactionTrait};
use uuid::Uuid;

use crate::data::{self, Size};
use crate::handwritten_sql;
use crate::measure::{Comparison, compare};

/// Runs the benchmarks on the database at `url` and prints a table.
pub async fn run(url: &str, size: &Size) {
    println!("\n| size | what | ours, ms | by hand, ms | ratio |\n|---|---|---|---|---|");
    let db = data::connect(url).await;
    compare_statements(&db, size).await;
    db.close().await.unwrap();
}

async fn compare_statements(db: &Database, size: &Size) {
    let one = data::ids(db, "WHERE session_name = 's100'").await;
    let page = data::ids(db, "ORDER BY created_at DESC LIMIT 50").await;
    let stale = data::ids(db, "WHERE phone_number IS NULL").await;
    let hundred = data::ids(db, "WHERE phone_number IS NULL ORDER BY id LIMIT 100").await;
    let nothing = async || ();
    let comparison = compare(
        size.runs,
        async || compute_joint_impact(db, &one).await,
        async || handwritten_sql::one(db, one[0]).await,
        nothing,
    )
    .await;
    print_row(size, "impact of one session", &comparison);
    let comparison = compare(
        size.runs,
        async || compute_each_impact(db, &page).await,
        async || handwritten_sql::page(db, &page).await,
        nothing,
    )
    .await;
    print_row(size, "impact of a page of 50", &comparison);
    let comparison = compare(
        size.runs,
        async || compute_joint_impact(db, &stale).await,
        async || handwritten_sql::stale(db).await,
        nothing,
    )
    .await;
    print_row(size, "impact of all stale", &comparison);
    let tidy = async || data::vacuum(db).await;
    for (archive, what) in
        [(false, "deletion of 100 sessions, nothing kept"), (true, "deletion of 100 sessions, all kept")]
    {
        let ours = async || delete(db, &hundred, archive).await;
        let comparison = compare(size.deletions, ours, async || cascade(db, &hundred).await, tidy).await;
        print_row(size, what, &comparison);
    }
    compare_restores(db, size, &hundred).await;
}

/// Compares the rolled-back restore of a deletion with the cascading DELETE of as many other sessions.
async fn compare_restores(db: &Database, size: &Size, ids: &[Uuid]) {
    let others = data::ids(db, "WHERE phone_number IS NOT NULL ORDER BY id LIMIT 100").await;
    let before = archive_bytes(db).await;
    let deletion = deletion::delete(db, &request(ids, true)).await.unwrap().deletion.unwrap();
    data::vacuum(db).await;
    let bytes = archive_bytes(db).await - before;
    let mut request = RestoreRequest { deletion_id: deletion.id, dry_run: true, ..RestoreRequest::default() };
    request.allow_pending_messages = true;
    let ours = async || {
        let outcome = restore(db, &request).await.unwrap();
        assert_eq!(outcome.rows_restored, deletion.rows_deleted, "{:?}", outcome.refusals);
    };
    let tidy = async || data::vacuum(db).await;
    let comparison = compare(size.deletions, ours, async || cascade(db, &others).await, tidy).await;
    print_row(size, "restore of 100 sessions", &comparison);
    let done = restore(db, &RestoreRequest { dry_run: false, ..request.clone() }).await.unwrap();
    assert_eq!(done.rows_relinked, deletion.rows_unlinked);
    data::vacuum(db).await;
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

/// Returns the size of the archives in bytes, including the index.
async fn archive_bytes(db: &Database) -> i64 {
    data::number(db, "SELECT pg_total_relation_size('session_admin.archived_rows')").await
}

fn print_row(size: &Size, what: &str, comparison: &Comparison) {
    println!(
        "| {} | {what} | {:.1} | {:.1} | {:.2} |",
        size.name,
        comparison.ours,
        comparison.other,
        comparison.ours / comparison.other
    );
}

async fn compute_joint_impact(db: &Database, ids: &[Uuid]) {
    assert!(impact::impact_of(db, ids).await.unwrap().deletable);
}

async fn compute_each_impact(db: &Database, ids: &[Uuid]) {
    assert_eq!(impact::impact_of_each(db, ids).await.unwrap().len(), ids.len());
}

/// Deletes sessions with the program, as a dry run that is rolled back and can be repeated.
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

/// Deletes sessions with a plain cascading DELETE, and rolls back.
pub async fn cascade(db: &Database, ids: &[Uuid]) {
    let transaction = db.pool().begin().await.unwrap();
    let sql =
        "DELETE FROM whatsapp_sessions WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))";
    transaction.execute_raw(db.dialect().statement(sql, [ids_parameter(ids).into()])).await.unwrap();
    transaction.rollback().await.unwrap();
}
