//! The detection of an existing deployment, whose database is adopted.

use sea_orm::{ConnectionTrait, DbErr};

use crate::{dialect::Dialect, error::Error, postgres, query::fetch_rows, sqlite};

/// The business tables. A table comes after the tables that it references.
pub(crate) const BUSINESS_TABLES: [&str; 13] = [
    "whatsapp_sessions",
    "whatsapp_groups",
    "whatsapp_group_admins",
    "notification_campaigns",
    "notification_campaign_groups",
    "webinars",
    "webinar_whatsapp_groups",
    "scheduled_webinar_messages",
    "scheduled_whatsapp_messages",
    "workshops",
    "workshop_whatsapp_groups",
    "workshop_group_members",
    "dynamic_links",
];

/// The tables and columns that are needed to find and delete a session. An adopted database may lack any other.
const REQUIRED_COLUMNS: [(&str, &[&str]); 2] =
    [("whatsapp_sessions", &["id", "status", "phone_number"]), ("whatsapp_groups", &["id", "session_id"])];

/// Whether a database had business tables before the first migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DatabaseKind {
    /// The database has no business table. The migrations create all of them.
    New,
    /// The database has business tables. The migrations create none.
    Adopted,
}

/// Determines the kind of a database, and checks that an adopted one has the required tables and columns.
///
/// # Errors
///
/// Returns [`Error::MissingSchema`], [`Error::MissingTable`] or [`Error::MissingColumn`] if the database can be neither
/// filled nor adopted.
pub(crate) async fn detect_kind(db: &impl ConnectionTrait, schema: &str) -> Result<DatabaseKind, Error> {
    let dialect = Dialect::from_connection(db)?;
    if dialect == Dialect::Postgres && !postgres::has_schema(db, schema).await? {
        return Err(Error::MissingSchema { schema: schema.to_owned() });
    }
    let mut has_business_table = false;
    for table in BUSINESS_TABLES {
        has_business_table |= find_columns(db, dialect, schema, table).await?.is_some();
    }
    if !has_business_table {
        return Ok(DatabaseKind::New);
    }
    for (table, required) in REQUIRED_COLUMNS {
        let Some(columns) = find_columns(db, dialect, schema, table).await? else {
            return Err(Error::MissingTable { table: table.to_owned() });
        };
        if let Some(column) = required.iter().find(|required| !columns.iter().any(|column| column == *required)) {
            return Err(Error::MissingColumn { table: table.to_owned(), column: (*column).to_owned() });
        }
    }
    Ok(DatabaseKind::Adopted)
}

/// Returns the names of a table's columns, or `None` if there is no such table.
async fn find_columns(
    db: &impl ConnectionTrait,
    dialect: Dialect,
    schema: &str,
    table: &str,
) -> Result<Option<Vec<String>>, DbErr> {
    let rows = match dialect {
        Dialect::Postgres => {
            let Some(table) = postgres::find_table(db, schema, table).await? else {
                return Ok(None);
            };
            let sql = "SELECT attname::text AS name FROM pg_catalog.pg_attribute \
                       WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped";
            fetch_rows(db, sql, [table.oid.into()]).await?
        }
        Dialect::Sqlite => {
            let Some(table) = sqlite::find_table(db, table).await? else {
                return Ok(None);
            };
            let sql = "SELECT lower(name) AS name FROM pragma_table_xinfo($1)";
            fetch_rows(db, sql, [table.name.into()]).await?
        }
    };
    rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>().map(Some)
}
