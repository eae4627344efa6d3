//! Whether a database is new, or a deployment's that is to be adopted.

use sea_orm::{ConnectionTrait, DbErr};

use crate::{
    Error,
    dialect::{Dialect, rows},
    postgres, sqlite,
};

/// The business tables, each after those that it references.
pub(crate) const TABLES: [&str; 13] = [
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

/// Without these no session can be found and deleted. Any other table or column may be missing from an adopted database.
const NEEDED: [(&str, &[&str]); 2] =
    [("whatsapp_sessions", &["id", "status", "phone_number"]), ("whatsapp_groups", &["id", "session_id"])];

/// What a database is before the first migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// None of the business tables is there: all of them are to be created.
    New,
    /// A deployment's database: none of them is to be created.
    Adopted,
}

/// Finds out which it is. A database that has some business tables but not the needed ones is neither, and an error.
pub(crate) async fn inspect(db: &impl ConnectionTrait, schema: &str) -> Result<State, Error> {
    let dialect = Dialect::of(db)?;
    if dialect == Dialect::Postgres && !postgres::has_schema(db, schema).await? {
        return Err(Error::MissingSchema { schema: schema.to_owned() });
    }
    let mut any = false;
    for table in TABLES {
        any |= columns(db, dialect, schema, table).await?.is_some();
    }
    if !any {
        return Ok(State::New);
    }
    for (table, needed) in NEEDED {
        let Some(found) = columns(db, dialect, schema, table).await? else {
            return Err(Error::MissingTable { table: table.to_owned() });
        };
        if let Some(column) = needed.iter().find(|c| !found.iter().any(|f| f == *c)) {
            return Err(Error::MissingColumn { table: table.to_owned(), column: (*column).to_owned() });
        }
    }
    Ok(State::Adopted)
}

/// The names of a table's columns; none if there is no such table.
async fn columns(
    db: &impl ConnectionTrait,
    dialect: Dialect,
    schema: &str,
    table: &str,
) -> Result<Option<Vec<String>>, DbErr> {
    match dialect {
        Dialect::Postgres => match postgres::table(db, schema, table).await? {
            Some(table) => {
                let sql = "SELECT attname::text AS name FROM pg_catalog.pg_attribute \
                           WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped";
                let found = rows(db, sql, [table.oid.into()]).await?;
                found.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>().map(Some)
            }
            None => Ok(None),
        },
        Dialect::Sqlite => match sqlite::table(db, table).await? {
            Some(table) => {
                let sql = "SELECT lower(name) AS name FROM pragma_table_xinfo($1)";
                let found = rows(db, sql, [table.name.into()]).await?;
                found.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>().map(Some)
            }
            None => Ok(None),
        },
    }
}
