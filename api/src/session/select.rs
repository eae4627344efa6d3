//! Picking sessions by what they are.

use std::collections::HashSet;

use entity::whatsapp_sessions::Column;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::Filter;
use super::read::id;
use crate::catalog::{Columns, SESSIONS};
use crate::db::Database;
use crate::db::page::Parameters;
use crate::error::Error;

/// The sessions that a filter is met by, the least recently updated first, those without any time last, ties broken by id;
/// at most `limit` of them.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn least_recently_updated(
    conn: &impl ConnectionTrait,
    db: &Database,
    filter: &Filter,
    limit: Option<u32>,
) -> Result<Vec<Uuid>, Error> {
    let columns = Columns::now(conn, db, SESSIONS).await?;
    let mut parameters = Parameters::default();
    let conditions = filter.conditions(db.dialect(), &columns, &mut parameters);
    let updated = columns.first_instant(&[Column::UpdatedAt, Column::CreatedAt]);
    let order = updated.map_or_else(String::new, |updated| format!("{updated} NULLS LAST, "));
    let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    let sql = format!(
        "SELECT CAST(c.id AS text) AS id FROM {} c WHERE {} ORDER BY {order}c.id{limit}",
        columns.table(),
        if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") }
    );
    let rows = conn.query_all_raw(db.dialect().statement(sql, parameters.into_values())).await?;
    rows.iter().map(|row| id(&row.try_get::<String>("", "id")?)).collect()
}

/// Those of these sessions that a filter is met by, whatever ids it names itself.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn among(
    conn: &impl ConnectionTrait,
    db: &Database,
    filter: &Filter,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, Error> {
    let filter = Filter { ids: Some(ids.to_vec()), ..filter.clone() };
    Ok(least_recently_updated(conn, db, &filter, None).await?.into_iter().collect())
}
