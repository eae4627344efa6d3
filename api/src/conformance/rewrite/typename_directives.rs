//! Directives of `__typename`. The library's rules pass by the one field that every type has, so that a variable of such a
//! directive would be unused, or could be of any type. A fragment around the field means the same, and is looked at.

use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, InlineFragment, Selection, SelectionSet};

use super::omitted_variables::operations;

/// The name of that field.
pub(crate) const TYPENAME: &str = "__typename";

/// Gives the directives of every such field to a fragment around it.
pub(crate) fn wrap_typenames(document: &mut ExecutableDocument) {
    for operation in operations(&mut document.operations) {
        wrap(&mut operation.node.selection_set.node);
    }
    for fragment in document.fragments.values_mut() {
        wrap(&mut fragment.node.selection_set.node);
    }
}

fn wrap(set: &mut SelectionSet) {
    for Positioned { pos, node } in &mut set.items {
        match node {
            Selection::Field(field) if field.node.name.node == TYPENAME && !field.node.directives.is_empty() => {
                let directives = std::mem::take(&mut field.node.directives);
                let items = vec![Positioned::new(node.clone(), *pos)];
                let selection_set = Positioned::new(SelectionSet { items }, *pos);
                let fragment = InlineFragment { type_condition: None, directives, selection_set };
                *node = Selection::InlineFragment(Positioned::new(fragment, *pos));
            }
            Selection::Field(field) => wrap(&mut field.node.selection_set.node),
            Selection::InlineFragment(fragment) => wrap(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}
