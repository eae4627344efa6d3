//! Whether kept values fit the columns as they are now: what would be lost is in the way.

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

use crate::catalog::live_table::{Present, PresentColumn};
use crate::db::{Database, Dialect, quote};
use crate::deletion::archive::{KeptColumn, References, Rows};
use crate::deletion::refusals::counted;
use crate::error::Error;
use crate::restore::Conflict;
use crate::restore::archived_table::{Entry, Kept};
use crate::restore::conflict::whole;

/// The columns that kept rows are put into, each with the place of its value. A column that is gone, or that the database
/// works out itself now, is left out; [`lost`] says whether something is lost by that.
pub(in crate::restore) fn inserted(dialect: Dialect, entry: &Entry) -> Vec<(usize, &PresentColumn)> {
    let (Some(rows), Some(present)) = (entry.rows(), &entry.present) else { return Vec::new() };
    let columns = rows.columns.iter().enumerate();
    columns
        .filter_map(|(place, kept)| Some((place, present.column(dialect, &kept.name)?)))
        .filter(|(_, column)| !column.generated)
        .collect()
}

/// What an entry's rows or references would lose.
pub(in crate::restore) async fn lost(
    transaction: &DatabaseTransaction,
    db: &Database,
    entry: &Entry,
) -> Result<Vec<Conflict>, Error> {
    let whole = |message: &str| Ok(vec![whole(&entry.display, message.to_owned())]);
    match &entry.present {
        None => whole("The table is gone. Make it again as it was, then restore again."),
        Some(present) if present.row_security => whole(
            "Row-level security applies to this role, so it may not put rows back. Use a role with BYPASSRLS, or the \
             table's owner.",
        ),
        Some(present) => match &entry.kept {
            Kept::Rows(rows) => lost_of_rows(transaction, db, (entry, present), rows).await,
            Kept::References(references) => lost_of_references(transaction, db, (entry, present), references).await,
        },
    }
}

async fn lost_of_rows(
    transaction: &DatabaseTransaction,
    db: &Database,
    (entry, present): (&Entry, &Present),
    rows: &Rows,
) -> Result<Vec<Conflict>, Error> {
    if !present.insertable {
        let message = format!("This role may not put rows back into {}. Grant it INSERT.", entry.display);
        return Ok(vec![whole(&entry.display, message)]);
    }
    let mut conflicts = Vec::new();
    for (place, kept) in rows.columns.iter().enumerate() {
        let now = present.column(db.dialect(), &kept.name);
        // What the database worked out, it can work out again, or nobody wants it any more.
        if kept.generated && now.is_none_or(|now| now.generated) {
            continue;
        }
        let Some((count, what)) = hindered(transaction, db, entry, place, (kept, now)).await? else { continue };
        let rows = several(count);
        let message = format!("The column {} {what}, or {rows} would lose what they have in it.", kept.name);
        conflicts.push(whole(&entry.display, message));
    }
    Ok(conflicts)
}

/// Of a cleared column what stood there and what it was left with are needed.
async fn lost_of_references(
    transaction: &DatabaseTransaction,
    db: &Database,
    (entry, present): (&Entry, &Present),
    references: &References,
) -> Result<Vec<Conflict>, Error> {
    let key = references.key.iter().enumerate().map(|(place, kept)| (vec![place], kept));
    let cleared = references.cleared.iter().enumerate();
    let cleared = cleared.map(|(place, kept)| (vec![references.before(place), references.after(place)], kept));
    let mut conflicts = Vec::new();
    for (places, kept) in key.chain(cleared) {
        let now = present.column(db.dialect(), &kept.name);
        for place in places {
            let Some((count, what)) = hindered(transaction, db, entry, place, (kept, now)).await? else { continue };
            let rows = several(count);
            let message = format!("The column {} {what}, or references of {rows} could not be set again.", kept.name);
            conflicts.push(whole(&entry.display, message));
            break;
        }
    }
    Ok(conflicts)
}

/// How many values have no place in their column as it is now, and why; none where all have. -1 for an unknown number.
async fn hindered(
    transaction: &DatabaseTransaction,
    db: &Database,
    entry: &Entry,
    place: usize,
    (kept, now): (&KeptColumn, Option<&PresentColumn>),
) -> Result<Option<(i64, String)>, Error> {
    let (count, what) = match now {
        _ if let Some(name) = entry.present.as_ref().and_then(|present| renamed(present, kept)) => {
            (filled(transaction, db, entry, place).await?, format!("is called {name} now; rename it back"))
        }
        None => (filled(transaction, db, entry, place).await?, "is gone; add it back".to_owned()),
        Some(now) if now.generated => (
            filled(transaction, db, entry, place).await?,
            "is worked out by the database now; make it an ordinary column".to_owned(),
        ),
        Some(now) if now.type_name == kept.type_name => return Ok(None),
        Some(now) => {
            let change = format!("was {} and is {} now; change it back", kept.type_name, now.type_name);
            let count = match (has_zone(&kept.type_name), has_zone(&now.type_name)) {
                // Which zone was meant, nobody knows: whoever changed the type has told the database, and not the archive.
                (Some(then), Some(now)) if then != now && db.dialect() == Dialect::Postgres => {
                    filled(transaction, db, entry, place).await?
                }
                _ => changed(transaction, db, entry, place, (kept, now)).await?,
            };
            (count, change)
        }
    };
    Ok((count != 0).then_some((count, what)))
}

/// What a column is called now, if it was renamed: another one may have its name.
fn renamed<'a>(present: &'a Present, kept: &KeptColumn) -> Option<&'a str> {
    let (table, number) = kept.number;
    let known = number != 0 && table == present.oid;
    let column = present.columns.iter().find(|column| known && column.number == number)?;
    (column.name != kept.name).then_some(column.name.as_str())
}

fn several(count: i64) -> String {
    if count > 0 { counted(count, "row", "rows") } else { "some rows".to_owned() }
}

/// Whether values of a type of PostgreSQL's, or of its arrays and ranges, are moments everywhere; none where they are no
/// times.
fn has_zone(type_name: &str) -> Option<bool> {
    if type_name.contains(" with time zone") || type_name.starts_with("tstz") {
        Some(true)
    } else if ["date", "tsrange", "tsmultirange"].iter().any(|name| type_name.starts_with(name))
        || type_name.contains(" without time zone")
    {
        Some(false)
    } else {
        None
    }
}

/// The columns that do not take a value any more that was kept of them: an enum has lost the word, a domain has a new check
/// (PostgreSQL).
pub(in crate::restore) async fn refused(
    transaction: &DatabaseTransaction,
    db: &Database,
    entry: &Entry,
) -> Result<Vec<Conflict>, Error> {
    let dialect = db.dialect();
    let mut conflicts = Vec::new();
    if dialect == Dialect::Sqlite || entry.rows().is_none() {
        return Ok(conflicts);
    }
    let columns = inserted(dialect, entry);
    let value = |(place, now): &(usize, &PresentColumn)| {
        format!("CAST({} AS {})", Entry::value(dialect, *place), now.type_name)
    };
    // All of them at once first: mostly another thing is in the way.
    let all: Vec<String> = columns.iter().map(value).collect();
    if unread(transaction, entry, &format!("ROW({})", all.join(", "))).await?.is_none() {
        return Ok(conflicts);
    }
    for column in columns {
        let Some(said) = unread(transaction, entry, &value(&column)).await? else { continue };
        let (_, now) = column;
        let (name, of_type) = (&now.name, &now.type_name);
        let message = format!(
            "A kept value does not fit its column any more: {said}. Change {name}, or its type {of_type}, so that it takes \
             what it took, then restore again."
        );
        conflicts.push(whole(&entry.display, message));
    }
    Ok(conflicts)
}

/// What the database says where it cannot read an expression over the kept rows.
async fn unread(transaction: &DatabaseTransaction, entry: &Entry, value: &str) -> Result<Option<String>, Error> {
    let sql = format!("SELECT count({value}) AS n {}", entry.from(Dialect::Postgres));
    let savepoint = transaction.begin().await?;
    let read = count(&savepoint, Dialect::Postgres, sql).await;
    savepoint.rollback().await?;
    match read {
        Ok(_) => Ok(None),
        Err(Error::Refused(said)) => Ok(Some(said.message)),
        Err(error) if error.is_of_value() => Ok(Some(error.said())),
        Err(error) => Err(error),
    }
}

/// How many rows have something in a column.
async fn filled(transaction: &DatabaseTransaction, db: &Database, entry: &Entry, place: usize) -> Result<i64, Error> {
    let dialect = db.dialect();
    let sql = format!("SELECT count(*) AS n {} AND {} IS NOT NULL", entry.from(dialect), Entry::value(dialect, place));
    count(transaction, dialect, sql).await
}

/// How many rows would not have the same in a column whose type has changed; -1 where there are some that do not fit at
/// all.
async fn changed(
    transaction: &DatabaseTransaction,
    db: &Database,
    entry: &Entry,
    place: usize,
    (kept, now): (&KeptColumn, &PresentColumn),
) -> Result<i64, Error> {
    let savepoint = transaction.begin().await?;
    let changed = match db.dialect() {
        Dialect::Postgres => changed_on_postgres(&savepoint, entry, place, (kept, now)).await,
        Dialect::Sqlite => changed_on_sqlite(&savepoint, entry, place, now).await,
    };
    savepoint.rollback().await?;
    match changed {
        Err(error) if error.is_of_value() || matches!(error, Error::Refused(_)) => Ok(-1),
        other => other,
    }
}

/// There and back again: what the old type reads of what the new one writes; a cast to text might lose something. Types are as the catalogue writes them,
/// which quotes them.
async fn changed_on_postgres(
    savepoint: &DatabaseTransaction,
    entry: &Entry,
    place: usize,
    (kept, now): (&KeptColumn, &PresentColumn),
) -> Result<i64, Error> {
    let (value, old, new) = (Entry::value(Dialect::Postgres, place), &kept.type_name, &now.type_name);
    let known = "SELECT CASE WHEN to_regtype($1) IS NULL THEN 0 ELSE 1 END::bigint AS n";
    let row = savepoint.query_one_raw(Dialect::Postgres.statement(known, [old.clone().into()])).await?;
    let known = row.map(|row| row.try_get::<i64>("", "n")).transpose()? == Some(1);
    let differs = if known {
        format!("concat(CAST(concat(CAST({value} AS {new})) AS {old})) <> concat(CAST({value} AS {old}))")
    } else {
        format!("concat(CAST({value} AS {new})) <> {value}")
    };
    let sql = format!("SELECT count(*) AS n {} AND {differs}", entry.from(Dialect::Postgres));
    count(savepoint, Dialect::Postgres, sql).await
}

/// What a column of the new type makes of the values.
async fn changed_on_sqlite(
    savepoint: &DatabaseTransaction,
    entry: &Entry,
    place: usize,
    now: &PresentColumn,
) -> Result<i64, Error> {
    let value = Entry::value(Dialect::Sqlite, place);
    // A type may be any words; as an identifier it is one.
    let of_type = if now.type_name.is_empty() { String::new() } else { quote(&now.type_name) };
    savepoint.execute_unprepared("DROP TABLE IF EXISTS temp.session_admin_fit").await?;
    savepoint
        .execute_unprepared(&format!("CREATE TEMP TABLE session_admin_fit (n integer PRIMARY KEY, v {of_type})"))
        .await?;
    let fill = format!("INSERT INTO temp.session_admin_fit SELECT r.rowid, {value} {}", entry.from(Dialect::Sqlite));
    savepoint.execute_unprepared(&fill).await?;
    // A plus sign takes the column's type from the comparison.
    let sql = format!(
        "SELECT count(*) AS n FROM {} r JOIN temp.session_admin_fit f ON f.n = r.rowid WHERE NOT (+f.v IS +{value})",
        Dialect::Sqlite.own_table("archived_rows")
    );
    count(savepoint, Dialect::Sqlite, sql).await
}

async fn count(transaction: &DatabaseTransaction, dialect: Dialect, sql: String) -> Result<i64, Error> {
    let row = transaction.query_one_raw(dialect.statement(sql, [])).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}
