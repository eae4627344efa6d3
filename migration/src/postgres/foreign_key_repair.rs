//! The repair of foreign keys on PostgreSQL.
//!
//! The ON DELETE action of a foreign key cannot be altered, so the key is replaced in two steps:
//!
//! 1. One ALTER TABLE drops the old key and adds the new one under the same name as NOT VALID. It holds its locks only
//!    briefly. After that, the new key applies to every change.
//! 2. VALIDATE CONSTRAINT checks the existing rows in a separate transaction without blocking writes.
//!
//! A key exists at all times, and no temporary name is used. A repair that is killed leaves either the old key or the
//! new one, which may not be validated yet.

use sea_orm::DbErr;
use sea_orm_migration::SchemaManagerConnection;

use super::{
    catalog::{self, ForeignKey, Table},
    lock_retry::{execute_with_retry, lock_timeout_error},
};
use crate::{
    error::{Error, OrphanedRows, database_code, is_lock_conflict},
    foreign_key_fix::{ForeignKeyFix, ReferentialAction},
    identifier::quote_identifier,
    query::fetch_number,
};

/// A reference that exists in the database, with its foreign keys and its target action.
struct Reference<'a> {
    fix: &'a ForeignKeyFix,
    table: Table,
    referenced_table: Table,
    foreign_keys: Vec<ForeignKey>,
    target_action: ReferentialAction,
}

/// Gives each reference exactly one valid foreign key with the action of its fix. Tables and columns that do not exist
/// are skipped.
///
/// # Errors
///
/// Returns [`Error::Orphans`] if any reference that needs a repair has rows without a parent. Nothing is changed in
/// that case.
pub(crate) async fn repair_foreign_keys(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    fixes: &[ForeignKeyFix],
) -> Result<(), Error> {
    let mut references = Vec::new();
    for fix in fixes {
        let reference = find_reference(db, schema, fix).await?;
        references.extend(reference.filter(|reference| !reference.is_repaired()));
    }
    let mut orphans = Vec::new();
    for reference in &references {
        match reference.count_orphans(db).await {
            Ok(found) => orphans.extend(found),
            Err(error) => return Err(reference.explain_error(db, error.into()).await),
        }
    }
    if !orphans.is_empty() {
        return Err(Error::Orphans(orphans));
    }
    for reference in &references {
        replace_foreign_keys(db, reference).await?;
        validate_foreign_keys(db, schema, reference.fix).await?;
    }
    Ok(())
}

async fn find_reference<'a>(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    fix: &'a ForeignKeyFix,
) -> Result<Option<Reference<'a>>, DbErr> {
    let Some(table) = catalog::find_table(db, schema, fix.table).await? else {
        return Ok(None);
    };
    let Some(referenced_table) = catalog::find_table(db, schema, fix.referenced_table).await? else {
        return Ok(None);
    };
    if !catalog::has_column(db, &table, fix.column).await? {
        return Ok(None);
    }
    let foreign_keys = catalog::find_foreign_keys(db, &table, fix.column, &referenced_table).await?;
    let actions: Vec<_> = foreign_keys.iter().map(|key| key.on_delete).collect();
    let target_action = fix.target_action(&actions);
    Ok(Some(Reference { fix, table, referenced_table, foreign_keys, target_action }))
}

impl Reference<'_> {
    /// Returns the key whose name and other properties are preserved: the one with PostgreSQL's default name, otherwise
    /// the oldest.
    fn preserved_key(&self) -> Option<&ForeignKey> {
        let default_name = format!("{}_{}_fkey", self.fix.table, self.fix.column);
        self.foreign_keys.iter().find(|key| key.name == default_name).or_else(|| self.foreign_keys.first())
    }

    fn has_target_action(&self, key: &ForeignKey) -> bool {
        key.on_delete == self.target_action && key.is_enforced
    }

    fn is_repaired(&self) -> bool {
        matches!(self.foreign_keys.as_slice(), [key] if self.has_target_action(key) && key.is_validated)
    }

    /// Returns the ALTER TABLE that leaves one key with the target action, or `None` if the reference already has it.
    fn alter_table_sql(&self) -> Option<String> {
        let preserved = self.preserved_key();
        let unchanged = preserved.filter(|key| self.has_target_action(key));
        let dropped = self.foreign_keys.iter().filter(|key| unchanged.is_none_or(|other| other.name != key.name));
        let mut clauses: Vec<_> =
            dropped.map(|key| format!("DROP CONSTRAINT {}", quote_identifier(&key.name))).collect();
        if unchanged.is_none() {
            clauses.push(self.add_constraint_sql(preserved));
        }
        (!clauses.is_empty()).then(|| format!("ALTER TABLE {} {}", self.table.qualified_name, clauses.join(", ")))
    }

    /// Returns the ADD CONSTRAINT clause for the new key.
    ///
    /// The key has the name and properties of the replaced key, or PostgreSQL's default name if there is none.
    fn add_constraint_sql(&self, replaced: Option<&ForeignKey>) -> String {
        let name = replaced.map_or_else(String::new, |key| format!("CONSTRAINT {} ", quote_identifier(&key.name)));
        let on_update = replaced.map_or(ReferentialAction::NoAction, |key| key.on_update);
        format!(
            "ADD {name}FOREIGN KEY ({}) REFERENCES {} ({}){} ON UPDATE {} ON DELETE {}{}{}",
            quote_identifier(self.fix.column),
            self.referenced_table.qualified_name,
            quote_identifier(self.referenced_column()),
            replaced.map_or("", |key| key.match_clause),
            on_update.as_sql(),
            self.target_action.as_sql(),
            replaced.map_or("", |key| key.deferrable_clause),
            // PostgreSQL before 18 does not accept a NOT VALID key on a partitioned table.
            if self.table.is_partitioned { "" } else { " NOT VALID" },
        )
    }

    fn referenced_column(&self) -> &str {
        self.preserved_key().map_or("id", |key| &key.referenced_column)
    }

    async fn count_orphans(&self, db: &SchemaManagerConnection<'_>) -> Result<Option<OrphanedRows>, DbErr> {
        let sql = format!(
            "SELECT count(*) AS n FROM {} child WHERE child.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {} parent WHERE parent.{} = child.{column})",
            self.table.qualified_name,
            self.referenced_table.qualified_name,
            quote_identifier(self.referenced_column()),
            column = quote_identifier(self.fix.column),
        );
        let rows = fetch_number(db, &sql).await?;
        Ok((rows > 0).then(|| OrphanedRows {
            table: self.table.name.clone(),
            columns: vec![self.fix.column.to_owned()],
            referenced_table: self.referenced_table.name.clone(),
            rows,
        }))
    }

    /// Converts a database error about this reference to the error that states the next step.
    async fn explain_error(&self, db: &SchemaManagerConnection<'_>, error: Error) -> Error {
        let Error::Database(source) = error else {
            return error;
        };
        if is_lock_conflict(&source) {
            return lock_timeout_error(db, &[&self.table, &self.referenced_table]).await;
        }
        match database_code(&source).as_deref() {
            // foreign_key_violation: a row without a parent was inserted after the count.
            Some("23503") => match self.count_orphans(db).await {
                Ok(Some(orphans)) => Error::Orphans(vec![orphans]),
                _ => Error::Database(source),
            },
            // undefined_function (no "=" between the two types), datatype_mismatch, invalid_foreign_key
            Some("42883" | "42804" | "42830") => Error::CannotReference {
                table: self.table.name.clone(),
                column: self.fix.column.to_owned(),
                referenced_table: self.referenced_table.name.clone(),
                source: Box::new(source),
            },
            _ => Error::Database(source),
        }
    }
}

async fn replace_foreign_keys(db: &SchemaManagerConnection<'_>, reference: &Reference<'_>) -> Result<(), Error> {
    let Some(sql) = reference.alter_table_sql() else {
        return Ok(());
    };
    match execute_with_retry(db, &[&reference.table, &reference.referenced_table], &sql).await {
        Ok(()) => Ok(()),
        Err(error) => Err(reference.explain_error(db, error).await),
    }
}

/// Validates the reference's foreign key, unless it is already valid. The key is read again, because PostgreSQL may
/// have just assigned its name.
async fn validate_foreign_keys(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    fix: &ForeignKeyFix,
) -> Result<(), Error> {
    let Some(reference) = find_reference(db, schema, fix).await? else {
        return Ok(());
    };
    for key in reference.foreign_keys.iter().filter(|key| !key.is_validated) {
        let table = &reference.table.qualified_name;
        let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", quote_identifier(&key.name));
        if let Err(error) = execute_with_retry(db, &[&reference.table, &reference.referenced_table], &sql).await {
            return Err(reference.explain_error(db, error).await);
        }
    }
    Ok(())
}
