//! Statements that mend a foreign key, for either database.

use super::Fix;
use super::check_context::{Scene, list};
use crate::catalog::{Action, ForeignKey};
use crate::db::{Dialect, quote};

/// Makes the key anew, under the same name, with another rule.
pub(super) fn change_rule(scene: &Scene, key: &ForeignKey, rule: Action) -> Fix {
    let constraint = quote(&key.constraint);
    let statement = match scene.dialect {
        Dialect::Postgres => format!(
            "ALTER TABLE {} DROP CONSTRAINT {constraint}, ADD CONSTRAINT {constraint} {}",
            scene.sql_carrier(key),
            definition(scene, key, rule)
        ),
        Dialect::Sqlite => sqlite_key(scene, key, rule),
    };
    Fix { statement, consequence: consequence(scene, key, rule) }
}

/// Drops keys of one table, and says which one stays.
pub(super) fn drop_keys(scene: &Scene, keep: &ForeignKey, others: &[&ForeignKey]) -> Fix {
    let statement = match scene.dialect {
        Dialect::Postgres => {
            let drops: Vec<String> =
                others.iter().map(|key| format!("DROP CONSTRAINT {}", quote(&key.constraint))).collect();
            format!("ALTER TABLE {} {}", scene.sql_carrier(keep), drops.join(", "))
        }
        Dialect::Sqlite => sqlite_key(scene, keep, keep.on_delete),
    };
    let stays = format!("The key {} stays. ", keep.constraint);
    Fix { statement, consequence: stays + &consequence(scene, keep, keep.on_delete) }
}

/// What a rule means for the rows.
pub(super) fn consequence(scene: &Scene, key: &ForeignKey, rule: Action) -> String {
    let (table, parent) = (&scene.table(key.table).display, &scene.table(key.referenced).display);
    let columns = key.columns.join(", ");
    match rule {
        Action::Cascade => format!("Deleting a row of {parent} deletes the rows of {table} that refer to it."),
        Action::SetNull => {
            format!(
                "Deleting a row of {parent} keeps the rows of {table} that refer to it, with {columns} set to null."
            )
        }
        Action::SetDefault => {
            format!(
                "Deleting a row of {parent} keeps the rows of {table} that refer to it, with {columns} set to the default."
            )
        }
        Action::Restrict | Action::NoAction => {
            format!("Deleting a row of {parent} is refused while rows of {table} refer to it.")
        }
    }
}

/// `FOREIGN KEY … REFERENCES …` with all that the key has, and another rule.
fn definition(scene: &Scene, key: &ForeignKey, rule: Action) -> String {
    let mut clauses = vec![format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        list(&key.columns),
        scene.sql_referenced(key),
        list(&key.referenced_columns)
    )];
    if key.match_full {
        clauses.push("MATCH FULL".to_owned());
    }
    if key.on_update != Action::NoAction {
        clauses.push(format!("ON UPDATE {}", key.on_update));
    }
    if rule != Action::NoAction {
        clauses.push(format!("ON DELETE {rule}"));
    }
    let carrier = key.scope.clone().unwrap_or_else(|| {
        let table = scene.table(key.table);
        (table.schema.clone(), table.name.clone())
    });
    if let Some(clause) = scene.facts.deferrable.get(&(carrier, key.constraint.clone())) {
        clauses.push((*clause).to_owned());
    }
    clauses.join(" ")
}

/// As [`sqlite_rebuild`], for a key of the graph. Migrations give a key the rule that is expected, and no other.
fn sqlite_key(scene: &Scene, key: &ForeignKey, rule: Action) -> String {
    let mends = scene.migrations_pending && scene.declared_for(key).is_some_and(|declared| declared.on_delete == rule);
    sqlite_rebuild(mends, &scene.table(key.table).name, &definition(scene, key, rule))
}

/// SQLite has no statement that changes a key: either a pending migration does it, or the table is built anew by hand.
pub(super) fn sqlite_rebuild(migration_mends: bool, table: &str, definition: &str) -> String {
    if migration_mends {
        return "-- Run: session-admin migrate".to_owned();
    }
    let name = quote(table);
    let copy = quote(&format!("{table}_new"));
    let literal = table.replace('\'', "''");
    format!(
        "-- SQLite cannot change a foreign key in place: build {name} anew, with every other program stopped.\n\
         -- 1. See what there is now, indexes and triggers too: SELECT sql FROM sqlite_schema WHERE tbl_name = '{literal}';\n\
         -- 2. On one connection: PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;\n\
         -- 3. CREATE TABLE {copy} with the same columns, and for this key: {definition}\n\
         -- 4. INSERT INTO {copy} SELECT * FROM {name}; DROP TABLE {name}; ALTER TABLE {copy} RENAME TO {name};\n\
         -- 5. Make the indexes and triggers of step 1 again; PRAGMA foreign_key_check; COMMIT; PRAGMA foreign_keys = ON;"
    )
}
