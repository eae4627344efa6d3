//! Giving foreign keys the rules that they are to have, on SQLite.
//!
//! SQLite cannot alter a foreign key. The usual way is to build the table anew, copy the rows and drop the old table,
//! with everything to go wrong that its documentation lists: cascades that fire, rowids that change, triggers, views and
//! generated columns to be made again. A foreign key is only text, though: nothing on disk depends on it. So the text in
//! `sqlite_schema` is changed in place, the way that SQLite documents for changes of that kind (`lang_altertable.html`,
//! the procedure with `PRAGMA writable_schema`). It offers it for taking a foreign key away, since rows may not hold to
//! one that is added: that is checked here. Rows, rowids, indexes, triggers and views stay as they are, because nothing
//! touches them, and it takes no longer for a big table.
//!
//! Why it cannot leave a wrong schema: all is done in one transaction, and before it ends SQLite reads the new texts and
//! tells from them the same columns, indexes and other foreign keys as before, and exactly one foreign key with the
//! wanted rule; the rows hold to it; and the tables' integrity is checked. Whatever differs takes everything back.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use sea_orm_migration::SchemaManagerConnection;

use super::{
    begin_immediate,
    catalog::{ForeignKey, Table, foreign_keys, shape, table},
    table_definition::with_rule,
};
use crate::{
    Error, OrphanedRows,
    dialect::{number, quote, rows, run},
    foreign_key_fix::{Change, Rule},
};

/// A table that is to be changed, with the changes that it lacks.
struct Edit<'a> {
    table: Table,
    changes: Vec<(&'a Change, Rule)>,
}

impl Edit<'_> {
    fn failed(&self, detail: String) -> Error {
        Error::Definition { table: self.table.name.clone(), detail }
    }

    /// Fails unless each changed reference has one foreign key, as before but for the rule, and all others are the same.
    fn compare(&self, before: &[ForeignKey], now: &[ForeignKey]) -> Result<(), Error> {
        let is_other = |key: &&ForeignKey| !self.changes.iter().any(|(change, _)| key.is_of(change));
        if !before.iter().filter(is_other).eq(now.iter().filter(is_other)) {
            return Err(self.failed("another of its foreign keys would not be the same".to_owned()));
        }
        for (change, rule) in &self.changes {
            let kept = before.iter().find(|key| key.is_of(change)).cloned();
            let wanted = kept.map(|key| ForeignKey { on_delete: *rule, ..key });
            let mut found = now.iter().filter(|key| key.is_of(change));
            let right = found.next().is_some_and(|key| match &wanted {
                Some(wanted) => key == wanted,
                None => key.on_delete == *rule,
            });
            if !right || found.next().is_some() {
                return Err(self.failed(format!("{} would not have its one foreign key", change.column)));
            }
        }
        Ok(())
    }
}

/// Gives each reference the rule that its change asks for, as one foreign key. Tables and columns that the database does
/// not have are left out. All or nothing; rows without a parent are looked for before anything is changed.
pub(crate) async fn mend(db: &SchemaManagerConnection<'_>, changes: &[Change]) -> Result<(), Error> {
    let transaction = begin_immediate(db).await?;
    let mended = mend_in(&transaction, changes).await;
    // Off also when the next statement fails: the connection goes on to other migrations.
    let off = transaction.execute_unprepared("PRAGMA writable_schema = OFF").await;
    match mended.and(off.map_err(Error::Database)) {
        Ok(_) => Ok(transaction.commit().await?),
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

async fn mend_in(db: &DatabaseTransaction, changes: &[Change]) -> Result<(), Error> {
    let mut edits: Vec<Edit<'_>> = Vec::new();
    let mut orphans = Vec::new();
    for change in changes {
        let Some((found, keys)) = read(db, change).await? else {
            continue;
        };
        let rules: Vec<_> = keys.iter().map(|key| key.on_delete).collect();
        let target = change.target(&rules);
        if rules == [target] {
            continue;
        }
        let referenced = keys.first().and_then(|key| key.referenced.clone());
        orphans.extend(count_orphans(db, change, referenced.as_deref().unwrap_or("id")).await?);
        match edits.iter_mut().find(|edit| edit.table.name == found.name) {
            Some(edit) => edit.changes.push((change, target)),
            None => edits.push(Edit { table: found, changes: vec![(change, target)] }),
        }
    }
    if !orphans.is_empty() {
        return Err(Error::Orphans(orphans));
    }
    for edit in &edits {
        rewrite(db, edit).await?;
    }
    Ok(())
}

/// The change's table and the foreign keys of its reference; none where the database lacks the table, the parent or the
/// column.
async fn read(db: &DatabaseTransaction, change: &Change) -> Result<Option<(Table, Vec<ForeignKey>)>, DbErr> {
    let Some(child) = table(db, change.table).await? else {
        return Ok(None);
    };
    let sql = "SELECT 1 FROM pragma_table_xinfo($1) WHERE name = $2 COLLATE NOCASE";
    let column = rows(db, sql, [child.name.as_str().into(), change.column.into()]).await?;
    if column.is_empty() || table(db, change.parent).await?.is_none() {
        return Ok(None);
    }
    let mut keys = foreign_keys(db, &child.name).await?;
    keys.retain(|key| key.is_of(change));
    Ok(Some((child, keys)))
}

async fn count_orphans(
    db: &DatabaseTransaction,
    change: &Change,
    referenced: &str,
) -> Result<Option<OrphanedRows>, DbErr> {
    let sql = format!(
        "SELECT count(*) AS n FROM {} c WHERE c.{column} IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.{} = c.{column})",
        quote(change.table),
        quote(change.parent),
        quote(referenced),
        column = quote(change.column),
    );
    let rows = number(db, &sql).await?;
    Ok((rows > 0).then(|| OrphanedRows {
        table: change.table.to_owned(),
        columns: vec![change.column.to_owned()],
        referenced_table: change.parent.to_owned(),
        rows,
    }))
}

/// Changes a table's text, and lets it stand only if SQLite reads it as meant.
async fn rewrite(db: &DatabaseTransaction, edit: &Edit<'_>) -> Result<(), Error> {
    let name = &edit.table.name;
    let shape_before = shape(db, name).await?;
    let keys_before = foreign_keys(db, name).await?;
    let mut sql = edit.table.sql.clone();
    for (change, rule) in &edit.changes {
        sql = with_rule(&sql, change, *rule).map_err(|detail| edit.failed(detail))?;
    }
    replace_text(db, name, &sql).await?;
    if shape(db, name).await? != shape_before {
        return Err(edit.failed("its columns or indexes would not be the same".to_owned()));
    }
    edit.compare(&keys_before, &foreign_keys(db, name).await?)?;
    check_rows(db, edit).await
}

/// Puts the text in place of the old one, and has SQLite read it: here at once, elsewhere because the version is new.
async fn replace_text(db: &DatabaseTransaction, table: &str, sql: &str) -> Result<(), DbErr> {
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let update = "UPDATE sqlite_schema SET sql = $1 WHERE type = 'table' AND name = $2";
    if run(db, update, [sql.into(), table.into()]).await? != 1 {
        return Err(DbErr::RecordNotUpdated);
    }
    let version = number(db, "SELECT schema_version AS n FROM pragma_schema_version").await?;
    db.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await?;
    db.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    Ok(())
}

/// Has SQLite itself check the changed references and the whole table.
async fn check_rows(db: &DatabaseTransaction, edit: &Edit<'_>) -> Result<(), Error> {
    let table = &edit.table.name;
    let sql = "SELECT DISTINCT parent FROM pragma_foreign_key_check($1)";
    for row in rows(db, sql, [table.as_str().into()]).await? {
        let parent: String = row.try_get("", "parent")?;
        // Another reference's orphans were there before, and stay the deployment's matter.
        if edit.changes.iter().any(|(change, _)| change.parent.eq_ignore_ascii_case(&parent)) {
            let detail = format!("rows without a parent in {parent} were found");
            return Err(Error::Definition { table: table.clone(), detail });
        }
    }
    let sql = "SELECT integrity_check AS line FROM pragma_integrity_check($1)";
    for row in rows(db, sql, [table.as_str().into()]).await? {
        let line: String = row.try_get("", "line")?;
        if line != "ok" {
            return Err(edit.failed(line));
        }
    }
    Ok(())
}
