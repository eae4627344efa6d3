//! The generator of random rows for a generated schema, few enough that their values collide.

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};

use super::case::{GROUPS, Key, Row, SESSIONS};
use super::generator::Generator;

impl Generator {
    /// Generates rows for every table, with most references pointing at a row, and chooses the sessions to delete.
    pub fn rows(&mut self) {
        let mut tag = 0;
        // Many sessions are counted and deleted with other statements than few.
        let many = self.chance(30);
        for at in 0..self.case.tables.len() {
            let count = match at {
                SESSIONS if many => self.rng.random_range(20..=24),
                SESSIONS => self.rng.random_range(2..=5),
                _ => self.rng.random_range(0..=8),
            };
            for number in 1..=count {
                tag += 1;
                let row = self.row(at, number, tag);
                self.case.tables[at].rows.push(row);
            }
        }
        for at in 0..self.case.keys.len() {
            self.point_at_parents(&self.case.keys[at].clone());
        }
        let mut ids: Vec<i64> = (1..=i64::try_from(self.case.tables[SESSIONS].rows.len()).unwrap()).collect();
        ids.shuffle(&mut self.rng);
        ids.truncate(if many { self.rng.random_range(17..=20) } else { self.rng.random_range(1..=3) });
        self.case.roots = ids;
    }

    fn row(&mut self, at: usize, number: i64, tag: i64) -> Row {
        let distinct = at <= GROUPS || self.chance(80);
        let mut values = Vec::new();
        for column in 0..self.case.tables[at].columns.len() {
            let nullable = self.case.tables[at].is_nullable(self.case.dialect, column);
            let value = self.rng.random_range(1..=8);
            let key = self.case.tables[at].primary_key.first() == Some(&column);
            values.push(match () {
                () if key && distinct => Some(number),
                () if nullable && self.chance(25) => None,
                () => Some(value),
            });
        }
        Row { tag, values }
    }

    fn point_at_parents(&mut self, key: &Key) {
        let parents: Vec<Row> = self.case.tables[key.referenced].rows.clone();
        for at in 0..self.case.tables[key.table].rows.len() {
            let Some(parent) = parents.choose(&mut self.rng).filter(|_| self.rng.random_ratio(9, 10)) else { continue };
            for (&column, &referenced) in key.columns.iter().zip(&key.referenced_columns) {
                if let Some(value) = parent.values[referenced] {
                    self.case.tables[key.table].rows[at].values[column] = Some(value);
                }
            }
        }
    }
}
