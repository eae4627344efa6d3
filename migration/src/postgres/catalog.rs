//! Reading PostgreSQL's catalogue. `information_schema` would show only what the role owns.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use crate::{
    dialect::{qualified, rows},
    foreign_key_fix::Rule,
};

/// A table, plain or partitioned.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) oid: i64,
    pub(crate) name: String,
    /// Its name with its schema, ready for SQL.
    pub(crate) sql: String,
    pub(crate) partitioned: bool,
}

/// A foreign key, as far as replacing it needs to know.
#[derive(Clone, Debug)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) referenced_column: String,
    pub(super) on_delete: Rule,
    pub(super) on_update: Rule,
    /// MATCH and the words after the actions, ready for SQL; often empty.
    pub(super) matching: &'static str,
    pub(super) deferral: &'static str,
    pub(super) validated: bool,
    /// False for a key that is NOT ENFORCED (PostgreSQL 18): it does nothing.
    pub(super) enforced: bool,
}

pub(crate) async fn has_schema(db: &impl ConnectionTrait, schema: &str) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
    Ok(!rows(db, sql, [schema.into()]).await?.is_empty())
}

pub(crate) async fn table(db: &impl ConnectionTrait, schema: &str, name: &str) -> Result<Option<Table>, DbErr> {
    let sql = "SELECT c.oid::bigint AS oid, c.relkind = 'p' AS partitioned \
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";
    let found = rows(db, sql, [schema.into(), name.into()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    Ok(Some(Table {
        oid: row.try_get("", "oid")?,
        name: name.to_owned(),
        sql: qualified(schema, name),
        partitioned: row.try_get("", "partitioned")?,
    }))
}

pub(super) async fn has_column(db: &impl ConnectionTrait, table: &Table, column: &str) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM pg_catalog.pg_attribute \
               WHERE attrelid = $1::bigint::oid AND attname = $2 AND attnum > 0 AND NOT attisdropped";
    Ok(!rows(db, sql, [table.oid.into(), column.into()]).await?.is_empty())
}

/// The foreign keys from exactly this column to that table, oldest first. A partition's copies (conparentid) belong to
/// the partitioned table's key and are left out.
pub(super) async fn foreign_keys(
    db: &impl ConnectionTrait,
    child: &Table,
    column: &str,
    parent: &Table,
) -> Result<Vec<ForeignKey>, DbErr> {
    // conenforced is new in PostgreSQL 18; through JSON it may be missing.
    let sql = "SELECT k.conname::text AS name, r.attname::text AS referenced_column, \
                      k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update, \
                      k.confmatchtype = 'f' AS match_full, k.condeferrable AS is_deferrable, \
                      k.condeferred AS is_deferred, k.convalidated AS validated, \
                      coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced \
               FROM pg_catalog.pg_constraint k \
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
               JOIN pg_catalog.pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = k.confkey[1] \
               WHERE k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1 \
                 AND k.conrelid = $1::bigint::oid AND k.confrelid = $2::bigint::oid AND a.attname = $3 \
               ORDER BY k.oid";
    let found = rows(db, sql, [child.oid.into(), parent.oid.into(), column.into()]).await?;
    found.iter().map(foreign_key).collect()
}

fn foreign_key(row: &QueryResult) -> Result<ForeignKey, DbErr> {
    Ok(ForeignKey {
        name: row.try_get("", "name")?,
        referenced_column: row.try_get("", "referenced_column")?,
        on_delete: Rule::from_catalogue(&row.try_get::<String>("", "on_delete")?),
        on_update: Rule::from_catalogue(&row.try_get::<String>("", "on_update")?),
        matching: if row.try_get("", "match_full")? { " MATCH FULL" } else { "" },
        deferral: match (row.try_get("", "is_deferrable")?, row.try_get("", "is_deferred")?) {
            (_, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            (false, false) => "",
        },
        validated: row.try_get("", "validated")?,
        enforced: row.try_get("", "enforced")?,
    })
}
