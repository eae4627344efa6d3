//! Counts of the rows that refer to groups, in every table with a foreign key to the table of groups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::queries::parse_id;
use crate::catalog::{self, Action, ForeignKey, ForeignKeyGraph, GROUPS};
use crate::db::{Database, Dialect, quote};
use crate::error::Error;

/// The number of rows of one table that refer to one group through the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceCount {
    /// The name of the referring table; outside of the business schema, `schema.name`.
    pub table: String,
    /// The referring column; for a composite key, all of them, separated by commas.
    pub column: String,
    /// The foreign key's ON DELETE rule.
    pub on_delete: Action,
    /// The number of rows.
    pub rows: i64,
}

/// Counts the rows that refer to each of these groups, by table and column. Groups without references are omitted.
///
/// Two statements are executed for any number of groups: one reads the catalog, the other one counts.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] if a referring table may hide rows from this role, since the count could be wrong;
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_references(db: &Database, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<ReferenceCount>>, Error> {
    let dialect = db.dialect();
    let graph = catalog::load_graph_from(db.pool(), dialect, db.schema(), GROUPS).await?;
    let references = GroupReferences::from_graph(&graph);
    if let Some(message) = references.hidden_rows() {
        return Err(Error::IncompatibleDatabase(message));
    }
    let mut found: HashMap<Uuid, Vec<ReferenceCount>> = HashMap::new();
    let Some(sql) = references.counts_sql(dialect) else { return Ok(found) };
    let ids = serde_json::to_string(ids).unwrap_or_default();
    let mut counts: BTreeMap<(usize, String), i64> = BTreeMap::new();
    for row in db.pool().query_all_raw(dialect.statement(sql, [ids.into()])).await? {
        let number = usize::try_from(row.try_get::<i32>("", "reference_number")?).unwrap_or_default();
        *counts.entry((number, row.try_get("", "group_id")?)).or_default() += row.try_get::<i64>("", "row_count")?;
    }
    for ((number, id), rows) in counts {
        let reference = references.reference(number, rows);
        found.entry(parse_id(&id)?).or_default().push(reference);
    }
    Ok(found)
}

/// The foreign keys that refer to groups.
struct GroupReferences<'a> {
    graph: &'a ForeignKeyGraph,
    /// Lists of keys that are counted together, because their table, columns and ON DELETE rule are the same. A list
    /// has more than one key if partitions have their own keys.
    keys: Vec<Vec<&'a ForeignKey>>,
}

impl<'a> GroupReferences<'a> {
    fn from_graph(graph: &'a ForeignKeyGraph) -> Self {
        let mut all: Vec<&ForeignKey> = graph.referring_to(graph.root).map(|(_, key)| key).collect();
        // Keys of whole tables come first: they make the same key of a partition redundant.
        all.sort_by_key(|key| {
            let partial = (key.scope.is_some(), key.referenced_scope.is_some());
            (&graph.tables[key.table].display, &key.columns, key.on_delete, partial)
        });
        let mut keys: Vec<Vec<&ForeignKey>> = Vec::new();
        for key in all {
            match keys.iter_mut().find(|same| is_same_reference(same[0], key)) {
                Some(same) if same.iter().any(|other| covers(other, key)) => {}
                Some(same) => same.push(key),
                None => keys.push(vec![key]),
            }
        }
        Self { graph, keys }
    }

    /// Returns the reason for which some rows cannot be counted, or `None` if all rows can be counted.
    fn hidden_rows(&self) -> Option<String> {
        let tables = [self.graph.root].into_iter().chain(self.keys.iter().map(|keys| keys[0].table));
        tables.into_iter().find_map(|table| self.graph.tables[table].hidden_rows_message("what refers to a group"))
    }

    fn reference(&self, number: usize, rows: i64) -> ReferenceCount {
        let key = self.keys[number][0];
        ReferenceCount {
            table: self.graph.tables[key.table].display.clone(),
            column: key.columns.join(", "),
            on_delete: key.on_delete,
            rows,
        }
    }

    /// Returns the statement that counts the referring rows, or `None` if no foreign key refers to groups.
    ///
    /// The result has one row per group and foreign key. Parameter 1 is a JSON array of group ids.
    fn counts_sql(&self, dialect: Dialect) -> Option<String> {
        let counts: Vec<String> = self
            .keys
            .iter()
            .enumerate()
            .flat_map(|(number, keys)| keys.iter().map(move |key| (number, *key)))
            .map(|(number, key)| self.count_sql(dialect, number, key))
            .collect();
        if counts.is_empty() {
            return None;
        }
        Some(format!("WITH {}\n{}", self.groups_sql(dialect), counts.join("\nUNION ALL\n")))
    }

    /// Returns the common table expression `parent` with the groups and their referenced columns. It is materialized,
    /// so that the planner expects few groups and uses the indexes of the referring tables.
    fn groups_sql(&self, dialect: Dialect) -> String {
        let groups = &self.graph.tables[self.graph.root];
        let id = match (dialect, groups.column("id")) {
            (Dialect::Postgres, Some(id)) => format!("CAST(wanted.value AS {})", id.type_name),
            _ => "wanted.value".to_owned(),
        };
        let columns = self.referenced_columns().into_iter().enumerate();
        let columns: String =
            columns.map(|(number, name)| format!(", chat_group.{} AS key_{number}", quote(name))).collect();
        let tableoid = if groups.partitioned { ", chat_group.tableoid AS partition_oid" } else { "" };
        format!(
            "parent AS MATERIALIZED (SELECT CAST(chat_group.id AS text) AS group_id{tableoid}{columns} FROM {} chat_group \
             WHERE chat_group.id IN (SELECT {id} FROM {} wanted))",
            groups.relation(dialect),
            dialect.json_elements("$1"),
        )
    }

    fn referenced_columns(&self) -> Vec<&String> {
        let columns: BTreeSet<&String> = self.keys.iter().flatten().flat_map(|key| &key.referenced_columns).collect();
        columns.into_iter().collect()
    }

    fn count_sql(&self, dialect: Dialect, number: usize, key: &ForeignKey) -> String {
        let referenced = self.referenced_columns();
        let key_number = |to: &String| referenced.iter().position(|name| *name == to).unwrap_or_default();
        let pairs = key.columns.iter().zip(&key.referenced_columns);
        let on = pairs.map(|(column, to)| {
            let collation = key.collation(self.graph, column, to);
            format!("parent.key_{} = child.{}{collation}", key_number(to), quote(column))
        });
        let mut on: Vec<String> = on.collect();
        on.extend(key.within_scope("parent.partition_oid"));
        format!(
            "SELECT parent.group_id, {number} AS reference_number, count(*) AS row_count \
             FROM parent JOIN {} child ON {} GROUP BY parent.group_id",
            key.referring_relation(self.graph, dialect),
            on.join(" AND "),
        )
    }
}

/// Returns whether two keys are counted together.
fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    let pairs = |key: &ForeignKey| -> BTreeSet<(String, String)> {
        key.columns.iter().cloned().zip(key.referenced_columns.iter().cloned()).collect()
    };
    one.table == other.table && one.on_delete == other.on_delete && pairs(one) == pairs(other)
}

/// Returns whether `other` applies to every row that `key` applies to.
fn covers(other: &ForeignKey, key: &ForeignKey) -> bool {
    let whole = |one: &Option<_>, two: &Option<_>| one.is_none() || one == two;
    whole(&other.scope, &key.scope) && whole(&other.referenced_scope, &key.referenced_scope)
}
