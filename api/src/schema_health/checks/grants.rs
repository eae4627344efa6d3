//! `MISSING_GRANT`: the current role lacks a privilege that a deletion needs (PostgreSQL).

use crate::db::quote;
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::row_counts;

/// Returns a draft for each table, one for this program's internal tables, and one for the extension of the queue.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    let business = context.affected_tables().into_iter().filter_map(|table| check_table(context, table));
    business.chain(check_internal_tables(context)).chain(check_hstore(context)).collect()
}

fn check_table(context: &CheckContext, id: usize) -> Option<FindingDraft> {
    let table = context.table(id);
    let needed = [
        ("SELECT", table.grants.select, true),
        // Locking a row needs the same privilege as changing it.
        ("UPDATE", table.grants.update, true),
        ("DELETE", table.grants.delete, context.reached.contains(&id)),
        ("INSERT", table.grants.insert, context.reached.contains(&id)),
    ];
    let lacking: Vec<&str> = needed
        .into_iter()
        .filter(|(_, granted, needed)| *needed && !granted)
        .map(|(privilege, ..)| privilege)
        .collect();
    let closed = context.facts.closed_schemas.contains(&table.schema);
    if lacking.is_empty() && !closed {
        return None;
    }
    let role = quote(&context.facts.role);
    let mut statements = Vec::new();
    if closed {
        statements.push(format!("GRANT USAGE ON SCHEMA {} TO {role}", quote(&table.schema)));
    }
    if !lacking.is_empty() {
        statements.push(format!("GRANT {} ON {} TO {role}", lacking.join(", "), context.sql_table(id)));
    }
    let mut missing = lacking;
    if closed {
        missing.push("the use of its schema");
    }
    let message = format!(
        "The role {} lacks {} on {}, which deleting and restoring need.",
        context.facts.role,
        missing.join(", "),
        table.display
    );
    Some(FindingDraft {
        rows: row_counts::rows(context, id),
        fixes: vec![grant(&statements)],
        ..FindingDraft::about_table(FindingCode::MissingGrant, Severity::Error, &table.display, message)
    })
}

fn check_internal_tables(context: &CheckContext) -> Option<FindingDraft> {
    let (closed, missing) = (&context.facts.closed_internal_schemas, &context.facts.missing_internal_grants);
    if closed.is_empty() && missing.is_empty() {
        return None;
    }
    let role = quote(&context.facts.role);
    let usage = closed.iter().rev().map(|schema| format!("GRANT USAGE ON SCHEMA {schema} TO {role}"));
    let grants = missing
        .iter()
        .map(|((schema, table), privilege)| format!("GRANT {privilege} ON {schema}.{} TO {role}", quote(table)));
    let statements: Vec<String> = usage.chain(grants).collect();
    let message = format!(
        "The role {} lacks privileges on this program's own tables, where it writes the audit record of a deletion and queues cleanup runs.",
        context.facts.role
    );
    Some(FindingDraft {
        rows: Some("SELECT CAST(0 AS bigint)".to_owned()),
        fixes: vec![grant(&statements)],
        ..FindingDraft::about_table(FindingCode::MissingGrant, Severity::Error, "session_admin", message)
    })
}

fn check_hstore(context: &CheckContext) -> Option<FindingDraft> {
    let closed = context.facts.closed_hstore.as_ref()?;
    Some(FindingDraft {
        rows: Some("SELECT CAST(0 AS bigint)".to_owned()),
        fixes: vec![grant(&[closed.grant()])],
        ..FindingDraft::about_table(FindingCode::MissingGrant, Severity::Error, "apalis.jobs", closed.message())
    })
}

fn grant(statements: &[String]) -> Fix {
    Fix {
        statement: statements.join(";\n"),
        consequence:
            "No row changes. The role gets the privileges that a deletion needs, and no others. The tables' owner can \
             grant them."
                .to_owned(),
    }
}
