//! The SQL of a case, which builds the case in a database and can be pasted into a client.

use std::fmt::Write as _;

use api::db::{Dialect, quote};

use super::case::{Case, Column, Key, Kind, SESSIONS, Table, uuid};

impl Case {
    /// Returns the name of the schema for tables outside the business schema.
    pub fn other_schema(&self) -> String {
        format!("{} Other", self.schema)
    }

    /// Returns the statements that build the case. `reversed` creates tables, foreign keys and rows in reverse order.
    pub fn build(&self, reversed: bool) -> String {
        let mut sql = String::new();
        match self.dialect {
            Dialect::Postgres => {
                let (schema, other) = (quote(&self.schema), quote(&self.other_schema()));
                writeln!(sql, "CREATE SCHEMA {schema}; CREATE SCHEMA {other};").unwrap();
                for kind in [Kind::Uuid, Kind::Int, Kind::Text] {
                    writeln!(sql, "CREATE DOMAIN {} AS {} NOT NULL;", self.domain(kind), type_name(self.dialect, kind))
                        .unwrap();
                }
            }
            Dialect::Sqlite => sql.push_str("PRAGMA foreign_keys = OFF;\nBEGIN;\n"),
        }
        let mut order: Vec<usize> = (0..self.tables.len()).collect();
        let mut keys: Vec<&Key> = self.keys.iter().collect();
        if reversed {
            order.reverse();
            keys.reverse();
        }
        for at in order {
            self.create_table(&mut sql, at, &keys);
        }
        for table in &self.tables {
            self.insert(&mut sql, table, reversed);
        }
        if self.dialect == Dialect::Sqlite {
            sql.push_str("COMMIT;\nPRAGMA foreign_keys = ON;\n");
            return sql;
        }
        for key in keys {
            let (table, key) = (self.qualified_name(&self.tables[key.table]), self.foreign_key(key));
            writeln!(sql, "ALTER TABLE {table} ADD {key};").unwrap();
        }
        sql
    }

    /// Returns the statements that remove the case on PostgreSQL. On SQLite its file is discarded.
    pub fn tear_down(&self) -> String {
        format!("DROP SCHEMA IF EXISTS {}, {} CASCADE;", quote(&self.schema), quote(&self.other_schema()))
    }

    /// Returns the plain DELETE of the sessions, with which the impact is compared.
    pub fn plain_delete(&self) -> String {
        self.delete("id")
    }

    /// Returns a plain DELETE of the sessions that reads the rows in the table's order, where SQLite would look up each
    /// id.
    pub fn delete_in_table_order(&self) -> String {
        self.delete(if self.dialect == Dialect::Sqlite { "+id" } else { "id" })
    }

    fn delete(&self, id: &str) -> String {
        let ids: Vec<String> = self.roots.iter().map(|&root| format!("'{}'", uuid(root))).collect();
        format!("DELETE FROM {} WHERE {id} IN ({});", self.qualified_name(&self.tables[SESSIONS]), ids.join(", "))
    }

    /// Returns a table's qualified name in SQL.
    pub fn qualified_name(&self, table: &Table) -> String {
        match self.dialect {
            Dialect::Sqlite => quote(&table.name),
            Dialect::Postgres if table.elsewhere => format!("{}.{}", quote(&self.other_schema()), quote(&table.name)),
            Dialect::Postgres => format!("{}.{}", quote(&self.schema), quote(&table.name)),
        }
    }

    /// Returns a table's name as the impact shows it.
    pub fn display_name(&self, table: &Table) -> String {
        if table.elsewhere { format!("{}.{}", self.other_schema(), table.name) } else { table.name.clone() }
    }

    fn domain(&self, kind: Kind) -> String {
        format!("{}.\"Required {kind:?}\"", quote(&self.schema))
    }

    fn create_table(&self, sql: &mut String, at: usize, keys: &[&Key]) {
        let table = &self.tables[at];
        let mut parts: Vec<String> = table.columns.iter().map(|column| self.column(column)).collect();
        parts.push("tag integer".to_owned());
        if !table.primary_key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", names(table, &table.primary_key)));
        }
        parts.extend(table.unique.iter().map(|columns| format!("UNIQUE ({})", names(table, columns))));
        if self.dialect == Dialect::Sqlite {
            parts.extend(keys.iter().filter(|key| key.table == at).map(|key| self.foreign_key(key)));
        }
        let name = self.qualified_name(table);
        write!(sql, "CREATE TABLE {name} ({})", parts.join(", ")).unwrap();
        let partition_key = table.partitioned_by.map(|column| quote(&table.columns[column].name));
        match partition_key {
            Some(column) => {
                writeln!(sql, " PARTITION BY HASH ({column});").unwrap();
                for remainder in 0..2 {
                    let partition =
                        self.qualified_name(&Table { name: format!("{} p{remainder}", table.name), ..table.clone() });
                    let rest = format!("FOR VALUES WITH (MODULUS 2, REMAINDER {remainder})");
                    writeln!(sql, "CREATE TABLE {partition} PARTITION OF {name} {rest};").unwrap();
                }
            }
            None if table.without_rowid => sql.push_str(" WITHOUT ROWID;\n"),
            None => sql.push_str(";\n"),
        }
    }

    fn column(&self, column: &Column) -> String {
        let type_name =
            if column.by_domain { self.domain(column.kind) } else { type_name(self.dialect, column.kind).to_owned() };
        let not_null = if column.not_null && !column.by_domain { " NOT NULL" } else { "" };
        let default = column.default.map(|value| format!(" DEFAULT {}", column.kind.literal(Some(value))));
        format!("{} {type_name}{not_null}{}", quote(&column.name), default.unwrap_or_default())
    }

    fn insert(&self, sql: &mut String, table: &Table, reversed: bool) {
        if table.rows.is_empty() {
            return;
        }
        let mut rows: Vec<String> = (table.rows.iter())
            .map(|row| {
                let values = table.columns.iter().zip(&row.values).map(|(column, &value)| column.kind.literal(value));
                format!("({})", values.chain([row.tag.to_string()]).collect::<Vec<_>>().join(", "))
            })
            .collect();
        if reversed {
            rows.reverse();
        }
        writeln!(sql, "INSERT INTO {} VALUES {};", self.qualified_name(table), rows.join(", ")).unwrap();
    }

    fn foreign_key(&self, key: &Key) -> String {
        let (table, parent) = (&self.tables[key.table], &self.tables[key.referenced]);
        let mut referenced = self.qualified_name(parent);
        if !(key.implicit && self.dialect == Dialect::Sqlite) {
            write!(referenced, " ({})", names(parent, &key.referenced_columns)).unwrap();
        }
        if key.other_case && self.dialect == Dialect::Sqlite {
            referenced = referenced.chars().map(swap_case).collect();
        }
        let (name, columns) = (quote(&key.name), names(table, &key.columns));
        let mut sql = format!("CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {referenced}");
        if key.match_full {
            sql.push_str(" MATCH FULL");
        }
        write!(sql, " ON UPDATE {} ON DELETE {}", key.on_update.sql(), key.on_delete.sql()).unwrap();
        if let Some(places) = &key.set_columns {
            let columns: Vec<usize> = places.iter().map(|&place| key.columns[place]).collect();
            write!(sql, " ({})", names(table, &columns)).unwrap();
        }
        if let Some(initially) = key.deferrable {
            write!(sql, " DEFERRABLE {initially}").unwrap();
        }
        sql
    }
}

fn names(table: &Table, columns: &[usize]) -> String {
    columns.iter().map(|&column| quote(&table.columns[column].name)).collect::<Vec<_>>().join(", ")
}

const fn type_name(dialect: Dialect, kind: Kind) -> &'static str {
    match (dialect, kind) {
        (Dialect::Postgres, Kind::Uuid) => "uuid",
        (_, Kind::Int) => "integer",
        _ => "text",
    }
}

/// Swaps the case of an ASCII letter. SQLite's names are case-insensitive for ASCII only.
const fn swap_case(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}
