//! What the checks need of the catalogue beyond the graph. Each statement is a file beside this one, one per dialect.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, QueryResult};

use super::hstore::ClosedHstore;
use crate::catalog::Graph;
use crate::db::Dialect;
use crate::error::Error;

/// A table: schema and name.
pub(super) type Name = (String, String);

/// What the catalogue says beside the graph.
#[derive(Default)]
pub(super) struct Facts {
    /// The role that the statements run as; empty on SQLite.
    pub role: String,
    /// The columns of the graph's tables and of the tables that `entity` declares, by table.
    pub columns: BTreeMap<Name, BTreeSet<String>>,
    /// The columns that would take null once their own NOT NULL is dropped: no domain and no primary key stands behind.
    pub droppable_not_null: BTreeSet<(Name, String)>,
    /// Tables that belong to this role, or to one that it is a member of.
    pub owned: BTreeSet<Name>,
    /// Tables whose rows this role may read, all of them.
    pub readable: BTreeSet<Name>,
    /// Schemas that this role may not use.
    pub closed_schemas: BTreeSet<String>,
    /// `DEFERRABLE …` of the foreign keys that have it, by table and constraint.
    pub deferrable: BTreeMap<(Name, String), &'static str>,
    /// The schemas of this program's own tables that this role may not use.
    pub own_closed: BTreeSet<String>,
    /// Privileges that this role lacks on this program's own tables: table, privilege.
    pub own_missing: Vec<(Name, String)>,
    /// The schema of hstore, where this role may not use it.
    pub closed_hstore: Option<ClosedHstore>,
    /// Other roles that hold DELETE on a table: table, role (none is PUBLIC).
    pub deleters: Vec<(Name, Option<String>)>,
}

const POSTGRES_COLUMNS: &str = include_str!("postgres_columns.sql");
const POSTGRES_TABLES: &str = include_str!("postgres_tables.sql");
const POSTGRES_DEFERRABLE: &str = include_str!("postgres_deferrable.sql");
const POSTGRES_OWN: &str = include_str!("postgres_own.sql");
const POSTGRES_DELETERS: &str = include_str!("postgres_deleters.sql");
const SQLITE_COLUMNS: &str = include_str!("sqlite_columns.sql");

/// Reads it.
pub(super) async fn read(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    schema: &str,
    graph: &Graph,
) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let wanted = wanted(schema, graph);
    let columns = match dialect {
        Dialect::Postgres => POSTGRES_COLUMNS,
        Dialect::Sqlite => SQLITE_COLUMNS,
    };
    for row in conn.query_all_raw(dialect.statement(columns, [wanted.clone().into()])).await? {
        let (table, column) = (name(&row)?, row.try_get::<String>("", "column_name")?);
        if row.try_get("", "droppable")? {
            facts.droppable_not_null.insert((table.clone(), column.clone()));
        }
        facts.columns.entry(table).or_default().insert(column);
    }
    if dialect == Dialect::Postgres {
        read_postgres(conn, &wanted, graph, &mut facts).await?;
    }
    Ok(facts)
}

/// Owners, privileges and what else only PostgreSQL has.
async fn read_postgres(
    conn: &impl ConnectionTrait,
    wanted: &str,
    graph: &Graph,
    facts: &mut Facts,
) -> Result<(), Error> {
    let ask = |sql: &'static str, value: Option<&str>| {
        conn.query_all_raw(Dialect::Postgres.statement(sql, value.map(Into::into)))
    };
    for row in ask(POSTGRES_TABLES, Some(wanted)).await? {
        facts.role = row.try_get("", "role_name")?;
        let table = name(&row)?;
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
    for row in ask(POSTGRES_DEFERRABLE, None).await? {
        let clause = if row.try_get("", "deferred")? { "DEFERRABLE INITIALLY DEFERRED" } else { "DEFERRABLE" };
        facts.deferrable.insert((name(&row)?, row.try_get("", "constraint_name")?), clause);
    }
    for row in ask(POSTGRES_OWN, None).await? {
        let table = name(&row)?;
        if !row.try_get::<bool>("", "schema_usable")? {
            facts.own_closed.insert(table.0.clone());
        }
        if !row.try_get::<bool>("", "granted")? {
            facts.own_missing.push((table, row.try_get("", "privilege")?));
        }
    }
    facts.closed_hstore = ClosedHstore::find(conn, Dialect::Postgres).await?;
    let direct =
        serde_json::json!([graph_name(graph, graph.root), [graph_name(graph, graph.root).0, "whatsapp_groups"]]);
    for row in ask(POSTGRES_DELETERS, Some(&direct.to_string())).await? {
        facts.deleters.push((name(&row)?, row.try_get("", "role_name")?));
    }
    Ok(())
}

/// The tables to ask about, as JSON: `[[schema, name], …]`.
fn wanted(schema: &str, graph: &Graph) -> String {
    let mut names: BTreeSet<Name> = (0..graph.tables.len()).map(|table| graph_name(graph, table)).collect();
    names.extend(entity::declared_references().into_iter().map(|reference| (schema.to_owned(), reference.table)));
    serde_json::json!(names).to_string()
}

fn graph_name(graph: &Graph, table: usize) -> Name {
    (graph.tables[table].schema.clone(), graph.tables[table].name.clone())
}

fn name(row: &QueryResult) -> Result<Name, Error> {
    Ok((row.try_get("", "schema_name")?, row.try_get("", "table_name")?))
}
