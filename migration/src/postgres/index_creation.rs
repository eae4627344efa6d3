//! Indexes on foreign keys, on PostgreSQL.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::SchemaManagerConnection;

use super::{
    catalog::{self, Table},
    lock_retry::{patiently, wait_or_give_up},
};
use crate::{
    Error,
    dialect::{qualified, quote, quoted_list, rows},
    error::is_lock_conflict,
};

/// The longest name that PostgreSQL keeps whole, in bytes.
const LONGEST_NAME: usize = 63;

/// Columns, ordered as in a foreign key, that no index leads with. A usable index is valid, not partial, of a kind that
/// finds equal values, and its first columns are the key's, in any order.
const LACKING: &str = "\
    SELECT DISTINCT (SELECT json_agg(a.attname ORDER BY c.n) FROM unnest(k.conkey) WITH ORDINALITY AS c (attnum, n) \
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum)::text AS columns \
    FROM pg_catalog.pg_constraint k \
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = $1::bigint::oid AND NOT EXISTS ( \
        SELECT 1 FROM pg_catalog.pg_index i \
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam \
        WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'hash') \
          AND i.indnkeyatts >= cardinality(k.conkey) \
          AND (SELECT count(DISTINCT n) FROM unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) AS n \
               WHERE n = ANY (k.conkey)) = cardinality(k.conkey)) \
    ORDER BY 1";

/// Makes the indexes on these columns of tables, in that order, and one for each foreign key of `tables` that lacks it.
pub(crate) async fn index(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    indexes: &[(&str, &[&str])],
    tables: &[&str],
) -> Result<(), Error> {
    for (table, columns) in indexes {
        let Some(found) = catalog::table(db, schema, table).await? else {
            continue;
        };
        let columns: Vec<_> = columns.iter().map(|c| (*c).to_owned()).collect();
        if !leads(db, &found, &columns).await? {
            create(db, schema, &found, &columns).await?;
        }
    }
    for table in tables {
        let Some(found) = catalog::table(db, schema, table).await? else {
            continue;
        };
        for columns in lacking(db, &found).await? {
            create(db, schema, &found, &columns).await?;
        }
    }
    Ok(())
}

async fn lacking(db: &impl ConnectionTrait, table: &Table) -> Result<Vec<Vec<String>>, DbErr> {
    let found = rows(db, LACKING, [table.oid.into()]).await?;
    found
        .iter()
        .map(|row| {
            let columns: String = row.try_get("", "columns")?;
            serde_json::from_str(&columns).map_err(|e| DbErr::Json(e.to_string()))
        })
        .collect()
}

/// Whether a usable index begins with these columns in this order; true also when the table lacks one of them, since
/// there is nothing to make then.
async fn leads(db: &impl ConnectionTrait, table: &Table, columns: &[String]) -> Result<bool, DbErr> {
    for column in columns {
        if !catalog::has_column(db, table, column).await? {
            return Ok(true);
        }
    }
    let sql = "SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
               JOIN pg_catalog.pg_am m ON m.oid = c.relam \
               WHERE i.indrelid = $1::bigint::oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree' \
                 AND i.indnkeyatts >= jsonb_array_length($2::jsonb) \
                 AND $2::jsonb = (SELECT jsonb_agg(a.attname ORDER BY k.n) \
                     FROM unnest((i.indkey::int2[])[0:jsonb_array_length($2::jsonb) - 1]) WITH ORDINALITY AS k (attnum, n) \
                     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)";
    let columns = serde_json::to_value(columns).map_err(|e| DbErr::Json(e.to_string()))?;
    Ok(!rows(db, sql, [table.oid.into(), columns.into()]).await?.is_empty())
}

/// Makes one index, without keeping anybody from writing; on a partitioned table, where PostgreSQL has no such way, with
/// a lock that it takes only when it gets it soon.
async fn create(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    table: &Table,
    columns: &[String],
) -> Result<(), Error> {
    let mut tried = 0;
    loop {
        // Each try finds its name anew: the one before may have left an invalid index.
        let made = match statement(db, schema, table, columns).await {
            Ok(sql) if table.partitioned => return patiently(db, &[table], &[sql]).await,
            Ok(sql) => db.execute_unprepared(&sql).await.map(|_| ()),
            Err(error) => Err(error),
        };
        match made {
            Ok(()) => return Ok(()),
            Err(error) if is_lock_conflict(&error) => {
                tried += 1;
                wait_or_give_up(db, &[table], tried).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn statement(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    table: &Table,
    columns: &[String],
) -> Result<String, DbErr> {
    let name = quote(&free_name(db, schema, table, columns).await?);
    let how = if table.partitioned { "" } else { "CONCURRENTLY " };
    let columns = quoted_list(columns.iter().map(String::as_str));
    Ok(format!("CREATE INDEX {how}{name} ON {} ({columns})", table.sql))
}

/// A name for the index, in PostgreSQL's own manner. An invalid index of that name on this table is what a failed or
/// killed run left behind: it serves nobody, and is dropped.
async fn free_name(
    db: &SchemaManagerConnection<'_>,
    schema: &str,
    table: &Table,
    columns: &[String],
) -> Result<String, DbErr> {
    let stem = format!("{}_{}", table.name, columns.join("_"));
    for number in 0_u32.. {
        let suffix = if number == 0 { "_idx".to_owned() } else { format!("_idx{number}") };
        let room = stem.floor_char_boundary(LONGEST_NAME - suffix.len());
        let name = format!("{}{suffix}", &stem[..room]);
        match holder(db, schema, table, &name).await? {
            Holder::Nobody => return Ok(name),
            Holder::InvalidIndex => {
                let sql = format!("DROP INDEX CONCURRENTLY {}", qualified(schema, &name));
                db.execute_unprepared(&sql).await?;
                return Ok(name);
            }
            Holder::Other => {}
        }
    }
    Err(DbErr::Custom(format!("no name is left for an index of {}", table.name)))
}

enum Holder {
    Nobody,
    InvalidIndex,
    Other,
}

async fn holder(db: &impl ConnectionTrait, schema: &str, table: &Table, name: &str) -> Result<Holder, DbErr> {
    let sql = "SELECT coalesce(NOT i.indisvalid AND c.relkind = 'i' AND i.indrelid = $3::bigint::oid, false) AS invalid \
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid WHERE n.nspname = $1 AND c.relname = $2";
    let found = rows(db, sql, [schema.into(), name.into(), table.oid.into()]).await?;
    Ok(match found.first() {
        None => Holder::Nobody,
        Some(row) if row.try_get("", "invalid")? => Holder::InvalidIndex,
        Some(_) => Holder::Other,
    })
}
