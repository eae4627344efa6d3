//! A rewrite of selections that may leave an object without fields.
//!
//! If every selection of an object is skipped, or applies to another type, the specification requires the object to be
//! `{}`. async-graphql returns null instead, which means that there is no object. If that may happen, a hidden
//! `__typename` is added to the selections of the object, and removed from the response.

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned, Value};

use super::typename_directives::TYPENAME;
use crate::conformance::visit::walk_selections_mut;

/// The response key of the hidden field; no client chooses it by chance.
const PLACEHOLDER: &str = "__kept";

/// Adds the hidden field to every selection set that may be left without a field, and returns whether there is one.
pub(crate) fn add_placeholders(document: &mut ExecutableDocument) -> bool {
    let mut has_placeholders = false;
    walk_selections_mut(document, &mut |selection| {
        let pos = selection.pos;
        if let Selection::Field(field) = &mut selection.node {
            let items = &mut field.node.selection_set.node.items;
            if !items.is_empty() && !items.iter().any(is_always_included) {
                items.push(Positioned::new(Selection::Field(Positioned::new(placeholder(pos), pos)), pos));
                has_placeholders = true;
            }
        }
    });
    has_placeholders
}

/// Returns whether a selection is a field that is in the response whatever the variables and the object's type are.
fn is_always_included(selection: &Positioned<Selection>) -> bool {
    matches!(&selection.node, Selection::Field(field) if field.node.directives.is_empty())
}

fn placeholder(pos: Pos) -> Field {
    Field {
        alias: Some(Positioned::new(Name::new(PLACEHOLDER), pos)),
        name: Positioned::new(Name::new(TYPENAME), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet { items: Vec::new() }, pos),
    }
}

/// Removes the hidden field from all objects of a response.
pub(crate) fn strip_placeholders(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove(PLACEHOLDER);
            fields.values_mut().for_each(strip_placeholders);
        }
        Value::List(items) => items.iter_mut().for_each(strip_placeholders),
        _ => {}
    }
}
