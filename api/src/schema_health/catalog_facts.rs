//! Facts of the catalog that the checks need in addition to the foreign-key graph. Each statement is an `.sql` file.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, QueryResult};

use super::hstore::InaccessibleHstore;
use crate::catalog::ForeignKeyGraph;
use crate::db::Dialect;
use crate::error::Error;

/// A table's schema and name.
pub(super) type TableName = (String, String);

/// Facts of the catalog that the foreign-key graph does not have.
#[derive(Default)]
pub(super) struct CatalogFacts {
    /// The current role; empty on SQLite.
    pub role: String,
    /// The columns of the tables of the graph and of `entity`, by table.
    pub columns: BTreeMap<TableName, BTreeSet<String>>,
    /// The columns that are nullable once their own NOT NULL is dropped: neither a domain nor a primary key forbids
    /// null.
    pub droppable_not_null: BTreeSet<(TableName, String)>,
    /// The tables that the current role owns, by itself or by membership.
    pub owned: BTreeSet<TableName>,
    /// The tables of which the current role may read all rows.
    pub readable: BTreeSet<TableName>,
    /// The schemas that the current role may not use.
    pub closed_schemas: BTreeSet<String>,
    /// The `DEFERRABLE …` clauses of foreign keys that have one, by table and constraint.
    pub deferrable: BTreeMap<(TableName, String), &'static str>,
    /// The schemas of this program's internal tables that the current role may not use.
    pub closed_internal_schemas: BTreeSet<String>,
    /// Tables and privileges that the current role lacks on this program's internal tables.
    pub missing_internal_grants: Vec<(TableName, String)>,
    /// The schema of hstore, if the current role may not use it.
    pub closed_hstore: Option<InaccessibleHstore>,
    /// Tables and other roles that have DELETE on them; none means PUBLIC.
    pub deleters: Vec<(TableName, Option<String>)>,
}

const POSTGRES_COLUMNS: &str = include_str!("postgres_columns.sql");
const POSTGRES_TABLES: &str = include_str!("postgres_tables.sql");
const POSTGRES_DEFERRABLE: &str = include_str!("postgres_deferrable.sql");
const POSTGRES_INTERNAL: &str = include_str!("postgres_internal_grants.sql");
const POSTGRES_DELETERS: &str = include_str!("postgres_deleters.sql");
const SQLITE_COLUMNS: &str = include_str!("sqlite_columns.sql");

/// Loads the facts about the tables of the graph and of `entity`.
pub(super) async fn load(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    schema: &str,
    graph: &ForeignKeyGraph,
) -> Result<CatalogFacts, Error> {
    let mut facts = CatalogFacts::default();
    let tables = tables_json(schema, graph);
    let columns = match dialect {
        Dialect::Postgres => POSTGRES_COLUMNS,
        Dialect::Sqlite => SQLITE_COLUMNS,
    };
    for row in conn.query_all_raw(dialect.statement(columns, [tables.clone().into()])).await? {
        let (table, column) = (table_name(&row)?, row.try_get::<String>("", "column_name")?);
        if row.try_get("", "droppable")? {
            facts.droppable_not_null.insert((table.clone(), column.clone()));
        }
        facts.columns.entry(table).or_default().insert(column);
    }
    if dialect == Dialect::Postgres {
        load_postgres(conn, &tables, graph, &mut facts).await?;
    }
    Ok(facts)
}

/// Loads owners, privileges and other facts that only PostgreSQL has.
async fn load_postgres(
    conn: &impl ConnectionTrait,
    tables: &str,
    graph: &ForeignKeyGraph,
    facts: &mut CatalogFacts,
) -> Result<(), Error> {
    let query = |sql: &'static str, value: Option<&str>| {
        conn.query_all_raw(Dialect::Postgres.statement(sql, value.map(Into::into)))
    };
    for row in query(POSTGRES_TABLES, Some(tables)).await? {
        facts.role = row.try_get("", "role_name")?;
        let table = table_name(&row)?;
        if !row.try_get::<bool>("", "schema_usable")? {
            facts.closed_schemas.insert(table.0.clone());
        }
        if row.try_get("", "readable")? {
            facts.readable.insert(table.clone());
        }
        if row.try_get("", "owned")? {
            facts.owned.insert(table);
        }
    }
    for row in query(POSTGRES_DEFERRABLE, None).await? {
        let clause = if row.try_get("", "deferred")? { "DEFERRABLE INITIALLY DEFERRED" } else { "DEFERRABLE" };
        facts.deferrable.insert((table_name(&row)?, row.try_get("", "constraint_name")?), clause);
    }
    for row in query(POSTGRES_INTERNAL, None).await? {
        let table = table_name(&row)?;
        if !row.try_get::<bool>("", "schema_usable")? {
            facts.closed_internal_schemas.insert(table.0.clone());
        }
        if !row.try_get::<bool>("", "granted")? {
            facts.missing_internal_grants.push((table, row.try_get("", "privilege")?));
        }
    }
    facts.closed_hstore = InaccessibleHstore::find(conn, Dialect::Postgres).await?;
    let host_tables =
        serde_json::json!([name_in_graph(graph, graph.root), [name_in_graph(graph, graph.root).0, "whatsapp_groups"]]);
    for row in query(POSTGRES_DELETERS, Some(&host_tables.to_string())).await? {
        facts.deleters.push((table_name(&row)?, row.try_get("", "role_name")?));
    }
    Ok(())
}

/// Returns the schemas and names of all tables of interest as JSON: `[[schema, name], …]`.
fn tables_json(schema: &str, graph: &ForeignKeyGraph) -> String {
    let mut names: BTreeSet<TableName> = (0..graph.tables.len()).map(|table| name_in_graph(graph, table)).collect();
    names.extend(entity::declared_references().into_iter().map(|reference| (schema.to_owned(), reference.table)));
    serde_json::json!(names).to_string()
}

fn name_in_graph(graph: &ForeignKeyGraph, table: usize) -> TableName {
    (graph.tables[table].schema.clone(), graph.tables[table].name.clone())
}

fn table_name(row: &QueryResult) -> Result<TableName, Error> {
    Ok((row.try_get("", "schema_name")?, row.try_get("", "table_name")?))
}
