//! The size of a document, with every fragment counted wherever it is spread.
//!
//! async-graphql remembers no fragment that it has visited: thirteen levels of fragments that spread each other three times
//! keep a core busy for seconds, and each level takes three times longer. Here a fragment is measured once, so that measuring
//! takes time linear in the text.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError};

use crate::conformance::error::{BAD_USER_INPUT, QUERY_TOO_COMPLEX, error_with_code};
use crate::conformance::limits::DocumentLimits;
use crate::conformance::visit::Fragments;

/// The most selections within selections, fragments included; async-graphql's own limit is 32.
const MAX_NESTING: usize = 30;

/// Passes a document whose operations and fragments keep the limits. Fragments that nobody spreads count by themselves,
/// since async-graphql's validation walks them too.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` where a limit is exceeded, `BAD_USER_INPUT` where a fragment spreads itself or a subscription has
/// anything but one plain field.
pub(crate) fn check_size(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<(), ServerError> {
    let mut meter = SizeMeter { fragments: &document.fragments, limits, sizes: HashMap::new(), depth: 0 };
    let mut total = Size::default();
    for (_, operation) in document.operations.iter() {
        check_subscription_root(&operation.node)?;
        let OperationDefinition { variable_definitions, directives, selection_set, .. } = &operation.node;
        check_at_most(variable_definitions.len(), limits.variables, |most| {
            format!("An operation has more than {most} variables.")
        })?;
        let on_variables: usize = variable_definitions.iter().map(|variable| variable.node.directives.len()).sum();
        let size = meter.measure_set(&selection_set.node)?;
        check_at_most(size.root_fields, limits.root_fields, |most| {
            format!("An operation has more than {most} fields at its root; a fragment counts wherever it is spread.")
        })?;
        total = total.merge(Size { directives: size.directives + directives.len() + on_variables, ..size });
    }
    total.check(limits)?;
    let mut fragments = Size::default();
    for name in document.fragments.keys() {
        fragments = fragments.merge(meter.measure_fragment(name)?);
    }
    fragments.check(limits)
}

/// Passes a count that is no more than `most`.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`, with the message for `most`.
pub(crate) fn check_at_most(
    count: usize,
    most: usize,
    message: impl FnOnce(usize) -> String,
) -> Result<(), ServerError> {
    if count > most { Err(error_with_code(QUERY_TOO_COMPLEX, message(most))) } else { Ok(()) }
}

/// Passes a subscription whose root is one field. async-graphql looks for that field at the root only, past fragments and
/// past its directives.
fn check_subscription_root(operation: &OperationDefinition) -> Result<(), ServerError> {
    let is_plain_field = match operation.selection_set.node.items.as_slice() {
        [Positioned { node: Selection::Field(field), .. }] => field.node.directives.is_empty(),
        _ => false,
    };
    if operation.ty != OperationType::Subscription || is_plain_field {
        return Ok(());
    }
    Err(error_with_code(
        BAD_USER_INPUT,
        "A subscription must have exactly one field, without a fragment around it and without a directive.",
    ))
}

/// The size of a selection set with its fragments spread.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Levels of fields within fields.
    depth: usize,
    /// Levels of fields and fragments within one another.
    nesting: usize,
    /// Fields and spreads: a spread of nothing is work too.
    fields: usize,
    aliases: usize,
    directives: usize,
    /// Fields that are not within others.
    root_fields: usize,
}

impl Size {
    /// Returns the size of a set that has the selections of both.
    fn merge(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            root_fields: self.root_fields.saturating_add(other.root_fields),
        }
    }

    /// Returns the size of a fragment around these selections, or of its spread, with this number of directives.
    fn nested_in_fragment(self, directives: usize) -> Self {
        Self {
            nesting: self.nesting + 1,
            fields: self.fields.saturating_add(1),
            directives: self.directives.saturating_add(directives),
            ..self
        }
    }

    /// Returns the size of the field whose selections these are.
    fn nested_in(self, field: &Field) -> Self {
        Self {
            depth: self.depth + 1,
            nesting: self.nesting + 1,
            fields: self.fields.saturating_add(1),
            aliases: self.aliases.saturating_add(field.alias.is_some().into()),
            directives: self.directives.saturating_add(field.directives.len()),
            root_fields: 1,
        }
    }

    fn check(self, limits: &DocumentLimits) -> Result<(), ServerError> {
        let too_deep =
            |_| format!("The query is nested too deeply: at most {} levels of fields are allowed.", limits.depth);
        let too_many = |what: &'static str| {
            move |most: usize| {
                format!(
                    "The query has too many {what}: at most {most} are allowed; a fragment counts wherever it is \
                     spread."
                )
            }
        };
        check_at_most(self.depth, limits.depth, too_deep)?;
        check_at_most(self.nesting, MAX_NESTING, too_deep)?;
        check_at_most(self.fields, limits.fields, too_many("fields"))?;
        check_at_most(self.aliases, limits.aliases, too_many("aliases"))?;
        check_at_most(self.directives, limits.directives, too_many("directives"))
    }
}

/// Measures selection sets, and each fragment once.
///
/// This is the one walk that does not go by [`crate::conformance::visit`]: a fragment's size is needed on the way back, and
/// whether fragments end is found out here.
struct SizeMeter<'a> {
    fragments: &'a Fragments,
    limits: &'a DocumentLimits,
    /// Sizes of fragments; none while the fragment is being measured, which reveals a cycle.
    sizes: HashMap<&'a Name, Option<Size>>,
    /// How many fragments are being measured, one within the other.
    depth: usize,
}

impl<'a> SizeMeter<'a> {
    fn measure_set(&mut self, set: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut size = Size::default();
        for selection in &set.items {
            size = size.merge(match &selection.node {
                Selection::Field(field) => self.measure_set(&field.node.selection_set.node)?.nested_in(&field.node),
                Selection::InlineFragment(fragment) => self
                    .measure_set(&fragment.node.selection_set.node)?
                    .nested_in_fragment(fragment.node.directives.len()),
                Selection::FragmentSpread(spread) => {
                    let inner = self.measure_fragment(&spread.node.fragment_name.node)?;
                    let directives = inner.directives.saturating_add(spread.node.directives.len());
                    Size { directives, ..inner }
                }
            });
        }
        Ok(size)
    }

    fn measure_fragment(&mut self, name: &Name) -> Result<Size, ServerError> {
        // Validation reports a fragment that does not exist.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Ok(Size::default().nested_in_fragment(0));
        };
        match self.sizes.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(error_with_code(BAD_USER_INPUT, format!("The fragment {name} spreads itself."))),
            None => {}
        }
        // Checked on the way down, so that a long chain of fragments ends here and does not overflow the stack.
        Size { nesting: self.depth, ..Size::default() }.check(self.limits)?;
        self.sizes.insert(name, None);
        self.depth += 1;
        let inner = self.measure_set(&fragment.node.selection_set.node)?;
        self.depth -= 1;
        let size = inner.nested_in_fragment(fragment.node.directives.len());
        self.sizes.insert(name, Some(size));
        Ok(size)
    }
}
