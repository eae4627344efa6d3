//! A query's text, read and measured before anything else looks at it.
//!
//! The library neither bounds the nesting that its parser descends into, nor remembers fragments that it has visited, so
//! a small document can overflow the stack or keep a core busy for hours. Both are refused here, in linear time.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError};

use super::error::{BAD_USER_INPUT, QUERY_TOO_COMPLEX, coded};

/// Fields within fields. The introspection query of usual clients has 15.
const MAX_DEPTH: usize = 15;
/// Selections within selections, fragments included; the library's own limit is 32.
const MAX_NESTING: usize = 30;
/// Fields, with every fragment counted wherever it is spread.
const MAX_FIELDS: usize = 2_000;
/// Brackets within brackets.
const MAX_BRACKETS: usize = 64;

/// A query's text that can be parsed and is not too large to work on. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Document(Arc<ExecutableDocument>);

impl Document {
    /// Reads a query's text.
    ///
    /// # Errors
    /// BAD_USER_INPUT where it is no GraphQL, QUERY_TOO_COMPLEX where it is too deep or too long.
    pub fn parse(query: &str) -> Result<Self, ServerError> {
        if bracket_depth(query) > MAX_BRACKETS {
            return Err(coded(
                QUERY_TOO_COMPLEX,
                format!("The query nests brackets deeper than {MAX_BRACKETS} levels."),
            ));
        }
        let document = parse_query(query).map_err(|error| {
            // The parser's own words echo the query and name its grammar's rules.
            let mut refusal =
                coded(BAD_USER_INPUT, "The query is not valid GraphQL: there is a syntax error at this place.");
            refusal.locations = error.positions().collect();
            refusal
        })?;
        let mut measure = Measure { fragments: &document.fragments, known: HashMap::new(), open: 0 };
        for (_, operation) in document.operations.iter() {
            check_root(&operation.node)?;
            measure.selection_set(&operation.node.selection_set.node)?.check()?;
        }
        Ok(Self(Arc::new(document)))
    }

    /// The operation that would run, with its own name; none where the name does not decide which.
    #[must_use]
    pub fn operation(&self, name: Option<&str>) -> Option<(Option<&str>, OperationType)> {
        match (&self.0.operations, name) {
            (DocumentOperations::Single(operation), None) => Some((None, operation.node.ty)),
            (DocumentOperations::Single(_), Some(_)) => None,
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get_key_value(name).map(|(name, operation)| (Some(name.as_str()), operation.node.ty))
            }
            (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
                Some((name, operation)) if operations.len() == 1 => Some((Some(name.as_str()), operation.node.ty)),
                _ => None,
            },
        }
    }

    pub(super) fn inner(&self) -> &ExecutableDocument {
        &self.0
    }

    pub(super) fn into_inner(self) -> ExecutableDocument {
        Arc::unwrap_or_clone(self.0)
    }
}

/// A subscription has one field, by GraphQL's rules. The library looks for it at the root only, and past its directives.
fn check_root(operation: &OperationDefinition) -> Result<(), ServerError> {
    let plain = match operation.selection_set.node.items.as_slice() {
        [Positioned { node: Selection::Field(field), .. }] => field.node.directives.is_empty(),
        _ => false,
    };
    if operation.ty != OperationType::Subscription || plain {
        return Ok(());
    }
    Err(coded(BAD_USER_INPUT, "A subscription takes one field, without a fragment around it and without a directive."))
}

/// What a selection set amounts to with its fragments spread.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    nesting: usize,
    fields: usize,
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            fields: self.fields.saturating_add(other.fields),
        }
    }

    fn check(self) -> Result<(), ServerError> {
        let refuse = |message: String| Err(coded(QUERY_TOO_COMPLEX, message));
        if self.depth > MAX_DEPTH || self.nesting > MAX_NESTING {
            return refuse(format!("The query is nested too deep: at most {MAX_DEPTH} levels of fields are answered."));
        }
        if self.fields > MAX_FIELDS {
            return refuse(format!(
                "The query has too many fields: at most {MAX_FIELDS} are answered, fragments counted wherever they are spread."
            ));
        }
        Ok(())
    }
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Sizes of fragments; none while one is being measured, which tells a circle.
    known: HashMap<&'a Name, Option<Size>>,
    /// How many are being measured, one within the other.
    open: usize,
}

impl<'a> Measure<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut size = Size::default();
        for selection in &set.items {
            size = size.beside(match &selection.node {
                Selection::Field(field) => {
                    let inner = self.selection_set(&field.node.selection_set.node)?;
                    Size { depth: inner.depth + 1, nesting: inner.nesting + 1, fields: inner.fields.saturating_add(1) }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = self.selection_set(&fragment.node.selection_set.node)?;
                    Size { nesting: inner.nesting + 1, ..inner }
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            });
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &Name) -> Result<Size, ServerError> {
        // A fragment that does not exist is for the validation to report.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Ok(Size::default()) };
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(coded(BAD_USER_INPUT, format!("The fragment {name} spreads itself."))),
            None => {}
        }
        // Checked on the way, so that a long chain of fragments ends here and not in the stack.
        Size { nesting: self.open, ..Size::default() }.check()?;
        self.known.insert(name, None);
        self.open += 1;
        let inner = self.selection_set(&fragment.node.selection_set.node)?;
        self.open -= 1;
        let size = Size { nesting: inner.nesting + 1, ..inner };
        self.known.insert(name, Some(size));
        Ok(size)
    }
}

/// How deep brackets are nested, strings and comments left out.
fn bracket_depth(query: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = query.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            b'#' => after(tail, |tail| tail.starts_with(b"\n") || tail.starts_with(b"\r")),
            b'"' if tail.starts_with(b"\"\"") => after_string(&tail[2..], b"\"\"\"", b"\\\"\"\""),
            b'"' => after_string(tail, b"\"", b"\\"),
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
                tail
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                tail
            }
            _ => tail,
        };
    }
    deepest
}

/// What follows the first place where `ends` holds.
fn after(mut text: &[u8], ends: impl Fn(&[u8]) -> bool) -> &[u8] {
    while !text.is_empty() && !ends(text) {
        text = &text[1..];
    }
    text
}

/// What follows a string whose opening quote has been read. `escape` makes what it begins with part of the string; a
/// single backslash takes one more byte with it.
fn after_string<'a>(mut text: &'a [u8], quote: &[u8], escape: &[u8]) -> &'a [u8] {
    while !text.is_empty() {
        if text.starts_with(escape) {
            let taken = if escape.len() == 1 { 2 } else { escape.len() };
            text = text.get(taken..).unwrap_or_default();
        } else if text.starts_with(quote) {
            return &text[quote.len()..];
        } else {
            text = &text[1..];
        }
    }
    text
}
