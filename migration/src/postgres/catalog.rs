//! Queries for tables and foreign keys in PostgreSQL's catalog. `information_schema` shows only what the role owns.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use crate::{foreign_key_fix::ReferentialAction, identifier::qualified_name, query::fetch_rows};

/// A plain or partitioned table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) oid: i64,
    pub(crate) name: String,
    /// The quoted name with the schema.
    pub(crate) qualified_name: String,
    pub(crate) is_partitioned: bool,
}

/// A foreign key of one column, with the properties that its replacement must preserve.
#[derive(Clone, Debug)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) referenced_column: String,
    pub(super) on_delete: ReferentialAction,
    pub(super) on_update: ReferentialAction,
    /// The MATCH clause as SQL, or empty for the default.
    pub(super) match_clause: &'static str,
    /// The DEFERRABLE clause as SQL, or empty for the default.
    pub(super) deferrable_clause: &'static str,
    pub(super) is_validated: bool,
    /// False for a key that is NOT ENFORCED (PostgreSQL 18), which has no effect.
    pub(super) is_enforced: bool,
}

pub(crate) async fn has_schema(db: &impl ConnectionTrait, schema: &str) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
    Ok(!fetch_rows(db, sql, [schema.into()]).await?.is_empty())
}

pub(crate) async fn find_table(db: &impl ConnectionTrait, schema: &str, name: &str) -> Result<Option<Table>, DbErr> {
    let sql = "SELECT relation.oid::bigint AS oid, relation.relkind = 'p' AS is_partitioned \
               FROM pg_catalog.pg_class relation \
               JOIN pg_catalog.pg_namespace schema ON schema.oid = relation.relnamespace \
               WHERE schema.nspname = $1 AND relation.relname = $2 AND relation.relkind IN ('r', 'p')";
    let rows = fetch_rows(db, sql, [schema.into(), name.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Table {
        oid: row.try_get("", "oid")?,
        name: name.to_owned(),
        qualified_name: qualified_name(schema, name),
        is_partitioned: row.try_get("", "is_partitioned")?,
    }))
}

pub(super) async fn has_column(db: &impl ConnectionTrait, table: &Table, column: &str) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM pg_catalog.pg_attribute \
               WHERE attrelid = $1::bigint::oid AND attname = $2 AND attnum > 0 AND NOT attisdropped";
    Ok(!fetch_rows(db, sql, [table.oid.into(), column.into()]).await?.is_empty())
}

/// Returns the foreign keys from exactly this column to the referenced table, oldest first.
///
/// The copies of a key on partitions (with a `conparentid`) are omitted, because they change with the key of the
/// partitioned table.
pub(super) async fn find_foreign_keys(
    db: &impl ConnectionTrait,
    table: &Table,
    column: &str,
    referenced_table: &Table,
) -> Result<Vec<ForeignKey>, DbErr> {
    // `conenforced` was added in PostgreSQL 18. JSON access returns null on older versions.
    let sql = "SELECT key.conname::text AS name, referenced_column.attname::text AS referenced_column, \
                      key.confdeltype::text AS on_delete, key.confupdtype::text AS on_update, \
                      key.confmatchtype = 'f' AS match_full, key.condeferrable AS is_deferrable, \
                      key.condeferred AS is_deferred, key.convalidated AS is_validated, \
                      coalesce((to_jsonb(key) ->> 'conenforced')::boolean, true) AS is_enforced \
               FROM pg_catalog.pg_constraint key \
               JOIN pg_catalog.pg_attribute referencing_column \
                 ON referencing_column.attrelid = key.conrelid AND referencing_column.attnum = key.conkey[1] \
               JOIN pg_catalog.pg_attribute referenced_column \
                 ON referenced_column.attrelid = key.confrelid AND referenced_column.attnum = key.confkey[1] \
               WHERE key.contype = 'f' AND key.conparentid = 0 AND cardinality(key.conkey) = 1 \
                 AND key.conrelid = $1::bigint::oid AND key.confrelid = $2::bigint::oid \
                 AND referencing_column.attname = $3 \
               ORDER BY key.oid";
    let rows = fetch_rows(db, sql, [table.oid.into(), referenced_table.oid.into(), column.into()]).await?;
    rows.iter().map(foreign_key_from_row).collect()
}

fn foreign_key_from_row(row: &QueryResult) -> Result<ForeignKey, DbErr> {
    Ok(ForeignKey {
        name: row.try_get("", "name")?,
        referenced_column: row.try_get("", "referenced_column")?,
        on_delete: ReferentialAction::from_catalog(&row.try_get::<String>("", "on_delete")?),
        on_update: ReferentialAction::from_catalog(&row.try_get::<String>("", "on_update")?),
        match_clause: if row.try_get("", "match_full")? { " MATCH FULL" } else { "" },
        deferrable_clause: match (row.try_get("", "is_deferrable")?, row.try_get("", "is_deferred")?) {
            (_, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            (false, false) => "",
        },
        is_validated: row.try_get("", "is_validated")?,
        is_enforced: row.try_get("", "is_enforced")?,
    })
}
