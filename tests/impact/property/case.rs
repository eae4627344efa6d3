//! A generated case: tables, foreign keys, rows and the sessions to delete, as data from which either database is
//! built.

use api::db::Dialect;

/// The index of the sessions' table in every case. The groups' table is next.
pub const SESSIONS: usize = 0;
pub const GROUPS: usize = 1;

#[derive(Debug, Clone)]
pub struct Case {
    pub dialect: Dialect,
    pub seed: u64,
    pub schema: String,
    pub tables: Vec<Table>,
    pub keys: Vec<Key>,
    /// Numbers of the ids of the sessions to delete.
    pub roots: Vec<i64>,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// Whether the table is in the other schema (PostgreSQL).
    pub elsewhere: bool,
    /// The columns, without `tag`. Every table has this additional column, whose values are unique in the database and
    /// in no foreign key, so that it identifies a row whatever happens to the other values.
    pub columns: Vec<Column>,
    pub primary_key: Vec<usize>,
    pub unique: Vec<Vec<usize>>,
    /// The index of the column by whose hash the table is partitioned (PostgreSQL).
    pub partitioned_by: Option<usize>,
    /// Whether the table is created WITHOUT ROWID (SQLite).
    pub without_rowid: bool,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub not_null: bool,
    /// Whether a domain forbids null, and not the column itself (PostgreSQL).
    pub by_domain: bool,
    pub default: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Uuid,
    Int,
    Text,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub tag: i64,
    pub values: Vec<Option<i64>>,
}

#[derive(Debug, Clone)]
pub struct Key {
    pub name: String,
    pub table: usize,
    pub columns: Vec<usize>,
    pub referenced: usize,
    pub referenced_columns: Vec<usize>,
    pub on_delete: Rule,
    pub on_update: Rule,
    /// The columns that ON DELETE sets, as indexes in `columns` (PostgreSQL 15).
    pub set_columns: Option<Vec<usize>>,
    pub match_full: bool,
    pub deferrable: Option<&'static str>,
    /// Whether names are written in the other case (SQLite).
    pub other_case: bool,
    /// Whether the foreign key omits the referenced columns (SQLite).
    pub implicit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl Rule {
    pub const fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

impl Kind {
    /// Returns a value as an SQL literal.
    pub fn literal(self, value: Option<i64>) -> String {
        match (self, value) {
            (_, None) => "NULL".to_owned(),
            (Self::Uuid, Some(n)) => format!("'{}'", uuid(n)),
            (Self::Int, Some(n)) => n.to_string(),
            (Self::Text, Some(n)) => format!("'t{n}'"),
        }
    }
}

/// Returns the id that represents a number.
pub fn uuid(n: i64) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

impl Table {
    /// Returns whether the primary key is SQLite's rowid, which is the case for a single integer column.
    pub fn has_rowid_key(&self) -> bool {
        !self.without_rowid && self.primary_key.len() == 1 && self.columns[self.primary_key[0]].kind == Kind::Int
    }

    /// Returns whether a column may be null. On SQLite this includes columns of a primary key without NOT NULL.
    pub fn is_nullable(&self, dialect: Dialect, column: usize) -> bool {
        let keys_forbid = dialect == Dialect::Postgres || self.without_rowid || self.has_rowid_key();
        let forbidden = self.columns[column].not_null || (keys_forbid && self.primary_key.contains(&column));
        !forbidden
    }

    /// Returns the lists of columns that a foreign key may refer to.
    pub fn referable_keys(&self) -> Vec<Vec<usize>> {
        let primary = (!self.primary_key.is_empty()).then(|| self.primary_key.clone());
        primary.into_iter().chain(self.unique.iter().cloned()).collect()
    }

    fn has_duplicate(&self, row: usize, columns: &[usize]) -> bool {
        let values = |row: &Row| columns.iter().map(|&column| row.values[column]).collect::<Option<Vec<_>>>();
        let own = values(&self.rows[row]);
        own.is_some() && self.rows[..row].iter().any(|other| values(other) == own)
    }
}

impl Case {
    /// Changes the rows until they satisfy every constraint. References without a parent are cleared where that is
    /// allowed, and rows that cannot be repaired are removed.
    pub fn repair(&mut self) {
        while self.drop_duplicates() || self.repair_references() {}
        let sessions: Vec<i64> = self.tables[SESSIONS].rows.iter().filter_map(|row| row.values[0]).collect();
        self.roots.retain(|root| sessions.contains(root));
    }

    fn drop_duplicates(&mut self) -> bool {
        let mut changed = false;
        for table in &mut self.tables {
            for columns in table.referable_keys() {
                while let Some(row) = (0..table.rows.len()).find(|&row| table.has_duplicate(row, &columns)) {
                    table.rows.remove(row);
                    changed = true;
                }
            }
        }
        changed
    }

    fn repair_references(&mut self) -> bool {
        let mut changed = false;
        for at in 0..self.keys.len() {
            let key = self.keys[at].clone();
            for row in (0..self.tables[key.table].rows.len()).rev() {
                if self.is_satisfied(&key, row) {
                    continue;
                }
                changed = true;
                let dialect = self.dialect;
                let table = &mut self.tables[key.table];
                let nullable: Vec<usize> =
                    key.columns.iter().copied().filter(|&column| table.is_nullable(dialect, column)).collect();
                if nullable.is_empty() || (key.match_full && nullable.len() < key.columns.len()) {
                    table.rows.remove(row);
                } else {
                    let cleared = if key.match_full { nullable } else { vec![nullable[0]] };
                    for column in cleared {
                        table.rows[row].values[column] = None;
                    }
                }
            }
        }
        changed
    }

    fn is_satisfied(&self, key: &Key, row: usize) -> bool {
        let row = &self.tables[key.table].rows[row];
        let own: Vec<Option<i64>> = key.columns.iter().map(|&column| row.values[column]).collect();
        if own.contains(&None) {
            return !key.match_full || own.iter().all(Option::is_none);
        }
        self.tables[key.referenced].rows.iter().any(|parent| {
            key.referenced_columns.iter().zip(&own).all(|(&column, value)| parent.values[column] == *value)
        })
    }
}
