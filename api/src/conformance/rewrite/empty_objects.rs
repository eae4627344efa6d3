//! Objects of which nothing is asked for in the end, since it is skipped or is another type's. They are empty, by GraphQL's
//! rules; the library makes null of them, which means that there is none. Wherever that may come a field is asked for besides
//! that every object has, and taken out of the answer.

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

use super::omitted_variables::operations;
use super::typename_directives::TYPENAME;

/// What that field is called in the answer; no client gives such a name by chance.
const KEPT: &str = "__kept";

/// Asks for the field wherever an object may be left without one; says whether that is so anywhere.
pub(crate) fn keep_objects(document: &mut ExecutableDocument) -> bool {
    let mut kept = false;
    for operation in operations(&mut document.operations) {
        kept |= keep_within(&mut operation.node.selection_set.node);
    }
    for fragment in document.fragments.values_mut() {
        kept |= keep_within(&mut fragment.node.selection_set.node);
    }
    kept
}

fn keep_within(set: &mut SelectionSet) -> bool {
    let mut kept = false;
    for Positioned { pos, node } in &mut set.items {
        kept |= match node {
            Selection::Field(field) => {
                let within = &mut field.node.selection_set.node;
                let may_be_empty = !within.items.is_empty() && !within.items.iter().any(is_there);
                let kept = keep_within(within);
                if may_be_empty {
                    within.items.push(Positioned::new(Selection::Field(Positioned::new(hidden(*pos), *pos)), *pos));
                }
                kept || may_be_empty
            }
            Selection::InlineFragment(fragment) => keep_within(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => false,
        };
    }
    kept
}

/// Whether it is a field that is there in any case.
fn is_there(selection: &Positioned<Selection>) -> bool {
    matches!(&selection.node, Selection::Field(field) if field.node.directives.is_empty())
}

fn hidden(pos: async_graphql::Pos) -> Field {
    Field {
        alias: Some(Positioned::new(Name::new(KEPT), pos)),
        name: Positioned::new(Name::new(TYPENAME), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet { items: Vec::new() }, pos),
    }
}

/// Takes the field out of an answer.
pub(crate) fn take_out(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove(KEPT);
            fields.values_mut().for_each(take_out);
        }
        Value::List(items) => items.iter_mut().for_each(take_out),
        _ => {}
    }
}
