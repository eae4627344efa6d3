//! The repair of foreign keys on SQLite.
//!
//! SQLite cannot alter a foreign key. The usual way is to create a new table, copy the rows and drop the old table.
//! SQLite's documentation lists the risks: cascades that fire, changed rowids, and triggers, views and generated
//! columns that have to be created again. However, a foreign key is only text in `sqlite_schema`, and nothing on disk
//! depends on it. This repair therefore edits that text, with the procedure that SQLite documents for such changes
//! (`PRAGMA writable_schema`, in `lang_altertable.html`). Rows, rowids, indexes, triggers and views are unchanged, and
//! the size of the table does not matter.
//!
//! SQLite documents the procedure for removing a foreign key, not for adding one, which existing rows may violate. The
//! repair checks the rows itself. It also prevents an invalid schema: it runs in one transaction, which is rolled back
//! unless
//!
//! - SQLite parses the new text and reports the same columns, indexes and other foreign keys as before,
//! - each repaired reference has exactly one foreign key, with the target action,
//! - all rows satisfy it, and
//! - the table passes `integrity_check`.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use sea_orm_migration::SchemaManagerConnection;

use super::{
    catalog::{ForeignKey, Table, describe_table, find_foreign_keys, find_table},
    table_definition::set_foreign_key_action,
    transaction::begin_immediate,
};
use crate::{
    error::{Error, OrphanedRows},
    foreign_key_fix::{ForeignKeyFix, ReferentialAction},
    identifier::quote_identifier,
    query::{execute, fetch_number, fetch_rows},
};

/// A table to edit, with its fixes and the action that each one sets.
struct TableEdit<'a> {
    table: Table,
    fixes: Vec<(&'a ForeignKeyFix, ReferentialAction)>,
}

impl TableEdit<'_> {
    fn error(&self, detail: String) -> Error {
        Error::TableDefinition { table: self.table.name.clone(), detail }
    }

    /// Returns an error unless the foreign keys changed as intended.
    ///
    /// Each repaired reference must have exactly one foreign key, with the target action and its other properties
    /// unchanged. All other foreign keys must be unchanged.
    fn compare_foreign_keys(&self, before: &[ForeignKey], after: &[ForeignKey]) -> Result<(), Error> {
        let is_unrelated = |key: &&ForeignKey| !self.fixes.iter().any(|(fix, _)| key.belongs_to(fix));
        if !before.iter().filter(is_unrelated).eq(after.iter().filter(is_unrelated)) {
            return Err(self.error("another of its foreign keys would change".to_owned()));
        }
        for (fix, action) in &self.fixes {
            let previous = before.iter().find(|key| key.belongs_to(fix)).cloned();
            let expected = previous.map(|key| ForeignKey { on_delete: *action, ..key });
            let mut found = after.iter().filter(|key| key.belongs_to(fix));
            let is_expected = found.next().is_some_and(|key| match &expected {
                Some(expected) => key == expected,
                None => key.on_delete == *action,
            });
            if !is_expected || found.next().is_some() {
                return Err(self.error(format!("{} would not have exactly one foreign key", fix.column)));
            }
        }
        Ok(())
    }
}

/// Gives each reference exactly one foreign key with the action of its fix, all in one transaction. Tables and columns
/// that do not exist are skipped.
///
/// # Errors
///
/// - [`Error::Orphans`] if any reference that needs a repair has rows without a parent
/// - [`Error::TableDefinition`] if a table's definition is not understood, or if its new definition fails a check
///
/// Nothing is changed in either case.
pub(crate) async fn repair_foreign_keys(
    db: &SchemaManagerConnection<'_>,
    fixes: &[ForeignKeyFix],
) -> Result<(), Error> {
    let transaction = begin_immediate(db).await?;
    let result = repair_in_transaction(&transaction, fixes).await;
    // The setting is reset after an error too, because later migrations use the same connection.
    let reset = transaction.execute_unprepared("PRAGMA writable_schema = OFF").await;
    match result.and(reset.map_err(Error::Database)) {
        Ok(_) => Ok(transaction.commit().await?),
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

async fn repair_in_transaction(db: &DatabaseTransaction, fixes: &[ForeignKeyFix]) -> Result<(), Error> {
    let mut edits: Vec<TableEdit<'_>> = Vec::new();
    let mut orphans = Vec::new();
    for fix in fixes {
        let Some((table, keys)) = find_reference(db, fix).await? else {
            continue;
        };
        let actions: Vec<_> = keys.iter().map(|key| key.on_delete).collect();
        let target_action = fix.target_action(&actions);
        if actions == [target_action] {
            continue;
        }
        let referenced_column = keys.first().and_then(|key| key.referenced_column.clone());
        orphans.extend(count_orphans(db, fix, referenced_column.as_deref().unwrap_or("id")).await?);
        match edits.iter_mut().find(|edit| edit.table.name == table.name) {
            Some(edit) => edit.fixes.push((fix, target_action)),
            None => edits.push(TableEdit { table, fixes: vec![(fix, target_action)] }),
        }
    }
    if !orphans.is_empty() {
        return Err(Error::Orphans(orphans));
    }
    for edit in &edits {
        edit_table(db, edit).await?;
    }
    Ok(())
}

/// Returns the fix's table and the foreign keys of its reference.
///
/// Returns `None` if the database lacks the table, the referenced table or the column.
async fn find_reference(
    db: &DatabaseTransaction,
    fix: &ForeignKeyFix,
) -> Result<Option<(Table, Vec<ForeignKey>)>, DbErr> {
    let Some(table) = find_table(db, fix.table).await? else {
        return Ok(None);
    };
    let sql = "SELECT 1 FROM pragma_table_xinfo($1) WHERE name = $2 COLLATE NOCASE";
    let column = fetch_rows(db, sql, [table.name.as_str().into(), fix.column.into()]).await?;
    if column.is_empty() || find_table(db, fix.referenced_table).await?.is_none() {
        return Ok(None);
    }
    let mut keys = find_foreign_keys(db, &table.name).await?;
    keys.retain(|key| key.belongs_to(fix));
    Ok(Some((table, keys)))
}

async fn count_orphans(
    db: &DatabaseTransaction,
    fix: &ForeignKeyFix,
    referenced_column: &str,
) -> Result<Option<OrphanedRows>, DbErr> {
    let sql = format!(
        "SELECT count(*) AS n FROM {} child WHERE child.{column} IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM {} parent WHERE parent.{} = child.{column})",
        quote_identifier(fix.table),
        quote_identifier(fix.referenced_table),
        quote_identifier(referenced_column),
        column = quote_identifier(fix.column),
    );
    let rows = fetch_number(db, &sql).await?;
    Ok((rows > 0).then(|| OrphanedRows {
        table: fix.table.to_owned(),
        columns: vec![fix.column.to_owned()],
        referenced_table: fix.referenced_table.to_owned(),
        rows,
    }))
}

/// Edits a table's definition, and checks that SQLite interprets the new definition as intended.
async fn edit_table(db: &DatabaseTransaction, edit: &TableEdit<'_>) -> Result<(), Error> {
    let name = &edit.table.name;
    let description_before = describe_table(db, name).await?;
    let keys_before = find_foreign_keys(db, name).await?;
    let mut definition = edit.table.definition.clone();
    for (fix, action) in &edit.fixes {
        definition = set_foreign_key_action(&definition, fix, *action).map_err(|detail| edit.error(detail))?;
    }
    replace_definition(db, name, &definition).await?;
    if describe_table(db, name).await? != description_before {
        return Err(edit.error("its columns or indexes would change".to_owned()));
    }
    edit.compare_foreign_keys(&keys_before, &find_foreign_keys(db, name).await?)?;
    check_rows(db, edit).await
}

/// Replaces a table's definition.
///
/// This connection reads it immediately (RESET). Other connections read it when they detect the new schema version.
async fn replace_definition(db: &DatabaseTransaction, table: &str, definition: &str) -> Result<(), DbErr> {
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let update = "UPDATE sqlite_schema SET sql = $1 WHERE type = 'table' AND name = $2";
    if execute(db, update, [definition.into(), table.into()]).await? != 1 {
        return Err(DbErr::RecordNotUpdated);
    }
    let version = fetch_number(db, "SELECT schema_version AS n FROM pragma_schema_version").await?;
    db.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await?;
    db.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    Ok(())
}

/// Checks the repaired references and the whole table with SQLite's own checks.
async fn check_rows(db: &DatabaseTransaction, edit: &TableEdit<'_>) -> Result<(), Error> {
    let table = &edit.table.name;
    let sql = "SELECT DISTINCT parent FROM pragma_foreign_key_check($1)";
    for row in fetch_rows(db, sql, [table.as_str().into()]).await? {
        let parent: String = row.try_get("", "parent")?;
        // Orphans of a reference that is not repaired existed before. The deployment has to handle them.
        if edit.fixes.iter().any(|(fix, _)| fix.referenced_table.eq_ignore_ascii_case(&parent)) {
            return Err(edit.error(format!("rows without a parent in {parent} were found")));
        }
    }
    let sql = "SELECT integrity_check AS line FROM pragma_integrity_check($1)";
    for row in fetch_rows(db, sql, [table.as_str().into()]).await? {
        let line: String = row.try_get("", "line")?;
        if line != "ok" {
            return Err(edit.error(line));
        }
    }
    Ok(())
}
