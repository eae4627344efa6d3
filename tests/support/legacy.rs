//! DDL of the legacy schema in either dialect, with a chosen rule per foreign key and the variations of adopted
//! databases.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use api::db::{Dialect, quote};

use super::legacy_tables::{Column, Default, Kind, TABLES, Table};

/// The `ON DELETE` rule of a foreign key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No clause, which means `NO ACTION`.
    None,
    Cascade,
    SetNull,
    SetDefault,
    Restrict,
}

impl Rule {
    const fn sql(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Cascade => " ON DELETE CASCADE",
            Self::SetNull => " ON DELETE SET NULL",
            Self::SetDefault => " ON DELETE SET DEFAULT",
            Self::Restrict => " ON DELETE RESTRICT",
        }
    }
}

/// A rule for every foreign key, by table and column.
#[derive(Debug, Clone)]
pub struct Rules(BTreeMap<(&'static str, &'static str), Rule>);

impl Rules {
    /// Returns the rules of the first version, in which five foreign keys block deletions.
    pub fn as_built() -> Self {
        let mut rules = Self::mended();
        for reference in MENDED {
            rules.0.insert(reference, Rule::None);
        }
        rules
    }

    /// Returns the rules after the first fix, in which one rule is `SET NULL` on a `NOT NULL` column.
    pub fn first_fix() -> Self {
        Self::mended().with("notification_campaign_groups", "group_id", Rule::SetNull)
    }

    /// Returns the final rules: `CASCADE` for `NOT NULL` columns and `SET NULL` for nullable ones.
    pub fn mended() -> Self {
        let references = TABLES.iter().flat_map(|table| {
            let referring = table.columns.iter().filter(|column| column.refers_to.is_some());
            referring.map(|column| {
                let rule = if column.nullable { Rule::SetNull } else { Rule::Cascade };
                ((table.name, column.name), rule)
            })
        });
        Self(references.collect())
    }

    /// Replaces the rule of one foreign key.
    pub fn with(mut self, table: &str, column: &str, rule: Rule) -> Self {
        let reference = self.0.iter_mut().find(|((t, c), _)| *t == table && *c == column);
        *reference.unwrap_or_else(|| panic!("{table}.{column} is no reference")).1 = rule;
        self
    }
}

/// The foreign keys that have no rule in the first version.
const MENDED: [(&str, &str); 5] = [
    ("notification_campaign_groups", "group_id"),
    ("webinars", "whatsapp_group_id"),
    ("webinars", "community_group_id"),
    ("webinar_whatsapp_groups", "group_id"),
    ("scheduled_webinar_messages", "group_id"),
];

/// The legacy schema with the chosen variations.
#[derive(Debug, Clone)]
pub struct Legacy {
    rules: Rules,
    schema: Option<String>,
    constraints: BTreeMap<(String, String), String>,
    doubled: Vec<(String, String, String, Rule)>,
    enum_status: bool,
    nullable_timestamps: bool,
    timestamps_without_zone: bool,
    extra_columns: Vec<(String, String)>,
    without_tables: BTreeSet<String>,
    without_columns: BTreeSet<(String, String)>,
}

impl Legacy {
    /// Creates a schema of the thirteen tables with these rules and no variations.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            schema: None,
            constraints: BTreeMap::new(),
            doubled: Vec::new(),
            enum_status: false,
            nullable_timestamps: false,
            timestamps_without_zone: false,
            extra_columns: Vec::new(),
            without_tables: BTreeSet::new(),
            without_columns: BTreeSet::new(),
        }
    }

    /// Creates the tables in a new schema of this name. SQLite ignores it.
    pub fn in_schema(mut self, schema: &str) -> Self {
        self.schema = Some(schema.to_owned());
        self
    }

    /// Names the constraint of a foreign key.
    pub fn constraint_named(mut self, table: &str, column: &str, name: &str) -> Self {
        self.constraints.insert((table.to_owned(), column.to_owned()), name.to_owned());
        self
    }

    /// Adds a second constraint to a foreign key's column.
    pub fn doubled(mut self, table: &str, column: &str, name: &str, rule: Rule) -> Self {
        self.doubled.push((table.to_owned(), column.to_owned(), name.to_owned(), rule));
        self
    }

    /// Makes the status of sessions an enum of the four known values on PostgreSQL.
    pub fn enum_status(mut self) -> Self {
        self.enum_status = true;
        self
    }

    /// Makes every timestamp nullable.
    pub fn nullable_timestamps(mut self) -> Self {
        self.nullable_timestamps = true;
        self
    }

    /// Declares timestamps without time zone on PostgreSQL.
    pub fn timestamps_without_zone(mut self) -> Self {
        self.timestamps_without_zone = true;
        self
    }

    /// Adds a column with this SQL definition, which may be a generated column.
    pub fn extra_column(mut self, table: &str, definition: &str) -> Self {
        self.extra_columns.push((table.to_owned(), definition.to_owned()));
        self
    }

    /// Omits a table. Foreign keys to it become plain columns.
    pub fn without_table(mut self, table: &str) -> Self {
        self.without_tables.insert(table.to_owned());
        self
    }

    /// Omits a column.
    pub fn without_column(mut self, table: &str, column: &str) -> Self {
        self.without_columns.insert((table.to_owned(), column.to_owned()));
        self
    }

    /// Returns the DDL statements.
    pub fn statements(&self, dialect: Dialect) -> Vec<String> {
        let mut statements = Vec::new();
        if dialect == Dialect::Postgres {
            statements.extend(self.schema.as_ref().map(|schema| format!("CREATE SCHEMA {}", quote(schema))));
            if self.enum_status {
                let name = self.qualified(dialect, "session_status");
                statements.push(format!(
                    "CREATE TYPE {name} AS ENUM ('connecting', 'connected', 'qr_pending', 'disconnected')"
                ));
            }
        }
        let tables = TABLES.iter().filter(|table| !self.without_tables.contains(table.name));
        statements.extend(tables.map(|table| self.create_table(dialect, table)));
        statements
    }

    /// Returns a name as SQL writes it, qualified with the schema if there is one.
    pub fn qualified(&self, dialect: Dialect, name: &str) -> String {
        match &self.schema {
            Some(schema) if dialect == Dialect::Postgres => format!("{}.{name}", quote(schema)),
            _ => name.to_owned(),
        }
    }

    fn create_table(&self, dialect: Dialect, table: &Table) -> String {
        let is_this_table = |name: &String| name == table.name;
        let is_omitted = |column: &&Column| {
            self.without_columns.iter().any(|(table_name, name)| is_this_table(table_name) && name == column.name)
        };
        let columns = table.columns.iter().filter(|column| !is_omitted(column));
        let mut parts: Vec<String> = columns.map(|column| self.column(dialect, table, column)).collect();
        parts.extend(self.extra_columns.iter().filter(|(name, _)| is_this_table(name)).map(|(_, sql)| sql.clone()));
        for (_, column, name, rule) in self.doubled.iter().filter(|(name, ..)| is_this_table(name)) {
            let parent = table.columns.iter().find(|known| known.name == column).and_then(|known| known.refers_to);
            let parent = self.qualified(dialect, parent.unwrap_or_else(|| panic!("{column} is no reference")));
            let (name, rule) = (quote(name), rule.sql());
            parts.push(format!("CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {parent}(id){rule}"));
        }
        format!("CREATE TABLE {} (\n  {}\n)", self.qualified(dialect, table.name), parts.join(",\n  "))
    }

    fn column(&self, dialect: Dialect, table: &Table, column: &Column) -> String {
        let is_status = self.enum_status && table.name == "whatsapp_sessions" && column.name == "status";
        let type_name = match (dialect, column.kind) {
            (Dialect::Postgres, _) if is_status => self.qualified(dialect, "session_status"),
            (Dialect::Postgres, Kind::Uuid) => "uuid".to_owned(),
            (Dialect::Postgres, Kind::Timestamp) if self.timestamps_without_zone => "timestamp".to_owned(),
            (Dialect::Postgres, Kind::Timestamp) => "timestamptz".to_owned(),
            (_, Kind::Integer) => "integer".to_owned(),
            _ => "text".to_owned(),
        };
        let mut sql = format!("{} {type_name}", column.name);
        if column.name == "id" {
            sql.push_str(if dialect == Dialect::Sqlite { " PRIMARY KEY NOT NULL" } else { " PRIMARY KEY" });
        } else if !(column.nullable || (self.nullable_timestamps && column.kind == Kind::Timestamp)) {
            sql.push_str(" NOT NULL");
        }
        if column.unique {
            sql.push_str(" UNIQUE");
        }
        if let Some(default) = default(dialect, column.default) {
            write!(sql, " DEFAULT {default}").unwrap();
        }
        if let Some(parent) = column.refers_to.filter(|parent| !self.without_tables.contains(*parent)) {
            if let Some(name) = self.constraints.get(&(table.name.to_owned(), column.name.to_owned())) {
                write!(sql, " CONSTRAINT {}", quote(name)).unwrap();
            }
            let rule = self.rules.0[&(table.name, column.name)].sql();
            write!(sql, " REFERENCES {}(id){rule}", self.qualified(dialect, parent)).unwrap();
        }
        sql
    }
}

/// Returns the SQL of a default. On SQLite it has the program's format of ids and times.
fn default(dialect: Dialect, default: Default) -> Option<&'static str> {
    let sqlite = dialect == Dialect::Sqlite;
    match default {
        Default::None => None,
        Default::Literal(literal) => Some(literal),
        Default::NewUuid if sqlite => Some(
            "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' \
             || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))",
        ),
        Default::NewUuid => Some("gen_random_uuid()"),
        Default::Now if sqlite => Some("(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00')"),
        Default::Now => Some("now()"),
    }
}
