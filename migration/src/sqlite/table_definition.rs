//! Edits of the foreign keys in a CREATE TABLE statement.
//!
//! Everything outside the edited foreign keys remains identical byte for byte: checks, generated columns, collations,
//! comments, STRICT and WITHOUT ROWID.
//! comments, STRICT and WITHOUT ROWID.

use std::ops::Range;

use super::tokenizer::{Token, tokenize};
use crate::{
    foreign_key_fix::{ForeignKeyFix, ReferentialAction},
    identifier::quote_identifier,
};

/// A foreign-key clause of the statement. All ranges are byte ranges of the text.
#[derive(Debug)]
struct ForeignKeyClause {
    columns: Vec<String>,
    referenced_table: String,
    /// The ON DELETE actions. SQLite accepts several and uses the last one.
    on_delete_actions: Vec<Range<usize>>,
    /// The end of the referenced table and columns, where an ON DELETE can be inserted.
    reference_end: usize,
    /// The whole clause, with its CONSTRAINT name.
    range: Range<usize>,
}

/// Returns the statement with exactly one foreign key for the fix's reference, which has the given ON DELETE action.
///
/// If the reference has foreign keys, the first one is edited and the others are removed. Otherwise, one is added.
///
/// # Errors
///
/// Returns a description of the part of the statement that was not understood.
pub(super) fn set_foreign_key_action(
    sql: &str,
    fix: &ForeignKeyFix,
    action: ReferentialAction,
) -> Result<String, String> {
    let tokens = tokenize(sql)?;
    let body = find_body(&tokens)?;
    let clauses = parse_foreign_keys(&tokens[..body.end], body.start)?;
    let mut matching = clauses.iter().filter(|clause| {
        clause.referenced_table.eq_ignore_ascii_case(fix.referenced_table)
            && matches!(clause.columns.as_slice(), [column] if column.eq_ignore_ascii_case(fix.column))
    });
    let mut edits = Vec::new();
    match matching.next() {
        None => {
            let text = format!(
                ", FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {}",
                quote_identifier(fix.column),
                quote_identifier(fix.referenced_table),
                quote_identifier("id"),
                action.as_sql()
            );
            // The clause is inserted after the last token instead of before the closing bracket, because a line comment
            // may separate the two.
            let end = tokens[body.end - 1].range.end;
            edits.push((end..end, text));
        }
        Some(clause) if clause.on_delete_actions.is_empty() => {
            edits.push((clause.reference_end..clause.reference_end, format!(" ON DELETE {}", action.as_sql())));
        }
        Some(clause) => {
            edits.extend(clause.on_delete_actions.iter().map(|range| (range.clone(), action.as_sql().to_owned())));
        }
    }
    edits.extend(matching.map(|duplicate| (range_to_remove(&tokens, &duplicate.range), String::new())));
    Ok(apply_edits(sql, edits))
}

/// Replaces each range with its text. The ranges must not overlap.
fn apply_edits(sql: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut edited = sql.to_owned();
    for (range, text) in edits.into_iter().rev() {
        edited.replace_range(range, &text);
    }
    edited
}

/// Returns the range to remove with a clause.
///
/// It includes the preceding comma, unless the next clause needs that comma. SQLite permits omitting commas between
/// table constraints.
fn range_to_remove(tokens: &[Token<'_>], clause: &Range<usize>) -> Range<usize> {
    let before = tokens.iter().rev().find(|token| token.range.end <= clause.start);
    let after = tokens.iter().find(|token| token.range.start >= clause.end);
    match (before, after) {
        (Some(comma), Some(next)) if comma.is_symbol(",") && (next.is_symbol(",") || next.is_symbol(")")) => {
            comma.range.start..clause.end
        }
        _ => clause.clone(),
    }
}

/// Returns the indexes of the tokens between the brackets of CREATE TABLE name (...). The end of the range is the index
/// of the closing bracket.
fn find_body(tokens: &[Token<'_>]) -> Result<Range<usize>, String> {
    if !matches!(tokens, [create, table, ..] if create.is_keyword("CREATE") && table.is_keyword("TABLE")) {
        return Err("its definition does not begin with CREATE TABLE".to_owned());
    }
    let open = tokens.iter().position(|token| token.is_symbol("(")).ok_or("its definition has no columns")?;
    let close = find_closing_bracket(tokens, open)?;
    Ok(open + 1..close)
}

/// Returns the index of the bracket that closes the one at `open`.
fn find_closing_bracket(tokens: &[Token<'_>], open: usize) -> Result<usize, String> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth -= 1;
            if depth == 0 {
                return Ok(index);
            }
        }
    }
    Err("a bracket of its definition is never closed".to_owned())
}

/// Parses all foreign keys.
///
/// Unquoted FOREIGN and REFERENCES are always keywords in SQLite, and neither can occur inside brackets.
fn parse_foreign_keys(tokens: &[Token<'_>], start: usize) -> Result<Vec<ForeignKeyClause>, String> {
    let mut clauses = Vec::new();
    let mut column: Option<String> = None;
    let mut index = start;
    while let Some(token) = tokens.get(index) {
        if token.is_symbol("(") {
            index = find_closing_bracket(tokens, index)? + 1;
            continue;
        }
        if index == start || tokens[index - 1].is_symbol(",") {
            column = token.to_name();
        }
        if token.is_keyword("FOREIGN") {
            let (columns, references) = parse_column_names(tokens, index + 2)?;
            let clause = parse_clause(tokens, index, references, columns)?;
            index = index_after(tokens, &clause);
            clauses.push(clause);
        } else if token.is_keyword("REFERENCES") {
            let column = column.clone().ok_or("a reference without a column")?;
            let clause = parse_clause(tokens, index, index, vec![column])?;
            index = index_after(tokens, &clause);
            clauses.push(clause);
        } else {
            index += 1;
        }
    }
    Ok(clauses)
}

fn index_after(tokens: &[Token<'_>], clause: &ForeignKeyClause) -> usize {
    tokens.iter().position(|token| token.range.start >= clause.range.end).unwrap_or(tokens.len())
}

/// Parses the column names in the brackets at `open`. Returns them and the index after the closing bracket.
fn parse_column_names(tokens: &[Token<'_>], open: usize) -> Result<(Vec<String>, usize), String> {
    if !tokens.get(open).is_some_and(|token| token.is_symbol("(")) {
        return Err("a foreign key without columns".to_owned());
    }
    let close = find_closing_bracket(tokens, open)?;
    let names = tokens[open + 1..close]
        .iter()
        .filter(|token| !token.is_symbol(","))
        .map(|token| token.to_name().ok_or_else(|| format!("{} among a foreign key's columns", token.text)));
    Ok((names.collect::<Result<_, _>>()?, close + 1))
}

/// Parses the clause whose first token is at `first` and whose REFERENCES is at `references`.
fn parse_clause(
    tokens: &[Token<'_>],
    first: usize,
    references: usize,
    columns: Vec<String>,
) -> Result<ForeignKeyClause, String> {
    let is_keyword =
        |index: usize, keyword: &str| tokens.get(index).is_some_and(|token: &Token<'_>| token.is_keyword(keyword));
    let referenced_table = tokens.get(references + 1).and_then(Token::to_name);
    let (true, Some(referenced_table)) = (is_keyword(references, "REFERENCES"), referenced_table) else {
        return Err("a foreign key that references nothing".to_owned());
    };
    let mut index = references + 2;
    if tokens.get(index).is_some_and(|token| token.is_symbol("(")) {
        index = find_closing_bracket(tokens, index)? + 1;
    }
    let reference_end = tokens[index - 1].range.end;
    let mut on_delete_actions = Vec::new();
    loop {
        let length = if is_keyword(index, "ON") {
            let action_length = if is_keyword(index + 2, "SET") || is_keyword(index + 2, "NO") { 2 } else { 1 };
            let last = tokens.get(index + 1 + action_length).ok_or("a foreign key that ends in ON")?;
            if is_keyword(index + 1, "DELETE") {
                on_delete_actions.push(tokens[index + 2].range.start..last.range.end);
            }
            2 + action_length
        } else if is_keyword(index, "MATCH") {
            2
        } else if is_keyword(index, "DEFERRABLE") || (is_keyword(index, "NOT") && is_keyword(index + 1, "DEFERRABLE")) {
            let length = if is_keyword(index, "NOT") { 2 } else { 1 };
            if is_keyword(index + length, "INITIALLY") { length + 2 } else { length }
        } else {
            break;
        };
        index += length;
    }
    let has_name = first >= 2 && is_keyword(first - 2, "CONSTRAINT");
    let start = if has_name { first - 2 } else { first };
    let last = tokens.get(index - 1).ok_or("a foreign key that ends too early")?;
    let range = tokens[start].range.start..last.range.end;
    Ok(ForeignKeyClause { columns, referenced_table, on_delete_actions, reference_end, range })
}

#[cfg(test)]
#[path = "table_definition_tests.rs"]
mod tests;
