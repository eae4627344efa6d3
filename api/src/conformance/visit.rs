//! The walk over selection sets that every rule shares: it knows the three kinds of selections, so that rules need not.

use std::collections::HashMap;
use std::convert::Infallible;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned};

/// The fragments of a document by their names.
pub(crate) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// One selection of a set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SelectedField<'a> {
    /// A field.
    Field(&'a Positioned<Field>),
    /// A fragment, written inline or spread by its name.
    Fragment(SelectedFragment<'a>),
}

/// A fragment where it is used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SelectedFragment<'a> {
    /// The name of the fragment, or `None` for an inline fragment.
    pub name: Option<&'a Name>,
    /// The type condition, or `None` for an inline fragment without one.
    pub type_condition: Option<&'a str>,
    /// Directives of the inline fragment, or of the spread.
    pub directives: &'a [Positioned<Directive>],
}

/// Calls `visit` for the selections of a set in the order of the text, and for those within each. Spreads of fragments that
/// the document does not define are left out.
///
/// `visit` gets the scope that it returned for the selection around this one, at first `scope`, and returns the scope for
/// what is within, or `None` to leave that out.
///
/// Fragments must not spread themselves: documents are checked for that when they are parsed.
///
/// # Errors
/// The first error of `visit`, which ends the walk.
pub(crate) fn walk_selections<'a, S: Copy, E>(
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    scope: S,
    visit: &mut impl FnMut(SelectedField<'a>, S) -> Result<Option<S>, E>,
) -> Result<(), E> {
    for selection in &set.items {
        let (selected, inner) = match &selection.node {
            Selection::Field(field) => (SelectedField::Field(field), &field.node.selection_set),
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let selected = SelectedFragment {
                    name: None,
                    type_condition: condition.map(|condition| condition.node.on.node.as_str()),
                    directives: &fragment.node.directives,
                };
                (SelectedField::Fragment(selected), &fragment.node.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let Some((name, fragment)) = fragments.get_key_value(&spread.node.fragment_name.node) else { continue };
                let selected = SelectedFragment {
                    name: Some(name),
                    type_condition: Some(&fragment.node.type_condition.node.on.node),
                    directives: &spread.node.directives,
                };
                (SelectedField::Fragment(selected), &fragment.node.selection_set)
            }
        };
        if let Some(scope) = visit(selected, scope)? {
            walk_selections(&inner.node, fragments, scope, visit)?;
        }
    }
    Ok(())
}

/// Calls `visit` for each field that a selection set has for its own object, those of fragments among them, in the order of
/// the text. With each comes the type that the nearest fragment names, if any.
pub(crate) fn fields_at_root<'a>(
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    mut visit: impl FnMut(&'a Field, Option<&'a str>),
) {
    let walked = walk_selections(set, fragments, None, &mut |selected, type_condition| {
        Ok::<_, Infallible>(match selected {
            SelectedField::Field(field) => {
                visit(&field.node, type_condition);
                None
            }
            SelectedField::Fragment(fragment) => Some(fragment.type_condition.or(type_condition)),
        })
    });
    let Ok(()) = walked;
}

/// Calls `visit` for every selection of a document, which it may change, the outer ones first. Each fragment is visited where
/// it is defined, and not where it is spread.
pub(crate) fn walk_selections_mut(
    document: &mut ExecutableDocument,
    visit: &mut impl FnMut(&mut Positioned<Selection>),
) {
    for operation in operations_mut(&mut document.operations) {
        walk_set_mut(&mut operation.node.selection_set.node, visit);
    }
    for fragment in document.fragments.values_mut() {
        walk_set_mut(&mut fragment.node.selection_set.node, visit);
    }
}

fn walk_set_mut(set: &mut SelectionSet, visit: &mut impl FnMut(&mut Positioned<Selection>)) {
    for selection in &mut set.items {
        visit(selection);
        match &mut selection.node {
            Selection::Field(field) => walk_set_mut(&mut field.node.selection_set.node, visit),
            Selection::InlineFragment(fragment) => walk_set_mut(&mut fragment.node.selection_set.node, visit),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Returns the operations of a document, whether it has one or several.
pub(crate) fn operations_mut(operations: &mut DocumentOperations) -> Vec<&mut Positioned<OperationDefinition>> {
    match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::{SelectedField, fields_at_root, walk_selections};

    const QUERY: &str = "{ a { b } ... @skip(if: true) { c } ...F ...Gone ... on T { d ... { e } } } \
                         fragment F on Query { f { g } }";

    #[test]
    fn fields_at_the_root_come_in_order_with_the_type_of_the_nearest_fragment() {
        let document = parse_query(QUERY).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut fields = Vec::new();
        fields_at_root(&operation.node.selection_set.node, &document.fragments, |field, of| {
            fields.push((field.name.node.as_str(), of));
        });
        assert_eq!(fields, [("a", None), ("c", None), ("f", Some("Query")), ("d", Some("T")), ("e", Some("T"))]);
    }

    #[test]
    fn a_walk_goes_into_fields_and_fragments_until_an_error() {
        let document = parse_query(QUERY).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut met = Vec::new();
        let ended =
            walk_selections(&operation.node.selection_set.node, &document.fragments, 0, &mut |selected, depth| {
                match selected {
                    SelectedField::Field(field) if field.node.name.node == "d" => return Err("d"),
                    SelectedField::Field(field) => met.push((field.node.name.node.to_string(), depth)),
                    SelectedField::Fragment(fragment) => met.push((format!("{:?}", fragment.directives.len()), depth)),
                }
                Ok(Some(depth + 1))
            });
        let met: Vec<(&str, i32)> = met.iter().map(|(name, depth)| (name.as_str(), *depth)).collect();
        assert_eq!(met, [("a", 0), ("b", 1), ("1", 0), ("c", 1), ("0", 0), ("f", 1), ("g", 2), ("0", 0)]);
        assert_eq!(ended, Err("d"));
    }
}
