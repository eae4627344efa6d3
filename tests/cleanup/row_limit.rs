//! Tests that a run deletes no more rows than its limit.

use api::cleanup::RunStatus;
use api::refusal::RefusalCode;

use super::{
    create_run, finish_singly, first_group, id, ids, impact_of, list_skipped, next_batch, request, session_ids,
};
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted: a_run_stops_before_the_batch_that_would_pass_its_limit);

async fn a_run_stops_before_the_batch_that_would_pass_its_limit(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request().at_most(1_512)).await;
    next_batch(database, run.id).await;
    // The last session gets more rows than were counted when the run was created.
    let group = first_group(&db, id(8)).await;
    for number in 0..3 {
        db.exec(&format!(
            "INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) \
             VALUES ('99999999-0000-4000-8000-00000000000{number}', '{group}', '+1', '2026-01-01T00:00:00+00:00')"
        ))
        .await;
    }
    let last = impact_of(&db, &[id(8)]).await.rows_deleted;
    let run = finish_singly(database, run.id).await;
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Failed, 8, 1));
    assert_eq!(run.rows_deleted, 1_512 - (last - 3));
    let error =
        format!("Deleting the next 1 session would delete {last} rows, and the run would exceed atMost (1512).");
    assert_eq!(run.error.as_deref(), Some(error.as_str()));
    let skipped = list_skipped(database, run.id).await;
    assert_eq!((skipped[0].session_id, skipped[0].code), (id(8), RefusalCode::TooManyRows));
    assert_eq!(skipped[0].message, format!("The run ended before it reached this session: {error}"));
    assert_eq!(session_ids(&db).await.len(), 6);
    assert_eq!(impact_of(&db, &ids([8])).await.rows_deleted, last);
}
