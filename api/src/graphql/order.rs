//! The order of an answer's fields, which is the query's. The library puts them in as they come; the rows of lists are in
//! order already ([`super::rows`]).

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;
/// What is asked for within each field; one may stand there more than once.
type Asked<'a> = IndexMap<&'a Name, Vec<&'a SelectionSet>>;

/// Puts the fields of an object, and of the objects in it, in the order in which they are asked for.
pub(super) fn put_in_order(value: &mut Value, sets: &[&SelectionSet], fragments: &Fragments) {
    let Value::Object(fields) = value else { return };
    let mut asked = Asked::new();
    for set in sets {
        collect(set, fragments, &mut asked);
    }
    let place = |name: &Name| asked.get_index_of(name).unwrap_or(usize::MAX);
    if !fields.keys().is_sorted_by_key(place) {
        fields.sort_by_cached_key(|name, _| place(name));
    }
    for (name, value) in fields {
        if let Some(within) = asked.get(name) {
            put_in_order(value, within, fragments);
        }
    }
}

fn collect<'a>(set: &'a SelectionSet, fragments: &'a Fragments, asked: &mut Asked<'a>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let within = asked.entry(&field.node.response_key().node).or_default();
                within.push(&field.node.selection_set.node);
            }
            Selection::InlineFragment(fragment) => collect(&fragment.node.selection_set.node, fragments, asked),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(&fragment.node.selection_set.node, fragments, asked);
                }
            }
        }
    }
}
