//! A query's text, read and measured before anything else looks at it, and validated then.
//!
//! The library neither bounds the nesting that its parser descends into, nor remembers fragments that it has visited, so
//! a small document can overflow the stack or keep a core busy for hours. Both are refused here, in linear time.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Response, ServerError, Value as ConstValue, Variables};

use super::parse::introspection_limit;
use super::parse::token_scan::scan;
use super::parse::validation::{syntax_error, validate};
use super::response::field_order::put_in_order;
use super::response::null_propagation::make_null;
use super::response::selection_tree::Asked;
use super::rewrite::empty_objects::{keep_objects, take_out};
use super::rewrite::typename_directives::wrap_typenames;
use crate::graphql::error::{BAD_USER_INPUT, QUERY_TOO_COMPLEX, coded};
use crate::limits::Limits;

/// Selections within selections, fragments included; the library's own limit is 32.
const MAX_NESTING: usize = 30;
/// Brackets within brackets.
const MAX_BRACKETS: usize = 64;
/// The longest name, in bytes: a field's stands in the answer for every row.
const MAX_NAME: usize = 200;

/// A query's text that can be parsed and is not too large to work on. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Document(Arc<Read>);

#[derive(Debug)]
struct Read {
    document: ExecutableDocument,
    /// Why it is not executed.
    fault: Option<ServerError>,
    /// Whether something is asked for that was not.
    keeps: bool,
}

impl Document {
    /// Reads a query's text.
    ///
    /// # Errors
    /// BAD_USER_INPUT where it is no GraphQL, QUERY_TOO_COMPLEX where it passes a limit.
    pub fn parse(query: &str, limits: &Limits) -> Result<Self, ServerError> {
        let text = scan(query);
        at_most(text.tokens, limits.tokens, |most| format!("The query has more than {most} tokens."))?;
        at_most(text.brackets, MAX_BRACKETS, |most| format!("The query nests brackets deeper than {most} levels."))?;
        at_most(text.name, MAX_NAME, |most| format!("The query has a name that is longer than {most} letters."))?;
        let mut document = parse_query(query).map_err(|error| syntax_error(error.positions().collect()))?;
        measure(&document, limits)?;
        introspection_limit::check(&document)?;
        let fault = validate(query).err();
        wrap_typenames(&mut document);
        let keeps = keep_objects(&mut document);
        Ok(Self(Arc::new(Read { document, fault, keeps })))
    }

    /// The operation that would run, with its own name; none where the name does not decide which.
    #[must_use]
    pub fn operation(&self, name: Option<&str>) -> Option<(Option<&str>, OperationType)> {
        self.definition(name).map(|(name, operation)| (name, operation.node.ty))
    }

    pub(crate) fn definition(&self, name: Option<&str>) -> Option<(Option<&str>, &Positioned<OperationDefinition>)> {
        match (&self.0.document.operations, name) {
            (DocumentOperations::Single(operation), None) => Some((None, operation)),
            (DocumentOperations::Single(_), Some(_)) => None,
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get_key_value(name).map(|(name, operation)| (Some(name.as_str()), operation))
            }
            (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
                Some((name, operation)) if operations.len() == 1 => Some((Some(name.as_str()), operation)),
                _ => None,
            },
        }
    }

    pub(crate) fn inner(&self) -> &ExecutableDocument {
        &self.0.document
    }

    /// Whether the operation of this name has this variable.
    pub(crate) fn declares(&self, name: Option<&str>, variable: &str) -> bool {
        let definitions = self.definition(name).map(|(_, operation)| operation.node.variable_definitions.as_slice());
        definitions.unwrap_or_default().iter().any(|definition| definition.node.name.node == variable)
    }

    /// The document keeps GraphQL's rules, and every variable that needs a value has one: nothing is executed otherwise.
    pub(crate) fn check(&self, name: Option<&str>, variables: &Variables) -> Result<(), ServerError> {
        if let Some(fault) = &self.0.fault {
            return Err(fault.clone());
        }
        let Some((_, operation)) = self.definition(name) else { return Ok(()) };
        for VariableDefinition { name, var_type, default_value, .. } in
            operation.node.variable_definitions.iter().map(|definition| &definition.node)
        {
            let given = variables.get(&name.node).is_some_and(|value| *value != ConstValue::Null);
            let left_out = default_value.is_some() && !variables.contains_key(&name.node);
            if !(var_type.node.nullable || given || left_out) {
                let words = format!("The variable ${} of type {} needs a value.", name.node, var_type.node);
                return Err(coded(BAD_USER_INPUT, words));
            }
        }
        Ok(())
    }

    /// Puts right what the library makes of an answer: what failed is null, and the fields are in the order in which they
    /// were asked for.
    pub(crate) fn put_right(&self, name: Option<&str>, response: &mut Response) {
        let Some((_, operation)) = self.definition(name) else { return };
        let asked = Asked::of(&[&operation.node.selection_set.node], &self.inner().fragments);
        if !response.errors.is_empty() {
            make_null(response, operation.node.ty, &asked);
        }
        if self.0.keeps {
            take_out(&mut response.data);
        }
        put_in_order(&mut response.data, &asked);
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

/// Compares the document with the limits. The library's rules go through all operations, and through fragments that nobody
/// spreads too.
fn measure(document: &ExecutableDocument, limits: &Limits) -> Result<(), ServerError> {
    let mut measure = Measure { fragments: &document.fragments, limits, known: HashMap::new(), open: 0 };
    let mut all = Size::default();
    for (_, operation) in document.operations.iter() {
        check_root(&operation.node)?;
        let OperationDefinition { variable_definitions, directives, selection_set, .. } = &operation.node;
        at_most(variable_definitions.len(), limits.variables, |most| {
            format!("An operation has more than {most} variables.")
        })?;
        let of_variables: usize = variable_definitions.iter().map(|variable| variable.node.directives.len()).sum();
        let size = measure.selection_set(&selection_set.node)?;
        at_most(size.roots, limits.root_fields, |most| {
            format!("An operation has more than {most} fields at its root, fragments counted wherever they are spread.")
        })?;
        all = all.beside(Size { directives: size.directives + directives.len() + of_variables, ..size });
    }
    all.check(limits)?;
    let mut fragments = Size::default();
    for name in document.fragments.keys() {
        fragments = fragments.beside(measure.fragment(name)?);
    }
    fragments.check(limits)
}

fn at_most(count: usize, most: usize, words: impl FnOnce(usize) -> String) -> Result<(), ServerError> {
    if count > most { Err(coded(QUERY_TOO_COMPLEX, words(most))) } else { Ok(()) }
}

/// What a selection set amounts to with its fragments spread.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    nesting: usize,
    /// Fields and spreads: a spread of nothing is work too.
    fields: usize,
    aliases: usize,
    directives: usize,
    /// Fields that are not within others.
    roots: usize,
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            roots: self.roots.saturating_add(other.roots),
        }
    }

    /// The same within a fragment, or the spread of one, that has so many directives.
    fn within_fragment(self, directives: usize) -> Self {
        Self {
            nesting: self.nesting + 1,
            fields: self.fields.saturating_add(1),
            directives: self.directives.saturating_add(directives),
            ..self
        }
    }

    fn within(self, field: &Field) -> Self {
        Self {
            depth: self.depth + 1,
            nesting: self.nesting + 1,
            fields: self.fields.saturating_add(1),
            aliases: self.aliases.saturating_add(field.alias.is_some().into()),
            directives: self.directives.saturating_add(field.directives.len()),
            roots: 1,
        }
    }

    fn check(self, limits: &Limits) -> Result<(), ServerError> {
        let too_deep =
            |_| format!("The query is nested too deep: at most {} levels of fields are answered.", limits.depth);
        let too_many = |what: &'static str| {
            move |most: usize| {
                format!(
                    "The query has too many {what}: at most {most} are answered, fragments counted wherever they are spread."
                )
            }
        };
        at_most(self.depth, limits.depth, too_deep)?;
        at_most(self.nesting, MAX_NESTING, too_deep)?;
        at_most(self.fields, limits.fields, too_many("fields"))?;
        at_most(self.aliases, limits.aliases, too_many("aliases"))?;
        at_most(self.directives, limits.directives, too_many("directives"))
    }
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    limits: &'a Limits,
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
                Selection::Field(field) => self.selection_set(&field.node.selection_set.node)?.within(&field.node),
                Selection::InlineFragment(fragment) => self
                    .selection_set(&fragment.node.selection_set.node)?
                    .within_fragment(fragment.node.directives.len()),
                Selection::FragmentSpread(spread) => {
                    let inner = self.fragment(&spread.node.fragment_name.node)?;
                    let directives = inner.directives.saturating_add(spread.node.directives.len());
                    Size { directives, ..inner }
                }
            });
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &Name) -> Result<Size, ServerError> {
        // A fragment that does not exist is for the validation to report.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Ok(Size::default().within_fragment(0));
        };
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(coded(BAD_USER_INPUT, format!("The fragment {name} spreads itself."))),
            None => {}
        }
        // Checked on the way, so that a long chain of fragments ends here and not in the stack.
        Size { nesting: self.open, ..Size::default() }.check(self.limits)?;
        self.known.insert(name, None);
        self.open += 1;
        let inner = self.selection_set(&fragment.node.selection_set.node)?;
        self.open -= 1;
        let size = inner.within_fragment(fragment.node.directives.len());
        self.known.insert(name, Some(size));
        Ok(size)
    }
}
