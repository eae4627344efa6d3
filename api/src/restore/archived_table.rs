//! The archived tables of a deletion, each with the table as it is now.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::catalog::live_table;
use crate::catalog::live_table::LiveTable;
use crate::db::{Database, Dialect};
use crate::deletion::archive::{References, Rows};
use crate::error::Error;

/// What the archive holds of one table.
#[derive(Debug, Clone)]
pub(super) enum ArchivedData {
    /// Deleted rows.
    Rows(Rows),
    /// Cleared references.
    References(References),
}

/// A row of `archived_tables`: what one deletion archived of one table.
///
/// SQL over the archive calls a row of `archived_rows` `archived`.
#[derive(Debug, Clone)]
pub(super) struct ArchivedTable {
    /// The id, which `archived_rows.table_id` refers to.
    pub id: i64,
    pub deletion_id: Uuid,
    /// The name for messages: `schema.name` outside the business schema.
    pub display: String,
    /// The table's schema and name at the time of the deletion.
    pub name: (String, String),
    pub data: ArchivedData,
    /// The table as it is now; none if it no longer exists.
    pub live: Option<LiveTable>,
}

impl ArchivedTable {
    /// Returns the layout of the archived rows; none where the archive holds references.
    pub fn rows(&self) -> Option<&Rows> {
        match &self.data {
            ArchivedData::Rows(rows) => Some(rows),
            ArchivedData::References(_) => None,
        }
    }

    /// Returns SQL for one value of `archived`.
    pub fn value(dialect: Dialect, position: usize) -> String {
        match dialect {
            Dialect::Postgres => format!("archived.\"values\"[{}]", position + 1),
            Dialect::Sqlite => format!("archived.v{}", position + 1),
        }
    }

    /// Returns SQL for one value of `archived` as text.
    pub fn text(dialect: Dialect, position: usize) -> String {
        let value = Self::value(dialect, position);
        if dialect == Dialect::Sqlite { sqlite_text(&value) } else { value }
    }

    /// Returns `FROM … WHERE …` over this table's archived rows.
    pub fn rows_clause(&self, dialect: Dialect) -> String {
        format!("FROM {} archived WHERE archived.table_id = {}", dialect.own_table("archived_rows"), self.id)
    }

    /// Returns SQL for the key of `archived` as text.
    pub fn key_text(&self, dialect: Dialect) -> String {
        let positions: Vec<usize> = match &self.data {
            ArchivedData::Rows(rows) => rows.key.clone(),
            ArchivedData::References(references) => (0..references.key.len()).collect(),
        };
        let texts: Vec<String> = positions.into_iter().map(|position| Self::text(dialect, position)).collect();
        if texts.is_empty() { "''".to_owned() } else { texts.join(" || ', ' || ") }
    }
}

/// Returns SQL for any value of SQLite as text. A blob need not be valid text, so it is written as an SQL literal.
pub(super) fn sqlite_text(value: &str) -> String {
    format!("CASE typeof({value}) WHEN 'blob' THEN 'x''' || lower(hex({value})) || '''' ELSE CAST({value} AS text) END")
}

/// Loads the archived tables of a deletion with the live tables.
pub(super) async fn load(
    tx: &DatabaseTransaction,
    db: &Database,
    deletion_id: Uuid,
) -> Result<Vec<ArchivedTable>, Error> {
    let condition = format!("archived_table.deletion_id = {}", db.dialect().uuid_parameter(1));
    let rows = query(tx, db, &condition, [deletion_id.to_string().into()]).await?;
    let mut tables: Vec<ArchivedTable> = rows.iter().map(|row| from_row(db, row)).collect::<Result<_, _>>()?;
    let names: Vec<(String, String)> = tables.iter().map(|table| table.name.clone()).collect();
    let live_tables = live_table::read(tx, db, &names).await?;
    for table in &mut tables {
        table.live = live_tables.iter().find(|live| live.has_name(db.dialect(), &table.name)).cloned();
        if let (ArchivedData::References(layout), Some(live)) = (&mut table.data, &table.live) {
            layout.retain_live(db.dialect(), live);
        }
    }
    Ok(tables)
}

/// Loads the archived rows of one table of later deletions that can still be restored; without the live table.
///
/// The ids of `archived_tables` give the order: a deletion inserts them after it has locked its rows, so a clock that
/// was set back cannot reverse it.
pub(super) async fn load_of_later_deletions(
    tx: &DatabaseTransaction,
    db: &Database,
    deletion_id: Uuid,
    (schema, name): &(String, String),
) -> Result<Vec<ArchivedTable>, Error> {
    let dialect = db.dialect();
    let has_name = match dialect {
        Dialect::Postgres => "archived_table.table_name = $2 AND archived_table.schema_name = $4",
        Dialect::Sqlite => "archived_table.table_name = $2 COLLATE NOCASE AND 'main' = $4",
    };
    let condition = format!(
        "archived_table.id > (SELECT max(own.id) FROM {} own WHERE own.deletion_id = {}) AND {has_name} \
         AND archived_table.kind = 'ROWS' AND archived_table.deletion_id IN (\
         SELECT deletion.id FROM {} deletion WHERE deletion.status = 'RESTORABLE' AND deletion.restorable_until > $3)",
        db.own_table("archived_tables"),
        dialect.uuid_parameter(1),
        db.own_table("deletions")
    );
    let now = dialect.time(db.settings().clock.now());
    let values = [deletion_id.to_string().into(), name.clone().into(), now, schema.clone().into()];
    let rows = query(tx, db, &condition, values).await?;
    rows.iter().map(|row| from_row(db, row)).collect()
}

async fn query<const N: usize>(
    tx: &DatabaseTransaction,
    db: &Database,
    condition: &str,
    values: [sea_orm::Value; N],
) -> Result<Vec<QueryResult>, Error> {
    let schema = match db.dialect() {
        Dialect::Postgres => "archived_table.schema_name",
        Dialect::Sqlite => "'main'",
    };
    let sql = format!(
        "SELECT archived_table.id, CAST(archived_table.deletion_id AS text) AS deletion_id, archived_table.kind, \
         {schema} AS schema_name, archived_table.table_name, CAST(archived_table.layout AS text) AS layout \
         FROM {} archived_table WHERE {condition} ORDER BY archived_table.id",
        db.own_table("archived_tables")
    );
    Ok(tx.query_all_raw(db.dialect().statement(sql, values)).await?)
}

fn from_row(db: &Database, row: &QueryResult) -> Result<ArchivedTable, Error> {
    let text = |column: &str| row.try_get::<String>("", column);
    let (schema, name) = (text("schema_name")?, text("table_name")?);
    let layout = text("layout")?;
    let deletion_id = text("deletion_id")?;
    Ok(ArchivedTable {
        id: row.try_get("", "id")?,
        deletion_id: deletion_id.parse().map_err(|_| unreadable(&deletion_id))?,
        display: if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") },
        data: match text("kind")?.as_str() {
            "ROWS" => ArchivedData::Rows(parse_layout(&layout)?),
            _ => ArchivedData::References(parse_layout(&layout)?),
        },
        name: (schema, name),
        live: None,
    })
}

fn parse_layout<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(what: &str) -> Error {
    Error::Unsuitable(format!("An archive cannot be read: {what}."))
}
