//! Checks that restoring a deletion brings every row back as it was.

use api::db::Database;
use api::deletion::Deletion;
use api::restore::{RestoreRequest, restore};

use super::case::Case;
use super::case_databases::Built;
use super::oracle::{Content, content};

/// Restores the deletion, first as a dry run, and compares every row with its state before the deletion.
///
/// References cleared in a table without a key stay cleared, as the deletion reported, and so do the references to
/// them. A deleted row that referred to them may be a conflict.
pub async fn check_restore(
    case: &Case,
    built: &mut Built,
    db: &Database,
    deletion: &Deletion,
    after: &Content,
) -> Result<(), String> {
    let mut request = RestoreRequest {
        deletion_id: deletion.id,
        dry_run: true,
        principal: "property".to_owned(),
        ..Default::default()
    };
    let tried = restore(db, &request).await.map_err(|error| format!("dry restore: {error:?}"))?;
    if content(&mut built.connection, case).await != *after {
        return Err("a dry run of a restore changed something".to_owned());
    }
    request.dry_run = false;
    let outcome = restore(db, &request).await.map_err(|error| format!("restore: {error:?}"))?;
    let tables_without_key: Vec<&str> =
        deletion.tables.iter().filter(|table| !table.restorable).map(|table| table.table.as_str()).collect();
    let archived_unlinked: i64 =
        deletion.tables.iter().filter(|table| table.restorable).map(|table| table.rows_unlinked).sum();
    let tables_with_lost_references: Vec<String> = case
        .keys
        .iter()
        .filter(|key| tables_without_key.contains(&case.display_name(&case.tables[key.referenced]).as_str()))
        .map(|key| case.display_name(&case.tables[key.table]))
        .collect();
    if !outcome.refusals.is_empty() {
        // A deleted row cannot be restored if it refers to a row that was unlinked and could not be archived.
        let is_reported = !outcome.conflicts.is_empty()
            && outcome.conflicts.iter().all(|found| tables_with_lost_references.contains(&found.table));
        let unchanged = content(&mut built.connection, case).await == *after;
        let refused = format!("not restored: {:?} {:?}", outcome.refusals, outcome.conflicts);
        return if is_reported && unchanged { Ok(()) } else { Err(refused) };
    }
    if (tried.rows_restored, tried.rows_relinked) != (outcome.rows_restored, outcome.rows_relinked) {
        return Err(format!("tried {tried:?}, did {outcome:?}"));
    }
    if outcome.rows_restored != deletion.rows_deleted
        || (tables_with_lost_references.is_empty() && outcome.rows_relinked != archived_unlinked)
    {
        return Err(format!("deleted {} and kept {archived_unlinked}, restored {outcome:?}", deletion.rows_deleted));
    }
    if (outcome.rows_not_relinked == 0) != tables_without_key.is_empty() {
        return Err(format!("not relinked: {} with {tables_without_key:?} without a key", outcome.rows_not_relinked));
    }
    let now = content(&mut built.connection, case).await;
    for (tag, before) in &built.before {
        let of_after = after.get(tag);
        if now.get(tag) != Some(before)
            && !((tables_without_key.contains(&before.0.as_str()) || tables_with_lost_references.contains(&before.0))
                && now.get(tag) == of_after)
        {
            return Err(format!("row {tag} was {before:?}, is {:?}", now.get(tag)));
        }
    }
    if now.len() == built.before.len() { Ok(()) } else { Err("there are more rows than before".to_owned()) }
}
