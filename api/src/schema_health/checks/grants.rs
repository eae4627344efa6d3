//! `MISSING_GRANT`: what a deletion needs and this role lacks (PostgreSQL).

use super::Draft;
use crate::db::quote;
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity, row_counts};

/// The drafts of this check: one a table, one for this program's own tables, one for the type that the queue needs.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    let business = scene.touched().into_iter().filter_map(|table| of_table(scene, table));
    business.chain(of_own_tables(scene)).chain(of_hstore(scene)).collect()
}

fn of_table(scene: &Scene, id: usize) -> Option<Draft> {
    let table = scene.table(id);
    let needed = [
        ("SELECT", table.grants.select, true),
        // Locking a row takes the same privilege as changing it.
        ("UPDATE", table.grants.update, true),
        ("DELETE", table.grants.delete, scene.reached.contains(&id)),
        ("INSERT", table.grants.insert, scene.reached.contains(&id)),
    ];
    let lacking: Vec<&str> = needed
        .into_iter()
        .filter(|(_, granted, needed)| *needed && !granted)
        .map(|(privilege, ..)| privilege)
        .collect();
    let closed = scene.facts.closed_schemas.contains(&table.schema);
    if lacking.is_empty() && !closed {
        return None;
    }
    let role = quote(&scene.facts.role);
    let mut statements = Vec::new();
    if closed {
        statements.push(format!("GRANT USAGE ON SCHEMA {} TO {role}", quote(&table.schema)));
    }
    if !lacking.is_empty() {
        statements.push(format!("GRANT {} ON {} TO {role}", lacking.join(", "), scene.sql_table(id)));
    }
    let mut words = lacking;
    if closed {
        words.push("the use of its schema");
    }
    let message = format!(
        "The role {} lacks {} on {}, which deleting and restoring need.",
        scene.facts.role,
        words.join(", "),
        table.display
    );
    Some(Draft {
        rows: row_counts::rows(scene, id),
        fixes: vec![grant(&statements)],
        ..Draft::about_table(FindingCode::MissingGrant, Severity::Error, &table.display, message)
    })
}

fn of_own_tables(scene: &Scene) -> Option<Draft> {
    let (closed, missing) = (&scene.facts.own_closed, &scene.facts.own_missing);
    if closed.is_empty() && missing.is_empty() {
        return None;
    }
    let role = quote(&scene.facts.role);
    let usage = closed.iter().rev().map(|schema| format!("GRANT USAGE ON SCHEMA {schema} TO {role}"));
    let grants = missing
        .iter()
        .map(|((schema, table), privilege)| format!("GRANT {privilege} ON {schema}.{} TO {role}", quote(table)));
    let statements: Vec<String> = usage.chain(grants).collect();
    let message = format!(
        "The role {} lacks privileges on this program's own tables, where it writes the audit record of a deletion and queues cleanup runs.",
        scene.facts.role
    );
    Some(Draft {
        rows: Some("SELECT CAST(0 AS bigint)".to_owned()),
        fixes: vec![grant(&statements)],
        ..Draft::about_table(FindingCode::MissingGrant, Severity::Error, "session_admin", message)
    })
}

fn of_hstore(scene: &Scene) -> Option<Draft> {
    let closed = scene.facts.closed_hstore.as_ref()?;
    Some(Draft {
        rows: Some("SELECT CAST(0 AS bigint)".to_owned()),
        fixes: vec![grant(&[closed.grant()])],
        ..Draft::about_table(FindingCode::MissingGrant, Severity::Error, "apalis.jobs", closed.message())
    })
}

fn grant(statements: &[String]) -> Fix {
    Fix {
        statement: statements.join(";\n"),
        consequence:
            "No row changes; the role may do what a deletion needs, and no more. The tables' owner can grant it."
                .to_owned(),
    }
}
