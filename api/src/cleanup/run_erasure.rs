//! Blanking what runs repeat of the content of erased deletions.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use uuid::Uuid;

use crate::db::{Database, Dialect};
use crate::deletion::audit::run_deletions::has_erased_deletion;
use crate::deletion::{Deletion, ErasureHook};
use crate::error::Error;

/// What runs repeat of deletions: their search and reason, and why sessions were not restored, which may quote a value
/// of an archived row.
#[derive(Debug, Clone, Copy)]
pub struct RunErasure;

#[async_trait]
impl ErasureHook for RunErasure {
    async fn erase(&self, transaction: &DatabaseTransaction, db: &Database, deletion: &Deletion) -> Result<(), Error> {
        let (dialect, id) = (db.dialect(), db.dialect().uuid_parameter(1));
        let messages = format!(
            "UPDATE {} SET message = 'The message was erased.' \
             WHERE deletion_id = {id} AND message IS NOT NULL",
            db.internal_table("cleanup_run_sessions")
        );
        transaction.execute_raw(dialect.statement(messages, [deletion.id.to_string().into()])).await?;
        let errors = format!(
            "UPDATE {} SET error = 'The message was erased.' WHERE error IS NOT NULL AND restores = {id}",
            db.internal_table("cleanup_runs")
        );
        let run_id = deletion.run_id.map(|id| id.to_string());
        transaction.execute_raw(dialect.statement(errors, [run_id.into()])).await?;
        blank_runs(transaction, db, deletion.run_id).await
    }

    async fn erase_deferred(&self, transaction: &DatabaseTransaction, db: &Database) -> Result<(), Error> {
        blank_runs(transaction, db, None).await
    }
}

/// Blanks the search and the reason of finished runs of which a deletion has been erased: of one run, or of all.
async fn blank_runs(transaction: &DatabaseTransaction, db: &Database, only: Option<Uuid>) -> Result<(), Error> {
    let dialect = db.dialect();
    let (search, without_search) = match dialect {
        Dialect::Postgres => {
            ("CAST(run.criteria AS jsonb) ->> 'search'", "CAST(CAST(criteria AS jsonb) - 'search' AS text)")
        }
        Dialect::Sqlite => ("run.criteria ->> 'search'", "json_remove(criteria, '$.search')"),
    };
    let (of_run, values): (String, Vec<Value>) = match only {
        Some(run) => (format!("run.id = {} AND ", dialect.uuid_parameter(1)), vec![run.to_string().into()]),
        None => (String::new(), Vec::new()),
    };
    let sql = format!(
        "UPDATE {} AS run SET reason = NULL, criteria = {without_search} WHERE {of_run}run.finished_at IS NOT NULL \
         AND (run.reason IS NOT NULL OR {search} IS NOT NULL) AND {}",
        db.internal_table("cleanup_runs"),
        has_erased_deletion(db, "run.id")
    );
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}
