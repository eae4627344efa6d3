//! What SQLite tells of its tables.

use sea_orm::{ConnectionTrait, DbErr};

use crate::{
    dialect::rows,
    foreign_key_fix::{Change, Rule},
};

/// A table as the database has it: names may be written in another case than here.
pub(crate) struct Table {
    pub(crate) name: String,
    /// The text that it was created with, as the database keeps it.
    pub(crate) sql: String,
}

pub(crate) async fn table(db: &impl ConnectionTrait, name: &str) -> Result<Option<Table>, DbErr> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name = $1 COLLATE NOCASE";
    let found = rows(db, sql, [name.into()]).await?;
    found.first().map(|row| Ok(Table { name: row.try_get("", "name")?, sql: row.try_get("", "sql")? })).transpose()
}

/// A foreign key as SQLite tells it: everything that must stay, in one text, and its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) parent: String,
    /// Referencing and referenced columns and ON UPDATE, joined; to be compared only.
    pub(super) rest: String,
    pub(super) columns: Vec<String>,
    pub(super) referenced: Option<String>,
    pub(super) on_delete: Rule,
}

impl ForeignKey {
    pub(super) fn is_of(&self, change: &Change) -> bool {
        self.parent.eq_ignore_ascii_case(change.parent)
            && matches!(self.columns.as_slice(), [only] if only.eq_ignore_ascii_case(change.column))
    }
}

/// The foreign keys of a table, first declared first.
pub(super) async fn foreign_keys(db: &impl ConnectionTrait, table: &str) -> Result<Vec<ForeignKey>, DbErr> {
    let sql = "SELECT id, \"table\" AS parent, \"from\" AS source, \"to\" AS target, on_update, on_delete, \"match\" AS how \
               FROM pragma_foreign_key_list($1) ORDER BY id DESC, seq";
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for row in rows(db, sql, [table.into()]).await? {
        let id: i64 = row.try_get("", "id")?;
        let (column, referenced): (String, Option<String>) = (row.try_get("", "source")?, row.try_get("", "target")?);
        let (update, how): (String, String) = (row.try_get("", "on_update")?, row.try_get("", "how")?);
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let parent = row.try_get("", "parent")?;
            let on_delete = Rule::from_catalogue(&row.try_get::<String>("", "on_delete")?);
            let rest = format!("{update} {how} ");
            keys.push((
                id,
                ForeignKey { parent, rest, columns: Vec::new(), referenced: referenced.clone(), on_delete },
            ));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.rest.extend([&column, "/", referenced.as_deref().unwrap_or(""), " "]);
            key.columns.push(column);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// Everything that SQLite tells of a table's columns and indexes, as text to be compared.
pub(super) async fn shape(db: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
    let columns = "SELECT json_array('column', cid, name, type, \"notnull\", dflt_value, pk, hidden) AS line \
                   FROM pragma_table_xinfo($1) ORDER BY cid";
    let indexes = "SELECT json_array('index', l.name, l.\"unique\", l.origin, l.partial, x.seqno, x.cid, x.name, x.\"desc\", \
                          x.coll, x.key) AS line \
                   FROM pragma_index_list($1) l, pragma_index_xinfo(l.name) x ORDER BY l.name, x.seqno";
    let table_kind =
        "SELECT json_array('table', type, ncol, wr, strict) AS line FROM pragma_table_list($1) WHERE schema = 'main'";
    let mut lines = Vec::new();
    for sql in [columns, indexes, table_kind] {
        for row in rows(db, sql, [table.into()]).await? {
            lines.push(row.try_get("", "line")?);
        }
    }
    Ok(lines)
}
