//! What refers to groups: whatever tables the catalogue names, those that somebody adds tomorrow included.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use crate::catalog::{self, Action, ForeignKey, GROUPS, Graph};
use crate::db::{Database, Dialect, quote};
use crate::error::Error;

/// Rows that refer to one group by the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The referring table: bare in the business schema, `schema.name` elsewhere.
    pub table: String,
    /// The referring column; where the key has several, all of them, with commas between.
    pub column: String,
    /// What the foreign key does when the group is deleted.
    pub on_delete: Action,
    /// How many rows.
    pub rows: i64,
}

/// The rows that refer to each of these groups, by table and column; groups that nothing refers to are left out. Two
/// statements, whatever the number of groups: the catalogue's and one that counts.
///
/// # Errors
/// [`Error::Unsuitable`] where a referring table may hide rows from this role: no number would be better than a wrong one.
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn of_groups(db: &Database, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Reference>>, Error> {
    let dialect = db.dialect();
    let graph = catalog::read_from(db.pool(), dialect, db.schema(), GROUPS).await?;
    let referring = Referring::of(&graph);
    if let Some(message) = referring.hidden() {
        return Err(Error::Unsuitable(message));
    }
    let mut found: HashMap<Uuid, Vec<Reference>> = HashMap::new();
    let Some(sql) = referring.counts(dialect) else { return Ok(found) };
    let ids = serde_json::to_string(ids).unwrap_or_default();
    let mut counted: BTreeMap<(usize, String), i64> = BTreeMap::new();
    for row in db.pool().query_all_raw(dialect.statement(sql, [ids.into()])).await? {
        let place = usize::try_from(row.try_get::<i32>("", "place")?).unwrap_or_default();
        *counted.entry((place, row.try_get("", "group_id")?)).or_default() += row.try_get::<i64>("", "n")?;
    }
    for ((place, id), rows) in counted {
        let reference = referring.reference(place, rows);
        found.entry(super::queries::id(&id)?).or_default().push(reference);
    }
    Ok(found)
}

/// The keys that refer to groups. Those of one entry refer by the same columns and have the same rule: each is the key of
/// a partition of its own, or the only one.
struct Referring<'a> {
    graph: &'a Graph,
    keys: Vec<Vec<&'a ForeignKey>>,
}

impl<'a> Referring<'a> {
    fn of(graph: &'a Graph) -> Self {
        let mut all: Vec<&ForeignKey> = graph.referring_to(graph.root).map(|(_, key)| key).collect();
        // Whole tables first: a partition's own key adds nothing to the same key of its table.
        all.sort_by_key(|key| {
            let partial = (key.scope.is_some(), key.referenced_scope.is_some());
            (&graph.tables[key.table].display, &key.columns, key.on_delete, partial)
        });
        let mut keys: Vec<Vec<&ForeignKey>> = Vec::new();
        for key in all {
            match keys.iter_mut().find(|same| refer_alike(same[0], key)) {
                Some(same) if same.iter().any(|other| covers(other, key)) => {}
                Some(same) => same.push(key),
                None => keys.push(vec![key]),
            }
        }
        Self { graph, keys }
    }

    /// Why not all rows can be counted.
    fn hidden(&self) -> Option<String> {
        let tables = [self.graph.root].into_iter().chain(self.keys.iter().map(|keys| keys[0].table));
        tables.into_iter().find_map(|table| self.graph.tables[table].hidden("what refers to a group"))
    }

    fn reference(&self, place: usize, rows: i64) -> Reference {
        let key = self.keys[place][0];
        Reference {
            table: self.graph.tables[key.table].display.clone(),
            column: key.columns.join(", "),
            on_delete: key.on_delete,
            rows,
        }
    }

    /// The statement that counts: a row per group and key. The groups' ids are parameter 1, a JSON array. None where
    /// nothing refers to groups.
    fn counts(&self, dialect: Dialect) -> Option<String> {
        let counts: Vec<String> = self
            .keys
            .iter()
            .enumerate()
            .flat_map(|(place, keys)| keys.iter().map(move |key| (place, *key)))
            .map(|(place, key)| self.count(dialect, place, key))
            .collect();
        if counts.is_empty() {
            return None;
        }
        Some(format!("WITH {}\n{}", self.groups(dialect), counts.join("\nUNION ALL\n")))
    }

    /// The groups with what is referred to of them. Standing ready, they are few to the planner, which then goes through
    /// the indexes of the referring tables.
    fn groups(&self, dialect: Dialect) -> String {
        let groups = &self.graph.tables[self.graph.root];
        let id = match (dialect, groups.column("id")) {
            (Dialect::Postgres, Some(id)) => format!("CAST(listed.value AS {})", id.type_name),
            _ => "listed.value".to_owned(),
        };
        let kept = self.kept().into_iter().enumerate();
        let columns: String = kept.map(|(place, name)| format!(", c.{} AS k{place}", quote(name))).collect();
        let tableoid = if groups.partitioned { ", c.tableoid AS of_table" } else { "" };
        format!(
            "page AS MATERIALIZED (SELECT CAST(c.id AS text) AS group_id{tableoid}{columns} FROM {} c \
             WHERE c.id IN (SELECT {id} FROM {} listed))",
            groups.relation(dialect),
            dialect.elements("$1"),
        )
    }

    /// The groups' columns that are referred to.
    fn kept(&self) -> Vec<&String> {
        let kept: BTreeSet<&String> = self.keys.iter().flatten().flat_map(|key| &key.referenced_columns).collect();
        kept.into_iter().collect()
    }

    fn count(&self, dialect: Dialect, place: usize, key: &ForeignKey) -> String {
        let kept = self.kept();
        let name = |to: &String| kept.iter().position(|name| *name == to).unwrap_or_default();
        let pairs = key.columns.iter().zip(&key.referenced_columns);
        let on = pairs.map(|(column, to)| {
            format!("d.k{} = c.{}{}", name(to), quote(column), key.collation(self.graph, column, to))
        });
        let mut on: Vec<String> = on.collect();
        on.extend(key.within_scope("d.of_table"));
        format!(
            "SELECT d.group_id, {place} AS place, count(*) AS n FROM page d JOIN {} c ON {} GROUP BY d.group_id",
            key.referring(self.graph, dialect),
            on.join(" AND "),
        )
    }
}

/// Whether two keys make one entry.
fn refer_alike(one: &ForeignKey, other: &ForeignKey) -> bool {
    let pairs = |key: &ForeignKey| -> BTreeSet<(String, String)> {
        key.columns.iter().cloned().zip(key.referenced_columns.iter().cloned()).collect()
    };
    one.table == other.table && one.on_delete == other.on_delete && pairs(one) == pairs(other)
}

/// Whether all rows that refer by `key` do so by `other`.
fn covers(other: &ForeignKey, key: &ForeignKey) -> bool {
    let whole = |one: &Option<_>, two: &Option<_>| one.is_none() || one == two;
    whole(&other.scope, &key.scope) && whole(&other.referenced_scope, &key.referenced_scope)
}
