//! The foreign keys in the text of a CREATE TABLE, and the same text with other rules.
//!
//! Everything that is not part of a changed foreign key stays, byte for byte: checks, generated columns, collations,
//! comments, STRICT and WITHOUT ROWID.

use std::ops::Range;

use super::tokenizer::{Token, tokens};
use crate::{
    dialect::quote,
    foreign_key_fix::{Change, Rule},
};

/// A foreign key as the text has it.
#[derive(Debug)]
struct Clause {
    columns: Vec<String>,
    parent: String,
    /// Where its ON DELETE actions stand; SQLite accepts several and keeps the last.
    actions: Vec<Range<usize>>,
    /// Where an ON DELETE can be put if it has none.
    after_parent: usize,
    /// All of it, from its CONSTRAINT or first word on.
    whole: Range<usize>,
}

/// The text with one foreign key for the change's reference, which has the rule: the first of those that are there, else
/// a new one. Fails on a text that is not understood.
pub(super) fn with_rule(sql: &str, change: &Change, rule: Rule) -> Result<String, String> {
    let tokens = tokens(sql)?;
    let body = body(&tokens)?;
    let clauses = clauses(&tokens[..body.end], body.start)?;
    let mut ours = clauses.iter().filter(|clause| {
        clause.parent.eq_ignore_ascii_case(change.parent)
            && matches!(clause.columns.as_slice(), [only] if only.eq_ignore_ascii_case(change.column))
    });
    let mut edits = Vec::new();
    match ours.next() {
        None => {
            let text = format!(
                ", FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {}",
                quote(change.column),
                quote(change.parent),
                quote("id"),
                rule.sql()
            );
            // After the last word, since a comment may stand between it and the bracket.
            let end = tokens[body.end - 1].at.end;
            edits.push((end..end, text));
        }
        Some(kept) if kept.actions.is_empty() => {
            edits.push((kept.after_parent..kept.after_parent, format!(" ON DELETE {}", rule.sql())));
        }
        Some(kept) => edits.extend(kept.actions.iter().map(|at| (at.clone(), rule.sql().to_owned()))),
    }
    edits.extend(ours.map(|doubled| (cut(&tokens, &doubled.whole), String::new())));
    Ok(apply(sql, edits))
}

fn apply(sql: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(at, _)| at.start);
    let mut text = sql.to_owned();
    for (at, new) in edits.into_iter().rev() {
        text.replace_range(at, &new);
    }
    text
}

/// What to remove with a clause: also the comma before it, unless what follows it needs that comma. (SQLite lets commas
/// between table constraints be left out.)
fn cut(tokens: &[Token<'_>], whole: &Range<usize>) -> Range<usize> {
    let before = tokens.iter().rev().find(|t| t.at.end <= whole.start);
    let after = tokens.iter().find(|t| t.at.start >= whole.end);
    match (before, after) {
        (Some(comma), Some(next)) if comma.is_sign(",") && (next.is_sign(",") || next.is_sign(")")) => {
            comma.at.start..whole.end
        }
        _ => whole.clone(),
    }
}

/// The words between the brackets of CREATE TABLE name (...): from the first to the closing bracket.
fn body(tokens: &[Token<'_>]) -> Result<Range<usize>, String> {
    if !matches!(tokens, [create, table, ..] if create.is("CREATE") && table.is("TABLE")) {
        return Err("its definition does not begin with CREATE TABLE".to_owned());
    }
    let open = tokens.iter().position(|t| t.is_sign("(")).ok_or("its definition has no columns")?;
    let close = closing(tokens, open)?;
    Ok(open + 1..close)
}

/// The place of the bracket that closes the one at `open`.
fn closing(tokens: &[Token<'_>], open: usize) -> Result<usize, String> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth -= 1;
            if depth == 0 {
                return Ok(i);
            }
        }
    }
    Err("a bracket of its definition is never closed".to_owned())
}

/// All foreign keys. FOREIGN and REFERENCES are words that SQLite takes for nothing else unless they are quoted, and
/// none can stand inside brackets.
fn clauses(tokens: &[Token<'_>], start: usize) -> Result<Vec<Clause>, String> {
    let mut found = Vec::new();
    let mut column: Option<String> = None;
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        if token.is_sign("(") {
            at = closing(tokens, at)? + 1;
            continue;
        }
        if at == start || tokens[at - 1].is_sign(",") {
            column = token.name();
        }
        if token.is("FOREIGN") {
            let (columns, next) = names(tokens, at + 2)?;
            let clause = clause(tokens, at, next, columns)?;
            at = next_after(tokens, &clause);
            found.push(clause);
        } else if token.is("REFERENCES") {
            let column = column.clone().ok_or("a reference without a column")?;
            let clause = clause(tokens, at, at, vec![column])?;
            at = next_after(tokens, &clause);
            found.push(clause);
        } else {
            at += 1;
        }
    }
    Ok(found)
}

fn next_after(tokens: &[Token<'_>], clause: &Clause) -> usize {
    tokens.iter().position(|t| t.at.start >= clause.whole.end).unwrap_or(tokens.len())
}

/// The names in the brackets at `open`, and the place after them.
fn names(tokens: &[Token<'_>], open: usize) -> Result<(Vec<String>, usize), String> {
    if !tokens.get(open).is_some_and(|t| t.is_sign("(")) {
        return Err("a foreign key without columns".to_owned());
    }
    let close = closing(tokens, open)?;
    let inner = tokens[open + 1..close].iter().filter(|t| !t.is_sign(","));
    let names = inner.map(|t| t.name().ok_or_else(|| format!("{} among a foreign key's columns", t.text)));
    Ok((names.collect::<Result<_, _>>()?, close + 1))
}

/// The clause whose first word is at `first` and whose REFERENCES is at `references`.
fn clause(tokens: &[Token<'_>], first: usize, references: usize, columns: Vec<String>) -> Result<Clause, String> {
    let word = |i: usize, keyword: &str| tokens.get(i).is_some_and(|t: &Token<'_>| t.is(keyword));
    let parent = tokens.get(references + 1).and_then(Token::name);
    let (true, Some(parent)) = (word(references, "REFERENCES"), parent) else {
        return Err("a foreign key that references nothing".to_owned());
    };
    let mut at = references + 2;
    if tokens.get(at).is_some_and(|t| t.is_sign("(")) {
        at = closing(tokens, at)? + 1;
    }
    let after_parent = tokens[at - 1].at.end;
    let mut actions = Vec::new();
    loop {
        let length = if word(at, "ON") {
            let action = if word(at + 2, "SET") || word(at + 2, "NO") { 2 } else { 1 };
            let last = tokens.get(at + 1 + action).ok_or("a foreign key that ends in ON")?;
            if word(at + 1, "DELETE") {
                actions.push(tokens[at + 2].at.start..last.at.end);
            }
            2 + action
        } else if word(at, "MATCH") {
            2
        } else if word(at, "DEFERRABLE") || (word(at, "NOT") && word(at + 1, "DEFERRABLE")) {
            let own = if word(at, "NOT") { 2 } else { 1 };
            if word(at + own, "INITIALLY") { own + 2 } else { own }
        } else {
            break;
        };
        at += length;
    }
    let named = first >= 2 && word(first - 2, "CONSTRAINT");
    let start = if named { first - 2 } else { first };
    let last = tokens.get(at - 1).ok_or("a foreign key that ends too early")?;
    Ok(Clause { columns, parent, actions, after_parent, whole: tokens[start].at.start..last.at.end })
}

#[cfg(test)]
#[path = "table_definition_tests.rs"]
mod tests;
