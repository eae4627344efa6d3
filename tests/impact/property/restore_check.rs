//! Restoring a deletion brings every row back as it was.

use api::db::Database;
use api::deletion::Deletion;
use api::restore::{RestoreRequest, restore};

use super::case::Case;
use super::case_databases::Built;
use super::oracle::{Content, content};

/// Restores the deletion, rolled back at first, and compares every row with what it was. What was cleared in a table
/// without a key stays so, as the deletion said, and with it what referred there; a row that went and referred there may
/// be in the way.
pub async fn as_before(
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
    let done = restore(db, &request).await.map_err(|error| format!("restore: {error:?}"))?;
    let unkept: Vec<&str> =
        deletion.tables.iter().filter(|table| !table.restorable).map(|table| table.table.as_str()).collect();
    let kept: i64 = deletion.tables.iter().filter(|table| table.restorable).map(|table| table.rows_unlinked).sum();
    let lacking: Vec<String> = case
        .keys
        .iter()
        .filter(|key| unkept.contains(&case.display(&case.tables[key.referenced]).as_str()))
        .map(|key| case.display(&case.tables[key.table]))
        .collect();
    if !done.refusals.is_empty() {
        // A row that went cannot come back where what it refers to was unlinked and could not be kept.
        let told = !done.conflicts.is_empty() && done.conflicts.iter().all(|found| lacking.contains(&found.table));
        let unchanged = content(&mut built.connection, case).await == *after;
        let refused = format!("not restored: {:?} {:?}", done.refusals, done.conflicts);
        return if told && unchanged { Ok(()) } else { Err(refused) };
    }
    if (tried.rows_restored, tried.rows_relinked) != (done.rows_restored, done.rows_relinked) {
        return Err(format!("tried {tried:?}, did {done:?}"));
    }
    if done.rows_restored != deletion.rows_deleted || (lacking.is_empty() && done.rows_relinked != kept) {
        return Err(format!("deleted {} and kept {kept}, restored {done:?}", deletion.rows_deleted));
    }
    if (done.rows_not_relinked == 0) != unkept.is_empty() {
        return Err(format!("not relinked: {} with {unkept:?} without a key", done.rows_not_relinked));
    }
    let now = content(&mut built.connection, case).await;
    for (tag, before) in &built.before {
        let of_after = after.get(tag);
        if now.get(tag) != Some(before)
            && !((unkept.contains(&before.0.as_str()) || lacking.contains(&before.0)) && now.get(tag) == of_after)
        {
            return Err(format!("row {tag} was {before:?}, is {:?}", now.get(tag)));
        }
    }
    if now.len() == built.before.len() { Ok(()) } else { Err("there are more rows than before".to_owned()) }
}
