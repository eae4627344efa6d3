//! Directives of `__typename`. async-graphql's validation ignores them on that field, so that a variable of such a directive
//! would count as unused, or could be of any type. On a fragment around the field they mean the same, and are validated.

use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, InlineFragment, Selection, SelectionSet};

use crate::conformance::visit::walk_selections_mut;

/// The name of the field that every type has.
pub(crate) const TYPENAME: &str = "__typename";

/// Moves the directives of every `__typename` to an inline fragment around it.
pub(crate) fn wrap_typenames(document: &mut ExecutableDocument) {
    walk_selections_mut(document, &mut |selection| {
        let Selection::Field(field) = &mut selection.node else { return };
        if field.node.name.node == TYPENAME && !field.node.directives.is_empty() {
            let pos = selection.pos;
            let directives = std::mem::take(&mut field.node.directives);
            let items = vec![Positioned::new(selection.node.clone(), pos)];
            let selection_set = Positioned::new(SelectionSet { items }, pos);
            let fragment = InlineFragment { type_condition: None, directives, selection_set };
            selection.node = Selection::InlineFragment(Positioned::new(fragment, pos));
        }
    });
}
