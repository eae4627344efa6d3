//! The entries of a deletion's archive, each beside its table as it is now.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::catalog::live_table;
use crate::catalog::live_table::Present;
use crate::db::{Database, Dialect};
use crate::deletion::archive::{References, Rows};
use crate::error::Error;

/// What one entry keeps.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// Rows that went.
    Rows(Rows),
    /// References that were cleared.
    References(References),
}

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its number, which its rows carry.
    pub id: i64,
    /// The deletion that it belongs to.
    pub deletion: Uuid,
    /// The table's name as people see it.
    pub display: String,
    /// The table's schema and name then.
    pub name: (String, String),
    /// What it keeps.
    pub kept: Kept,
    /// The table as it is now; none where it is gone.
    pub present: Option<Present>,
}

impl Entry {
    /// What it keeps, where that is rows.
    pub fn rows(&self) -> Option<&Rows> {
        match &self.kept {
            Kept::Rows(rows) => Some(rows),
            Kept::References(_) => None,
        }
    }

    /// A value of the kept row `r`, as SQL.
    pub fn value(dialect: Dialect, place: usize) -> String {
        match dialect {
            Dialect::Postgres => format!("r.\"values\"[{}]", place + 1),
            Dialect::Sqlite => format!("r.v{}", place + 1),
        }
    }

    /// The same as text.
    pub fn text(dialect: Dialect, place: usize) -> String {
        let value = Self::value(dialect, place);
        if dialect == Dialect::Sqlite { shown(&value) } else { value }
    }

    /// The kept rows `r` of this entry: `FROM … WHERE …`.
    pub fn from(&self, dialect: Dialect) -> String {
        format!("FROM {} r WHERE r.table_id = {}", dialect.own_table("archived_rows"), self.id)
    }

    /// The key of the kept row `r`, as text.
    pub fn key_text(&self, dialect: Dialect) -> String {
        let places: Vec<usize> = match &self.kept {
            Kept::Rows(rows) => rows.key.clone(),
            Kept::References(references) => (0..references.key.len()).collect(),
        };
        let texts: Vec<String> = places.into_iter().map(|place| Self::text(dialect, place)).collect();
        if texts.is_empty() { "''".to_owned() } else { texts.join(" || ', ' || ") }
    }
}

/// Any value of SQLite's as text: bytes need not be any, and are written as SQL writes them.
pub(super) fn shown(value: &str) -> String {
    format!("CASE typeof({value}) WHEN 'blob' THEN 'x''' || lower(hex({value})) || '''' ELSE CAST({value} AS text) END")
}

/// Reads the entries of a deletion.
pub(super) async fn of_deletion(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
) -> Result<Vec<Entry>, Error> {
    let condition = format!("t.deletion_id = {}", db.dialect().uuid_parameter(1));
    let rows = read(transaction, db, &condition, [deletion.to_string().into()]).await?;
    let mut entries: Vec<Entry> = rows.iter().map(|row| entry(db, row)).collect::<Result<_, _>>()?;
    let names: Vec<(String, String)> = entries.iter().map(|entry| entry.name.clone()).collect();
    let tables = live_table::read(transaction, db, &names).await?;
    for entry in &mut entries {
        entry.present = tables.iter().find(|table| table.is_called(db.dialect(), &entry.name)).cloned();
        if let (Kept::References(layout), Some(present)) = (&mut entry.kept, &entry.present) {
            layout.keep_to(db.dialect(), present);
        }
    }
    Ok(entries)
}

/// The entries of later deletions that can be restored and have taken rows from this table. Their numbers say which is later:
/// a deletion makes its entries when it has locked its rows, so a clock that was set back cannot turn the order.
pub(super) async fn of_later(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    (schema, name): &(String, String),
) -> Result<Vec<Entry>, Error> {
    let dialect = db.dialect();
    let of_schema = match dialect {
        Dialect::Postgres => "t.table_name = $2 AND t.schema_name = $4",
        Dialect::Sqlite => "t.table_name = $2 COLLATE NOCASE AND 'main' = $4",
    };
    let condition = format!(
        "t.id > (SELECT max(o.id) FROM {} o WHERE o.deletion_id = {}) AND {of_schema} AND t.kind = 'ROWS' \
         AND t.deletion_id IN (SELECT d.id FROM {} d WHERE d.status = 'RESTORABLE' AND d.restorable_until > $3)",
        db.own_table("archived_tables"),
        dialect.uuid_parameter(1),
        db.own_table("deletions")
    );
    let now = dialect.time(db.settings().clock.now());
    let values = [deletion.to_string().into(), name.clone().into(), now, schema.clone().into()];
    let rows = read(transaction, db, &condition, values).await?;
    rows.iter().map(|row| entry(db, row)).collect()
}

async fn read<const N: usize>(
    transaction: &DatabaseTransaction,
    db: &Database,
    condition: &str,
    values: [sea_orm::Value; N],
) -> Result<Vec<QueryResult>, Error> {
    let schema = match db.dialect() {
        Dialect::Postgres => "t.schema_name",
        Dialect::Sqlite => "'main'",
    };
    let sql = format!(
        "SELECT t.id, CAST(t.deletion_id AS text) AS deletion_id, t.kind, {schema} AS schema_name, t.table_name, \
         CAST(t.layout AS text) AS layout FROM {} t WHERE {condition} ORDER BY t.id",
        db.own_table("archived_tables")
    );
    Ok(transaction.query_all_raw(db.dialect().statement(sql, values)).await?)
}

fn entry(db: &Database, row: &QueryResult) -> Result<Entry, Error> {
    let text = |column: &str| row.try_get::<String>("", column);
    let (schema, name) = (text("schema_name")?, text("table_name")?);
    let layout = text("layout")?;
    let deletion = text("deletion_id")?;
    Ok(Entry {
        id: row.try_get("", "id")?,
        deletion: deletion.parse().map_err(|_| unreadable(&deletion))?,
        display: if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") },
        kept: match text("kind")?.as_str() {
            "ROWS" => Kept::Rows(layout_of(&layout)?),
            _ => Kept::References(layout_of(&layout)?),
        },
        name: (schema, name),
        present: None,
    })
}

fn layout_of<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(what: &str) -> Error {
    Error::Unsuitable(format!("An archive cannot be read: {what}."))
}
