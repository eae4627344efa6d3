//! A generated case: tables, foreign keys, rows and the sessions to delete, as data that either database is built from.

use api::db::Dialect;

/// The sessions' table is the first, the groups' the second.
pub const SESSIONS: usize = 0;
pub const GROUPS: usize = 1;

#[derive(Debug, Clone)]
pub struct Case {
    pub dialect: Dialect,
    pub seed: u64,
    pub schema: String,
    pub tables: Vec<Table>,
    pub keys: Vec<Key>,
    /// Values of the sessions' ids.
    pub roots: Vec<i64>,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// PostgreSQL: in the other schema.
    pub elsewhere: bool,
    /// Beside these each table has a column `tag`, unique in the database and part of no key, by which a row is known
    /// whatever becomes of the others.
    pub columns: Vec<Column>,
    pub primary_key: Vec<usize>,
    pub unique: Vec<Vec<usize>>,
    /// PostgreSQL: partitioned by this column's hash.
    pub partitioned_by: Option<usize>,
    /// SQLite.
    pub without_rowid: bool,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub not_null: bool,
    /// PostgreSQL: by a domain, not by the column.
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
    /// PostgreSQL 15: the columns that ON DELETE sets, places in `columns`.
    pub set_columns: Option<Vec<usize>>,
    pub match_full: bool,
    pub deferrable: Option<&'static str>,
    /// SQLite: names are written in the other case.
    pub other_case: bool,
    /// SQLite: the referenced columns are left out.
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
    /// A value as SQL.
    pub fn literal(self, value: Option<i64>) -> String {
        match (self, value) {
            (_, None) => "NULL".to_owned(),
            (Self::Uuid, Some(n)) => format!("'{}'", uuid(n)),
            (Self::Int, Some(n)) => n.to_string(),
            (Self::Text, Some(n)) => format!("'t{n}'"),
        }
    }
}

/// The id that stands for a number.
pub fn uuid(n: i64) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

impl Table {
    /// SQLite's one integer primary key is the rowid.
    pub fn rowid_is_key(&self) -> bool {
        !self.without_rowid && self.primary_key.len() == 1 && self.columns[self.primary_key[0]].kind == Kind::Int
    }

    /// SQLite lets a primary key's column be null unless it says NOT NULL.
    pub fn nullable(&self, dialect: Dialect, column: usize) -> bool {
        let keys_forbid = dialect == Dialect::Postgres || self.without_rowid || self.rowid_is_key();
        let forbidden = self.columns[column].not_null || (keys_forbid && self.primary_key.contains(&column));
        !forbidden
    }

    /// The column lists that a foreign key may refer to.
    pub fn referable(&self) -> Vec<Vec<usize>> {
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
    /// Makes the rows satisfy every constraint: references that lead nowhere are cleared where that is allowed, rows that
    /// cannot be saved are dropped, until nothing changes.
    pub fn repair(&mut self) {
        while self.drop_duplicates() || self.mend_references() {}
        let sessions: Vec<i64> = self.tables[SESSIONS].rows.iter().filter_map(|row| row.values[0]).collect();
        self.roots.retain(|root| sessions.contains(root));
    }

    fn drop_duplicates(&mut self) -> bool {
        let mut changed = false;
        for table in &mut self.tables {
            for columns in table.referable() {
                while let Some(row) = (0..table.rows.len()).find(|&row| table.has_duplicate(row, &columns)) {
                    table.rows.remove(row);
                    changed = true;
                }
            }
        }
        changed
    }

    fn mend_references(&mut self) -> bool {
        let mut changed = false;
        for at in 0..self.keys.len() {
            let key = self.keys[at].clone();
            for row in (0..self.tables[key.table].rows.len()).rev() {
                if self.satisfied(&key, row) {
                    continue;
                }
                changed = true;
                let dialect = self.dialect;
                let table = &mut self.tables[key.table];
                let nullable: Vec<usize> =
                    key.columns.iter().copied().filter(|&column| table.nullable(dialect, column)).collect();
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

    fn satisfied(&self, key: &Key, row: usize) -> bool {
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
