//! The foreign-key graph from SQLite's catalog.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::foreign_key_graph::{Action, Column, ForeignKey, ForeignKeyGraph, Grants, Table, TableId, row_key};

/// Reads all tables and foreign keys of the file as JSON.
pub(super) const SQL: &str = include_str!("sqlite.sql");

#[derive(Deserialize)]
struct Document {
    tables: Vec<TableRow>,
    keys: Vec<KeyRow>,
}

#[derive(Deserialize)]
struct TableRow {
    name: String,
    without_rowid: i64,
    strict: i64,
    triggers: Vec<TriggerRow>,
    columns: Vec<ColumnRow>,
    indexes: Vec<Vec<Option<String>>>,
    unique_keys: Vec<Vec<Option<String>>>,
}

#[derive(Deserialize)]
struct TriggerRow {
    name: String,
    sql: String,
}

impl TriggerRow {
    /// Returns whether only INSERT fires the trigger; false if the definition cannot be parsed.
    ///
    /// SQLite stores the definition as `CREATE TRIGGER`, followed by the name and the rest as they were written. The
    /// time and the event follow the name.
    fn is_insert_only(&self) -> bool {
        let Some(definition) = self.sql.strip_prefix("CREATE TRIGGER ") else { return false };
        let closing_quote = match definition.chars().next() {
            Some('[') => Some(']'),
            Some(quote @ ('"' | '`' | '\'')) => Some(quote),
            _ => None,
        };
        let rest = match closing_quote {
            Some(close) => definition[1..]
                .replace(&format!("{close}{close}"), "")
                .split_once(close)
                .map(|(_, rest)| rest.to_owned()),
            None => definition.split_once(char::is_whitespace).map(|(_, rest)| rest.to_owned()),
        };
        let rest = rest.unwrap_or_default().to_ascii_uppercase();
        rest.split_whitespace().find(|word| !["BEFORE", "AFTER"].contains(word)) == Some("INSERT")
    }
}

#[derive(Deserialize)]
struct ColumnRow {
    name: String,
    type_name: String,
    not_null: i64,
    default: Option<String>,
    pk: i64,
    hidden: i64,
}

/// One column of a foreign key.
#[derive(Deserialize)]
struct KeyRow {
    table: String,
    id: i64,
    seq: i64,
    referenced: String,
    from: String,
    to: Option<String>,
    on_update: String,
    on_delete: String,
}

/// Parses the JSON of [`SQL`] and returns the graph from the table `root`; none if there is no such table.
pub(super) fn parse(document: &str, root: &str) -> Result<Option<ForeignKeyGraph>, serde_json::Error> {
    let Document { tables: rows, keys } = serde_json::from_str(document)?;
    // SQLite ignores the case of names.
    let ids: HashMap<String, TableId> =
        rows.iter().enumerate().map(|(id, row)| (row.name.to_lowercase(), id)).collect();
    let Some(&root) = ids.get(root) else {
        return Ok(None);
    };
    let mut tables: Vec<Table> = rows.iter().map(table).collect();
    let mut grouped: BTreeMap<(TableId, i64), Vec<KeyRow>> = BTreeMap::new();
    for key in keys {
        if let Some(&table) = ids.get(&key.table.to_lowercase()) {
            grouped.entry((table, key.id)).or_default().push(key);
        }
    }
    let mut foreign_keys: Vec<ForeignKey> = Vec::new();
    for ((table, _), mut parts) in grouped {
        parts.sort_by_key(|part| part.seq);
        let referenced = parts.first().and_then(|part| ids.get(&part.referenced.to_lowercase()));
        match referenced {
            Some(&referenced) => {
                let key = foreign_key(&parts, table, referenced, &tables, &rows[table].indexes);
                foreign_keys.extend(key);
            }
            None => tables[table].has_dangling_key = true,
        }
    }
    distinguish_names(&mut foreign_keys);
    Ok(Some(reachable(&ForeignKeyGraph { tables, foreign_keys, root })))
}

fn table(row: &TableRow) -> Table {
    let mut key: Vec<&ColumnRow> = row.columns.iter().filter(|column| column.pk > 0).collect();
    key.sort_by_key(|column| column.pk);
    let primary_key: Vec<String> = key.iter().map(|column| column.name.clone()).collect();
    let is_single_column = primary_key.len() == 1;
    let columns = row.columns.iter().map(|column| Column {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
        // A primary key may be null, except in these cases
        // (https://www.sqlite.org/lang_createtable.html#the_primary_key).
        nullable: column.not_null == 0
            && !(column.pk > 0
                && (row.without_rowid != 0
                    || row.strict != 0
                    || (is_single_column && column.type_name.eq_ignore_ascii_case("INTEGER")))),
        default: if column.hidden == 0 { column.default.clone() } else { None },
        // Generated columns are the hidden ones of ordinary tables.
        generated: column.hidden != 0,
        number: 0,
        is_virtual: column.hidden == 2,
        has_custom_text_cast: false,
        collation: None,
    });
    let columns: Vec<Column> = columns.collect();
    // An expression in an index has no name, so the key is left out.
    let unique = row.unique_keys.iter().filter_map(|key| key.iter().cloned().collect());
    Table {
        oid: 0,
        schema: "main".to_owned(),
        name: row.name.clone(),
        display: row.name.clone(),
        key: row_key(&columns, &primary_key, unique.collect()),
        columns,
        row_id: row_id(row, &primary_key),
        primary_key,
        partitioned: false,
        has_dangling_key: false,
        row_security: false,
        grants: Grants::default(),
        triggers: row
            .triggers
            .iter()
            .filter(|trigger| !trigger.is_insert_only())
            .map(|trigger| trigger.name.clone())
            .collect(),
    }
}

/// Returns the rowid by the first of its names that no column has, or the primary key.
fn row_id(row: &TableRow, primary_key: &[String]) -> Vec<String> {
    let is_unused = |name: &&str| !row.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let name = ["rowid", "_rowid_", "oid"].into_iter().find(is_unused);
    match name {
        Some(name) if row.without_rowid == 0 => vec![name.to_owned()],
        _ => primary_key.to_vec(),
    }
}

fn foreign_key(
    parts: &[KeyRow],
    table: TableId,
    referenced: TableId,
    tables: &[Table],
    indexes: &[Vec<Option<String>>],
) -> Option<ForeignKey> {
    let (child, parent) = (&tables[table], &tables[referenced]);
    let columns: Vec<String> = parts.iter().map(|part| actual_name(child, &part.from)).collect();
    let named: Option<Vec<String>> =
        parts.iter().map(|part| part.to.as_ref().map(|name| actual_name(parent, name))).collect();
    // A foreign key without column names refers to the parent's primary key.
    let referenced_columns = named.unwrap_or_else(|| parent.primary_key.clone());
    if referenced_columns.len() != columns.len() {
        return None;
    }
    let first = parts.first()?;
    let leads = |index: &[Option<String>]| {
        index.len() >= columns.len()
            && index[..columns.len()].iter().all(|name| name.as_ref().is_some_and(|name| columns.contains(name)))
    };
    let is_rowid = child.primary_key == columns && child.row_id.len() == 1;
    Some(ForeignKey {
        constraint: format!("{}_{}_fkey", child.name, columns.join("_")),
        table,
        referenced,
        referenced_columns,
        on_delete: action(&first.on_delete),
        on_update: action(&first.on_update),
        set_columns: columns.clone(),
        match_full: false,
        validated: true,
        enforced: true,
        indexed: indexes.iter().any(|index| leads(index)) || is_rowid,
        scope: None,
        referenced_scope: None,
        columns,
    })
}

/// Returns a column's name in the case of the table's definition.
fn actual_name(table: &Table, name: &str) -> String {
    let found = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    found.map_or_else(|| name.to_owned(), |column| column.name.clone())
}

/// Numbers foreign keys that would have the same name, as PostgreSQL does: they have no names in SQLite's catalog.
fn distinguish_names(keys: &mut [ForeignKey]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for key in keys {
        let count = counts.entry(key.constraint.clone()).or_default();
        if *count > 0 {
            key.constraint = format!("{}{count}", key.constraint);
        }
        *count += 1;
    }
}

/// Returns the part of a graph that is reachable from its root, which is what PostgreSQL's statement returns.
fn reachable(graph: &ForeignKeyGraph) -> ForeignKeyGraph {
    let mut new_ids = vec![None; graph.tables.len()];
    let mut queue = vec![graph.root];
    let mut reached = Vec::new();
    while let Some(table) = queue.pop() {
        if new_ids[table].is_none() {
            new_ids[table] = Some(reached.len());
            reached.push(table);
            queue.extend(graph.referring_to(table).map(|(_, key)| key.table));
        }
    }
    let foreign_keys = graph.foreign_keys.iter().filter_map(|key| {
        let (table, referenced) = (new_ids[key.table]?, new_ids[key.referenced]?);
        Some(ForeignKey { table, referenced, ..key.clone() })
    });
    ForeignKeyGraph {
        foreign_keys: foreign_keys.collect(),
        tables: reached.iter().map(|&table| graph.tables[table].clone()).collect(),
        root: 0,
    }
}

fn action(name: &str) -> Action {
    match name {
        "CASCADE" => Action::Cascade,
        "SET NULL" => Action::SetNull,
        "SET DEFAULT" => Action::SetDefault,
        "RESTRICT" => Action::Restrict,
        _ => Action::NoAction,
    }
}
