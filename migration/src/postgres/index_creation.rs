//! The creation of missing indexes on PostgreSQL, without blocking writes.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::SchemaManagerConnection;

use super::{
    catalog::{self, Table},
    lock_retry::{execute_with_retry, pause_before_retry},
};
use crate::{
    error::{Error, is_lock_conflict},
    identifier::{column_list, qualified_name, quote_identifier},
    query::fetch_rows,
};

/// The maximum length of a name, in bytes. PostgreSQL truncates longer names.
const MAX_NAME_LENGTH: usize = 63;

/// The query for the columns, in the key's order, of each foreign key of a table that has no usable index.
///
/// A usable index is valid, not partial, and of a kind that supports equality. Its first columns are the key's, in any
/// order.
const UNINDEXED_FOREIGN_KEYS: &str = "\
    SELECT DISTINCT (SELECT json_agg(attribute.attname ORDER BY key_column.position) \
        FROM unnest(key.conkey) WITH ORDINALITY AS key_column (attnum, position) \
        JOIN pg_catalog.pg_attribute attribute \
          ON attribute.attrelid = key.conrelid AND attribute.attnum = key_column.attnum)::text AS columns \
    FROM pg_catalog.pg_constraint key \
    WHERE key.contype = 'f' AND key.conparentid = 0 AND key.conrelid = $1::bigint::oid AND NOT EXISTS ( \
        SELECT 1 FROM pg_catalog.pg_index index \
        JOIN pg_catalog.pg_class relation ON relation.oid = index.indexrelid \
        JOIN pg_catalog.pg_am method ON method.oid = relation.relam \
        WHERE index.indrelid = key.conrelid AND index.indisvalid AND index.indpred IS NULL \
          AND method.amname IN ('btree', 'hash') AND index.indnkeyatts >= cardinality(key.conkey) \
          AND (SELECT count(DISTINCT attnum) \
               FROM unnest((index.indkey::int2[])[0:cardinality(key.conkey) - 1]) AS attnum \
               WHERE attnum = ANY (key.conkey)) = cardinality(key.conkey)) \
    ORDER BY 1";

/// The query for a usable index that begins with the given columns in the given order.
const INDEX_ON_COLUMNS: &str = "\
    SELECT 1 FROM pg_catalog.pg_index index \
    JOIN pg_catalog.pg_class relation ON relation.oid = index.indexrelid \
    JOIN pg_catalog.pg_am method ON method.oid = relation.relam \
    WHERE index.indrelid = $1::bigint::oid AND index.indisvalid AND index.indpred IS NULL \
      AND method.amname = 'btree' AND index.indnkeyatts >= jsonb_array_length($2::jsonb) \
      AND $2::jsonb = (SELECT jsonb_agg(attribute.attname ORDER BY key_column.position) \
          FROM unnest((index.indkey::int2[])[0:jsonb_array_length($2::jsonb) - 1]) \
            WITH ORDINALITY AS key_column (attnum, position) \
          JOIN pg_catalog.pg_attribute attribute \
            ON attribute.attrelid = index.indrelid AND attribute.attnum = key_column.attnum)";

/// Creates those of `indexes` (table and columns) that do not exist, and an index on each foreign key of `tables`
/// without one.
///
/// Tables and columns that do not exist are skipped.
pub(crate) async fn create_missing_indexes(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    indexes: &[(&str, &[&str])],
    tables: &[&str],
) -> Result<(), Error> {
    for (table, columns) in indexes {
        let Some(table) = catalog::find_table(db, schema, table).await? else {
            continue;
        };
        let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
        if has_columns(db, &table, &columns).await? && !has_index(db, &table, &columns).await? {
            create_index(db, schema, &table, &columns).await?;
        }
    }
    for table in tables {
        let Some(table) = catalog::find_table(db, schema, table).await? else {
            continue;
        };
        for columns in find_unindexed_foreign_keys(db, &table).await? {
            create_index(db, schema, &table, &columns).await?;
        }
    }
    Ok(())
}

async fn find_unindexed_foreign_keys(db: &impl ConnectionTrait, table: &Table) -> Result<Vec<Vec<String>>, DbErr> {
    let rows = fetch_rows(db, UNINDEXED_FOREIGN_KEYS, [table.oid.into()]).await?;
    rows.iter()
        .map(|row| {
            let columns: String = row.try_get("", "columns")?;
            serde_json::from_str(&columns).map_err(|error| DbErr::Json(error.to_string()))
        })
        .collect()
}

async fn has_columns(db: &impl ConnectionTrait, table: &Table, columns: &[String]) -> Result<bool, DbErr> {
    for column in columns {
        if !catalog::has_column(db, table, column).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn has_index(db: &impl ConnectionTrait, table: &Table, columns: &[String]) -> Result<bool, DbErr> {
    let columns = serde_json::to_value(columns).map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(!fetch_rows(db, INDEX_ON_COLUMNS, [table.oid.into(), columns.into()]).await?.is_empty())
}

/// Creates an index concurrently.
///
/// PostgreSQL does not support that on a partitioned table. There, the index acquires a lock that blocks writes, with
/// retries.
async fn create_index(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    table: &Table,
    columns: &[String],
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        // Each attempt searches a name again, because the previous attempt may have left an invalid index.
        let result = match create_index_sql(db, schema, table, columns).await {
            Ok(sql) if table.is_partitioned => return execute_with_retry(db, &[table], &sql).await,
            Ok(sql) => db.execute_unprepared(&sql).await.map(|_| ()),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => return Ok(()),
            Err(error) if is_lock_conflict(&error) => {
                tries += 1;
                pause_before_retry(db, &[table], tries).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn create_index_sql(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    table: &Table,
    columns: &[String],
) -> Result<String, DbErr> {
    let name = quote_identifier(&find_free_name(db, schema, table, columns).await?);
    let concurrently = if table.is_partitioned { "" } else { "CONCURRENTLY " };
    Ok(format!("CREATE INDEX {concurrently}{name} ON {} ({})", table.qualified_name, column_list(columns)))
}

/// Returns a free name for the index, in the form of PostgreSQL's default names.
///
/// Drops an invalid index with that name on this table. It is left over from a failed or killed attempt, and no query
/// uses it.
async fn find_free_name(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    table: &Table,
    columns: &[String],
) -> Result<String, DbErr> {
    let stem = format!("{}_{}", table.name, columns.join("_"));
    for number in 0_u32.. {
        let suffix = if number == 0 { "_idx".to_owned() } else { format!("_idx{number}") };
        let stem_length = stem.floor_char_boundary(MAX_NAME_LENGTH - suffix.len());
        let name = format!("{}{suffix}", &stem[..stem_length]);
        match find_name_use(db, schema, table, &name).await? {
            NameUse::Free => return Ok(name),
            NameUse::InvalidIndex => {
                let sql = format!("DROP INDEX CONCURRENTLY {}", qualified_name(schema, &name));
                db.execute_unprepared(&sql).await?;
                return Ok(name);
            }
            NameUse::Other => {}
        }
    }
    Err(DbErr::Custom(format!("there is no free name for an index of {}", table.name)))
}

/// The current use of a name in a schema.
enum NameUse {
    Free,
    /// An invalid index on the table in question.
    InvalidIndex,
    Other,
}

async fn find_name_use(db: &impl ConnectionTrait, schema: &str, table: &Table, name: &str) -> Result<NameUse, DbErr> {
    let sql = "SELECT coalesce(NOT index.indisvalid AND relation.relkind = 'i' \
                 AND index.indrelid = $3::bigint::oid, false) AS is_invalid_index \
               FROM pg_catalog.pg_class relation \
               JOIN pg_catalog.pg_namespace schema ON schema.oid = relation.relnamespace \
               LEFT JOIN pg_catalog.pg_index index ON index.indexrelid = relation.oid \
               WHERE schema.nspname = $1 AND relation.relname = $2";
    let rows = fetch_rows(db, sql, [schema.into(), name.into(), table.oid.into()]).await?;
    Ok(match rows.first() {
        None => NameUse::Free,
        Some(row) if row.try_get("", "is_invalid_index")? => NameUse::InvalidIndex,
        Some(_) => NameUse::Other,
    })
}
