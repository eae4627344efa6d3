//! Giving foreign keys the rules that they are to have, on PostgreSQL.
//!
//! A rule cannot be altered, so the key is replaced: one ALTER TABLE drops the old one and adds the new one under the
//! same name, NOT VALID, which needs its locks only for a moment; then VALIDATE, in a transaction of its own, reads the
//! rows without keeping anybody from writing. Between the two the new key already guards every change. There is no
//! moment without a key and no name for the time being, so a killed run leaves the old key or the new one, at most to be
//! validated.

use sea_orm::DbErr;
use sea_orm_migration::SchemaManagerConnection;

use super::{
    catalog::{self, ForeignKey, Table},
    lock_retry::{locked, patiently},
};
use crate::{
    Error, OrphanedRows,
    dialect::{number, quote},
    error::{code, is_lock_conflict},
    foreign_key_fix::{Change, Rule},
};

/// A reference that the database has, and what is asked of it.
struct Reference<'a> {
    change: &'a Change,
    child: Table,
    parent: Table,
    keys: Vec<ForeignKey>,
    target: Rule,
}

/// Gives each reference the rule that its change asks for, as one valid foreign key. Tables and columns that the
/// database does not have are left out. Rows without a parent are looked for everywhere before anything is changed.
pub(crate) async fn mend(db: &SchemaManagerConnection<'_>, schema: &str, changes: &[Change]) -> Result<(), Error> {
    let mut references = Vec::new();
    for change in changes {
        references.extend(read(db, schema, change).await?.filter(|found| !found.is_right()));
    }
    let mut orphans = Vec::new();
    for reference in &references {
        match reference.orphans(db).await {
            Ok(found) => orphans.extend(found),
            Err(error) => return Err(reference.explain(db, error.into()).await),
        }
    }
    if !orphans.is_empty() {
        return Err(Error::Orphans(orphans));
    }
    for reference in &references {
        replace(db, reference).await?;
        validate(db, schema, reference.change).await?;
    }
    Ok(())
}

async fn read<'a>(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    change: &'a Change,
) -> Result<Option<Reference<'a>>, DbErr> {
    let Some(child) = catalog::table(db, schema, change.table).await? else {
        return Ok(None);
    };
    let Some(parent) = catalog::table(db, schema, change.parent).await? else {
        return Ok(None);
    };
    if !catalog::has_column(db, &child, change.column).await? {
        return Ok(None);
    }
    let keys = catalog::foreign_keys(db, &child, change.column, &parent).await?;
    let rules: Vec<_> = keys.iter().map(|key| key.on_delete).collect();
    Ok(Some(Reference { change, child, parent, target: change.target(&rules), keys }))
}

impl Reference<'_> {
    /// The key whose name and other properties stay: the one that PostgreSQL itself would have named, else the oldest.
    fn kept(&self) -> Option<&ForeignKey> {
        let default = format!("{}_{}_fkey", self.change.table, self.change.column);
        self.keys.iter().find(|key| key.name == default).or_else(|| self.keys.first())
    }

    fn has_rule(&self, key: &ForeignKey) -> bool {
        key.on_delete == self.target && key.enforced
    }

    fn is_right(&self) -> bool {
        matches!(self.keys.as_slice(), [key] if self.has_rule(key) && key.validated)
    }

    /// The one ALTER TABLE that leaves one key with the right rule, if it takes one.
    fn alteration(&self) -> Option<String> {
        let kept = self.kept();
        let stays = kept.filter(|key| self.has_rule(key));
        let dropped = self.keys.iter().filter(|key| stays.is_none_or(|stays| stays.name != key.name));
        let mut parts: Vec<_> = dropped.map(|key| format!("DROP CONSTRAINT {}", quote(&key.name))).collect();
        if stays.is_none() {
            parts.push(self.addition(kept));
        }
        (!parts.is_empty()).then(|| format!("ALTER TABLE {} {}", self.child.sql, parts.join(", ")))
    }

    /// ADD for the new key: all as in the replaced one but the rule. Without one PostgreSQL chooses the name.
    fn addition(&self, replaced: Option<&ForeignKey>) -> String {
        let name = replaced.map_or_else(String::new, |key| format!("CONSTRAINT {} ", quote(&key.name)));
        let update = replaced.map_or(Rule::NoAction, |key| key.on_update);
        format!(
            "ADD {name}FOREIGN KEY ({}) REFERENCES {} ({}){} ON UPDATE {} ON DELETE {}{}{}",
            quote(self.change.column),
            self.parent.sql,
            quote(self.referenced_column()),
            replaced.map_or("", |key| key.matching),
            update.sql(),
            self.target.sql(),
            replaced.map_or("", |key| key.deferral),
            // Partitioned tables take no key that is NOT VALID.
            if self.child.partitioned { "" } else { " NOT VALID" },
        )
    }

    fn referenced_column(&self) -> &str {
        self.kept().map_or("id", |key| &key.referenced_column)
    }

    async fn orphans(&self, db: &SchemaManagerConnection<'_>) -> Result<Option<OrphanedRows>, DbErr> {
        let sql = format!(
            "SELECT count(*) AS n FROM {} c WHERE c.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.{} = c.{column})",
            self.child.sql,
            self.parent.sql,
            quote(self.referenced_column()),
            column = quote(self.change.column),
        );
        let rows = number(db, &sql).await?;
        Ok((rows > 0).then(|| OrphanedRows {
            table: self.child.name.clone(),
            columns: vec![self.change.column.to_owned()],
            referenced_table: self.parent.name.clone(),
            rows,
        }))
    }

    /// What a refusal of the database means for this reference.
    async fn explain(&self, db: &SchemaManagerConnection<'_>, error: Error) -> Error {
        let Error::Database(source) = error else {
            return error;
        };
        if is_lock_conflict(&source) {
            return locked(db, &[&self.child, &self.parent]).await;
        }
        match code(&source).as_deref() {
            // A row that came in between the count and the key.
            Some("23503") => match self.orphans(db).await {
                Ok(Some(orphans)) => Error::Orphans(vec![orphans]),
                _ => Error::Database(source),
            },
            // undefined_function (no "=" between the two types), datatype_mismatch, invalid_foreign_key
            Some("42883" | "42804" | "42830") => Error::CannotReference {
                table: self.child.name.clone(),
                column: self.change.column.to_owned(),
                referenced_table: self.parent.name.clone(),
                source: Box::new(source),
            },
            _ => Error::Database(source),
        }
    }
}

async fn replace(db: &SchemaManagerConnection<'_>, reference: &Reference<'_>) -> Result<(), Error> {
    let Some(sql) = reference.alteration() else {
        return Ok(());
    };
    match patiently(db, &[&reference.child, &reference.parent], &[sql]).await {
        Ok(()) => Ok(()),
        Err(error) => Err(reference.explain(db, error).await),
    }
}

/// Validates the reference's key if that is still to be done; read anew, since it may just have got its name.
async fn validate(db: &SchemaManagerConnection<'_>, schema: &str, change: &Change) -> Result<(), Error> {
    let Some(reference) = read(db, schema, change).await? else {
        return Ok(());
    };
    for key in reference.keys.iter().filter(|key| !key.validated) {
        let sql = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", reference.child.sql, quote(&key.name));
        if let Err(error) = patiently(db, &[&reference.child, &reference.parent], &[sql]).await {
            return Err(reference.explain(db, error).await);
        }
    }
    Ok(())
}
