//! Tables and foreign keys, read from SQLite's schema table and pragmas.

use sea_orm::{ConnectionTrait, DbErr};

use crate::{
    foreign_key_fix::{ForeignKeyFix, ReferentialAction},
    query::fetch_rows,
};

/// A table.
pub(crate) struct Table {
    /// The name in the database's spelling. SQLite ignores the case of names.
    pub(crate) name: String,
    /// The CREATE TABLE statement, as the database stores it.
    pub(crate) definition: String,
}

pub(crate) async fn find_table(db: &impl ConnectionTrait, name: &str) -> Result<Option<Table>, DbErr> {
    let sql = "SELECT name, sql AS definition FROM sqlite_schema WHERE type = 'table' AND name = $1 COLLATE NOCASE";
    let rows = fetch_rows(db, sql, [name.into()]).await?;
    rows.first()
        .map(|row| Ok(Table { name: row.try_get("", "name")?, definition: row.try_get("", "definition")? }))
        .transpose()
}

/// A foreign key, as SQLite reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) referenced_table: String,
    pub(super) columns: Vec<String>,
    /// The first referenced column. `None` if the key references the primary key implicitly.
    pub(super) referenced_column: Option<String>,
    pub(super) on_delete: ReferentialAction,
    /// The key's other properties (column pairs, ON UPDATE and MATCH) as text, for comparisons only.
    pub(super) other_properties: String,
}

impl ForeignKey {
    /// Returns whether the key belongs to the reference of the fix.
    pub(super) fn belongs_to(&self, fix: &ForeignKeyFix) -> bool {
        self.referenced_table.eq_ignore_ascii_case(fix.referenced_table)
            && matches!(self.columns.as_slice(), [column] if column.eq_ignore_ascii_case(fix.column))
    }
}

/// Returns the foreign keys of a table, in the order of their declaration.
pub(super) async fn find_foreign_keys(db: &impl ConnectionTrait, table: &str) -> Result<Vec<ForeignKey>, DbErr> {
    let sql = "SELECT id, \"table\" AS referenced_table, \"from\" AS \"column\", \"to\" AS referenced_column, \
                      on_update, on_delete, \"match\" AS match_clause \
               FROM pragma_foreign_key_list($1) ORDER BY id DESC, seq";
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for row in fetch_rows(db, sql, [table.into()]).await? {
        let id: i64 = row.try_get("", "id")?;
        let column: String = row.try_get("", "column")?;
        let referenced_column: Option<String> = row.try_get("", "referenced_column")?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let (on_update, match_clause): (String, String) =
                (row.try_get("", "on_update")?, row.try_get("", "match_clause")?);
            let key = ForeignKey {
                referenced_table: row.try_get("", "referenced_table")?,
                columns: Vec::new(),
                referenced_column: referenced_column.clone(),
                on_delete: ReferentialAction::from_catalog(&row.try_get::<String>("", "on_delete")?),
                other_properties: format!("{on_update} {match_clause} "),
            };
            keys.push((id, key));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.other_properties.extend([&column, "/", referenced_column.as_deref().unwrap_or(""), " "]);
            key.columns.push(column);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// Returns the columns, the indexes and the kind of a table as lines of text for comparisons.
///
/// The lines contain everything that SQLite reports about the table except its foreign keys.
pub(super) async fn describe_table(db: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
    let columns = "SELECT json_array('column', cid, name, type, \"notnull\", dflt_value, pk, hidden) AS line \
                   FROM pragma_table_xinfo($1) ORDER BY cid";
    let indexes = "SELECT json_array('index', list.name, list.\"unique\", list.origin, list.partial, info.seqno, \
                          info.cid, info.name, info.\"desc\", info.coll, info.key) AS line \
                   FROM pragma_index_list($1) list, pragma_index_xinfo(list.name) info ORDER BY list.name, info.seqno";
    let kind =
        "SELECT json_array('table', type, ncol, wr, strict) AS line FROM pragma_table_list($1) WHERE schema = 'main'";
    let mut lines = Vec::new();
    for sql in [columns, indexes, kind] {
        for row in fetch_rows(db, sql, [table.into()]).await? {
            lines.push(row.try_get("", "line")?);
        }
    }
    Ok(lines)
}
