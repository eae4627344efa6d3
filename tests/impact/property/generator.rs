//! A generator of random cases, each from its seed.

use api::db::Dialect;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::case::{Case, Column, GROUPS, Key, Kind, Rule, SESSIONS, Table};

/// Patterns of names that need quoting, differ from an expected name only in case, or could conflict with names in a
/// statement.
const TABLE_NAMES: [&str; 12] = [
    "t{}",
    "T{}",
    "t {}",
    "t\"{}",
    "Größe{}",
    "d{}",
    "r{}",
    "deleted{}",
    "select",
    "order",
    "Whatsapp_Groups{}",
    "t'{}",
];
const COLUMN_NAMES: [&str; 8] = ["c{}", "C{}", "c {}", "c\"{}", "group{}", "Id{}", "ä{}", "n{}"];
const ROWIDS: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// Generates the case with this seed.
pub fn generate(dialect: Dialect, seed: u64) -> Case {
    let schema = if dialect == Dialect::Postgres { format!("Case {seed}") } else { "main".to_owned() };
    let case = Case { dialect, seed, schema, tables: Vec::new(), keys: Vec::new(), roots: Vec::new() };
    let mut generator = Generator { rng: StdRng::seed_from_u64(seed), case };
    generator.fixed_tables();
    for _ in 0..generator.rng.random_range(2..=7) {
        generator.table();
    }
    generator.backward_keys();
    generator.storage();
    generator.rows();
    generator.case.repair();
    if generator.case.roots.is_empty() {
        // The fixed tables always keep the first session, so it can be the session to delete.
        generator.case.roots.extend(generator.case.tables[SESSIONS].rows[0].values[0]);
    }
    generator.case
}

/// A case under construction.
pub struct Generator {
    pub rng: StdRng,
    pub case: Case,
}

impl Generator {
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn postgres(&self) -> bool {
        self.case.dialect == Dialect::Postgres
    }

    fn kind(&mut self) -> Kind {
        *[Kind::Uuid, Kind::Int, Kind::Int, Kind::Text].choose(&mut self.rng).unwrap()
    }

    fn fixed_tables(&mut self) {
        let column = |name: &str, kind, not_null| Column {
            name: name.to_owned(),
            kind,
            not_null,
            by_domain: false,
            default: None,
        };
        let table = |name: &str, columns| Table {
            name: name.to_owned(),
            elsewhere: false,
            columns,
            primary_key: vec![0],
            unique: Vec::new(),
            partitioned_by: None,
            without_rowid: false,
            rows: Vec::new(),
        };
        let (id, text) = (column("id", Kind::Uuid, true), Kind::Text);
        let sessions = vec![id.clone(), column("status", text, true), column("phone_number", text, false)];
        let groups = vec![id, column("session_id", Kind::Uuid, true)];
        self.case.tables = vec![table("whatsapp_sessions", sessions), table("whatsapp_groups", groups)];
        for at in [SESSIONS, GROUPS] {
            if self.chance(15) {
                let column = self.new_column(at, Kind::Int, 100);
                self.case.tables[at].unique.push(vec![column]);
            }
        }
        let mut key = self.key(GROUPS, SESSIONS, vec![1], vec![0]);
        if self.chance(85) {
            (key.on_delete, key.set_columns) = (Rule::Cascade, None);
        }
        self.case.keys.push(key);
    }

    /// Adds a table with foreign keys to the tables before it.
    fn table(&mut self) {
        let at = self.case.tables.len();
        let name = TABLE_NAMES.choose(&mut self.rng).unwrap().replace("{}", &at.to_string());
        let taken = self.case.tables.iter().any(|table| table.name == name);
        let table = Table {
            name: if taken { format!("{name}{at}") } else { name },
            elsewhere: self.postgres() && self.chance(15),
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique: Vec::new(),
            partitioned_by: None,
            without_rowid: false,
            rows: Vec::new(),
        };
        self.case.tables.push(table);
        for _ in 0..*[0, 1, 1, 1, 1, 1, 2, 2].choose(&mut self.rng).unwrap() {
            let kind = self.kind();
            let loose = if self.postgres() { 0 } else { 15 };
            let column = self.new_column(at, kind, loose);
            self.case.tables[at].primary_key.push(column);
        }
        for _ in 0..*[1, 1, 1, 2, 2, 3].choose(&mut self.rng).unwrap() {
            let parent = if self.chance(45) { GROUPS } else { self.rng.random_range(0..at) };
            self.reference(at, parent);
        }
        if self.chance(35) {
            self.unique(at);
        }
    }

    /// Adds a unique key, often over columns that are references themselves. Clearing them is then an update for the
    /// tables that refer to the unique key.
    fn unique(&mut self, at: usize) {
        let mut columns: Vec<usize> = (0..self.case.tables[at].columns.len()).collect();
        columns.shuffle(&mut self.rng);
        columns.truncate(self.rng.random_range(1..=2));
        if columns.is_empty() || self.chance(30) {
            let kind = self.kind();
            columns.push(self.new_column(at, kind, 60));
        }
        if !self.case.tables[at].referable_keys().contains(&columns) {
            self.case.tables[at].unique.push(columns);
        }
    }

    /// Adds foreign keys that close cycles: to the table itself and to later tables, also from the sessions and the
    /// groups.
    fn backward_keys(&mut self) {
        for at in 0..self.case.tables.len() {
            if self.chance(12) {
                self.reference(at, at);
            }
            if self.chance(if at <= GROUPS { 10 } else { 15 }) {
                let parent = self.rng.random_range(at..self.case.tables.len());
                self.reference(at, parent);
            }
        }
    }

    /// Adds a foreign key to one of the parent's keys, over columns that are new or already in use.
    fn reference(&mut self, at: usize, parent: usize) {
        let Some(referenced) = self.case.tables[parent].referable_keys().choose(&mut self.rng).cloned() else { return };
        let mut referenced = referenced;
        if self.chance(20) {
            referenced.shuffle(&mut self.rng);
        }
        let mut columns = Vec::new();
        for &column in &referenced {
            let kind = self.case.tables[parent].columns[column].kind;
            // The fixed columns of the sessions and groups keep their meaning.
            let first = if at <= GROUPS { 3 } else { 0 };
            let fitting: Vec<usize> = (first..self.case.tables[at].columns.len())
                .filter(|&own| self.case.tables[at].columns[own].kind == kind && !columns.contains(&own))
                .filter(|&own| (at, own) != (parent, column))
                .collect();
            let reused = if self.chance(30) { fitting.choose(&mut self.rng).copied() } else { None };
            // Sessions with a reference that must not be null could be removed while the rows are generated.
            let nullable = if at == SESSIONS { 100 } else { 65 };
            columns.push(reused.unwrap_or_else(|| self.new_column(at, kind, nullable)));
        }
        let key = self.key(at, parent, columns, referenced);
        self.case.keys.push(key);
    }

    fn new_column(&mut self, at: usize, kind: Kind, nullable: u32) -> usize {
        let number = self.case.tables[at].columns.len();
        let mut name = COLUMN_NAMES.choose(&mut self.rng).unwrap().replace("{}", &number.to_string());
        let rowid = *ROWIDS.choose(&mut self.rng).unwrap();
        let free = !self.case.tables[at].columns.iter().any(|column| ROWIDS.contains(&column.name.as_str()));
        if !self.postgres() && free && self.chance(8) {
            rowid.clone_into(&mut name);
        }
        let not_null = !self.chance(nullable);
        let by_domain = self.postgres() && not_null && self.chance(20);
        let default = self.chance(45).then(|| self.rng.random_range(1..=4));
        self.case.tables[at].columns.push(Column { name, kind, not_null, by_domain, default });
        number
    }

    fn key(&mut self, table: usize, referenced: usize, columns: Vec<usize>, referenced_columns: Vec<usize>) -> Key {
        const ON_DELETE: [(Rule, u32); 5] = [
            (Rule::Cascade, 46),
            (Rule::SetNull, 28),
            (Rule::SetDefault, 12),
            (Rule::NoAction, 8),
            (Rule::Restrict, 6),
        ];
        const ON_UPDATE: [(Rule, u32); 5] = [
            (Rule::NoAction, 40),
            (Rule::Cascade, 32),
            (Rule::SetNull, 14),
            (Rule::Restrict, 7),
            (Rule::SetDefault, 7),
        ];
        let on_delete = self.rule(&ON_DELETE);
        let on_update = self.rule(&ON_UPDATE);
        let sets = matches!(on_delete, Rule::SetNull | Rule::SetDefault);
        let set_columns = (self.postgres() && sets && self.chance(25)).then(|| {
            let mut places: Vec<usize> = (0..columns.len()).collect();
            places.shuffle(&mut self.rng);
            places.truncate(self.rng.random_range(1..=columns.len()));
            places
        });
        let implicit = self.case.tables[referenced].primary_key == referenced_columns && self.chance(40);
        Key {
            name: format!("Key {}", self.case.keys.iter().filter(|key| key.table == table).count()),
            match_full: self.postgres() && columns.len() > 1 && self.chance(25),
            deferrable: self
                .chance(12)
                .then(|| *["INITIALLY IMMEDIATE", "INITIALLY DEFERRED"].choose(&mut self.rng).unwrap()),
            other_case: self.chance(15),
            table,
            columns,
            referenced,
            referenced_columns,
            on_delete,
            on_update,
            set_columns,
            implicit,
        }
    }

    fn rule(&mut self, weights: &[(Rule, u32)]) -> Rule {
        weights.choose_weighted(&mut self.rng, |(_, weight)| *weight).unwrap().0
    }

    /// Chooses partitioned tables, and tables without a rowid.
    fn storage(&mut self) {
        for at in GROUPS..self.case.tables.len() {
            let wanted = self.chance(15);
            let postgres = self.postgres();
            let table = &mut self.case.tables[at];
            if postgres {
                // Every key of a partitioned table must contain the column that it is partitioned by.
                let keys = table.referable_keys();
                let fitting = (0..table.columns.len()).find(|column| keys.iter().all(|key| key.contains(column)));
                table.partitioned_by = fitting.filter(|_| wanted && at != GROUPS);
            } else {
                table.without_rowid = wanted && !table.primary_key.is_empty();
            }
        }
    }
}
