//! SQLite's catalogue: the statement, and its answer as a graph.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::foreign_key_graph::{Action, Column, ForeignKey, Grants, Graph, Table, row_key};

/// Reads the pragmas of the whole file.
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
    /// Whether only insertions fire it. SQLite keeps the definition from the name on as it was written, and its time and
    /// event come next; whatever is not understood may fire at anything.
    fn is_for_insertions(&self) -> bool {
        let Some(named) = self.sql.strip_prefix("CREATE TRIGGER ") else { return false };
        let close = match named.chars().next() {
            Some('[') => Some(']'),
            Some(quote @ ('"' | '`' | '\'')) => Some(quote),
            _ => None,
        };
        let rest = match close {
            Some(close) => {
                named[1..].replace(&format!("{close}{close}"), "").split_once(close).map(|(_, rest)| rest.to_owned())
            }
            None => named.split_once(char::is_whitespace).map(|(_, rest)| rest.to_owned()),
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

/// One column of one foreign key.
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

/// The graph that the statement's answer describes, from the table `root` on; none where there is no such table.
pub(super) fn parse(document: &str, root: &str) -> Result<Option<Graph>, serde_json::Error> {
    let Document { tables: rows, keys } = serde_json::from_str(document)?;
    // SQLite's names are the same in any case.
    let places: HashMap<String, usize> =
        rows.iter().enumerate().map(|(place, row)| (row.name.to_lowercase(), place)).collect();
    let Some(&root) = places.get(root) else {
        return Ok(None);
    };
    let mut tables: Vec<Table> = rows.iter().map(table).collect();
    let mut grouped: BTreeMap<(usize, i64), Vec<KeyRow>> = BTreeMap::new();
    for key in keys {
        if let Some(&place) = places.get(&key.table.to_lowercase()) {
            grouped.entry((place, key.id)).or_default().push(key);
        }
    }
    let mut foreign_keys: Vec<ForeignKey> = Vec::new();
    for ((place, _), mut parts) in grouped {
        parts.sort_by_key(|part| part.seq);
        let found = parts.first().and_then(|part| places.get(&part.referenced.to_lowercase()));
        match found {
            Some(&referenced) => {
                let key = foreign_key(&parts, place, referenced, &tables, &rows[place].indexes);
                foreign_keys.extend(key);
            }
            None => tables[place].refers_nowhere = true,
        }
    }
    name_apart(&mut foreign_keys);
    Ok(Some(reached(&Graph { tables, foreign_keys, root })))
}

fn table(row: &TableRow) -> Table {
    let mut key: Vec<&ColumnRow> = row.columns.iter().filter(|column| column.pk > 0).collect();
    key.sort_by_key(|column| column.pk);
    let primary_key: Vec<String> = key.iter().map(|column| column.name.clone()).collect();
    let sole = primary_key.len() == 1;
    let columns = row.columns.iter().map(|column| Column {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
        // A primary key takes null, but for these (https://www.sqlite.org/lang_createtable.html#the_primary_key).
        nullable: column.not_null == 0
            && !(column.pk > 0
                && (row.without_rowid != 0
                    || row.strict != 0
                    || (sole && column.type_name.eq_ignore_ascii_case("INTEGER")))),
        default: if column.hidden == 0 { column.default.clone() } else { None },
        // Generated columns are the hidden ones of ordinary tables.
        generated: column.hidden != 0,
        number: 0,
        unstored: column.hidden == 2,
        odd_cast: false,
        collation: None,
    });
    let columns: Vec<Column> = columns.collect();
    // An expression in an index has no name.
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
        refers_nowhere: false,
        row_security: false,
        grants: Grants::default(),
        triggers: row
            .triggers
            .iter()
            .filter(|trigger| !trigger.is_for_insertions())
            .map(|trigger| trigger.name.clone())
            .collect(),
    }
}

/// The rowid under the first of its names that no column has taken, or the primary key.
fn row_id(row: &TableRow, primary_key: &[String]) -> Vec<String> {
    let free = |name: &&str| !row.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let name = ["rowid", "_rowid_", "oid"].into_iter().find(free);
    match name {
        Some(name) if row.without_rowid == 0 => vec![name.to_owned()],
        _ => primary_key.to_vec(),
    }
}

fn foreign_key(
    parts: &[KeyRow],
    place: usize,
    referenced: usize,
    tables: &[Table],
    indexes: &[Vec<Option<String>>],
) -> Option<ForeignKey> {
    let (child, parent) = (&tables[place], &tables[referenced]);
    let columns: Vec<String> = parts.iter().map(|part| proper(child, &part.from)).collect();
    let named: Option<Vec<String>> =
        parts.iter().map(|part| part.to.as_ref().map(|name| proper(parent, name))).collect();
    // Without names, the key refers to the parent's primary key.
    let referenced_columns = named.unwrap_or_else(|| parent.primary_key.clone());
    if referenced_columns.len() != columns.len() {
        return None;
    }
    let first = parts.first()?;
    let leads = |index: &[Option<String>]| {
        index.len() >= columns.len()
            && index[..columns.len()].iter().all(|name| name.as_ref().is_some_and(|name| columns.contains(name)))
    };
    let alias = child.primary_key == columns && child.row_id.len() == 1;
    Some(ForeignKey {
        constraint: format!("{}_{}_fkey", child.name, columns.join("_")),
        table: place,
        referenced,
        referenced_columns,
        on_delete: action(&first.on_delete),
        on_update: action(&first.on_update),
        set_columns: columns.clone(),
        match_full: false,
        validated: true,
        enforced: true,
        indexed: indexes.iter().any(|index| leads(index)) || alias,
        scope: None,
        referenced_scope: None,
        columns,
    })
}

/// The column's name as the table has it, whatever its case in the key.
fn proper(table: &Table, name: &str) -> String {
    let found = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    found.map_or_else(|| name.to_owned(), |column| column.name.clone())
}

/// Keys have no names in SQLite's catalogue: those that would be named alike are numbered, as PostgreSQL does.
fn name_apart(keys: &mut [ForeignKey]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for key in keys {
        let count = seen.entry(key.constraint.clone()).or_default();
        if *count > 0 {
            key.constraint = format!("{}{count}", key.constraint);
        }
        *count += 1;
    }
}

/// Only what can be reached from the root, as PostgreSQL's statement has it.
fn reached(graph: &Graph) -> Graph {
    let mut places = vec![None; graph.tables.len()];
    let mut queue = vec![graph.root];
    let mut kept = Vec::new();
    while let Some(table) = queue.pop() {
        if places[table].is_none() {
            places[table] = Some(kept.len());
            kept.push(table);
            queue.extend(graph.referring_to(table).map(|(_, key)| key.table));
        }
    }
    let foreign_keys = graph.foreign_keys.iter().filter_map(|key| {
        let (table, referenced) = (places[key.table]?, places[key.referenced]?);
        Some(ForeignKey { table, referenced, ..key.clone() })
    });
    Graph {
        foreign_keys: foreign_keys.collect(),
        tables: kept.iter().map(|&table| graph.tables[table].clone()).collect(),
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
