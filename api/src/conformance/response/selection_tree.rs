//! What an operation asks for, object by object, with its fragments spread.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, FragmentDefinition, Selection, SelectionSet, Type};
use async_graphql::{Name, Positioned};

use crate::conformance::schema_index;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// What is asked for at one position of an answer, or at that of each item of a list.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    /// The fields of the object there, by the names under which they are answered, in the order of the query.
    pub fields: IndexMap<&'a str, Asked<'a>>,
    /// Where the position's own field stands in the query, which may be more than once.
    places: Vec<Place<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    field: &'a Field,
    /// The type that the nearest fragment names; none where the object's own is meant.
    of: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// What these selection sets ask for of one object.
    pub fn of(sets: &[&'a SelectionSet], fragments: &'a Fragments) -> Self {
        let mut asked = Self::default();
        for set in sets {
            asked.collect(set, None, fragments);
        }
        for within in asked.fields.values_mut() {
            let sets: Vec<_> = within.places.iter().map(|place| &place.field.selection_set.node).collect();
            within.fields = Self::of(&sets, fragments).fields;
        }
        asked
    }

    fn collect(&mut self, set: &'a SelectionSet, of: Option<&'a str>, fragments: &'a Fragments) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let asked = self.fields.entry(&field.node.response_key().node).or_default();
                    asked.places.push(Place { field: &field.node, of });
                }
                Selection::InlineFragment(fragment) => {
                    let named = fragment.node.type_condition.as_ref().map(|named| named.node.on.node.as_str());
                    self.collect(&fragment.node.selection_set.node, named.or(of), fragments);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                        let named = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(&fragment.node.selection_set.node, Some(named), fragments);
                    }
                }
            }
        }
    }

    /// The type of the position's field in an object of this type. By GraphQL's rules it may be null in all places or in none.
    pub fn kind(&self, of: &str) -> Option<&'static Type> {
        let mut places = self.places.iter();
        places
            .find_map(|place| schema_index::field(place.of.unwrap_or(of), &place.field.name.node))
            .map(|(_, kind)| kind)
    }
}
