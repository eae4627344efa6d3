//! Statements that repair a foreign key.

use super::check_context::{CheckContext, column_list};
use super::model::Fix;
use crate::catalog::{Action, ForeignKey};
use crate::db::{Dialect, quote};

/// Returns the fix that replaces a foreign key by one with another rule, under the same name.
pub(super) fn change_rule(context: &CheckContext, key: &ForeignKey, rule: Action) -> Fix {
    let constraint = quote(&key.constraint);
    let statement = match context.dialect {
        Dialect::Postgres => format!(
            "ALTER TABLE {} DROP CONSTRAINT {constraint}, ADD CONSTRAINT {constraint} {}",
            context.sql_carrier(key),
            definition(context, key, rule)
        ),
        Dialect::Sqlite => sqlite_key_change(context, key, rule),
    };
    Fix { statement, consequence: consequence(context, key, rule) }
}

/// Returns the fix that drops `others` and keeps the foreign key `keep` of the same table.
pub(super) fn drop_keys(context: &CheckContext, keep: &ForeignKey, others: &[&ForeignKey]) -> Fix {
    let statement = match context.dialect {
        Dialect::Postgres => {
            let drops: Vec<String> =
                others.iter().map(|key| format!("DROP CONSTRAINT {}", quote(&key.constraint))).collect();
            format!("ALTER TABLE {} {}", context.sql_carrier(keep), drops.join(", "))
        }
        Dialect::Sqlite => sqlite_key_change(context, keep, keep.on_delete),
    };
    let remaining = format!("The key {} remains. ", keep.constraint);
    Fix { statement, consequence: remaining + &consequence(context, keep, keep.on_delete) }
}

/// Returns the consequence of a rule for the rows.
pub(super) fn consequence(context: &CheckContext, key: &ForeignKey, rule: Action) -> String {
    let (table, parent) = (&context.table(key.table).display, &context.table(key.referenced).display);
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

/// Returns the `FOREIGN KEY … REFERENCES …` clause with all properties of a key, but another rule.
fn definition(context: &CheckContext, key: &ForeignKey, rule: Action) -> String {
    let mut clauses = vec![format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        column_list(&key.columns),
        context.sql_referenced(key),
        column_list(&key.referenced_columns)
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
        let table = context.table(key.table);
        (table.schema.clone(), table.name.clone())
    });
    if let Some(clause) = context.facts.deferrable.get(&(carrier, key.constraint.clone())) {
        clauses.push((*clause).to_owned());
    }
    clauses.join(" ")
}

/// Returns [`sqlite_rebuild`] for a key of the graph. Migrations give a key the expected rule only.
fn sqlite_key_change(context: &CheckContext, key: &ForeignKey, rule: Action) -> String {
    let migration_repairs =
        context.migrations_pending && context.declared_for(key).is_some_and(|declared| declared.on_delete == rule);
    sqlite_rebuild(migration_repairs, &context.table(key.table).name, &definition(context, key, rule))
}

/// Returns instructions for changing a foreign key on SQLite, which has no statement for it: a pending migration does
/// it, or the table is rebuilt by hand.
pub(super) fn sqlite_rebuild(migration_repairs: bool, table: &str, definition: &str) -> String {
    if migration_repairs {
        return "-- Run: session-admin migrate".to_owned();
    }
    let name = quote(table);
    let copy = quote(&format!("{table}_new"));
    let literal = table.replace('\'', "''");
    format!(
        "-- SQLite cannot change a foreign key in place: rebuild {name}, with every other program stopped.\n-- 1. \
         Look up the current definitions, including indexes and triggers: SELECT sql FROM sqlite_schema WHERE \
         tbl_name = '{literal}';\n-- 2. On one connection: PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;\n-- 3. CREATE \
         TABLE {copy} with the same columns, and for this key: {definition}\n-- 4. INSERT INTO {copy} SELECT * FROM \
         {name}; DROP TABLE {name}; ALTER TABLE {copy} RENAME TO {name};\n-- 5. Create the indexes and triggers of \
         step 1 again; PRAGMA foreign_key_check; COMMIT; PRAGMA foreign_keys = ON;"
    )
}
