//! The foreign-key graph from PostgreSQL's catalog.

use std::collections::HashMap;

use serde::Deserialize;

use super::foreign_key_graph::{Action, Column, ForeignKey, ForeignKeyGraph, Grants, Table, TableId, row_key};

/// Reads the graph as JSON; parameter 1 is the business schema, 2 the table to start from.
pub(super) const SQL: &str = include_str!("postgres.sql");

#[derive(Deserialize)]
struct Document {
    tables: Option<Vec<TableRow>>,
    keys: Vec<KeyRow>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
struct TableRow {
    id: i64,
    schema: String,
    name: String,
    root: bool,
    partitioned: bool,
    row_security: bool,
    select: bool,
    update: bool,
    delete: bool,
    insert: bool,
    primary_key: Vec<String>,
    unique_keys: Vec<Vec<String>>,
    triggers: Vec<String>,
    columns: Vec<ColumnRow>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
struct ColumnRow {
    name: String,
    type_name: String,
    nullable: bool,
    default: Option<String>,
    number: i64,
    generated: bool,
    unstored: bool,
    odd_cast: bool,
    collation: Option<String>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the catalogue's own facts")]
struct KeyRow {
    constraint: String,
    table: i64,
    referenced: i64,
    columns: Vec<String>,
    referenced_columns: Vec<String>,
    set_columns: Option<Vec<String>>,
    on_delete: String,
    on_update: String,
    match_full: bool,
    validated: bool,
    enforced: bool,
    indexed: bool,
    scope: Option<(String, String)>,
    referenced_scope: Option<(String, String)>,
}

/// Parses the JSON of [`SQL`]; none if there is no table to start from.
pub(super) fn parse(document: &str, business_schema: &str) -> Result<Option<ForeignKeyGraph>, serde_json::Error> {
    let Document { tables: Some(rows), keys } = serde_json::from_str(document)? else {
        return Ok(None);
    };
    let ids: HashMap<i64, TableId> = rows.iter().enumerate().map(|(id, row)| (row.id, id)).collect();
    let root = rows.iter().position(|row| row.root).unwrap_or_default();
    let tables = rows.into_iter().map(|row| table(row, business_schema)).collect();
    let foreign_keys = keys.into_iter().filter_map(|row| foreign_key(row, &ids)).collect();
    Ok(Some(ForeignKeyGraph { tables, foreign_keys, root }))
}

fn table(row: TableRow, business_schema: &str) -> Table {
    let display = if row.schema == business_schema { row.name.clone() } else { format!("{}.{}", row.schema, row.name) };
    let row_id = if row.partitioned { vec!["tableoid".to_owned(), "ctid".to_owned()] } else { vec!["ctid".to_owned()] };
    let columns: Vec<Column> = row.columns.into_iter().map(column).collect();
    Table {
        oid: row.id,
        display,
        row_id,
        schema: row.schema,
        name: row.name,
        key: row_key(&columns, &row.primary_key, row.unique_keys),
        columns,
        primary_key: row.primary_key,
        partitioned: row.partitioned,
        has_dangling_key: false,
        row_security: row.row_security,
        grants: Grants { select: row.select, update: row.update, delete: row.delete, insert: row.insert },
        triggers: row.triggers,
    }
}

fn column(row: ColumnRow) -> Column {
    Column {
        name: row.name,
        type_name: row.type_name,
        nullable: row.nullable,
        default: row.default,
        number: row.number,
        generated: row.generated,
        is_virtual: row.unstored,
        has_custom_text_cast: row.odd_cast,
        collation: row.collation,
    }
}

fn foreign_key(row: KeyRow, ids: &HashMap<i64, TableId>) -> Option<ForeignKey> {
    let set_columns = row.set_columns.filter(|columns| !columns.is_empty()).unwrap_or_else(|| row.columns.clone());
    Some(ForeignKey {
        constraint: row.constraint,
        table: *ids.get(&row.table)?,
        columns: row.columns,
        referenced: *ids.get(&row.referenced)?,
        referenced_columns: row.referenced_columns,
        on_delete: action(&row.on_delete),
        on_update: action(&row.on_update),
        set_columns,
        match_full: row.match_full,
        validated: row.validated,
        enforced: row.enforced,
        indexed: row.indexed,
        scope: row.scope,
        referenced_scope: row.referenced_scope,
    })
}

/// Parses `confdeltype` or `confupdtype` (<https://www.postgresql.org/docs/current/catalog-pg-constraint.html>).
fn action(letter: &str) -> Action {
    match letter {
        "c" => Action::Cascade,
        "n" => Action::SetNull,
        "d" => Action::SetDefault,
        "r" => Action::Restrict,
        _ => Action::NoAction,
    }
}
